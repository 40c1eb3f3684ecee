package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/oabridge/oabridge/internal/dispatch/journal"
	"github.com/oabridge/oabridge/internal/dispatch/lanes"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/oa"
)

// deliver makes one step of one delivery, in a goroutine of its own.
func (e *engine) deliver(ctx context.Context, v *live, entry *lanes.Entry, trial bool) {
	d, r, ok := e.load(ctx, entry)
	switch {
	case !ok:
		e.giveBack(entry, trial)
		return
	case r != nil:
		e.settle(v, entry, trial, *r, d)
		return
	}
	now := time.Now()
	d, decision, ok := e.decide(ctx, v, entry, d, now)
	if !ok {
		e.giveBack(entry, trial)
		return
	}
	if decision.decided {
		e.settle(v, entry, trial, decision.record, d)
		return
	}
	if err := e.limiter.Wait(ctx); err != nil || !e.stillAdmitted(trial) {
		e.giveBack(entry, trial)
		return
	}

	started := time.Now()
	call, cancel := context.WithTimeout(ctx, v.policy.callTimeout())
	a := v.pusher.Push(call, decision.request, decision.result)
	cancel()
	if a.Class != oa.OK && ctx.Err() != nil {
		// The process is ending and hung up. Whether the OA took the item is unknown, so it is sent again after the
		// start; this is no attempt that failed.
		e.giveBack(entry, trial)
		return
	}
	now = time.Now()
	e.observe(v, a, trial, now)
	r = &decision.record
	r.Attempt = entry.Attempts + 1
	var delay time.Duration
	r.Outcome, delay = v.policy.judge(a, r.Attempt)
	r.Class, r.Reason, r.Message = string(a.Class), string(a.Class), a.Message
	r.Method, r.URL, r.Request, r.Answer = a.Method, a.URL, record.Cut(a.Request), record.Cut(a.Answer)
	r.Status, r.LatencyMS = a.Status, float64(a.Latency)/float64(time.Millisecond)
	if r.Outcome == record.Retrying {
		r.RetryAt, r.TargetDown = now.Add(delay), a.TargetDown()
	}
	e.metrics.attempted(a, now.Sub(started))
	e.record(v, entry, *r, d)
}

// decide says what to do with a delivery now; false when the store does not answer. It returns the delivery with the
// state that goes out.
func (e *engine) decide(ctx context.Context, v *live, entry *lanes.Entry, d *record.Delivery, now time.Time) (*record.Delivery, decision, bool) {
	e.mu.Lock()
	skip, state := e.catchUp.plan(v.policy, e.lanes, entry)
	e.mu.Unlock()
	entry.Merged = 0
	if skip != "" {
		return d, skipped(entry, d, skip), true
	}
	if state != entry {
		latest, r, ok := e.load(ctx, state)
		if !ok {
			return nil, decision{}, false
		}
		if r == nil {
			merged := *d
			merged.Event.Item, merged.Event.Time = latest.Event.Item, latest.Event.Time
			d, entry.Merged = &merged, state.Seq
		}
	}
	s, problem, err := e.scenario(ctx, v, d)
	if err != nil {
		e.log.Error(err, "cannot read a template", "revision", d.Revision)
		return nil, decision{}, false
	}
	if problem != "" {
		out := decision{record: record.Of(entry.Seq, d), decided: true}
		out.record.Attempt, out.record.Outcome, out.record.Reason, out.record.Message = entry.Attempts, record.Dead, record.ReasonRevisionGone, problem
		return d, out, true
	}
	return d, v.decide(s, d, entry, e.superseded(entry, d), now), true
}

// load returns the delivery of an entry; or a record when it cannot be read and never will be; or false when the store
// does not answer.
func (e *engine) load(ctx context.Context, entry *lanes.Entry) (*record.Delivery, *record.Record, bool) {
	if d := entry.Delivery; d != nil {
		return d, nil, true
	}
	payload, err := e.part.Events.Item(ctx, entry.Frame, entry.Index)
	if err != nil && !errors.Is(err, journal.ErrNotFound) {
		e.log.Error(err, "cannot read a delivery", "seq", entry.Seq)
		return nil, nil, false
	}
	d := new(record.Delivery)
	if err := json.Unmarshal(payload, d); err != nil || len(d.Event.Item.Receivers) != 1 {
		return nil, &record.Record{
			Seq: entry.Seq, Attempt: entry.Attempts, Outcome: record.Dead, Reason: record.ReasonUnreadable, AcceptedAt: entry.AcceptedAt,
			Message: "the stored delivery cannot be read: the store is damaged, or was written by another version; send the item again from the CRM",
		}, true
	}
	return d, nil, true
}

// giveBack undoes the taking of an entry, as if nothing had happened.
func (e *engine) giveBack(entry *lanes.Entry, trial bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.inFlight--
	e.unrecorded--
	e.gate.withdraw(trial)
	// Not at once: what made it come back may last.
	e.lanes.Retry(entry, time.Now().Add(giveBackDelay))
	e.changed()
}

// giveBackDelay is the pause before an entry is taken again that could not be dealt with.
const giveBackDelay = 100 * time.Millisecond

// stillAdmitted reports whether the gate is still open to a call that was admitted before it waited for its turn.
func (e *engine) stillAdmitted(trial bool) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return trial || e.gate.state != gateClosed
}

// observe tells the gate how a call went.
func (e *engine) observe(v *live, a oa.Attempt, trial bool, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	before := e.gate.state
	e.gate.observe(a, trial, min(a.RetryAfter, v.policy.RetryAfterMax.Std()), now)
	e.logGate(before)
	if a.Class == oa.OK {
		e.catchUp.success(v.concurrency() / e.of)
	}
}

// settle records a decision without a call.
func (e *engine) settle(v *live, entry *lanes.Entry, trial bool, r record.Record, d *record.Delivery) {
	e.mu.Lock()
	e.gate.withdraw(trial)
	if r.Outcome == record.Held && entry.HeldFor == r.Reason {
		// Looked at again and nothing is new: that needs no second record.
		e.inFlight--
		e.unrecorded--
		e.hold(v, entry, r.Reason)
		e.changed()
		e.mu.Unlock()
		return
	}
	e.mu.Unlock()
	e.record(v, entry, r, d)
}

// hold lets an entry wait for a change of the bundle v; when that came already, it is looked at again. The lock is held.
func (e *engine) hold(v *live, entry *lanes.Entry, reason string) {
	entry.HeldFor = reason
	if e.live.Load() != v {
		e.lanes.Return(entry)
		return
	}
	e.lanes.Hold(entry, reason, v.policy.expiry(entry.AcceptedAt))
}
