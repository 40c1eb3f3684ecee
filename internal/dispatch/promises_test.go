package dispatch

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/oa"
)

// Whatever the OA does with items and batches: each delivery ends exactly once, after as many attempts as were needed, in
// order for each item; what the OA takes is Delivered, what it refuses is Dead, whoever was in the same call.
func TestBatchesKeepThePromises(t *testing.T) {
	w := newWorld(t)
	w.bundle(func(c *connector) {
		batched(7)(c)
		c.Delivery.Concurrency = 3
		c.Delivery.BackoffDelay, c.Delivery.BackoffMax = bundle.Duration(time.Millisecond), bundle.Duration(2*time.Millisecond)
	})
	w.start()
	round, ended := 0, int64(0)
	rapid.Check(t, func(t *rapid.T) {
		round++
		type fate struct {
			fails  int // attempts that fail before it is decided
			class  oa.Class
			refuse bool
		}
		fates, needed := map[string]*fate{}, map[string]int{}
		var events []event
		var want []string
		items := rapid.IntRange(1, 12).Draw(t, "items")
		for i := range items {
			item := fmt.Sprintf("R%d-%d", round, i)
			for n, action := range []string{"created", "updated", "completed"}[:rapid.IntRange(1, 3).Draw(t, "length")] {
				events = append(events, todo(item+action, item, action).version(n+1))
				fates[item+"/"+strings.TrimSuffix(action, "d")] = &fate{
					fails:  rapid.IntRange(0, 2).Draw(t, "fails"),
					class:  rapid.SampledFrom([]oa.Class{oa.ServerError, oa.Timeout, oa.Network, oa.RateLimited}).Draw(t, "class"),
					refuse: rapid.IntRange(0, 4).Draw(t, "refuse") == 0,
				}
				needed[item+"/"+strings.TrimSuffix(action, "d")] = fates[item+"/"+strings.TrimSuffix(action, "d")].fails + 1
				want = append(want, item)
			}
		}
		w.oa.set(func(c call) oa.Attempt {
			w.oa.mu.Lock()
			defer w.oa.mu.Unlock()
			f := fates[c.ID+"/"+c.Action]
			if f == nil {
				return oa.Attempt{}
			}
			if f.fails > 0 {
				f.fails--
				return oa.Attempt{Class: f.class, Message: "not now"}
			}
			if f.refuse {
				return oa.Attempt{Class: oa.BusinessCode, Message: "no"}
			}
			return oa.Attempt{}
		}, nil)
		body, err := json.Marshal(events)
		if err != nil {
			t.Fatal(err)
		}
		if a := w.do("POST", w.url("public", "/events"), body, "Authorization", "Bearer "+eventToken, "Content-Type", "application/cloudevents-batch+json"); a.status != 202 {
			t.Fatal(a.body)
		}
		ended += int64(len(events))
		w.ended(ended)
		final := map[string]int{}
		last := map[string]int64{}
		for _, r := range w.records("limit=200") { // 12 items, 3 actions, 3 attempts
			f := fates[r.ItemID+"/"+string(r.Action)]
			if f == nil {
				continue // of the round before
			}
			if r.Version < last[r.ItemID] {
				t.Fatalf("%s: a record of version %d after one of %d", r.ItemID, r.Version, last[r.ItemID])
			}
			last[r.ItemID] = r.Version
			if !r.Outcome.Final() {
				continue
			}
			final[r.ItemID]++
			if need := needed[r.ItemID+"/"+string(r.Action)]; r.Attempt != need {
				t.Fatalf("%s %s took %d attempts, want %d", r.ItemID, r.Action, r.Attempt, need)
			}
			if refused := r.Outcome == record.Dead && r.Class == "BusinessCode"; refused != f.refuse || !refused && r.Outcome != record.Delivered {
				t.Fatalf("%s %s ended as %s/%s", r.ItemID, r.Action, r.Outcome, r.Reason)
			}
		}
		for _, item := range want {
			final[item]--
		}
		for item, n := range final {
			if n != 0 {
				t.Fatalf("%s has %d final records too many", item, n)
			}
		}
	})
}

// ended waits until so many deliveries have ended, without waiting for a report.
func (w *world) ended(n int64) {
	w.t.Helper()
	e, deadline := w.engine(), time.Now().Add(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		e.mu.Lock()
		t := e.progress.Totals
		e.mu.Unlock()
		if t.Delivered+t.Dead+t.Skipped == n {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("waited in vain until %d have ended: %+v", n, t)
		}
	}
}
