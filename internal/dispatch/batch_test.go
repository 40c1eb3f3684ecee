package dispatch

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/report"
	"github.com/oabridge/oabridge/internal/scenario"
)

// PushBatch is an exchange of several items that ends for all of them in the failure of one, when that is about the OA.
func (f *fakeOA) PushBatch(ctx context.Context, calls []oa.Call) []oa.Attempt {
	attempts := f.exchange(calls)
	for _, down := range attempts {
		if !down.TargetDown() {
			continue
		}
		for i := range attempts {
			a := &attempts[i]
			a.Class, a.Reason, a.Message, a.Accepted = down.Class, down.Reason, down.Message, false
		}
		return attempts
	}
	// Those that are refused are pushed once more, alone, as drivers do.
	for i := range attempts {
		if attempts[i].Class != oa.BusinessCode {
			continue
		}
		if err := pace(ctx); err != nil {
			attempts[i].Class = oa.Timeout
			continue
		}
		attempts[i] = f.exchange(calls[i : i+1])[0]
	}
	return attempts
}

// exchanges returns the ids of the items of each exchange so far.
func (f *fakeOA) exchanges() (out [][]string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, g := range f.groups {
		var ids []string
		for _, c := range g {
			ids = append(ids, c.ID)
		}
		out = append(out, ids)
	}
	return out
}

// batched lets every call but those of reminders take several items.
func batched(size int) func(*connector) {
	return func(c *connector) {
		c.Delivery.BatchSize = size
		for action, call := range c.Scenarios[0].Calls {
			call.Batch = &scenario.Batch{Path: "/batch/" + string(action), ListName: "list"}
			c.Scenarios[0].Calls[action] = call
		}
	}
}

// door makes calls wait in the OA until open, so that a backlog is there when the next ones start.
type door struct {
	entered atomic.Int32
	open    chan struct{}
}

func newDoor() *door { return &door{open: make(chan struct{})} }

func (d *door) pass() {
	d.entered.Add(1)
	<-d.open
}

func todos(from, to int, action string) (events []event) {
	for i := from; i < to; i++ {
		events = append(events, todo(fmt.Sprintf("%s-%d", action, i), fmt.Sprintf("T-%d", i), action))
	}
	return events
}

// What waits goes out together, at most as many items as the connector says; each has a record of its own with its own
// request. Nothing waits for a batch to fill, and order per item holds. // F93
func TestBatches(t *testing.T) {
	w := newWorld(t)
	w.bundle(func(c *connector) { batched(40)(c); c.Delivery.Concurrency = 1 })
	first := newDoor()
	w.oa.set(func(c call) oa.Attempt {
		if c.ID == "first" {
			first.pass()
		}
		return oa.Attempt{}
	}, nil)
	w.start()
	w.mustSend(todo("e0", "first", "created")) // alone, at once
	w.oa.wait(t, "the first call", func() bool { return len(w.oa.got()) == 1 })
	w.mustSend(todos(0, 100, "created")...)
	w.mustSend(todos(0, 100, "completed")...)
	close(first.open)
	w.drained(201)

	seen := map[string][]string{}
	sizes := map[string][]int{}
	w.oa.mu.Lock()
	for _, g := range w.oa.groups {
		inGroup := map[string]bool{}
		for _, c := range g {
			if c.Action != g[0].Action || inGroup[c.ID] {
				t.Errorf("%s of %s does not belong into this call", c.Action, c.ID)
			}
			inGroup[c.ID] = true
			seen[c.ID] = append(seen[c.ID], c.Action)
		}
		sizes[g[0].Action] = append(sizes[g[0].Action], len(g))
	}
	w.oa.mu.Unlock()
	for action, got := range sizes {
		if n := len(got); n > 5 || slices.Max(got) != 40 {
			t.Errorf("%s in calls of %v items", action, got)
		}
	}
	for i := range 100 {
		id := fmt.Sprintf("T-%d", i)
		if !slices.Equal(seen[id], []string{"create", "complete"}) {
			t.Errorf("%s got %v", id, seen[id])
		}
	}
	for _, r := range w.records("limit=1000") {
		if r.Outcome != record.Delivered || r.Attempt != 1 || !strings.Contains(r.Request, `"`+r.ItemID+`"`) || strings.Count(r.Request, `"id"`) != 1 {
			t.Errorf("record: %+v", r)
		}
	}
	// A thousand metrics of calls would be wrong: there were a few.
	attempts := w.do("GET", w.url("admin", "/metrics"), nil).body
	if want := fmt.Sprintf(`oabridge_attempts_total{class="OK"} %d`, len(w.oa.exchanges())); !strings.Contains(attempts, want+"\n") {
		t.Errorf("metrics lack %q", want)
	}
}

