package crm

import (
	"bytes"
	"encoding/base64"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/oabridge/oabridge/internal/scenario"
)

// envelope is an event in the JSON format of CloudEvents. Extensions that it does not name are ignored.
type envelope struct {
	SpecVersion     string         `json:"specversion"`
	ID              string         `json:"id"`
	Source          string         `json:"source"`
	Type            string         `json:"type"`
	Time            string         `json:"time"`
	DataContentType string         `json:"datacontenttype"`
	DataCenterID    string         `json:"datacenterid"`
	TraceParent     string         `json:"traceparent"`
	Data            jsontext.Value `json:"data"`
	DataBase64      string         `json:"data_base64"`
}

// parseStructured reads one event in the JSON format. traceParent is the trace context of the request, if it counts.
func parseStructured(f *faults, index int, raw []byte, traceParent string, limits Limits) Event {
	if len(raw) > limits.Event {
		f.addTooLarge(index, "event", len(raw), limits.Event)
		return Event{}
	}
	var in envelope
	if err := json.Unmarshal(raw, &in); err != nil {
		f.addDecode(index, "", err)
		return Event{}
	}
	event := in.attributes(f, index, traceParent)
	data := in.data(f, index)
	if data != nil {
		event.Item = parseItem(f, index, data)
	}
	return event
}

// parseBinary reads an event whose attributes are headers, percent-encoded, and whose body is the data.
func parseBinary(f *faults, header http.Header, body []byte, limits Limits) Event {
	if len(body) > limits.Event {
		f.addTooLarge(0, "data", len(body), limits.Event)
		return Event{}
	}
	attribute := func(name string) string {
		v := header.Get("Ce-" + name)
		if decoded, err := url.PathUnescape(v); err == nil {
			return decoded
		}
		f.add(0, name, "has a broken percent-encoding", "write the header ce-"+name+" percent-encoded as CloudEvents over HTTP asks for")
		return "-"
	}
	in := envelope{
		SpecVersion: attribute("specversion"), ID: attribute("id"), Source: attribute("source"), Type: attribute("type"),
		Time: attribute("time"), DataCenterID: attribute("datacenterid"),
		TraceParent: attribute("traceparent"),
	}
	event := in.attributes(f, 0, header.Get(headerTraceParent))
	event.Item = parseItem(f, 0, body)
	return event
}

// attributes checks the attributes of an event. traceParent stands in for an attribute that is not there.
func (in *envelope) attributes(f *faults, index int, traceParent string) Event {
	e := Event{ID: in.ID, Source: in.Source, Type: in.Type, DataCenterID: in.DataCenterID}
	if in.SpecVersion != "1.0" {
		f.add(index, "specversion", wrong(in.SpecVersion), `set specversion to "1.0"`)
	}
	checkText(f, index, "id", in.ID, maxIDBytes, "set id to a value that is unique for the source")
	const nextSource = "set source to a URI reference of the CRM such as /crm/714439"
	if checkText(f, index, "source", in.Source, maxSourceBytes, nextSource) {
		if _, err := url.Parse(in.Source); err != nil {
			f.add(index, "source", "is not a URI reference", nextSource)
		}
	}
	if meaning, ok := types[in.Type]; ok {
		e.Kind, e.Action = meaning.kind, meaning.action
	} else {
		f.add(index, "type", wrong(in.Type),
			"use dev.oabridge.todo.created, .updated, .completed or .deleted, or dev.oabridge.reminder.created")
	}
	if in.Time != "" {
		t, err := time.Parse(time.RFC3339, in.Time)
		if err != nil {
			f.add(index, "time", wrong(in.Time), "write time as RFC 3339 such as 2026-11-22T09:30:00+08:00, or leave it out")
		}
		e.Time = t
	}
	if in.DataCenterID != "" {
		checkText(f, index, "datacenterid", in.DataCenterID, maxDataCenterIDBytes,
			"set datacenterid to spec.dataCenterID of the connector, or leave it out")
	}
	e.TraceParent, e.Untraced = firstTraceParent(in.TraceParent, traceParent)
	return e
}

// data returns the JSON text of the data, or nil after noting what is wrong with it.
func (in *envelope) data(f *faults, index int) []byte {
	if in.DataContentType != "" && !isJSON(in.DataContentType) {
		f.add(index, "datacontenttype", wrong(in.DataContentType), "send the data as JSON and set datacontenttype to application/json, or leave it out")
		return nil
	}
	switch {
	case in.DataBase64 != "" && in.Data != nil:
		f.add(index, "data_base64", "stands beside data", "send either data or data_base64")
	case in.DataBase64 != "":
		data, err := base64.StdEncoding.DecodeString(in.DataBase64)
		if err == nil {
			return data
		}
		f.add(index, "data_base64", "is not base64", "encode the JSON text of the data in standard base64 with padding, or send it in data")
	case in.Data == nil || bytes.Equal(in.Data, []byte("null")):
		f.add(index, "data", "is missing", "send the item in data")
	default:
		return in.Data
	}
	return nil
}

// parseItem reads the data of an event. Members that it does not know are ignored, so that a newer CRM can talk to an
// older dispatcher.
func parseItem(f *faults, index int, data []byte) scenario.Item {
	var item scenario.Item
	if err := json.Unmarshal(data, &item); err != nil {
		f.addDecode(index, "data", err)
		return scenario.Item{}
	}
	for _, e := range item.Validate() {
		f.add(index, "data."+e.Field, e.Cause, e.NextStep)
	}
	return item
}

// addDecode notes why a JSON text does not fit: it is no JSON, or a member has the wrong type.
func (f *faults) addDecode(index int, prefix string, err error) {
	field := func(p jsontext.Pointer) string {
		path := fieldPath(p)
		switch {
		case path == "" && prefix == "":
			return "event"
		case path == "":
			return prefix
		case prefix == "":
			return path
		}
		return prefix + "." + path
	}
	if s, ok := errors.AsType[*json.SemanticError](err); ok {
		wanted := wantedType(s)
		f.add(index, field(s.JSONPointer), "is a JSON "+kindName(s.JSONKind)+" where "+wanted+" is expected", "send "+wanted)
		return
	}
	if s, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		f.add(index, field(s.JSONPointer), "is not JSON: "+syntax(err), "send well-formed JSON in UTF-8 with each name once")
		return
	}
	f.add(index, field(""), "is not JSON: "+syntax(err), "send well-formed JSON in UTF-8 with each name once")
}

// wrong describes a value that is not one of the allowed ones.
func wrong(value string) string {
	if value == "" {
		return "is missing"
	}
	return `is "` + cut(clean(value), 100) + `", which is not allowed`
}

// checkText reports whether a text is there, short enough and free of control characters.
func checkText(f *faults, index int, field, value string, limit int, nextStep string) bool {
	switch {
	case value == "":
		f.add(index, field, "is missing", nextStep)
	case len(value) > limit:
		f.add(index, field, "is too long", nextStep)
	case clean(value) != value:
		f.add(index, field, "holds control characters", nextStep)
	default:
		return true
	}
	return false
}

// clean replaces control characters and broken UTF-8 by spaces.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || (r >= 0x7f && r < 0xa0) || r == '\uFFFD' {
			return ' '
		}
		return r
	}, s)
}

func isJSON(mediaType string) bool {
	if mediaType == typeBinary {
		return true
	}
	media, _, err := mime.ParseMediaType(mediaType)
	return err == nil && (media == "application/json" || media == "text/json" || strings.HasSuffix(media, "+json"))
}
