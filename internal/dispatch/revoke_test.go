package dispatch

import (
	"fmt"
	"slices"
	"strings"
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

// A withdrawal says of an item what the delivery said, as far as the connector was to withdraw items then: a template may need
// the title, the record or the sender to take it away. What was delivered before has its id, receiver and version.
func TestAWithdrawalKnowsTheItem(t *testing.T) {
	w := newWorld(t)
	full := func(c *connector) {
		for i := range c.Scenarios {
			call := c.Scenarios[i].Calls["delete"]
			call.Body = `{"id":"#F012","to":"#F001","from":"#F049","title":"#F056 #F054 #F037/#F015 #F009"}`
			c.Scenarios[i].Calls["delete"] = call
		}
	}
	w.bundle(full)
	w.start()
	w.mustSend(todo("e1", "T-before", "created"))
	w.drained(1)
	w.bundle(func(c *connector) { full(c); c.Revocable = true })
	w.until("it is live", func(report.Report) bool { return w.d.live.Load().bundle.Revocable })
	w.mustSend(todo("e2", "T-1", "created"), todo("e3", "T-1", "updated"), todo("e4", "T-2", "created"), todo("e5", "T-2", "completed"))
	w.drained(5)
	for _, r := range w.records("item=T-2") {
		if (r.Item != nil) != (r.Action == "create") {
			t.Errorf("%s: %+v", r.Action, r.Item)
		}
	}

	w.bundle(func(c *connector) { full(c); c.Draining, c.Revoking, c.Revocable = true, true, true })
	w.until("all is withdrawn", withdrawn)
	sent := map[string]call{}
	for _, c := range w.oa.got() {
		if c.Action == "delete" {
			sent[c.ID] = c
		}
	}
	update := w.oa.got()[slices.IndexFunc(w.oa.got(), func(c call) bool { return c.ID == "T-1" && c.Action == "update" })]
	if got := sent["T-1"]; got.From != update.From || got.From == "" || !strings.Contains(got.Title, "提交 张三 QuoteObj/5f3c2ab1 2026-11-22 09:30") {
		t.Errorf("the withdrawal of T-1 says %+v", got)
	}
	if got := sent["T-before"]; got.To != "oa1002" || got.From != "" {
		t.Errorf("the withdrawal of T-before says %+v", got)
	}
	if len(sent) != 2 {
		t.Errorf("withdrawn: %v", sent)
	}
}