// A scenario without a form for several items, and an OA without one, get them one by one and as many at once as ever.
func TestNoBatchForm(t *testing.T) {
	w := newWorld(t)
	w.bundle(func(c *connector) { c.Delivery.BatchSize = 50; c.Delivery.Concurrency = 4 })
	busy := newDoor()
	w.oa.set(func(call) oa.Attempt { busy.pass(); return oa.Attempt{} }, nil)
	w.start()
	w.mustSend(todos(0, 20, "created")...)
	w.oa.wait(t, "four calls at once", func() bool { return len(w.oa.got()) == 4 })
	close(busy.open)
	w.drained(20)
	if n := len(w.oa.exchanges()); n != 20 {
		t.Errorf("%d exchanges", n)
	}
}

// The item at which the OA stumbles fails its batch once; from then on it goes alone, and the others arrive.
func TestPoisonInABatch(t *testing.T) {
	w := newWorld(t)
	w.bundle(batched(20))
	w.oa.set(func(c call) oa.Attempt {
		if c.ID == "T-7" {
			return oa.Attempt{Class: oa.ServerError, Reason: "ServerError", Message: "the OA answers 500"}
		}
		return oa.Attempt{}
	}, nil)
	w.start()
	w.mustSend(todos(0, 60, "created")...)
	w.until("the others are delivered", func(r report.Report) bool { return r.Delivery.Delivered == 59 })
	failed := map[string]bool{}
	for _, g := range w.oa.exchanges() {
		for _, id := range g {
			if failed[id] && len(g) > 1 {
				t.Errorf("%s failed before and went out with others: %v", id, g)
			}
		}
		if slices.Contains(g, "T-7") {
			for _, id := range g {
				failed[id] = true
			}
		}
	}
	for _, r := range w.records("item=T-8") {
		if r.Outcome == record.Retrying && r.Attempt != 1 {
			t.Errorf("a neighbour failed more than once: %+v", r)
		}
	}
}

// A batch is one call to the gate: one that failed does not close it, although fifty items failed. And when the OA was
// down, one item goes on trial, not a batch.
func TestTheGateCountsCalls(t *testing.T) {
	w := newWorld(t)
	w.bundle(func(c *connector) { batched(50)(c); c.Delivery.Concurrency = 1 })
	first, failures := newDoor(), atomic.Int32{}
	failures.Store(1)
	w.oa.set(func(c call) oa.Attempt {
		if c.ID == "first" {
			first.pass()
		} else if c.ID == "T-0" && failures.Add(-1) >= 0 {
			return oa.Attempt{Class: oa.Timeout, Reason: "Timeout", Message: "the OA does not answer"}
		}
		return oa.Attempt{}
	}, nil)
	w.start()
	w.mustSend(todo("e0", "first", "created"))
	w.oa.wait(t, "the first call", func() bool { return len(w.oa.got()) == 1 })
	w.mustSend(todos(0, 50, "created")...)
	close(first.open)
	w.drained(51)
	if strings.Contains(w.logs.String(), "the OA is down") {
		t.Error("one failed call closed the gate")
	}

	w.oa.set(always(refused()), refused)
	w.mustSend(todo("e-last", "T-last", "created"))
	w.until("the OA is down", func(r report.Report) bool { return r.OA.State == "False" })
	w.mustSend(todos(100, 150, "created")...)
	w.until("they wait", func(r report.Report) bool { return r.Delivery.Pending >= 50 })
	before := len(w.oa.exchanges())
	w.oa.set(nil, nil)
	w.drained(102)
	if trial := w.oa.exchanges()[before]; len(trial) != 1 {
		t.Errorf("on trial went %v", trial)
	}
}

