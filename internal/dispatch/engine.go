package dispatch

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/time/rate"

	"github.com/oabridge/oabridge/internal/dispatch/journal"
	"github.com/oabridge/oabridge/internal/dispatch/lanes"
	"github.com/oabridge/oabridge/internal/dispatch/progress"
	"github.com/oabridge/oabridge/internal/dispatch/record"
)

const (
	// maxWaiting bounds the deliveries that are known in memory; one takes about 200 bytes. More stay on disk.
	maxWaiting = 250_000
	// maxReady bounds those of them that could go out at once, so that reading ahead does not fill the memory with
	// what waits for the OA anyway.
	maxReady = 50_000
	// maxCached bounds the payloads in memory, in bytes. Others are read again when their turn comes.
	maxCached = 32 << 20
	// maxUnrecorded bounds the calls that were made and are not recorded yet: those are repeated after a crash.
	maxUnrecorded = 2048
	// storeRetry is the pause before the store is tried again after it failed, storePatience how long until the process
	// gives up and ends with an error.
	storeRetry    = time.Second
	storePatience = 30 * time.Second
)

// engine moves deliveries from the journal to the OA and writes down what became of them.
type engine struct {
	log     logr.Logger
	journal *journal.Journal
	metrics *metrics
	tuning  tuning
	records *journal.Committer
	limiter *rate.Limiter
	live    atomic.Pointer[live]

	// wake tells the loop, room the reader, dirty the reporter and early the housekeeper that something is different.
	wake, room, dirty, early chan struct{}
	// failed gets the error that ends the process.
	failed chan error

	mu       sync.Mutex
	lanes    *lanes.Table
	progress *progress.Progress
	gate     gate
	// readSeq is the last delivery in lanes, tailSeq the last one in the journal.
	readSeq, tailSeq uint64
	// inFlight counts calls, unrecorded what was taken from lanes and is not recorded yet, calls included.
	inFlight, unrecorded int
	draining             bool
	// unsaved is the size of the records since the last checkpoint, and maxUnsaved when the next one is due, in bytes.
	unsaved, maxUnsaved int64
	// swept is the last delivery that was removed one by one; only keepHouse uses it.
	swept uint64
	// trouble says for a stream why it cannot be written, recordsSince since when that is so for RECORDS.
	trouble      map[string]string
	recordsSince time.Time
}

func newEngine(j *journal.Journal, p *progress.Progress, t tuning, m *metrics, log logr.Logger) *engine {
	return &engine{
		log: log, journal: j, metrics: m, tuning: t, records: journal.NewCommitter(j.Records), limiter: rate.NewLimiter(rate.Inf, 1),
		wake: make(chan struct{}, 1), room: make(chan struct{}, 1), dirty: make(chan struct{}, 1),
		early: make(chan struct{}, 1), failed: make(chan error, 1),
		lanes: lanes.New(), progress: p, gate: newGate(t, time.Now()), trouble: map[string]string{},
	}
}

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// changed tells everybody that the state is different.
func (e *engine) changed() {
	nudge(e.wake)
	nudge(e.dirty)
}

// run starts calls until ctx ends. calls is the context of the calls themselves, which outlives ctx for a while.
func (e *engine) run(ctx, calls context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		next := e.start(calls, time.Now())
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
func (e *engine) start(calls context.Context, now time.Time) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	v := e.live.Load()
	if v == nil || e.draining {
		return idle
	}
	e.lanes.Wake(now)
	for e.inFlight < v.concurrency() && e.unrecorded < maxUnrecorded && e.lanes.Count(lanes.Ready) > 0 {
		ok, trial := e.gate.admit()
		if !ok {
			break
		}
		entry := e.lanes.Next()
		if at := entry.NotBefore; at.After(now) && (!entry.TargetDown || e.gate.state != gateOpen) {
			entry.NotBefore = time.Time{}
			e.gate.withdraw(trial)
			e.lanes.Retry(entry, at)
			continue
		}
		e.inFlight++
		e.unrecorded++
		go e.deliver(calls, v, entry, trial)
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
	if at, ok := e.lanes.NextWake(); ok {
		earlier(at)
	}
	// While the gate is closed nothing is taken, but what is too old has to come out all the same.
	if oldest := e.lanes.Get(e.progress.Done.Floor() + 1); e.gate.state != gateOpen && oldest != nil {
		for _, entry := range e.lanes.TakeOlder(now.Add(-v.policy.MaxAge.Std())) {
			e.inFlight++
			e.unrecorded++
			go e.deliver(calls, v, entry, false)
		}
		if at := v.policy.expiry(oldest.AcceptedAt); at.After(now) {
			earlier(at)
		}
	}
	return max(next.Sub(now), 0)
}

// use makes a bundle the live one. What was held is looked at again.
func (e *engine) use(v *live) {
	e.mu.Lock()
	defer e.mu.Unlock()
	v.limit(e.limiter)
	e.live.Store(v)
	e.lanes.Release(func(x *lanes.Entry) bool { return x.State() == lanes.Held })
	e.gate.changed(time.Now())
	e.changed()
}

// retarget makes the engine ask the OA at once, because credentials changed.
func (e *engine) retarget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.gate.changed(time.Now())
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
	resumed := e.gate.probed(a, version, min(a.RetryAfter, v.policy.RetryAfterMax.Std()), now)
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
	case gateOpen:
		e.log.Info("the OA works again: calls resume")
	}
}

// superseded reports whether a newer state of the item was delivered already.
func (e *engine) superseded(key record.Key, d *record.Delivery) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.progress.Latest.Superseded(key, d.Event.Item.Version, d.Event.Action, d.Event.Time)
}
