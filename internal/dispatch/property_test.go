package dispatch

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/report"
)

// propertyTime is how long TestEndsInTheFinalState may draw new histories, with the race detector on a busy machine too.
const propertyTime = 25 * time.Second

// shown is what an inbox shows of a to-do: its state (open, done or gone) and the number of the event that it comes from.
type shown struct {
	state string
	n     int
}

// inbox is an OA that keeps what it is told and fails as it is told.
type inbox struct {
	mu   sync.Mutex
	dice *rand.Rand
	faulty,
	down bool
	items map[string]shown
	// confirmed is the event that the OA last said of that it has it. A crash may come before that is written down.
	confirmed map[string]int
	wrong     []string
}

// fates of a call to a faulty OA; what was applied before the failure is what makes a repeat necessary and harmless.
var fates = []struct {
	applied bool
	answer  oa.Attempt
}{
	{true, oa.Attempt{}}, {true, oa.Attempt{}}, {true, oa.Attempt{}}, {true, oa.Attempt{}},
	{false, oa.Attempt{Class: oa.Network, Reason: "NetworkError", Message: "cut off before"}},
	{true, oa.Attempt{Class: oa.Network, Reason: "NetworkError", Message: "cut off after"}},
	{false, oa.Attempt{Class: oa.ServerError, Reason: "ServerError", Message: "500 before"}},
	{true, oa.Attempt{Class: oa.ServerError, Reason: "ServerError", Message: "500 after"}},
	{true, oa.Attempt{Class: oa.Timeout, Reason: "Timeout", Message: "no answer"}},
	{false, oa.Attempt{Class: oa.RateLimited, Message: "later", RetryAfter: time.Millisecond}},
	{false, oa.Attempt{Class: oa.BusinessCode, Message: "200, and refused"}},
}

// behave answers a call.
func (b *inbox) behave(c call) oa.Attempt {
	b.mu.Lock()
	defer b.mu.Unlock()
	fate := fates[0]
	switch {
	case b.down:
		return refused()
	case b.faulty:
		fate = fates[b.dice.IntN(len(fates))]
	}
	if !fate.applied {
		return fate.answer
	}
	n, err := strconv.Atoi(c.Title[strings.LastIndexByte(c.Title, '#')+1:])
	if err != nil {
		b.wrong = append(b.wrong, "a title without a number: "+c.Title)
	}
	if n < b.confirmed[c.ID] {
		b.wrong = append(b.wrong, fmt.Sprintf("%s: event %d came after %d", c.ID, n, b.confirmed[c.ID]))
	}
	if _, known := b.items[c.ID]; !known && c.Action == "complete" {
		return oa.Attempt{Class: oa.BusinessCode, Message: "there is no such to-do"}
	}
	b.items[c.ID] = shown{state: after[c.Action], n: n}
	if fate.answer.Class == oa.OK {
		b.confirmed[c.ID] = n
	}
	return fate.answer
}

func (b *inbox) probe() oa.Attempt {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.down {
		return refused()
	}
	return oa.Attempt{}
}

func (b *inbox) set(faulty, down bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faulty, b.down = faulty, down
}

// after is the state in which an action leaves a to-do, next what may happen then.
var (
	after = map[string]string{"create": "open", "update": "open", "complete": "done", "delete": "gone"}
	next  = map[string][]string{
		"":     {"created"},
		"open": {"updated", "updated", "completed", "deleted"},
		"done": {"updated", "deleted"},
		"gone": {"created"},
	}
)