// The rate limit counts calls, not items; the further calls for a batch that was refused wait for their turn too.
func TestTheRateCountsCalls(t *testing.T) {
	w := newWorld(t)
	w.bundle(func(c *connector) {
		batched(100)(c)
		c.Delivery.Concurrency, c.Delivery.RatePerSecond, c.Delivery.RateBurst = 1, 20, 1
	})
	w.start()
	began := time.Now()
	w.mustSend(todos(0, 800, "created")...)
	w.drained(800)
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("%s for 8 calls or a few more, at 20 a second", took)
	}
	w.oa.set(always(oa.Attempt{Class: oa.BusinessCode, Message: "no"}), nil)
	before := len(w.oa.exchanges())
	began = time.Now()
	w.mustSend(todos(1000, 1010, "created")...)
	w.until("all are refused", func(r report.Report) bool { return r.Delivery.Dead == 10 })
	calls := len(w.oa.exchanges()) - before
	// The first may find a token in the bucket.
	if least := time.Duration(calls-2) * 50 * time.Millisecond; time.Since(began) < least {
		t.Errorf("%d calls in %s, at 20 a second", calls, time.Since(began))
	}
}

// An OA that asks for patience gets no call until then, as long as it does not ask for too much. // F61
func TestTheOAAsksForPatience(t *testing.T) {
	const pause = 400 * time.Millisecond
	w := newWorld(t)
	w.bundle(func(c *connector) {
		c.Delivery.Concurrency = 1
		c.Delivery.RetryAfterMax = bundle.Duration(pause)
	})
	var first, second time.Time
	w.oa.set(func(call) oa.Attempt {
		switch now := time.Now(); {
		case first.IsZero():
			first = now
			return oa.Attempt{Class: oa.RateLimited, Message: "429", RetryAfter: time.Hour}
		case second.IsZero():
			second = now
		}
		return oa.Attempt{}
	}, nil)
	w.start()
	w.mustSend(todos(0, 20, "created")...)
	w.drained(20)
	if got := second.Sub(first); got < pause || got > patience/2 {
		t.Errorf("the next call came after %s", got)
	}
	if n := len(w.records("class=RateLimited")); n != 1 {
		t.Errorf("%d items were refused, one should have been enough", n)
	}
}

// A flood for one receiver delays the item of another one, and a reminder, by a few calls only.
func TestAFloodForOneReceiver(t *testing.T) { // TM-28
	w := newWorld(t)
	w.bundle(func(c *connector) { c.Delivery.Concurrency = 1 })
	first := newDoor()
	w.oa.set(func(c call) oa.Attempt {
		if c.ID == "first" {
			first.pass()
		}
		return oa.Attempt{}
	}, nil)
	w.start()
	w.mustSend(todo("e0", "first", "created"))
	w.oa.wait(t, "the first call", func() bool { return len(w.oa.got()) == 1 })
	for i := 0; i < 3000; i += 1000 {
		w.mustSend(todos(i, i+1000, "created")...)
	}
	reminder := todo("e-reminder", "R-1", "created", "1004")
	reminder["type"] = "dev.oabridge.reminder.created"
	w.mustSend(todo("e-other", "T-other", "created", "1003"), reminder)
	close(first.open)
	w.drained(3003)
	for _, id := range []string{"T-other", "R-1"} {
		if at := slices.IndexFunc(w.oa.got(), func(c call) bool { return c.ID == id }); at > 10 {
			t.Errorf("%s came after %d calls", id, at)
		}
	}
}
