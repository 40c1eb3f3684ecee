package dispatch

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/crm/fxiaoke"
)

const (
	// maxCallbacks bounds the callbacks that are dealt with at once; each asks the CRM for an object.
	maxCallbacks = 64
	// callbackPatience is how long a callback waits for its turn: the CRM waits 3 s for the whole answer [FX-DEMO §9.8].
	callbackPatience = 500 * time.Millisecond
)

// callbacks serves POST /callbacks/fxiaoke: the CRM says which object changed, and the dispatcher asks it for the rest.
type callbacks struct {
	intake *intake
	accept *fxiaoke.Callback
	turns  *semaphore.Weighted // of maxCallbacks
}

func newCallbacks(in *intake, accept *fxiaoke.Callback) *callbacks {
	return &callbacks{intake: in, accept: accept, turns: semaphore.NewWeighted(maxCallbacks)}
}

// ServeHTTP answers with the CRM's sealed "success" only when every delivery is on disk; after anything else the CRM sends
// the callback again.
func (c *callbacks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	reply, reason, problem := c.take(r)
	if problem != nil {
		c.intake.dispatcher.metrics.refused.WithLabelValues(reason).Inc()
		problem.WriteTo(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(reply)
}

func (c *callbacks) take(r *http.Request) ([]byte, string, *crm.Problem) {
	_, session, reason, problem := c.intake.ready()
	if problem != nil {
		return nil, reason, problem
	}
	wait, cancel := context.WithTimeout(r.Context(), callbackPatience)
	defer cancel()
	if err := c.turns.Acquire(wait, 1); err != nil {
		return nil, refusedBusy, busy()
	}
	defer c.turns.Release(1)
	body, problem := crm.ReadBody(r, crm.Limits{Request: fxiaoke.MaxCallbackBytes})
	if problem != nil {
		return nil, refusal(problem), problem
	}
	events, reply, problem := c.accept.Accept(r.Context(), body)
	if problem != nil {
		return nil, refusal(problem), problem
	}
	if len(events) > 0 {
		if _, reason, problem := c.intake.store(r.Context(), session, events); problem != nil {
			return nil, reason, problem
		}
	}
	return reply(true), "", nil
}
