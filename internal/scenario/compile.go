package scenario

import (
	"net/http"
	"slices"
	"strings"
)

// op says what a part appends.
type op uint8

const (
	opText         op = iota // text itself
	opBodyValue              // a value, in a leaf of a body
	opHeaderValue            // a value, in a header
	opSegmentValue           // a value, in a path segment
	opQueryValue             // a value, in a query
	opSegmentEnd             // nothing; checks the path segment that ends here
)

// part of a compiled text. text is literal text, or the id of a placeholder.
type part struct {
	op   op
	text string
	// in are the places in which an opBodyValue stands, one inside the other, the innermost first.
	in []quoting
}

func appendText(parts []part, s string) []part {
	if s == "" {
		return parts
	}
	if last := len(parts) - 1; last >= 0 && parts[last].op == opText {
		parts[last].text += s
		return parts
	}
	return append(parts, part{op: opText, text: s})
}

// Scenario is a parsed Definition. It is safe for concurrent use.
type Scenario struct {
	definition Definition
	date       *dateFormat
	calls      map[Action]*call
	readBacks  map[Action]*readBack
}

type call struct {
	method  string
	path    []part
	headers []header
	body    []part
	// contentType of the body, unless a header says otherwise.
	contentType string
	batch       *Batch
	confirm     bool
	// lookup is made before; captures are taken from the answer; spends are values of earlier answers that this call uses up.
	lookup   *lookup
	captures []Capture
	spends   []string
	missing  string
	// live: the call needs values that are known only when the item goes out.
	live bool
	// pathSize and bodySize are guesses at rendered sizes, in bytes.
	pathSize, bodySize int
}

type header struct {
	name  string
	value []part
}

// Definition returns what the scenario was made from.
func (s *Scenario) Definition() Definition { return s.definition }

// Actions are all actions, in the order of an item's life.
var Actions = []Action{Create, Update, Complete, Delete}

// ReservedHeaders are set by OA Bridge or its HTTP client; a template must not set them.
var ReservedHeaders = []string{"Host", "Content-Length", "Transfer-Encoding", "Connection", "Token"}

// Methods that a call may have.
var Methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// New parses a definition. The error is an *InvalidError that holds everything that is wrong.
func New(d Definition) (*Scenario, error) {
	s := &Scenario{definition: d, calls: map[Action]*call{}, readBacks: map[Action]*readBack{}}
	var problems []Problem
	date, err := newDateFormat(d.DateFormat, d.TimeZone)
	if err != nil {
		field := "dateFormat"
		if strings.HasPrefix(err.Error(), "timeZone") {
			field = "timeZone"
		}
		problems = append(problems, Problem{reasonTemplate, field, err.Error()})
	}
	s.date = date
	if (d.Result.CodeName == "") != (d.Result.SuccessCode == "") {
		problems = append(problems, Problem{reasonTemplate, "result", "codeName and successCode belong together; set both or none"})
	}
	for a := range d.Calls {
		if !slices.Contains(Actions, a) {
			problems = append(problems, Problem{reasonTemplate, "actions." + string(a), "unknown action; the actions are create, update, complete and delete"})
		}
	}
	for _, a := range Actions {
		c, ok := d.Calls[a]
		if !ok {
			continue
		}
		compiled, bad := compileCall("actions."+string(a), d.Protocol, c)
		problems = append(problems, bad...)
		s.calls[a] = compiled
		if c.ReadBack != nil {
			s.readBacks[a], bad = compileReadBack("actions."+string(a)+".readBack", d.Protocol, *c.ReadBack)
			problems = append(problems, bad...)
		}
	}
	problems = append(problems, s.checkValues()...)
	if len(d.Calls) == 0 {
		problems = append(problems, Problem{reasonTemplate, "actions", "there is no call; a scenario needs at least create"})
	}
	if len(problems) > 0 {
		return nil, &InvalidError{problems}
	}
	return s, nil
}

func compileCall(field, protocol string, c Call) (*call, []Problem) {
	out := &call{method: c.Method, confirm: c.ReadBack != nil, contentType: ContentType}
	var problems []Problem
	report := func(below string, bad *fault) {
		if bad != nil {
			problems = append(problems, Problem{bad.reason, field + below, bad.message})
		}
	}
	if !slices.Contains(Methods, c.Method) {
		report(".method", &fault{reasonTemplate, `method "` + c.Method + `" is not one of ` + strings.Join(Methods, ", ")})
	}
	var bad *fault
	out.path, bad = compilePath(c.Path)
	report(".path", bad)
	for _, h := range c.Headers {
		value, bad := compileHeader(h)
		report(".headers["+h.Name+"]", bad)
		out.headers = append(out.headers, header{http.CanonicalHeaderKey(h.Name), value})
	}
	if c.Body != "" {
		var bodyProblems []Problem
		out.body, bodyProblems = compileBody(field+".body", protocol, c.Body)
		problems = append(problems, bodyProblems...)
	}
	if protocol == Webservice && c.Body != "" && len(problems) == 0 {
		problems = append(problems, out.asWebservice(field, c.Body)...)
	}
	switch {
	case c.Batch != nil && protocol == Webservice:
		report(".batch", &fault{reasonTemplate, "a batch is a list of JSON bodies; with protocol Webservice every item goes alone, so leave batch out"})
	case c.Batch != nil:
		var batchProblems []Problem
		out.batch, batchProblems = compileBatch(field, c)
		problems = append(problems, batchProblems...)
	}
	if c.Lookup != nil {
		var lookupProblems []Problem
		out.lookup, lookupProblems = compileLookup(field+".lookup", protocol, *c.Lookup)
		problems = append(problems, lookupProblems...)
	}
	out.captures, out.missing = c.Capture, c.Missing
	out.pathSize, out.bodySize = sizeHint(out.path), sizeHint(out.body)
	return out, problems
}

