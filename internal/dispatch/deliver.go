package dispatch

import (
	"context"
	"errors"
	"time"

	"github.com/oabridge/oabridge/internal/dispatch/journal"
	"github.com/oabridge/oabridge/internal/dispatch/lanes"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/oa"
)

// outgoing is a delivery whose request is made.
type outgoing struct {
	entry    *lanes.Entry
	delivery *record.Delivery
	decision
}

// deliver makes one step of each of a group of deliveries, in a goroutine of its own. They share calls as far as they can.
func (e *engine) deliver(ctx context.Context, v *live, group []*lanes.Entry, trial bool) {
	if entry := group[0]; entry.Accepted { // alone, always
		e.confirm(ctx, v, entry, trial)
		return
	}
	calls := make([]outgoing, 0, len(group))
	for _, entry := range group {
		if c, ok := e.prepare(ctx, v, entry); ok {
			calls = append(calls, c)
		}
	}
	if len(calls) == 0 {
		e.free(trial)
		return
	}
	for len(calls) > 0 {
		var together []outgoing
		together, calls = split(calls)
		attempts := e.push(ctx, v, together, trial)
		if len(calls) == 0 {
			e.free(trial && attempts == nil)
		}
		for i, c := range together {
			switch {
			case attempts == nil, attempts[i].Class != oa.OK && ctx.Err() != nil:
				// No call was made; or the process is ending and hung up: whether the OA took the item is unknown, so it is sent
				// again after the start. This is no attempt that failed.
				e.giveBack(c.entry)
			default:
				e.attempted(v, c, attempts[i])
			}
		}
	}
}

// prepare decides about an entry and records the decision; true when there is a call to make.
func (e *engine) prepare(ctx context.Context, v *live, entry *lanes.Entry) (outgoing, bool) {
	d, r, ok := e.load(ctx, entry)
	if !ok {
		e.giveBack(entry)
		return outgoing{}, false
	}
	if r != nil {
		e.settle(v, entry, *r, d)
		return outgoing{}, false
	}
	d, decision, ok := e.decide(ctx, v, entry, d, time.Now())
	switch {
	case !ok:
		e.giveBack(entry)
	case decision.decided:
		e.settle(v, entry, decision.record, d)
	default:
		return outgoing{entry, d, decision}, true
	}
	return outgoing{}, false
}

// split takes off the calls that may share one exchange with the first.
func split(calls []outgoing) (together, rest []outgoing) {
	batch := calls[0].request.Batch
	if batch == nil || len(calls) == 1 {
		return calls[:1], calls[1:]
	}
	for _, c := range calls {
		if c.request.Batch == batch {
			together = append(together, c)
		} else {
			rest = append(rest, c)
		}
	}
	return together, rest
}

// push makes a call, when its turn comes, and tells the gate how it went; nil when it was not made.
func (e *engine) push(ctx context.Context, v *live, calls []outgoing, trial bool) []oa.Attempt {
	if !e.turn(ctx, trial) {
		return nil
	}
	call, cancel := context.WithTimeout(ctx, v.policy.callTimeout())
	defer cancel()
	var attempts []oa.Attempt
	if pusher, ok := v.pusher.(oa.BatchPusher); ok && len(calls) > 1 {
		group := make([]oa.Call, len(calls))
		for i, c := range calls {
			group[i] = oa.Call{Request: c.request, Result: c.result}
		}
		attempts = pusher.PushBatch(withPace(call, e.limiter), group)
	} else {
		attempts = []oa.Attempt{v.pusher.Push(withPace(call, e.limiter), calls[0].request, calls[0].result)}
	}
	for _, a := range attempts {
		if !a.Shared && (a.Class == oa.OK || ctx.Err() == nil) {
			e.observe(v, a, trial)
		}
	}
	return attempts
}

// turn waits until the rate allows a call; false when it must not be made any more.
func (e *engine) turn(ctx context.Context, trial bool) bool {
	return e.limiter.Wait(ctx) == nil && e.stillAdmitted(trial)
}

// attempted records what an attempt came to.
func (e *engine) attempted(v *live, c outgoing, a oa.Attempt) {
	now := time.Now()
	r := c.record
	r.Attempt = c.entry.Attempts + 1
	write(&r, a)
	var delay time.Duration
	r.Outcome, delay = v.policy.judge(a, r.Attempt)
	if r.Outcome == record.Retrying {
		r.RetryAt, r.TargetDown = now.Add(delay), a.TargetDown()
	}
	r.Captured = a.Captured
	if a.Accepted {
		e.accepted(v, &r, c.request.Confirm, now)
	}
	if r.Outcome != record.Delivered && !r.Awaited() {
		r.Listed = nil // it failed
	}
	e.record(v, c.entry, r, c.delivery)
}

// write puts an attempt into a record.
func write(r *record.Record, a oa.Attempt) {
	r.Class, r.Reason, r.Message = string(a.Class), string(a.Class), a.Message
	r.Method, r.URL, r.Request, r.Answer = a.Method, a.URL, record.Cut(a.Request), record.Cut(a.Answer)
	r.Status, r.LatencyMS = a.Status, float64(a.Latency)/float64(time.Millisecond)
}

