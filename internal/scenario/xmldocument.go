package scenario

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// xmlDocument is an XML document in chunks, which together are its bytes: prefixes, declarations, comments and white
// space stay as their author wrote them.
type xmlDocument struct {
	chunks []chunk
	root   xml.Name
}

// parseXML cuts an XML document in UTF-8 into chunks. Leaves are the texts, CDATA sections and attribute values that hold
// a placeholder or a parameter. It must be well-formed, with one root element and declared prefixes, and must have no
// DOCTYPE, no entities but the five of XML itself and no processing instruction but the declaration.
func parseXML(src string) (xmlDocument, *fault) {
	r := xmlReader{src: src, dec: xml.NewDecoder(strings.NewReader(src))}
	r.dec.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // see declaration
	for {
		r.start = int(r.dec.InputOffset())
		token, err := r.dec.RawToken()
		r.end = int(r.dec.InputOffset())
		var bad *fault
		switch {
		case errors.Is(err, io.EOF):
			if bad = r.finish(); bad == nil {
				return r.document, nil
			}
		case err != nil:
			bad = r.syntax(err)
		default:
			bad = r.token(token)
		}
		if bad != nil {
			return xmlDocument{}, bad
		}
	}
}

type xmlReader struct {
	src string
	dec *xml.Decoder
	// start and end of the current token, in bytes.
	start, end int
	document   xmlDocument
	// open elements from the root on.
	open  []openElement
	scope namespaces
	run   run
}

// run is what stands between two tags: texts, CDATA sections and comments. For a reader its text is one.
type run struct {
	raw, text, comments string
	cdata               bool
}

type openElement struct {
	name xml.Name // with its prefix in Space
	// declared is how many declarations were in scope outside.
	declared int
}

func (r *xmlReader) faultAt(offset int, format string, args ...any) *fault {
	line, column := position(r.src, offset)
	return &fault{reasonBody, fmt.Sprintf("line %d, column %d: ", line, column) + fmt.Sprintf(format, args...)}
}

func (r *xmlReader) fault(format string, args ...any) *fault {
	return r.faultAt(r.start, format, args...)
}

const placesInXML = "placeholders and parameters may stand in text, CDATA and attribute values only"

func (r *xmlReader) syntax(err error) *fault {
	message := err.Error()
	if s, ok := errors.AsType[*xml.SyntaxError](err); ok {
		message = s.Msg
	}
	if tag, _, _ := strings.Cut(r.src[r.start:], ">"); strings.HasPrefix(tag, "<") && hasTokens(tag) {
		message += "; " + placesInXML
	}
	return r.faultAt(r.end-1, "%s; the body must be one well-formed XML document", message)
}

func (r *xmlReader) raw(s string) {
	if s == "" {
		return
	}
	if last := len(r.document.chunks) - 1; last >= 0 && !r.document.chunks[last].leaf {
		r.document.chunks[last].raw += s
		return
	}
	r.document.chunks = append(r.document.chunks, chunk{raw: s})
}

func (r *xmlReader) leaf(text, path string, q quoting) {
	r.document.chunks = append(r.document.chunks, chunk{leaf: true, text: text, path: path, quoting: q})
}

func (r *xmlReader) token(token xml.Token) *fault {
	raw := r.src[r.start:r.end]
	switch t := token.(type) {
	case xml.ProcInst:
		return r.declaration(t, raw)
	case xml.Directive:
		return r.fault("a DOCTYPE is not allowed; leave it out")
	case xml.Comment:
		if hasTokens(string(t)) {
			return r.fault("a comment holds a placeholder or parameter, and it would go out as it is; %s", placesInXML)
		}
		r.run.raw += raw
		r.run.comments += raw
	case xml.StartElement:
		r.endRun()
		return r.startElement(t, raw)
	case xml.EndElement:
		r.endRun()
		last := len(r.open) - 1
		if last < 0 || r.open[last].name != t.Name {
			return r.fault("the end tag %s closes no element that is open there", prefixed(t.Name))
		}
		r.scope = r.scope[:r.open[last].declared]
		r.open = r.open[:last]
		r.raw(raw)
	case xml.CharData:
		return r.text(string(t), raw)
	}
	return nil
}

func (r *xmlReader) declaration(t xml.ProcInst, raw string) *fault {
	if t.Target != "xml" || r.start > 0 {
		return r.fault("the processing instruction %s is not allowed; only the XML declaration is, at the very beginning", t.Target)
	}
	if m := xmlDeclared.FindStringSubmatch(raw); m != nil && !strings.EqualFold(m[1], "utf-8") {
		return r.fault("the body goes out in UTF-8; declare encoding=\"UTF-8\" instead of %s", m[1])
	}
	r.raw(raw)
	return nil
}

