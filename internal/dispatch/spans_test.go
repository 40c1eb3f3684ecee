package dispatch

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/oabridge/oabridge/internal/gateway"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/report"
	"github.com/oabridge/oabridge/internal/tracing"
	"github.com/oabridge/oabridge/internal/tracing/collector"
)

// tracer tells the collector of the environment. It has to be closed before the spans
// are looked at.
func (w *world) tracer(component string) *tracing.Tracer {
	w.t.Helper()
	tracer, err := tracing.Start(w.t.Context(), component, "v1", "", w.options.Log)
	if err != nil {
		w.t.Fatal(err)
	}
	return tracer
}

// The story of an event is one tree, from the CRM's own span to each answer of the OA, over retries and a restart; the click
// that opens its record is found by the record. No span holds a secret, a ticket, a query, a title or a person.
func TestTheTreeIsWhole(t *testing.T) { // TM-22
	c := collector.Start(t)
	t.Setenv(tracing.EnvEndpoint, c.URL)
	w, sim := seeyonWorld(t)
	if _, err := sim.Faults().Add(fault.Rule{
		Match: fault.Match{Path: "/seeyon/rest/thirdpartyPending/", TaskID: "T-1"}, Times: 1, Action: fault.Action{Kind: fault.Status, Status: 502},
	}); err != nil {
		t.Fatal(err)
	}
	const crmTrace, crmSpan = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	traced := todo("e1", "T-1", "created", "1002", "2000")
	traced["traceparent"] = "00-" + crmTrace + "-" + crmSpan + "-01"

	tracer := w.tracer("dispatcher")
	w.options.Tracer = tracer
	w.start()
	w.bundle(func(c *connector) { c.pairs["1001"] = "lisi" })
	w.mustSend(traced, todo("e2", "T-2", "created"), todo("e3", "T-3", "created", "1001"))
	w.until("one waits to be bound", func(r report.Report) bool { return r.Delivery.Delivered == 3 && r.Delivery.Held == 1 })
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	tracer.Close()

	// Another process goes on with what the first one left, and another event is sent again.
	tracer = w.tracer("dispatcher")
	w.options.Tracer = tracer
	w.bundle(func(c *connector) { c.pairs["2000"] = "zhangsan"; delete(c.pairs, "1000") })
	w.start()
	w.drained(4)
	w.send(traced)
	gatewayTracer := w.tracer("gateway")
	browser := w.gateway(func(o *gateway.Options) { o.Tracer = gatewayTracer })
	resp, err := browser.Get(ssoLink + "canary-ticket-1")
	if err != nil || resp.StatusCode != http.StatusSeeOther {
		t.Fatal(resp, err)
	}
	_ = resp.Body.Close()
	resp, err = browser.Get(ssoLink + "canary-ticket-1") // refused: it was used
	if err != nil || resp.StatusCode == http.StatusSeeOther {
		t.Fatal(resp, err)
	}
	_ = resp.Body.Close()
	w.eventually("both sign-ins are kept", func() bool { return len(w.signIns(nil)) == 2 })
	token := sim.Journal().Entries("/seeyon/rest/token")
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	tracer.Close()
	gatewayTracer.Close()

	spans := c.Spans()
	accepted := collector.Below(spans, crmSpan)
	if len(accepted) != 2 || accepted[0].Name != "accept" || accepted[0].Attributes["oabridge.duplicate"] != `{"boolValue":false}` ||
		accepted[1].Attributes["oabridge.duplicate"] != `{"boolValue":true}` || accepted[0].Attributes["oabridge.record"] != "QuoteObj/5f3c2ab1" {
		t.Fatalf("below the CRM's span: %+v", accepted)
	}
	var steps []string
	for _, s := range collector.Below(spans, accepted[0].ID) {
		if s.Trace != crmTrace || s.Attributes["oabridge.connector"] != "crm/hq" || s.Attributes["oabridge.item.id"] != "T-1" {
			t.Errorf("%+v", s)
		}
		steps = append(steps, fmt.Sprintf("%s %s %s %t", s.Name, s.Attributes["oabridge.outcome"], s.Attributes["error.type"], s.Failed))
	}
	slices.Sort(steps)
	if want := []string{"decide Held  false", "push Delivered  false", "push Delivered  false", "push Retrying ServerError true"}; !slices.Equal(steps, want) {
		t.Errorf("steps %q, want %q", steps, want)
	}
	known := map[string]bool{"": true, crmSpan: true}
	for _, s := range spans {
		known[s.ID] = true
	}
	roots, services := map[string]int{}, map[string]bool{}
	for _, s := range spans {
		services[s.Service] = true
		if !known[s.Parent] {
			t.Errorf("%s hangs below %s, which nobody told of", s.Name, s.Parent)
		}
		if s.Parent == "" {
			roots[s.Name]++
		}
	}
	if roots["accept"] != 2 || roots["sign in"] != 2 || len(roots) != 2 || len(services) != 2 {
		t.Errorf("roots %v, services %v", roots, services)
	}
	var codes []string
	for _, s := range spans {
		if s.Name == "sign in" {
			codes = append(codes, s.Attributes["oabridge.code"])
			if s.Attributes["oabridge.record"] != accepted[0].Attributes["oabridge.record"] {
				t.Errorf("the click is for %q", s.Attributes["oabridge.record"])
			}
			waits, opened := 0, 0
			for _, below := range collector.Below(spans, s.ID) {
				switch below.Name {
				case "open": // it links to the event that made the to-do, and names that
					opened++
					third := spans[slices.IndexFunc(spans, func(x collector.Span) bool { return x.Name == "accept" && x.Attributes["oabridge.item.id"] == "T-3" })]
					if !slices.Equal(below.Links, []string{third.ID}) || below.Attributes["oabridge.item.id"] != "T-3" || below.Service != "oabridge-dispatcher" {
						t.Errorf("the click is joined with %+v, want %s", below, third.ID)
					}
				default:
					waits++
				}
				if asked := collector.Below(spans, below.ID); below.Name == "reserve" && (len(asked) != 1 || asked[0].Name != "proof" || asked[0].Service != "oabridge-dispatcher") {
					t.Errorf("below reserve: %+v", asked)
				}
			}
			if want := map[bool]int{false: 2, true: 1}[s.Failed]; waits != want || opened != 2-len(codes) {
				t.Errorf("a click that ended with %s waited for %d others, want %d; %d to-dos were opened", s.Attributes["oabridge.code"], waits, want, opened)
			}
		}
	}
	if !slices.Equal(codes, []string{"OK", "SSO-1003"}) {
		t.Errorf("sign-ins ended with %q", codes)
	}
	if len(token) == 0 {
		t.Error("the OA never issued a token")
	}
	told := c.Raw()
	for _, secret := range []string{
		"canary", password, eventToken, peerToken, "v5ticket", "?", "lisi", "lina", "zhangsan", "1002", "李四", "提交", "QT-2026-0001", "/seeyon/rest",
	} {
		if strings.Contains(told, secret) {
			t.Errorf("%q is in what the collector was told", secret)
		}
	}
}
