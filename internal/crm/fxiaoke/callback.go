package fxiaoke

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/scenario"
)

const (
	// MaxCallbackBytes bounds the body of a callback, in bytes. It names an object and holds none of its data.
	MaxCallbackBytes = 64 << 10
	// FetchBudget is how long the CRM may take to hand out the object; the CRM waits 3 s for the whole answer [FX-DEMO §9.8].
	FetchBudget = 2 * time.Second
)

// Results of oabridge_callbacks_total.
const (
	resultTaken        = "taken"
	resultIgnored      = "ignored"
	resultNotReady     = "not_ready"
	resultUnauthorized = "unauthorized"
	resultMalformed    = "malformed"
	resultFetchFailed  = "fetch_failed"
	resultIncomplete   = "incomplete"
)

// Objects hands out the data of CRM objects. Client is one.
type Objects interface {
	Object(ctx context.Context, apiName, id string) ([]byte, error)
}

// Callback makes events of the CRM's own callbacks. It is a prometheus.Collector, safe for concurrent use, and lives as
// long as the process: Use changes what it takes.
type Callback struct {
	secrets string
	objects Objects
	now     func() time.Time
	live    atomic.Pointer[rules]
	results *prometheus.CounterVec
}

// NewCallback returns a Callback that reads its keys from the slot callback of a secrets directory for each request, and
// asks objects for the data. It takes nothing until Use was called.
func NewCallback(secrets string, objects Objects, now func() time.Time) *Callback {
	c := &Callback{secrets: secrets, objects: objects, now: now, results: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "oabridge_callbacks_total", Help: "Callbacks of the CRM by what became of them."}, []string{"result"})}
	for _, r := range []string{resultTaken, resultIgnored, resultNotReady, resultUnauthorized, resultMalformed, resultFetchFailed, resultIncomplete} {
		c.results.WithLabelValues(r)
	}
	return c
}

// Use takes callbacks by the rules of a bundle; a bundle without rules takes none. The error names a rule that cannot be
// used; then everything stays as it was.
func (c *Callback) Use(b *bundle.Bundle) error {
	if b == nil || b.Source.Callback == nil {
		c.live.Store(nil)
		return nil
	}
	compiled, err := compileRules(b)
	if err == nil {
		c.live.Store(compiled)
	}
	return err
}

// Accept is the whole way of a callback: it checks the proof of origin, asks for the object, and makes events of it by the
// rules. It returns one of three:
//
//   - events and reply: answer with HTTP 200 and reply(true) once the events are on disk, with reply(false) or a problem if
//     they cannot be stored;
//   - no events and reply: nobody asked for this object; answer with reply(true);
//   - a problem: answer with it. The CRM sends the callback again after any answer but a sealed "success".
//
// The id of an event is the callback's messageId and its source names the enterprise, the object and the kind, so the
// CRM's repeat of a callback is a repeat of its events.
func (c *Callback) Accept(ctx context.Context, body []byte) (events []crm.Event, reply func(ok bool) []byte, problem *crm.Problem) {
	events, reply, result, problem := c.accept(ctx, body)
	c.results.WithLabelValues(result).Inc()
	return events, reply, problem
}

func (c *Callback) accept(ctx context.Context, body []byte) ([]crm.Event, func(bool) []byte, string, *crm.Problem) {
	rules := c.live.Load()
	if rules == nil {
		return nil, nil, resultNotReady, crm.NewProblem(http.StatusNotFound, "this connector takes no callbacks: set spec.source.callback")
	}
	if len(body) > MaxCallbackBytes {
		return nil, nil, resultMalformed, crm.NewProblem(http.StatusRequestEntityTooLarge, "the callback has more than %d bytes", MaxCallbackBytes)
	}
	keys, problem := sealers(c.secrets)
	if problem != nil {
		return nil, nil, resultNotReady, problem
	}
	n, problem := openEnvelope(body, keys, rules.enterpriseAccount, c.now())
	if problem != nil {
		if problem.Status == http.StatusBadRequest {
			return nil, nil, resultMalformed, problem
		}
		return nil, nil, resultUnauthorized, problem
	}
	reply := func(ok bool) []byte { return n.reply(ok, c.now()) }
	asked := rules.about(n)
	if len(asked) == 0 {
		return nil, reply, resultIgnored, nil
	}
	if n.messageID == "" || !scenario.ValidObjectPart(n.dataID) {
		return nil, nil, resultMalformed, crm.NewProblem(http.StatusBadRequest, "messageId or dataId is missing or malformed: send the CRM's callback as it is")
	}
	fetch, cancel := context.WithTimeout(ctx, FetchBudget)
	defer cancel()
	data, err := c.objects.Object(fetch, n.apiName, n.dataID)
	if err != nil {
		return nil, nil, resultFetchFailed, notFetched(n, err)
	}
	events, problem := rules.events(asked, n, data)
	switch {
	case problem != nil:
		return nil, nil, resultIncomplete, problem
	case len(events) == 0:
		return nil, reply, resultIgnored, nil
	}
	return events, reply, resultTaken, nil
}

// notFetched says why the object's data could not be had. Without it the callback is not taken, so that it comes again.
func notFetched(n notice, err error) *crm.Problem {
	p := crm.NewProblem(http.StatusServiceUnavailable, "the data of %s %s could not be fetched, so the callback is not taken: %v", n.apiName, n.dataID, err)
	p.RetryAfter = time.Second
	if e, ok := asError(err); ok && e.RetryAfter > 0 {
		p.RetryAfter = e.RetryAfter
	}
	return p
}

// Describe implements prometheus.Collector.
func (c *Callback) Describe(out chan<- *prometheus.Desc) { c.results.Describe(out) }

// Collect implements prometheus.Collector.
func (c *Callback) Collect(out chan<- prometheus.Metric) { c.results.Collect(out) }
