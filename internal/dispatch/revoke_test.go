package dispatch

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/report"
)

func withdrawn(r report.Report) bool { return r.Revoke != nil && r.Revoke.Done }

// A deleted connector withdraws what the OA shows as open, once each: not what was finished, not what never went out.
func TestRevoke(t *testing.T) {
	w := newWorld(t)
	w.bundle(nil)
	w.start()
	w.mustSend(
		todo("e1", "T-open", "created"), todo("e2", "T-changed", "created"), todo("e3", "T-changed", "updated"),
		todo("e4", "T-done", "created"), todo("e5", "T-done", "completed"), todo("e6", "T-gone", "created"), todo("e7", "T-gone", "deleted"),
		todo("e8", "T-done-and-open", "created").version(1), todo("e9", "T-done-and-open", "completed").version(2),
		todo("e10", "T-done-and-open", "created").version(3), todo("e11", "T-two", "created", "1000", "1002"),
	)
	w.drained(12)
	w.mustSend(todo("e12", "T-held", "created", "2000"))
	w.until("one is held", func(r report.Report) bool { return r.Delivery.Held == 1 })

	w.bundle(func(c *connector) { c.Draining, c.Revoking = true, true })
	w.until("all is withdrawn", withdrawn)
	for item, want := range map[string][]string{
		"T-open": {"create", "delete"}, "T-changed": {"create", "update", "delete"}, "T-done": {"create", "complete"}, "T-gone": {"create", "delete"},
		"T-done-and-open": {"create", "complete", "create", "delete"}, "T-two": {"create", "create", "delete", "delete"}, "T-held": nil,
	} {
		if got := w.oa.actions(item); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", item, got, want)
		}
	}
	if got := w.outcomes("T-held"); !slices.Equal(got, []string{"Held/Unbound", "Skipped/Revoked"}) {
		t.Errorf("what never went out: %v", got)
	}
}

// 1,200 open items are withdrawn in order and in bounded steps, although the OA fails now and then and the dispatcher is stopped in the
// middle. An item whose withdrawal the OA refuses is a dead letter, and not tried for ever.
func TestRevokeGoesOnAfterAStop(t *testing.T) {
	const items = 1200
	w := newWorld(t)
	w.bundle(nil)
	w.start()
	var events []event
	for i := range items {
		events = append(events, todo(fmt.Sprint("e", i), fmt.Sprint("T-", i), "created"))
	}
	for part := range slices.Chunk(events, 400) {
		w.mustSend(part...)
	}
	w.drained(items)

	var deletes atomic.Int64
	half := make(chan struct{})
	w.oa.set(func(c call) oa.Attempt {
		switch n := deletes.Add(1); {
		case c.ID == "T-7":
			return oa.Attempt{Class: oa.BusinessCode, Message: "no such item"}
		case n == items/2:
			close(half)
		case n%50 == 0:
			return oa.Attempt{Class: oa.Timeout, Message: "slow"}
		}
		return oa.Attempt{}
	}, nil)
	w.bundle(func(c *connector) { c.Draining, c.Revoking = true, true })
	<-half
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	w.start()
	r := w.until("all is withdrawn", withdrawn)
	if r.Delivery.Dead != 1 || r.Delivery.Pending+r.Delivery.Retrying+r.Delivery.Held != 0 {
		t.Errorf("%+v", r.Delivery)
	}
	for i := range items {
		got := w.oa.actions(fmt.Sprint("T-", i))
		if len(got) < 2 || got[0] != "create" || slices.Contains(got[1:], "create") {
			t.Fatalf("T-%d: %v", i, got)
		}
	}
}
