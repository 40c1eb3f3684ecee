package crm

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oabridge/oabridge/internal/scenario"
)

func wantEvent() Event {
	return Event{
		ID: "e-1", Source: "/crm/714439", Type: "dev.oabridge.todo.created", Kind: Todo, Action: scenario.Create,
		Time: time.Date(2026, 11, 22, 1, 30, 0, 0, time.UTC), DataCenterID: "dc-1",
		TraceParent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		Item: scenario.Item{
			ID: "T-0001", Version: 3, Heading: "报价单审批", Subject: "提交", Detail: "QT-2026-0001 华东区 <加急> 🚀",
			CreatedAt: time.Date(2026, 11, 22, 1, 30, 0, 0, time.UTC), EnterpriseID: "714439",
			Object:    scenario.Object{APIName: "QuoteObj", ID: "5f3c2ab1"},
			Sender:    scenario.Person{Account: "1000", Name: "张三"},
			Receivers: []scenario.Person{{Account: "1002", Name: "李四"}},
		},
	}
}

var sameTime = cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })

// The same event arrives in every mode of the contract as the same Event.
func TestParseEveryMode(t *testing.T) {
	binary := binaryHeader()
	binary.Set("ce-type", "dev.oabridge.todo.created")
	binary.Set("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	encoded := binary.Clone()
	encoded.Set("ce-source", "/crm%2F714439")
	for name, in := range map[string]struct {
		header http.Header
		body   string
	}{
		"structured":               {contentType("application/cloudevents+json; charset=UTF-8"), structured()},
		"batch":                    {contentType("application/cloudevents-batch+json"), "[" + structured() + "]"},
		"binary":                   {binary, itemJSON},
		"binary, percent-encoded":  {encoded, itemJSON},
		"base64":                   {contentType("application/cloudevents+json"), structured("data", "", "data_base64", `"`+base64.StdEncoding.EncodeToString([]byte(itemJSON))+`"`)},
		"unknown members":          {contentType("application/cloudevents+json"), withItem(`"version":3`, `"version":3,"ID":7,"later":{"x":[1]}`)},
		"unknown extensions":       {contentType("application/cloudevents+json"), structured("partitionkey", `"p"`, "ID", `"x"`)},
		"the content type is said": {contentType("application/cloudevents+json"), structured("datacontenttype", `"application/json"`)},
	} {
		t.Run(name, func(t *testing.T) {
			got, problem := Parse(in.header, []byte(in.body), DefaultLimits())
			if problem != nil {
				t.Fatal(problem)
			}
			if diff := cmp.Diff([]Event{wantEvent()}, got, sameTime); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseTypes(t *testing.T) {
	for typ, want := range map[string]string{ // F3, F19
		"dev.oabridge.todo.created":     "Todo create",
		"dev.oabridge.todo.updated":     "Todo update",
		"dev.oabridge.todo.completed":   "Todo complete",
		"dev.oabridge.todo.deleted":     "Todo delete",
		"dev.oabridge.reminder.created": "Reminder create",
	} {
		got, problem := Parse(contentType(typeStructured), []byte(structured("type", `"`+typ+`"`)), DefaultLimits())
		if problem != nil {
			t.Fatal(problem)
		}
		if g := got[0].Kind + " " + string(got[0].Action); g != want {
			t.Errorf("%s: got %s, want %s", typ, g, want)
		}
	}
}

const (
	eventTrace   = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	requestTrace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
)

// Every event has a trace: its own, else that of the request that carries it alone, else one that begins here.
func TestTraceContext(t *testing.T) {
	binary := func() http.Header { return with(binaryHeader(), "traceparent", requestTrace) }
	single := func() http.Header { return with(contentType(typeStructured), "traceparent", requestTrace) }
	for name, test := range map[string]struct {
		header http.Header
		body   string
		want   string // empty: a new one
	}{
		"structured, attribute":        {single(), structured(), eventTrace},
		"structured, header":           {single(), structured("traceparent", ""), requestTrace},
		"structured, broken attribute": {single(), structured("traceparent", `"x"`), requestTrace},
		"structured, nothing":          {contentType(typeStructured), structured("traceparent", ""), ""},
		"binary, attribute":            {with(binary(), "ce-traceparent", eventTrace), itemJSON, eventTrace},
		"binary, header":               {binary(), itemJSON, requestTrace},
		"binary, nothing":              {binaryHeader(), itemJSON, ""},
		"batch, attribute":             {with(contentType(typeBatch), "traceparent", requestTrace), "[" + structured() + "]", eventTrace},
		"batch, header":                {with(contentType(typeBatch), "traceparent", requestTrace), "[" + structured("traceparent", "") + "]", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, problem := Parse(test.header, []byte(test.body), DefaultLimits())
			if problem != nil {
				t.Fatal(problem)
			}
			trace := got[0].TraceParent
			if test.want != "" && trace != test.want || test.want == "" && (!validTraceParent(trace) || trace == eventTrace || trace == requestTrace) {
				t.Errorf("got %q, want %q", trace, test.want)
			}
		})
	}
	if one, other := NewTraceParent(), NewTraceParent(); one == other {
		t.Error("two traces have one id")
	}
}

// A broken trace context is dropped, the event is not.
func TestParseDropsBrokenTraceContext(t *testing.T) {
	for _, bad := range []string{
		"x", "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
		"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
	} {
		got, problem := Parse(contentType(typeStructured), []byte(structured("traceparent", `"`+bad+`"`)), DefaultLimits())
		if problem != nil || got[0].TraceParent == bad || !validTraceParent(got[0].TraceParent) {
			t.Errorf("%s: got %v, %v", bad, got, problem)
		}
	}
}

// What is wrong is named: the event, the field, the cause and what to do.
func TestParseNamesWhatIsWrong(t *testing.T) {
	long := strings.Repeat("长", MaxEventBytes/3)
	tests := map[string]struct {
		contentType string // default structured
		header      http.Header
		body        string
		status      int
		event       int
		field       string // empty: no list, see detail
		cause       string // part of the cause or the detail
	}{
		"specversion missing":    {body: structured("specversion", ""), field: "specversion", cause: "missing"},
		"specversion wrong":      {body: structured("specversion", `"0.3"`), field: "specversion", cause: `"0.3", which is not allowed`},
		"id missing":             {body: structured("id", ""), field: "id", cause: "missing"},
		"id of the wrong type":   {body: structured("id", "7"), field: "id", cause: "a JSON number where a string is expected"},
		"id with a line break":   {body: structured("id", `"a\nb"`), field: "id", cause: "control"},
		"id too long":            {body: structured("id", `"`+strings.Repeat("x", maxIDBytes+1)+`"`), field: "id", cause: "too long"},
		"source missing":         {body: structured("source", ""), field: "source", cause: "missing"},
		"source no URI":          {body: structured("source", `"http://[::1"`), field: "source", cause: "URI"},
		"type unknown":           {body: structured("type", `"dev.oabridge.todo.create"`), field: "type", cause: "not allowed"},
		"time malformed":         {body: structured("time", `"yesterday"`), field: "time", cause: "yesterday"},
		"data missing":           {body: structured("data", ""), field: "data", cause: "missing"},
		"data null":              {body: structured("data", "null"), field: "data", cause: "missing"},
		"data a string":          {body: structured("data", `"x"`), field: "data", cause: "a JSON string where an object is expected"},
		"data twice":             {body: structured("data_base64", `"e30="`), field: "data_base64", cause: "beside data"},
		"data_base64 broken":     {body: structured("data", "", "data_base64", `"%%%"`), field: "data_base64", cause: "not base64"},
		"data_base64 not JSON":   {body: structured("data", "", "data_base64", `"eHg="`), field: "data", cause: "not JSON"},
		"data XML":               {body: structured("datacontenttype", `"text/xml"`, "data", `"<x/>"`), field: "datacontenttype", cause: "text/xml"},
		"item without id":        {body: withItem(`"id":"T-0001",`, ""), field: "data.id"},
		"item without receivers": {body: withItem(`,"receivers":[{"account":"1002","name":"李四"}]`, ""), field: "data.receivers"},
		"createdAt missing":      {body: withItem(`"createdAt":"2026-11-22T09:30:00+08:00",`, ""), field: "data.createdAt"},
		"createdAt no time":      {body: withItem("2026-11-22T09:30:00+08:00", "2026-11-22 09:30"), field: "data.createdAt", cause: "RFC 3339"},
		"version a string":       {body: withItem(`"version":3`, `"version":"3"`), field: "data.version", cause: "whole number"},
		"version too large":      {body: withItem(`"version":3`, `"version":1e30`), field: "data.version", cause: "whole number"},
		"receiver of wrong type": {body: withItem(`{"account":"1002","name":"李四"}`, `{"account":"1002"},{"account":1003}`), field: "data.receivers[1].account", cause: "a JSON number where a string is expected"},
		"a name twice":           {body: withItem(`"version":3`, `"version":3,"version":4`), field: "data.version", cause: "duplicate"},
		"broken UTF-8":           {body: withItem("T-0001", "T-\xff"), field: "data.id", cause: "UTF-8"},
		"half a surrogate":       {body: withItem("T-0001", `T-\ud800`), field: "data.id", cause: "surrogate"},
		"not JSON":               {body: "{", field: "event", cause: "not JSON"},
		"empty":                  {body: "", field: "event", cause: "not JSON"},
		"two events in a row":    {body: structured() + structured(), field: "event", cause: "not JSON"},
		"an array":               {body: "[" + structured() + "]", field: "event", cause: "a JSON array where an object is expected"},
		"event too large":        {body: withItem("提交", long), status: 413, field: "event", cause: "at most 262144"},

		"batch with one bad event":  {contentType: typeBatch, body: "[" + structured() + "," + structured("type", `"x"`) + "," + structured() + "]", event: 1, field: "type"},
		"batch that is an object":   {contentType: typeBatch, body: structured(), cause: "array of events"},
		"batch cut off":             {contentType: typeBatch, body: "[" + structured() + ",", cause: "event 1 is not JSON"},
		"batch without end":         {contentType: typeBatch, body: "[" + structured(), cause: "not JSON"},
		"batch with a tail":         {contentType: typeBatch, body: "[" + structured() + "] x", cause: "after the array"},
		"batch empty body":          {contentType: typeBatch, body: "", cause: "not JSON"},
		"batch of too many":         {contentType: typeBatch, body: "[" + strings.Repeat("{},", MaxBatchEvents) + "{}]", status: 413, cause: "more than 1000"},
		"request too large":         {body: strings.Repeat(" ", MaxRequestBytes+1), status: 413, cause: "4194304"},
		"binary without an id":      {header: without(binaryHeader(), "Ce-Id"), body: itemJSON, field: "id", cause: "missing"},
		"binary, broken encoding":   {header: with(binaryHeader(), "Ce-Source", "%zz"), body: itemJSON, field: "source", cause: "percent"},
		"binary, data too large":    {header: binaryHeader(), body: strings.Replace(itemJSON, "提交", long, 1), status: 413, field: "data"},
		"binary, data not JSON":     {header: binaryHeader(), body: "<x/>", field: "data", cause: "not JSON"},
		"JSON but no event":         {contentType: "application/json", body: structured(), status: 415, cause: "no ce- headers"},
		"no content type":           {header: http.Header{}, body: structured(), status: 415, cause: "Content-Type"},
		"form":                      {contentType: "application/x-www-form-urlencoded", body: "a=b", status: 415, cause: "Content-Type"},
		"latin-1":                   {contentType: typeStructured + "; charset=iso-8859-1", body: structured(), status: 415, cause: "UTF-8"},
		"compressed":                {header: with(contentType(typeStructured), "Content-Encoding", "gzip"), body: "x", status: 415, cause: "uncompressed"},
		"content type out of shape": {contentType: "application/cloudevents+json; x", body: structured(), status: 415, cause: "malformed"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.header == nil {
				test.header = contentType(orElse(test.contentType, typeStructured))
			}
			if test.status == 0 {
				test.status = http.StatusBadRequest
			}
			events, problem := Parse(test.header, []byte(test.body), DefaultLimits())
			if problem == nil || events != nil {
				t.Fatalf("taken: %v", events)
			}
			if problem.Status != test.status || problem.Title == "" || problem.Detail == "" {
				t.Errorf("got %v, want status %d", problem, test.status)
			}
			if test.field == "" {
				if !strings.Contains(problem.Detail, test.cause) || len(problem.Errors) != 0 {
					t.Errorf("got %v, want a detail about %q", problem, test.cause)
				}
				return
			}
			if len(problem.Errors) != 1 {
				t.Fatalf("got %v, want one error", problem)
			}
			e := problem.Errors[0]
			if e.Event != test.event || e.Field != test.field || !strings.Contains(e.Cause, test.cause) || e.NextStep == "" {
				t.Errorf("got %+v, want event %d, field %s, cause %q", e, test.event, test.field, test.cause)
			}
		})
	}
}

// Repeats within a batch are left to the intake, which counts them as duplicates.
func TestParseKeepsRepeats(t *testing.T) {
	got, problem := Parse(contentType(typeBatch), []byte("["+structured()+","+structured()+"]"), DefaultLimits())
	if problem != nil || len(got) != 2 || got[0].ID != got[1].ID {
		t.Errorf("got %v, %v", got, problem)
	}
}

func TestParseEmptyBatch(t *testing.T) {
	got, problem := Parse(contentType(typeBatch), []byte(" [ ] "), DefaultLimits())
	if problem != nil || len(got) != 0 {
		t.Errorf("got %v, %v", got, problem)
	}
}

// A batch of the greatest size passes; the list of errors of a thoroughly bad one stays short.
func TestParseBatchBounds(t *testing.T) { // TM-03
	if got, problem := Parse(contentType(typeBatch), []byte(batchOf(MaxBatchEvents)), DefaultLimits()); problem != nil || len(got) != MaxBatchEvents {
		t.Errorf("got %d events, %v", len(got), problem)
	}
	_, problem := Parse(contentType(typeBatch), []byte("["+strings.Repeat("{},", 500)+"{}]"), DefaultLimits())
	if problem == nil || len(problem.Errors) != maxErrors {
		t.Errorf("got %v", problem)
	}
}

func with(h http.Header, name, value string) http.Header {
	h.Set(name, value)
	return h
}

func without(h http.Header, name string) http.Header {
	h.Del(name)
	return h
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
