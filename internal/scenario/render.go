package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Limits of a rendered request, in bytes.
const (
	MaxPath        = 8 << 10
	MaxHeaderValue = 8 << 10
	MaxBody        = 1 << 20
)

// ContentType of a JSON body, unless the template sets another one.
const ContentType = "application/json"

// ErrNoCall is returned by Render when the scenario has no call for the action: the change is skipped.
var ErrNoCall = errors.New("the template has no call for this action")

// RenderError says why a value does not fit its place. It never holds the value.
type RenderError struct {
	Action Action
	// Where is "path", "body" or "header NAME".
	Where string
	// Placeholder as the template spells it; empty when it is not about one value.
	Placeholder string
	// Cause, and what to do.
	Cause string
}

func (e *RenderError) Error() string {
	if e.Placeholder == "" {
		return fmt.Sprintf("action %s, %s: %s", e.Action, e.Where, e.Cause)
	}
	return fmt.Sprintf("action %s, %s, %s: %s", e.Action, e.Where, e.Placeholder, e.Cause)
}

// Render makes the request for an action. The error is ErrNoCall, or a *RenderError when a value does not fit; trying
// again gives the same error.
func (s *Scenario) Render(a Action, f Fields) (Request, error) {
	c := s.calls[a]
	if c == nil {
		return Request{}, ErrNoCall
	}
	if c.lacks(f) {
		return s.without(c, f)
	}
	if c.lookup != nil {
		return s.renderLookup(a, c, f)
	}
	return s.render(a, c, f)
}

func (s *Scenario) render(a Action, c *call, f Fields) (Request, error) {
	r := renderer{fields: f, date: s.date}
	fail := func(where string, err *RenderError) (Request, error) {
		err.Action, err.Where = a, where
		return Request{}, err
	}
	path, err := r.append(make([]byte, 0, c.pathSize), c.path, MaxPath)
	if err != nil {
		return fail("path", err)
	}
	req := Request{
		Method: c.method, Path: string(path), Header: make(http.Header, len(c.headers)+1), Batch: c.batch, Confirm: c.confirm,
		Captures: c.captures, Spends: c.spends,
	}
	if len(c.spends) > 0 && c.missing != "" {
		req.Without = func() (Request, error) { return s.without(c, f) }
	}
	for _, h := range c.headers {
		value, err := r.append(nil, h.value, MaxHeaderValue)
		if err != nil {
			return fail("header "+h.name, err)
		}
		req.Header[h.name] = append(req.Header[h.name], string(value))
	}
	if len(c.body) == 0 {
		return req, nil
	}
	if req.Body, err = r.append(make([]byte, 0, c.bodySize), c.body, MaxBody); err != nil {
		return fail("body", err)
	}
	if _, ok := req.Header["Content-Type"]; !ok {
		req.Header["Content-Type"] = []string{c.contentType}
	}
	return req, nil
}

type renderer struct {
	fields Fields
	date   *dateFormat
}

func (r *renderer) append(dst []byte, parts []part, limit int) ([]byte, *RenderError) {
	last := ""
	for _, p := range parts {
		switch p.op {
		case opText:
			dst = append(dst, p.text...)
		case opSegmentEnd:
			if isDots(dst[bytes.LastIndexByte(dst, '/')+1:]) {
				return nil, &RenderError{Placeholder: spelled(last), Cause: `the value would make a path segment "." or "..", which changes the path; correct it in the CRM`}
			}
		default:
			value, cause := r.value(p)
			if cause != "" {
				return nil, &RenderError{Placeholder: spelled(p.text), Cause: cause}
			}
			last = p.text
			dst = appendValue(dst, p, value)
		}
		if len(dst) > limit {
			return nil, &RenderError{Cause: fmt.Sprintf("more than %d bytes; shorten the template or the item's texts", limit)}
		}
	}
	return dst, nil
}

// value returns the value of a placeholder, or why it does not fit.
func (r *renderer) value(p part) (value, cause string) {
	value, ok := r.fields[p.text]
	if !ok {
		return "", "there is no value"
	}
	if p.text == dateField || p.text == ItemEventTime {
		formatted, err := r.date.format(value)
		if err != nil {
			return "", err.Error()
		}
		value = formatted
	}
	switch {
	case p.op == opSegmentValue && value == "" && p.text != ItemReopened: // which is empty at first, behind the id
		return "", "the value is empty, and a path segment must not be; fill it in the CRM or take the placeholder out of the path"
	case p.op == opHeaderValue && hasControl(value):
		return "", "the value holds a line break or another control character, which must not stand in a header; take the placeholder out of the header"
	}
	return value, ""
}

func appendValue(dst []byte, p part, value string) []byte {
	switch p.op {
	case opBodyValue:
		return nest(dst, p.in, value)
	case opHeaderValue:
		return append(dst, strings.ToValidUTF8(value, "\uFFFD")...)
	default:
		return appendEscaped(dst, value)
	}
}
