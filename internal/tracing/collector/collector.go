// Package collector is an OpenTelemetry collector for tests: it takes spans over HTTP and keeps them.
package collector

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// Span as it arrived.
type Span struct {
	Trace, ID, Parent string
	Service, Name     string
	Attributes        map[string]string
	Failed            bool
	// Links are the ids of the spans that it links to.
	Links []string
}

// Collector is a running one.
type Collector struct {
	// URL is what OTEL_EXPORTER_OTLP_ENDPOINT has to be.
	URL string

	mu      sync.Mutex
	spans   []Span
	raw     bytes.Buffer
	headers []http.Header
	refuse  bool
}

// Start runs a collector until the end of the test.
func Start(t testing.TB) *Collector {
	c := &Collector{}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	c.URL = server.URL
	return c
}

// Refuse makes the collector refuse everything.
func (c *Collector) Refuse() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refuse = true
}

// ServeHTTP implements http.Handler.
func (c *Collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.headers = append(c.headers, r.Header.Clone())
	if c.refuse || r.URL.Path != "/v1/traces" {
		http.Error(w, "not here", http.StatusBadRequest)
		return
	}
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = unpacked
	}
	var request collectortrace.ExportTraceServiceRequest
	data, err := io.ReadAll(body)
	if err == nil {
		err = proto.Unmarshal(data, &request)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.keep(&request)
	answer, _ := proto.Marshal(&collectortrace.ExportTraceServiceResponse{}) // an empty message always is one
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(answer)
}

func (c *Collector) keep(request *collectortrace.ExportTraceServiceRequest) {
	text, _ := protojson.Marshal(request) // what was unmarshalled can be marshalled
	c.raw.Write(text)
	for _, resource := range request.ResourceSpans {
		service := ""
		for _, a := range resource.Resource.Attributes {
			if a.Key == "service.name" {
				service = a.Value.GetStringValue()
			}
		}
		for _, scope := range resource.ScopeSpans {
			for _, s := range scope.Spans {
				span := Span{
					Trace: hex.EncodeToString(s.TraceId), ID: hex.EncodeToString(s.SpanId), Parent: hex.EncodeToString(s.ParentSpanId),
					Service: service, Name: s.Name, Attributes: map[string]string{}, Failed: s.Status.GetCode() == 2,
				}
				for _, a := range s.Attributes {
					span.Attributes[a.Key] = a.Value.GetStringValue()
					if span.Attributes[a.Key] == "" {
						text, _ := protojson.Marshal(a.Value)
						span.Attributes[a.Key] = string(text)
					}
				}
				for _, l := range s.Links {
					span.Links = append(span.Links, hex.EncodeToString(l.SpanId))
				}
				c.spans = append(c.spans, span)
			}
		}
	}
}

// Spans so far, in the order in which they were told.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Span(nil), c.spans...)
}

// Raw is everything that arrived, as text.
func (c *Collector) Raw() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.raw.String()
}

// Headers of the requests so far.
func (c *Collector) Headers() []http.Header {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]http.Header(nil), c.headers...)
}

// Below returns the spans whose parent is another one.
func Below(spans []Span, parent string) (out []Span) {
	for _, s := range spans {
		if s.Parent == parent {
			out = append(out, s)
		}
	}
	return out
}