// Whatever happens in between - to-dos that are created, changed, finished, deleted, created again, events that are sent
// twice, an OA that fails before or after it did its work, refuses or is down, ends with and without warning, replays - the
// inbox ends as the CRM has it, and nothing is sent that is older than what the OA has confirmed.
func TestEndsInTheFinalState(t *testing.T) {
	w := newWorld(t)
	box := &inbox{}
	w.start()
	var ended int64 // deliveries over the life of the store
	round, began := 0, time.Now()
	rapid.Check(t, func(t *rapid.T) {
		if time.Since(began) > propertyTime {
			return // on a slow machine fewer histories are drawn
		}
		round++
		box.mu.Lock()
		box.items, box.confirmed, box.wrong = map[string]shown{}, map[string]int{}, nil
		box.dice = rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "dice"), 1))
		box.mu.Unlock()
		box.set(true, false)
		w.oa.set(box.behave, box.probe)
		latest, finished := rapid.Bool().Draw(t, "latest state"), rapid.SampledFrom([]string{"Skip", "Deliver"}).Draw(t, "finished")
		policy := func(c *connector) {
			if latest {
				c.Delivery.CatchUp, c.Delivery.CatchUpFinished = "LatestState", finished
			}
		}
		w.live(policy)

		want, n := map[string]shown{}, 0
		var before []event
		items := rapid.IntRange(1, 4).Draw(t, "items")
		versions := rapid.Bool().Draw(t, "versions")
		for range rapid.IntRange(1, 14).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{"event", "event", "event", "event", "repeat", "outage", "calm", "stop", "crash"}).Draw(t, "step") {
			case "event":
				before = nil
				for range rapid.IntRange(1, 3).Draw(t, "events") {
					n++
					item := fmt.Sprintf("P%d-%d", round, rapid.IntRange(1, items).Draw(t, "item"))
					action := rapid.SampledFrom(next[want[item].state]).Draw(t, "action")
					want[item] = shown{after[strings.TrimSuffix(action, "d")], n}
					e := todo(fmt.Sprintf("p%d-%d", round, n), item, action)
					e["data"].(map[string]any)["detail"] = fmt.Sprintf("#%d", n)
					if versions {
						e.version(n)
					}
					before = append(before, e)
				}
				ended += int64(len(before))
				w.mustSend(before...)
			case "repeat":
				if len(before) > 0 {
					if accepted, duplicates := w.send(before...).counts(w.t); accepted != duplicates {
						t.Fatalf("%d of %d repeats are taken for news", accepted-duplicates, accepted)
					}
				}
			case "outage":
				box.set(true, true)
			case "calm":
				box.set(true, false)
			case "stop":
				if err := w.stop(); err != nil {
					t.Fatal(err)
				}
				w.reopen()
			case "crash":
				w.die()
				box.mu.Lock()
				box.confirmed = map[string]int{}
				box.mu.Unlock()
				w.reopen()
			}
		}
		box.set(true, false)
		w.ended(ended)

		// What the OA refused is replayed when it works again.
		box.set(false, false)
		id := fmt.Sprintf("replay/%d", round)
		w.live(policy, func(c *connector) { c.Replays = []bundle.Replay{{ID: id, Name: "all", Template: "Current"}} })
		r := w.until("the dead letters are replayed", func(r report.Report) bool { return r.Replays[id].Done })
		ended += r.Replays[id].Queued
		w.ended(ended)

		box.mu.Lock()
		defer box.mu.Unlock()
		if len(box.wrong) > 0 {
			t.Fatalf("%q", box.wrong)
		}
		for item, is := range want {
			has, known := box.items[item]
			// A to-do that was over before the OA heard of it need not be there.
			absent := !known || has.state == "gone"
			if unheard := absent && (is.state == "gone" || is.state == "done" && latest && finished == "Skip"); has != is && !unheard {
				t.Fatalf("%s is %+v in the OA and %+v in the CRM; its records: %q", item, has, is, w.outcomes(item))
			}
		}
	})
	t.Logf("%d histories", round)
}

// reopen runs the dispatcher again and waits until its store is open.
func (w *world) reopen() {
	w.t.Helper()
	w.run()
	w.soon("the store is open", func() bool { s := w.d.session.Load(); return s != nil && s.engine(0) != nil })
}

// live writes a bundle and waits until it is live.
func (w *world) live(changes ...func(*connector)) {
	w.t.Helper()
	w.bundle(func(c *connector) {
		for _, change := range changes {
			change(c)
		}
	})
	l, err := bundle.Load(w.options.Bundle)
	if err != nil {
		w.t.Fatal(err)
	}
	w.soon("the bundle is live", func() bool { v := w.d.live.Load(); return v != nil && v.hash == l.Hash })
}
