package tracing_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"

	"github.com/oabridge/oabridge/internal/tracing"
	"github.com/oabridge/oabridge/internal/tracing/collector"
)

// Without a collector in the environment there is none, and a span costs nothing and is nobody's parent.
func TestOff(t *testing.T) {
	t.Setenv(tracing.EnvEndpoint, "")
	tracer, err := tracing.Start(t.Context(), "dispatcher", "v1", "", logr.Discard())
	if err != nil || tracer.On() {
		t.Fatal(tracer.On(), err)
	}
	for _, x := range []*tracing.Tracer{tracer, nil} {
		ctx, span := x.Begin(t.Context(), "push")
		span.End()
		if parent := tracing.Parent(ctx); parent != "" {
			t.Errorf("the parent is %q", parent)
		}
	}
	tracer.Close()
}

// A span arrives below the trace context that came with the event, with the headers of the Secret as it is now.
func TestCollector(t *testing.T) {
	c := collector.Start(t)
	t.Setenv(tracing.EnvEndpoint, c.URL)
	headers := filepath.Join(t.TempDir(), "headers")
	if err := os.WriteFile(headers, []byte("Authorization=Bearer%20canary-collector-token,X-Scope-OrgID=crm\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tracer, err := tracing.Start(t.Context(), "dispatcher", "v1.2.3", headers, logr.Discard())
	if err != nil {
		t.Fatal(err)
	}
	ctx, span := tracer.Begin(tracing.Under(context.Background(), "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"), "push")
	span.SetAttributes(tracing.ItemID.String(strings.Repeat("x", 1000)))
	span.End()
	if parent := tracing.Parent(ctx); !strings.HasPrefix(parent, "00-0123456789abcdef0123456789abcdef-") || strings.Contains(parent, "-0123456789abcdef-") {
		t.Errorf("the next parent is %q", parent)
	}
	_, unsampled := tracer.Begin(tracing.Under(context.Background(), "00-1123456789abcdef0123456789abcdef-0123456789abcdef-00"), "push")
	unsampled.End()
	tracer.Close()
	spans := c.Spans()
	if len(spans) != 1 || spans[0].Parent != "0123456789abcdef" || spans[0].Service != "oabridge-dispatcher" || len(spans[0].Attributes["oabridge.item.id"]) > 256 {
		t.Errorf("spans: %+v", spans)
	}
	if h := c.Headers()[0]; h.Get("Authorization") != "Bearer canary-collector-token" || h.Get("X-Scope-OrgID") != "crm" {
		t.Errorf("headers: %v", h)
	}
}

// A collector that refuses, or headers that cannot be read, cost a line in the log, which holds no secret.
func TestCollectorRefuses(t *testing.T) {
	for name, text := range map[string]string{"refused": "Authorization=canary-collector-token", "broken": "canary-collector-token%zz"} {
		t.Run(name, func(t *testing.T) {
			c := collector.Start(t)
			c.Refuse()
			t.Setenv(tracing.EnvEndpoint, c.URL)
			headers := filepath.Join(t.TempDir(), "headers")
			if err := os.WriteFile(headers, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			var lines []string
			tracer, err := tracing.Start(t.Context(), "gateway", "v1", headers, funcr.New(func(_, line string) { lines = append(lines, line) }, funcr.Options{}))
			if err != nil {
				t.Fatal(err)
			}
			_, span := tracer.Begin(t.Context(), "sign in")
			span.End()
			tracer.Close()
			log := strings.Join(lines, "\n")
			if !strings.Contains(log, "traces are not taken by the collector") || strings.Contains(log, "canary") {
				t.Errorf("log: %s", log)
			}
		})
	}
}

// What is written as headers, and what is wrong with it, without its values.
func TestHeaders(t *testing.T) {
	for text, want := range map[string]string{
		"":                           "",
		" a=b ":                      "A: b",
		"a=b,c=d%2Ce":                "A: b; C: d,e",
		"Authorization=Basic%20eA==": "Authorization: Basic eA==",
		"canary":                     "header 1 is not name=value with a percent-encoded value",
		"a=b,=canary":                "header 2 is not name=value with a percent-encoded value",
		"a=canary%0d%0ab":            "header 1 is not name=value with a percent-encoded value",
		"a b=canary":                 "header 1 is not name=value with a percent-encoded value",
	} {
		got, err := tracing.ParseHeaders(text)
		if err != nil {
			if err.Error() != want {
				t.Errorf("%q: %v, want %s", text, err, want)
			}
			continue
		}
		var parts []string
		for _, name := range []string{"A", "C", "Authorization"} {
			if v := got.Get(name); v != "" {
				parts = append(parts, http.CanonicalHeaderKey(name)+": "+v)
			}
		}
		if s := strings.Join(parts, "; "); s != want {
			t.Errorf("%q: %s, want %s", text, s, want)
		}
	}
}