// decide says what to do with a delivery now; false when the store does not answer. It returns the delivery with the
// state that goes out.
func (e *engine) decide(ctx context.Context, v *live, entry *lanes.Entry, d *record.Delivery, now time.Time) (*record.Delivery, decision, bool) {
	e.mu.Lock()
	skip, state := e.catchUp.plan(v.policy, e.lanes, entry)
	if entry.Noted > e.readSeq {
		e.mu.Unlock()
		return nil, decision{}, false // the state that it goes out with was not read yet
	}
	noted := e.lanes.Get(entry.Noted)
	e.mu.Unlock()
	entry.Merged = 0
	switch {
	case skip != "":
		return d, skipped(entry, d, skip), true
	case noted != nil:
		state = noted
	case state != entry:
		return d, noting(entry, d, state.Seq, now), true
	}
	if state != entry {
		merged, ok := e.merge(ctx, d, state)
		if !ok {
			return nil, decision{}, false
		}
		if merged != d {
			d, entry.Merged = merged, state.Seq
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
	out := v.decide(s, d, entry, e.past(entry, d), now)
	out.record.Trial = e.counted(v, s)
	return d, out, true
}

// merge returns a delivery with the state of an entry further back in its lane, or as it is when that cannot be read; false
// when the store does not answer.
func (e *engine) merge(ctx context.Context, d *record.Delivery, state *lanes.Entry) (*record.Delivery, bool) {
	latest, r, ok := e.load(ctx, state)
	if !ok || r != nil {
		return d, ok
	}
	merged := *d
	merged.Event.Item, merged.Event.Time = latest.Event.Item, latest.Event.Time
	return &merged, true
}

// load returns the delivery of an entry; or a record when it cannot be read and never will be; or false when the store
// does not answer.
func (e *engine) load(ctx context.Context, entry *lanes.Entry) (*record.Delivery, *record.Record, bool) {
	if d := entry.Delivery; d != nil {
		return d, nil, true
	}
	payload, err := e.part.Events.Item(ctx, entry.Frame, int(entry.Index))
	if err != nil && !errors.Is(err, journal.ErrNotFound) {
		e.log.Error(err, "cannot read a delivery", "seq", entry.Seq)
		return nil, nil, false
	}
	d := new(record.Delivery)
	if err := record.DecodeDelivery(payload, d); err != nil || len(d.Event.Item.Receivers) != 1 {
		return nil, &record.Record{
			Seq: entry.Seq, Attempt: entry.Attempts, Outcome: record.Dead, Reason: record.ReasonUnreadable, AcceptedAt: entry.AcceptedAt,
			Message: "the stored delivery cannot be read: the store is damaged, or was written by another version; send the item again from the CRM",
		}, true
	}
	return d, nil, true
}

// giveBack undoes the taking of an entry, as if nothing had happened.
func (e *engine) giveBack(entry *lanes.Entry) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.unrecorded--
	// Not at once: what made it come back may last.
	at := time.Now().Add(giveBackDelay)
	if entry.Accepted {
		e.lanes.Confirm(entry, at)
	} else {
		e.lanes.Retry(entry, at)
	}
	e.changed()
}

// free gives back the place of a call that is over, or was not made: then with the trial that it was to be.
func (e *engine) free(trial bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.inFlight--
	e.gate.withdraw(trial)
	nudge(e.wake)
}

// giveBackDelay is the pause before an entry is taken again that could not be dealt with.
const giveBackDelay = 100 * time.Millisecond

// stillAdmitted reports whether the gate is still open, and the brake off, to a call that was admitted before it waited for
// its turn.
func (e *engine) stillAdmitted(trial bool) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	v := e.live.Load()
	return (v == nil || !v.bundle.Suspended) && (trial || e.gate.state != gateClosed)
}

// observe tells the gate and the metrics how a call went.
func (e *engine) observe(v *live, a oa.Attempt, trial bool) {
	e.metrics.attempted(a)
	now := time.Now()
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
func (e *engine) settle(v *live, entry *lanes.Entry, r record.Record, d *record.Delivery) {
	e.mu.Lock()
	if r.Outcome == record.Held && entry.HeldFor == r.Reason {
		// Looked at again and nothing is new: that needs no second record.
		e.unrecorded--
		e.hold(v, entry, &r)
		e.changed()
		e.mu.Unlock()
		return
	}
	e.mu.Unlock()
	e.record(v, entry, r, d)
}

// hold lets an entry wait for a change of the bundle v; when that came already, it is looked at again. The lock is held.
func (e *engine) hold(v *live, entry *lanes.Entry, r *record.Record) {
	entry.HeldFor, entry.Receiver = r.Reason, r.Receiver
	if e.live.Load() != v {
		e.lanes.Return(entry)
		return
	}
	e.lanes.Hold(entry, r.Reason, v.policy.expiry(entry.AcceptedAt))
}
