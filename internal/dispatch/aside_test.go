package dispatch

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/report"
)

// A flood for one receiver that memory does not hold hides nothing: what comes behind it for others goes out after a few
// calls. What was set aside follows in order, over failures and a restart, and memory stays bounded all the while.
func TestAFloodBeyondMemory(t *testing.T) { // TM-28
	const items, versions = 200, 10
	w := newWorld(t)
	w.bundle(func(c *connector) { c.Delivery.Concurrency = 1 })
	w.options.tuning.maxWaiting, w.options.tuning.maxReady, w.options.tuning.maxFlow = 100, 60, 16
	first := newDoor()
	stumbled := map[string]bool{}
	w.oa.set(func(c call) oa.Attempt {
		w.oa.mu.Lock()
		stumble := c.Action == "complete" && !stumbled[c.ID]
		stumbled[c.ID] = stumbled[c.ID] || stumble
		w.oa.mu.Unlock()
		if c.ID == "first" {
			first.pass()
		}
		if stumble {
			return oa.Attempt{Class: oa.ServerError, Message: "busy"}
		}
		return oa.Attempt{}
	}, nil)
	w.start()
	w.mustSend(todo("e0", "first", "created", "1001"), todo("e00", "first", "created", "1001"))
	w.oa.wait(t, "the calls wait", func() bool { return len(w.oa.got()) == 1 })
	for v := range versions {
		var events []event
		for i := range items {
			action := "updated"
			if v == versions-1 {
				action = "completed"
			}
			events = append(events, todo(fmt.Sprintf("e%d-%d", i, v), fmt.Sprintf("T-%d", i), action).version(v+1))
		}
		w.mustSend(events...)
	}
	w.mustSend(todo("other", "T-other", "created", "1003"))
	const all = items*versions + 3
	w.until("everything was looked at", func(r report.Report) bool {
		e := w.engine()
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.readSeq == e.tailSeq && r.Delivery.Pending == all
	})
	if n := w.engine().lanesLen(); n > 100 {
		t.Errorf("%d deliveries in memory", n)
	}
	close(first.open)
	w.oa.wait(t, "the other receiver's item", func() bool { return len(w.oa.actions("T-other")) > 0 })
	if at := slices.IndexFunc(w.oa.got(), func(c call) bool { return c.ID == "T-other" }); at > 30 {
		t.Errorf("it came after %d calls", at)
	}
	w.oa.wait(t, "half of them", func() bool { return len(w.oa.got()) > all/2 })
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	w.start()
	w.drained(all)
	for i := range items {
		got := w.oa.actions(fmt.Sprintf("T-%d", i))
		if want := append(slices.Repeat([]string{"update"}, versions-1), "complete", "complete"); !slices.Equal(got, want) {
			t.Fatalf("T-%d got %v", i, got)
		}
	}
	if n := w.engine().asideLen(); n != 0 {
		t.Errorf("%d are still aside", n)
	}
}

func (e *engine) asideLen() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.aside.Len()
}

// What is set aside comes out when the OA is back, and becomes too old like everything else while it is down.
func TestAsideBecomesTooOld(t *testing.T) {
	w := newWorld(t)
	w.bundle(func(c *connector) { c.Delivery.MaxAge = bundle.Duration(300 * time.Millisecond) })
	w.options.tuning.maxWaiting, w.options.tuning.maxReady, w.options.tuning.maxFlow = 50, 30, 4
	w.oa.set(always(refused()), refused)
	w.start()
	w.until("the OA is down", func(r report.Report) bool { return r.OA.State == "False" })
	w.mustSend(todos(0, 300, "created")...)
	w.until("all are dead", func(r report.Report) bool { return r.Delivery.Dead == 300 && r.Delivery.Pending == 0 })
	if n := len(w.oa.got()); n != 0 {
		t.Errorf("%d calls", n)
	}
}