func (r *xmlReader) text(text, raw string) *fault {
	if len(r.open) == 0 && strings.TrimSpace(text) != "" {
		return r.fault("there is text outside the root element; the body must be one XML document")
	}
	r.run.raw += raw
	r.run.text += text
	r.run.cdata = r.run.cdata || strings.HasPrefix(raw, cdataStart)
	return nil
}

// endRun passes a run on. One that holds values becomes one leaf, so that what stands in it is seen as a whole; it is a
// CDATA section if it had one.
func (r *xmlReader) endRun() {
	t, path := r.run, r.path()
	r.run = run{}
	switch {
	case plainText(t.text):
		r.raw(t.raw)
	case t.cdata:
		r.raw(t.comments + cdataStart)
		r.leaf(t.text, path, inCDATA)
		r.raw(cdataEnd)
	default:
		r.raw(t.comments)
		r.leaf(t.text, path, inXMLText)
	}
}

// plainText reports whether a text stands for itself.
func plainText(s string) bool {
	tokens, bad := parseText(s)
	return bad == nil && (len(tokens) == 0 || len(tokens) == 1 && tokens[0] == token{literal, s})
}

func (r *xmlReader) startElement(t xml.StartElement, raw string) *fault {
	if len(r.open) == 0 && r.document.root.Local != "" {
		return r.fault("there is a second root element, %s; the body must be one XML document", prefixed(t.Name))
	}
	if len(r.open) == maxXMLDepth {
		return r.fault("the elements are nested more than %d deep", maxXMLDepth)
	}
	r.open = append(r.open, openElement{t.Name, len(r.scope)})
	for _, a := range t.Attr {
		if declares, prefix := declaration(a.Name); declares {
			r.scope = append(r.scope, namespace{prefix, a.Value})
		}
	}
	name, ok := r.scope.resolve(t.Name, true)
	if !ok {
		return r.undeclared(t.Name)
	}
	if len(r.open) == 1 {
		r.document.root = name
	}
	return r.attributes(t.Attr, raw)
}

func (r *xmlReader) undeclared(name xml.Name) *fault {
	return r.fault("the prefix of %s is not declared; add xmlns:%s to it or to an element around it", prefixed(name), name.Space)
}

// attributes passes a start tag on. It is well-formed, so its quotes are those around attribute values.
func (r *xmlReader) attributes(attributes []xml.Attr, raw string) *fault {
	var seen []xml.Name
	for _, a := range attributes {
		name, ok := r.scope.resolve(a.Name, false)
		if !ok {
			return r.undeclared(a.Name)
		}
		if slices.Contains(seen, name) {
			return r.fault("the attribute %s is there twice", prefixed(a.Name))
		}
		seen = append(seen, name)
		start := strings.IndexAny(raw, `"'`) + 1
		end := start + strings.IndexByte(raw[start:], raw[start-1])
		if plainText(a.Value) {
			r.raw(raw[:end])
		} else {
			if declares, _ := declaration(a.Name); declares {
				return r.fault("the namespace %s holds a placeholder or parameter; write it out", prefixed(a.Name))
			}
			r.raw(raw[:start])
			r.leaf(a.Value, fieldBelow(r.path(), "@"+prefixed(a.Name)), inAttribute)
		}
		r.raw(raw[end : end+1])
		raw = raw[end+1:]
	}
	r.raw(raw)
	return nil
}

func (r *xmlReader) finish() *fault {
	r.endRun()
	r.start = len(r.src)
	switch {
	case len(r.open) > 0:
		return r.fault("the element %s is not closed", prefixed(r.open[len(r.open)-1].name))
	case r.document.root.Local == "":
		return r.fault("there is no element; the body must be one XML document")
	}
	return nil
}

// path of the innermost open element: local names with dots between them.
func (r *xmlReader) path() string {
	names := make([]string, len(r.open))
	for i, e := range r.open {
		names[i] = e.name.Local
	}
	return strings.Join(names, ".")
}

func prefixed(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}

// namespaces are the declarations in scope, the innermost last.
type namespaces []namespace

type namespace struct{ prefix, uri string }

// declaration reports whether an attribute declares a namespace, and for which prefix.
func declaration(name xml.Name) (declares bool, prefix string) {
	switch {
	case name.Space == "xmlns":
		return true, name.Local
	case name.Space == "" && name.Local == "xmlns":
		return true, ""
	}
	return false, ""
}

// resolve puts the namespace in the place of a prefix. The default namespace is for elements only.
func (s namespaces) resolve(name xml.Name, isElement bool) (xml.Name, bool) {
	if name.Space == "" && !isElement || name.Space == "xml" || name.Space == "xmlns" {
		return name, true
	}
	for i := len(s) - 1; i >= 0; i-- {
		if s[i].prefix == name.Space {
			return xml.Name{Space: s[i].uri, Local: name.Local}, name.Space == "" || s[i].uri != ""
		}
	}
	return name, name.Space == ""
}
