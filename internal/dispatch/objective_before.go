package dispatch

import (
	"context"
	"time"

	"github.com/oabridge/oabridge/internal/dispatch/index"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/slo"
)

// frameBound is a frame of the log of records and the number of its last record.
type frameBound struct{ frame, record uint64 }

// lookBack counts what happened in the hour before this process came to own a partition, as the records have it, so that the
// figures do not begin anew with a restart or another owner. It works in the background when the index has those records, and
// at half speed. Without an index the figures grow from now on.
func (f *projector) lookBack(ctx context.Context) {
	select {
	case <-f.opened:
	case <-ctx.Done():
		return
	}
	e := f.engine
	f.await(ctx, e.before.record)
	x, _ := f.use()
	if x == nil || ctx.Err() != nil {
		return
	}
	h := hourBefore{engine: e, within: e.window.Objective().Within, excused: map[uint64]bool{}}
	q := index.Filter{Partitions: []int{e.part.Number}, Since: time.Now().Add(-slo.Span - h.within), OldestFirst: true, Limit: index.MaxLimit}
	for more := true; more; {
		began := time.Now()
		hits, err := x.Query(ctx, q)
		if err != nil {
			if ctx.Err() == nil {
				f.log.Error(err, "the records of the last hour cannot be read; the figures of the service level begin anew")
			}
			return
		}
		for i := range hits {
			if more = hits[i].Frame <= e.before.frame; !more {
				break
			}
			h.count(&hits[i].Record)
		}
		if more = more && len(hits) == q.Limit; more {
			q.After = hits[len(hits)-1].Cursor()
			pause(ctx, time.Since(began))
		}
	}
	nudge(f.dirty)
}

// hourBefore counts the records of an hour, the oldest first. Deliveries that had not ended by then are left to the engine.
type hourBefore struct {
	engine  *engine
	within  time.Duration
	excused map[uint64]bool
}

func (h *hourBefore) count(r *record.Record) {
	if excuses(r) {
		h.excused[r.Seq] = true
	}
	if h.excused[r.Seq] || !r.Outcome.Final() {
		return
	}
	w, took := &h.engine.window, r.At.Sub(r.AcceptedAt)
	if r.Outcome == record.Delivered {
		w.Deliver(r.At, took)
	}
	switch {
	case w.Objective().Within != h.within: // another promise by now: verdicts on this one are void
	case took > h.within: // that was said when its time was over
		w.Judge(r.AcceptedAt.Add(h.within), slo.Late)
	case r.Outcome == record.Delivered:
		w.Judge(r.At, slo.InTime)
	case r.Outcome == record.Dead:
		w.Judge(r.At, slo.Dead)
	}
}
