package dispatch

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/oabridge/oabridge/internal/dispatch/lanes"
	"github.com/oabridge/oabridge/internal/dispatch/progress"
	"github.com/oabridge/oabridge/internal/dispatch/record"
)

// run starts calls until ctx ends. calls is the context of the calls themselves, which outlives ctx for a while.
func (e *engine) run(ctx, calls context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	workers := newWorkers(calls.Done())
	for {
		next := e.start(calls, workers, time.Now())
		nudge(e.room)
		timer.Reset(next)
		select {
		case <-ctx.Done():
			return
		case <-e.wake:
		case <-timer.C:
		}
	}
}

// idle is how long the loop sleeps when nothing is due.
const idle = time.Hour

// start starts everything that may start now and returns when to look again.
func (e *engine) start(calls context.Context, workers *workers, now time.Time) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	v := e.live.Load()
	if v == nil || e.draining || e.braked(v) {
		return idle
	}
	e.lanes.Wake(now)
	for e.inFlight < e.concurrency(v) && e.unrecorded < maxUnrecorded && e.lanes.Count(lanes.Ready) > 0 {
		ok, trial := e.gate.admit(now)
		if !ok {
			break
		}
		group := e.due(v, e.lanes.Next(func(f lanes.Form) int {
			if trial {
				return 1
			}
			return min(v.together(f), maxUnrecorded-e.unrecorded)
		}), now)
		if len(group) == 0 {
			e.gate.withdraw(trial)
			continue
		}
		e.inFlight++
		e.unrecorded += len(group)
		workers.run(func() { e.deliver(calls, v, group, trial) })
	}
	next := now.Add(idle)
	earlier := func(t time.Time) {
		if t.Before(next) {
			next = t
		}
	}
	if e.gate.due(now) {
		go e.probe(calls, v, e.gate.version)
	}
	if at := e.gate.probeAt; !at.IsZero() && !e.gate.probing {
		earlier(at)
	}
	if at := e.gate.pausedUntil; at.After(now) {
		earlier(at)
	}
	if at, ok := e.lanes.NextWake(); ok {
		earlier(at)
	}
	// While the gate is closed nothing is taken, but what is too old has to come out all the same.
	if oldest := e.lanes.Get(e.progress.Done.Floor() + 1); e.gate.state != gateOpen && oldest != nil {
		if at := v.policy.expiry(oldest.AcceptedAt); at.After(now) {
			earlier(at)
		} else {
			for _, entry := range e.lanes.TakeOlder(now.Add(-v.policy.MaxAge.Std()), maxUnrecorded-e.unrecorded) {
				e.inFlight++
				e.unrecorded++
				workers.run(func() { e.deliver(calls, v, []*lanes.Entry{entry}, false) })
			}
		}
	}
	return max(next.Sub(now), 0)
}

// braked reports whether the connector is suspended: nothing is taken from the lanes then, also nothing that is too old, and
// the OA is not asked. When the brake comes off, what piled up is caught up with as after an outage. The lock is held.
func (e *engine) braked(v *live) bool {
	switch {
	case v.bundle.Suspended == e.suspended:
	case v.bundle.Suspended:
		e.log.Info("the connector is suspended: nothing is sent")
	default:
		e.log.Info("the connector is not suspended any more: calls resume")
		e.catchUp.begin(e.tailSeq)
	}
	e.suspended = v.bundle.Suspended
	return e.suspended
}

// due lets those of a group wait that waited when the process ended before and whose time has not come. The lock is held.
func (e *engine) due(v *live, group []*lanes.Entry, now time.Time) []*lanes.Entry {
	return slices.DeleteFunc(group, func(entry *lanes.Entry) bool {
		at := entry.NotBefore
		if !entry.Accepted {
			at = v.policy.sane(at, now)
		}
		if !at.After(now) || entry.TargetDown && e.gate.state == gateOpen {
			return false
		}
		entry.NotBefore = time.Time{}
		if entry.Accepted {
			e.lanes.Confirm(entry, at)
		} else {
			e.lanes.Retry(entry, at)
		}
		return true
	})
}

// use follows a new live bundle. What was held is looked at again.
func (e *engine) use(v *live) {
	e.mu.Lock()
	defer e.mu.Unlock()
	v.limit(e.limiter, e.part.Number, e.of)
	e.window.Use(objective(v.bundle))
	e.lanes.Release(func(x *lanes.Entry) bool { return x.State() == lanes.Held })
	e.gate.changed(false, time.Now())
	nudge(e.replays)
	e.forgetTrials(v)
	nudge(e.tried)
	e.changed()
}

// retarget makes the engine ask the OA at once, because what we show to it is different.
func (e *engine) retarget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.gate.changed(true, time.Now())
	e.changed()
}

// probe asks the OA whether it works.
func (e *engine) probe(ctx context.Context, v *live, version int) {
	ctx, cancel := context.WithTimeout(ctx, v.policy.callTimeout())
	defer cancel()
	a := v.pusher.Probe(ctx)
	if ctx.Err() != nil && errors.Is(context.Cause(ctx), context.Canceled) {
		return // we are ending; this says nothing about the OA
	}
	now := time.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	before := e.gate.state
	resumed := e.gate.probed(a, version, e.waiting() > e.lanes.Held(), min(a.RetryAfter, v.policy.RetryAfterMax.Std()), now)
	if resumed {
		e.releaseDown()
	}
	e.logGate(before)
	e.changed()
}

// releaseDown lets go of what waits because of the OA as a whole.
func (e *engine) releaseDown() {
	e.lanes.Release(func(x *lanes.Entry) bool { return x.State() == lanes.Retrying && x.TargetDown })
}

func (e *engine) logGate(before gateState) {
	if before == e.gate.state {
		return
	}
	switch e.gate.state {
	case gateClosed:
		e.log.Info("the OA is down: calls are paused", "reason", e.gate.oa.Reason, "message", e.gate.oa.Message)
	case gateTrial:
		e.log.Info("the OA answers again: trying one call")
		e.catchUp.begin(e.tailSeq)
	case gateOpen:
		e.log.Info("the OA works again: calls resume")
		e.catchUp.begin(e.tailSeq)
	}
}

// past is what was delivered of an item before.
type past struct {
	// superseded: a newer state than this one was delivered already.
	superseded bool
	state      progress.State
}

func (e *engine) past(entry *lanes.Entry, d *record.Delivery) past {
	key, order := entry.Key, entry.Seq
	if d.ReplayOf != 0 {
		order = d.ReplayOf
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	latest := &e.progress.Latest
	return past{latest.Superseded(key, d.Event.Item.Version, d.Event.Action, d.Event.Time, order), latest.Get(key)}
}