// compileTokens parses a text of which all parameters must have been filled in.
func compileTokens(s string) ([]token, *fault) {
	tokens, bad := parseText(s)
	if bad != nil {
		return nil, bad
	}
	for i, t := range tokens {
		if t.kind == parameter && isLive(t.text) {
			if message := unknownLive(t.text); message != "" {
				return nil, &fault{reasonParameter, message}
			}
			tokens[i].kind = placeholder // from here on they are alike
			continue
		}
		if t.kind == parameter {
			return nil, &fault{reasonParameter, "the parameter ${" + t.text + "} has no value"}
		}
		if t.kind == placeholder && !known[t.text] {
			return nil, &fault{reasonPlaceholder, unknownPlaceholder(t.text)}
		}
	}
	return tokens, nil
}

func compilePath(s string) ([]part, *fault) {
	if !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") {
		return nil, &fault{reasonTemplate, "the path must start with exactly one slash; the host comes from the connector's endpoint"}
	}
	tokens, bad := compileTokens(s)
	if bad != nil {
		return nil, bad
	}
	for i, t := range tokens {
		if t.kind == literal {
			if tokens[i].text, bad = cleanPath(t.text); bad != nil {
				return nil, bad
			}
		}
	}
	return compileURL(tokens, false)
}

func compileHeader(h Header) ([]part, *fault) {
	name := http.CanonicalHeaderKey(h.Name)
	for _, reserved := range ReservedHeaders {
		if name == reserved {
			return nil, &fault{reasonTemplate, "the header " + name + " is set by OA Bridge itself; leave it out"}
		}
	}
	tokens, bad := compileTokens(h.Value)
	if bad != nil {
		return nil, bad
	}
	if hasControl(h.Name) || hasControl(h.Value) || strings.ContainsAny(h.Name, " :\t") || h.Name == "" {
		return nil, &fault{reasonTemplate, "a header must not hold line breaks or other control characters, and its name no space or colon"}
	}
	return compilePlain(tokens, opHeaderValue), nil
}

func compilePlain(tokens []token, value op) []part {
	var parts []part
	for _, t := range tokens {
		if t.kind == literal {
			parts = appendText(parts, t.text)
		} else {
			parts = append(parts, part{op: value, text: t.text})
		}
	}
	return parts
}

func compileBody(field, protocol, body string) ([]part, []Problem) {
	chunks, bad := parseBody(protocol, body)
	if bad != nil {
		return nil, []Problem{{bad.reason, field, bad.message}}
	}
	var c bodyCompiler
	c.document(field, chunks, nil)
	return c.parts, c.problems
}

type bodyCompiler struct {
	parts    []part
	problems []Problem
}

// document compiles a document that stands in the places outer.
func (c *bodyCompiler) document(field string, chunks []chunk, outer []quoting) {
	for _, k := range chunks {
		if k.leaf {
			c.leaf(fieldBelow(field, k.path), k.text, append([]quoting{k.quoting}, outer...))
		} else {
			c.literal(k.raw, outer)
		}
	}
}

func (c *bodyCompiler) literal(text string, in []quoting) {
	c.parts = appendText(c.parts, string(nest(nil, in, text)))
}

func (c *bodyCompiler) leaf(field, text string, in []quoting) {
	inner, bad := parseInner(text)
	if inner != nil {
		c.document(field, inner, in)
		return
	}
	var parts []part
	if bad == nil {
		parts, bad = compileLeaf(text)
	}
	if bad != nil {
		c.problems = append(c.problems, Problem{bad.reason, field, bad.message})
	}
	for _, p := range parts {
		switch p.op {
		case opText:
			c.literal(p.text, in)
		case opBodyValue:
			p.in = in
			c.parts = append(c.parts, p)
		default: // percent-encoding leaves nothing to quote
			c.parts = append(c.parts, p)
		}
	}
}

func compileLeaf(text string) ([]part, *fault) {
	tokens, bad := compileTokens(text)
	if bad != nil {
		return nil, bad
	}
	if isURL(tokens) {
		return compileURL(tokens, true)
	}
	return compilePlain(tokens, opBodyValue), nil
}

// sizeHint guesses the size of a rendered text, in bytes, so that most renderings allocate once.
func sizeHint(parts []part) int {
	const value = 48
	n := 0
	for _, p := range parts {
		if p.op == opText {
			n += len(p.text)
		} else {
			n += value
		}
	}
	return n
}
