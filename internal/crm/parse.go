package crm

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// The content modes of CloudEvents over HTTP, by media type.
const (
	typeStructured = "application/cloudevents+json"
	typeBatch      = "application/cloudevents-batch+json"
	typeBinary     = "application/json"
)

// usualEvent is the size of an event, in bytes, by which room is made for those of a batch.
const usualEvent = 400

// ReadBody reads the body of a request, at most limits.Request bytes of it.
func ReadBody(r *http.Request, limits Limits) ([]byte, *Problem) {
	if r.ContentLength > int64(limits.Request) {
		return nil, tooLarge(limits)
	}
	buf := bytes.NewBuffer(make([]byte, 0, max(r.ContentLength+bytes.MinRead, 0)))
	if _, err := buf.ReadFrom(io.LimitReader(r.Body, int64(limits.Request)+1)); err != nil {
		return nil, NewProblem(http.StatusBadRequest, "the body could not be read to its end: send it again")
	}
	if buf.Len() > limits.Request {
		return nil, tooLarge(limits)
	}
	return buf.Bytes(), nil
}

func tooLarge(limits Limits) *Problem {
	return NewProblem(http.StatusRequestEntityTooLarge,
		"the body has more than %d bytes: send fewer events in one batch", limits.Request)
}

// Parse returns the events of a request, or a problem; it takes all of them or none. The body is not kept.
//
// Two events of one batch may carry the same source and id: the second is a repeat, which the intake counts as a
// duplicate like any other.
//
// It decodes into structs of its own instead of the CloudEvents SDK's: intake is the hot path, the SDK's event goes
// through a map of extensions and a second decoding of the data, and its errors do not say which field of which event
// is wrong. The decoder is the reference implementation of Go's encoding/json/v2: it matches names exactly (an unknown
// member "ID" must not overwrite "id"), refuses duplicate names and broken UTF-8, and names the place of an error.
func Parse(header http.Header, body []byte, limits Limits) ([]Event, *Problem) {
	if len(body) > limits.Request {
		return nil, tooLarge(limits)
	}
	mode, problem := contentMode(header)
	if problem != nil {
		return nil, problem
	}
	var f faults
	var events []Event
	switch mode {
	case typeBatch:
		if events, problem = parseBatch(&f, body, limits); problem != nil {
			return nil, problem
		}
	case typeStructured:
		events = append(events, parseStructured(&f, 0, body, header.Get(headerTraceParent), limits))
	default:
		events = append(events, parseBinary(&f, header, body, limits))
	}
	if problem := f.problem(); problem != nil {
		return nil, problem
	}
	return events, nil
}

// contentMode reads the media type.
func contentMode(header http.Header) (string, *Problem) {
	const expected = "send " + typeStructured + ", " + typeBatch + ", or " + typeBinary + " with the attributes in ce- headers"
	if e := header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return "", NewProblem(http.StatusUnsupportedMediaType, "Content-Encoding is set: send the body uncompressed")
	}
	if media := header.Get("Content-Type"); media == typeStructured || media == typeBatch {
		return media, nil // as nearly everybody writes them
	}
	media, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		return "", NewProblem(http.StatusUnsupportedMediaType, "Content-Type is missing or malformed: %s", expected)
	}
	if c, ok := params["charset"]; ok && !strings.EqualFold(c, "utf-8") {
		return "", NewProblem(http.StatusUnsupportedMediaType, "Content-Type names a charset other than UTF-8: send UTF-8")
	}
	switch media {
	case typeStructured, typeBatch:
		return media, nil
	case typeBinary:
		if header.Get("Ce-Specversion") != "" || header.Get("Ce-Id") != "" || header.Get("Ce-Type") != "" {
			return media, nil
		}
		return "", NewProblem(http.StatusUnsupportedMediaType, "not a CloudEvent: Content-Type is %s and there are no ce- headers: %s", media, expected)
	}
	return "", NewProblem(http.StatusUnsupportedMediaType, "Content-Type is not that of a CloudEvent: %s", expected)
}

// parseBatch reads a JSON array of events. A malformed array is a problem of its own: where one event ends is then
// unknown.
func parseBatch(f *faults, body []byte, limits Limits) ([]Event, *Problem) {
	const expected = "send a JSON array of events"
	// Names and texts are checked when each event is decoded.
	dec := jsontext.NewDecoder(bytes.NewBuffer(body), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if kind := dec.PeekKind(); kind != '[' {
		return nil, malformed(dec, kind, expected)
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, malformed(dec, 0, expected)
	}
	events := make([]Event, 0, min(limits.Batch, len(body)/usualEvent+1))
	for dec.PeekKind() != ']' {
		if len(events) == limits.Batch {
			return nil, NewProblem(http.StatusRequestEntityTooLarge,
				"the batch has more than %d events: split it into several requests", limits.Batch)
		}
		raw, err := dec.ReadValue()
		if err != nil {
			return nil, NewProblem(http.StatusBadRequest, "event %d is not JSON: %s: %s", len(events), syntax(err), expected)
		}
		// The trace context of the request would put a thousand unrelated items into one trace.
		events = append(events, parseStructured(f, len(events), raw, "", limits))
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, malformed(dec, 0, expected)
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, NewProblem(http.StatusBadRequest, "there is something after the array: %s", expected)
	}
	return events, nil
}

func malformed(dec *jsontext.Decoder, kind jsontext.Kind, expected string) *Problem {
	if kind == 0 {
		_, err := dec.ReadToken()
		return NewProblem(http.StatusBadRequest, "the body is not JSON: %s: %s", syntax(err), expected)
	}
	return NewProblem(http.StatusBadRequest, "the body is a JSON %s: %s", kind, expected)
}

// quoted is a piece of the text that the decoder quotes; it may be anything.
var quoted = regexp.MustCompile(" `[^`]*`")

// maxCauseBytes bounds a cause that names something of the request.
const maxCauseBytes = 120

// syntax names what is wrong with a JSON text and where, without quoting the text.
func syntax(err error) string {
	if s, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		cause := "malformed"
		if s.Err != nil {
			cause = cut(clean(quoted.ReplaceAllString(s.Err.Error(), "")), maxCauseBytes)
		}
		if s.JSONPointer != "" {
			return fmt.Sprintf("%s within %s after byte %d", cause, fieldPath(s.JSONPointer), s.ByteOffset)
		}
		return fmt.Sprintf("%s after byte %d", cause, s.ByteOffset)
	}
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "it ends too early"
	}
	return "malformed"
}

// fieldPath writes a JSON pointer the way the contract names fields: /receivers/0/account is receivers[0].account.
func fieldPath(p jsontext.Pointer) string {
	var b strings.Builder
	for token := range p.Tokens() {
		if isIndex(token) {
			fmt.Fprintf(&b, "[%s]", token)
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(cut(token, maxDataCenterIDBytes))
	}
	return b.String()
}

func isIndex(token string) bool {
	return token != "" && strings.Trim(token, "0123456789") == ""
}

// cut bounds a text that is quoted from the request.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
