package dispatch

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oasim/seeyon"
	"github.com/oabridge/oabridge/internal/report"
	"github.com/oabridge/oabridge/internal/scenario"
)

// Inspect answers a read-back as the test says; nil means that the item is there.
func (f *fakeOA) Inspect(_ context.Context, req scenario.Request, _ scenario.Result) (scenario.Presence, oa.Attempt) {
	c := read(req)
	f.mu.Lock()
	f.asked = append(f.asked, c)
	holds := f.holds
	close(f.changed)
	f.changed = make(chan struct{})
	f.mu.Unlock()
	p, a := scenario.Found, oa.Attempt{}
	if holds != nil {
		p, a = holds(c)
	}
	a.Method, a.URL, a.Request = req.Method, "http://oa.example"+req.Path, req.Body
	return p, a
}

// questions returns the read-backs so far.
func (f *fakeOA) questions() []call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.asked)
}

func (f *fakeOA) answers(holds func(call) (scenario.Presence, oa.Attempt)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.holds = holds
}

// readBack lets the OA be asked about created and updated items.
func readBack(c *connector) {
	for _, action := range []scenario.Action{scenario.Create, scenario.Update} {
		call := c.Scenarios[0].Calls[action]
		call.ReadBack = &scenario.ReadBack{
			Method: "POST", Path: "/holds", Body: `{"id":"#F012","to":"#F001","from":"","title":"#F053"}`, Result: scenario.Result{CodeName: "state", SuccessCode: "open"},
		}
		c.Scenarios[0].Calls[action] = call
	}
}

func found(a oa.Attempt) (scenario.Presence, oa.Attempt) { return scenario.Found, a }
func missing() (scenario.Presence, oa.Attempt) {
	return scenario.Missing, oa.Attempt{Message: "no such item"}
}
func unknown(a oa.Attempt) (scenario.Presence, oa.Attempt) { return scenario.Unknown, a }

// An item that the OA accepted is delivered when the OA says that it holds it. It is sent once and asked about until then;
// the next state of the item waits for that, other items do not.
func TestAcceptedThenDelivered(t *testing.T) {
	w := newWorld(t)
	w.bundle(readBack)
	asked := make(chan struct{}, 100)
	holds := newDoor()
	w.oa.answers(func(c call) (scenario.Presence, oa.Attempt) {
		if c.ID == "T-1" {
			asked <- struct{}{}
			select {
			case <-holds.open:
			default:
				return missing()
			}
		}
		return found(oa.Attempt{Status: 200})
	})
	w.start()
	w.mustSend(todo("e1", "T-1", "created").version(1), todo("e2", "T-1", "completed").version(2), todo("e3", "T-2", "created"))
	<-asked
	<-asked
	r := w.until("the other one is delivered", func(r report.Report) bool { return r.Delivery.Delivered == 1 })
	if r.Delivery.Retrying != 0 || r.Delivery.Pending != 2 || r.Delivery.LastFailure != nil {
		t.Errorf("nothing has failed, two wait: %+v", r.Delivery)
	}
	if got := w.oa.actions("T-1"); !slices.Equal(got, []string{"create"}) {
		t.Errorf("before the OA has it: %v", got)
	}
	close(holds.open)
	w.drained(3)
	if got := w.oa.actions("T-1"); !slices.Equal(got, []string{"create", "complete"}) {
		t.Errorf("calls: %v", got)
	}
	records := w.records("item=T-1")
	if n := len(records); n < 4 {
		t.Fatalf("%d records", n)
	}
	for i, r := range records[:len(records)-2] {
		if r.Outcome != "Retrying" || r.Reason != "Accepted" || r.Class != "" || r.Attempt != 1 || int(r.ReadBacks) != i || r.RetryAt.IsZero() {
			t.Errorf("record %d: %+v", i, r)
		}
	}
	confirmed := records[len(records)-2]
	if confirmed.Outcome != "Delivered" || confirmed.Attempt != 1 || confirmed.Message != "" || !strings.HasSuffix(confirmed.URL, "/holds") || confirmed.ReceiverOA != "oa1002" {
		t.Errorf("record: %+v", confirmed)
	}
}

// What the OA lost is sent again, if failures of its server are; otherwise it is a dead letter that says so.
func TestLostByTheOA(t *testing.T) {
	for name, c := range map[string]struct {
		on   []string
		want []string
	}{
		"sent again": {[]string{"ServerError"}, []string{"Retrying/NotFoundAtOA", "Delivered"}},
		"dead":       {[]string{"Network"}, []string{"Dead/NotFoundAtOA"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.bundle(func(x *connector) { readBack(x); x.Delivery.RetryOn = c.on })
			w.oa.answers(func(call) (scenario.Presence, oa.Attempt) {
				if len(w.oa.questions()) <= maxReadBacks {
					return missing()
				}
				return found(oa.Attempt{})
			})
			w.start()
			w.mustSend(todo("e1", "T-1", "created"))
			w.until("it has ended", func(r report.Report) bool { return r.Delivery.Delivered+r.Delivery.Dead == 1 })
			got := slices.DeleteFunc(w.outcomes("T-1"), func(s string) bool { return s == "Retrying/Accepted" })
			if !slices.Equal(got, c.want) {
				t.Errorf("outcomes: %v", got)
			}
			lost := w.records("class=ServerError")
			if len(lost) != 1 || lost[0].Message != "no such item" || lost[0].Attempt != 1 || lost[0].ReadBacks != maxReadBacks {
				t.Errorf("records: %+v", lost)
			}
			if pushes, questions := len(w.oa.got()), len(w.oa.questions()); pushes != len(c.want) || questions != maxReadBacks+len(c.want)-1 {
				t.Errorf("%d pushes and %d questions", pushes, questions)
			}
		})
	}
}

// When the OA never answers the question, the item counts as delivered after a bounded time, with a note; so it does when
// nothing can be asked any more.
func TestAcceptedAndNotKnown(t *testing.T) {
	noAnswer := func(call) (scenario.Presence, oa.Attempt) {
		return unknown(oa.Attempt{Class: oa.ServerError, Message: "correct readBack in the template"})
	}
	for name, c := range map[string]struct {
		change func(*connector)
		says   string
	}{
		"no answer": {nil, "whether it holds it is not known: correct readBack in the template"},
		"the template asks no more": {func(c *connector) {
			readBack(c)
			call := c.Scenarios[0].Calls[scenario.Create]
			call.ReadBack = nil
			c.Scenarios[0].Calls[scenario.Create] = call
		}, "the template has no"},
		"the person is gone": {func(c *connector) { readBack(c); delete(c.pairs, "1002") }, "the receiver has no OA account any more"},
		"it is too old":      {func(c *connector) { readBack(c); c.Delivery.MaxAge = bundle.Duration(time.Nanosecond) }, "delivery.maxAge is over"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.bundle(readBack)
			first := newDoor()
			w.oa.answers(func(x call) (scenario.Presence, oa.Attempt) {
				if len(w.oa.questions()) == 1 {
					first.pass()
				}
				return noAnswer(x)
			})
			w.start()
			w.mustSend(todo("e1", "T-1", "created"))
			w.oa.wait(t, "the question", func() bool { return len(w.oa.questions()) == 1 })
			if c.change != nil {
				before := w.d.live.Load().hash
				w.bundle(c.change)
				w.until("the change is live", func(r report.Report) bool { return r.Config.Hash != before })
			}
			close(first.open)
			r := w.drained(1)
			if r.OA.State != "True" {
				t.Errorf("a question without an answer makes the OA look down: %+v", r.OA)
			}
			records := w.records("outcome=Delivered")
			if len(records) != 1 || !strings.Contains(records[0].Message, c.says) || records[0].Class != "" {
				t.Errorf("records: %+v", records)
			}
			if n := len(w.oa.got()); n != 1 {
				t.Errorf("%d pushes", n)
			}
		})
	}
}

// A restart between the OA's yes and its word that it holds the item asks on, and does not send the item again.
func TestRestartWhileAccepted(t *testing.T) {
	w := newWorld(t)
	w.bundle(readBack)
	w.oa.answers(func(call) (scenario.Presence, oa.Attempt) { return missing() })
	w.options.tuning.confirmFirst = 100 * time.Millisecond
	w.start()
	w.mustSend(todo("e1", "T-1", "created"))
	w.oa.wait(t, "the question", func() bool { return len(w.oa.questions()) == 1 })
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	before := len(w.oa.questions())
	w.oa.answers(nil)
	w.start()
	w.drained(1)
	if n := len(w.oa.got()); n != 1 {
		t.Errorf("%d pushes", n)
	}
	if last := w.records("outcome=Delivered"); len(last) != 1 || last[0].Attempt != 1 || int(last[0].ReadBacks) != before+1 {
		t.Errorf("records: %+v", last)
	}
}

// While the OA is down nothing is asked, and an item that it accepted before is not taken for failed: when the OA is back
// it is asked on.
func TestOutageWhileAccepted(t *testing.T) {
	w := newWorld(t)
	w.bundle(readBack)
	w.oa.answers(func(call) (scenario.Presence, oa.Attempt) {
		w.oa.set(nil, refused) // from now on probes fail too
		return unknown(refused())
	})
	w.start()
	w.mustSend(todo("e1", "T-1", "created"))
	w.until("the question closes the gate", func(r report.Report) bool { return r.OA.State == "False" && r.Delivery.Pending == 1 })
	probes := w.oa.probed()
	w.oa.wait(t, "more probes", func() bool { return w.oa.probed() >= probes+3 })
	if n := len(w.oa.questions()); n != 1 {
		t.Errorf("%d questions while the OA is down", n)
	}
	w.oa.answers(nil)
	w.oa.set(nil, nil)
	w.drained(1)
	if n := len(w.oa.got()); n != 1 {
		t.Errorf("%d pushes", n)
	}
}

// After an outage an item goes out in its latest state, and that is what the OA is asked about.
func TestReadBackOfAMergedState(t *testing.T) {
	w := newWorld(t)
	w.bundle(func(c *connector) { readBack(c); c.Delivery.CatchUp = "LatestState" })
	w.oa.set(always(refused()), refused)
	w.start()
	w.until("the OA is down", func(r report.Report) bool { return r.OA.State == "False" })
	e := todo("e2", "T-1", "updated").version(2)
	e["data"].(map[string]any)["detail"] = "the latest"
	w.mustSend(todo("e1", "T-1", "created").version(1), e)
	w.oa.set(nil, nil)
	w.until("both have ended", func(r report.Report) bool { return r.Delivery.Delivered == 1 && r.Delivery.Skipped == 1 })
	if got := w.oa.questions(); len(got) != 1 || !strings.Contains(got[0].Title, "the latest") {
		t.Errorf("asked: %+v", got)
	}
}

// 202 without a question: the item is delivered, and the record says what that is worth.
func TestAcceptedByStatusAlone(t *testing.T) {
	w := newWorld(t)
	w.options.NewPusher = func(*bundle.Bundle, string, func() time.Time) (oa.Pusher, error) { return accepting{w.oa}, nil }
	w.start()
	w.mustSend(todo("e1", "T-1", "created"))
	w.drained(1)
	if got := w.records("item=T-1"); len(got) != 1 || got[0].Outcome != "Delivered" || !strings.Contains(got[0].Message, "the OA accepted the item") {
		t.Errorf("records: %+v", got)
	}
}

// accepting answers 202.
type accepting struct{ oa.Pusher }

func (a accepting) Push(ctx context.Context, req scenario.Request, result scenario.Result) oa.Attempt {
	out := a.Pusher.Push(ctx, req, result)
	out.Status, out.Accepted = http.StatusAccepted, true
	return out
}

// Over the real wire: Seeyon takes a list of to-dos and silently drops one of them. With a read-back that is seen, the item
// is sent again until it is there, and the others are delivered at once.
func TestSeeyonDropsWhatItAccepted(t *testing.T) {
	w, sim := seeyonWorld(t)
	w.bundle(func(c *connector) {
		call := c.Scenarios[0].Calls[scenario.Create]
		call.ReadBack = &scenario.ReadBack{
			Method: "GET", Path: "/seeyon/rest/custom/thirdpartyPending/3004/#F012/#F001", Result: scenario.Result{CodeName: "state", SuccessCode: "0", MsgName: "errorMsgs"},
		}
		c.Scenarios[0].Calls[scenario.Create] = call
		c.Delivery.BatchSize, c.Delivery.Concurrency = 10, 1
	})
	if err := sim.Configure(func(s *seeyon.Settings) { s.DropTasks = "^T-3$" }); err != nil {
		t.Fatal(err)
	}
	w.start()
	w.mustSend(todos(0, 8, "created")...)
	w.until("the others are delivered", func(r report.Report) bool { return r.Delivery.Delivered == 7 })
	w.until("the drop is seen", func(r report.Report) bool {
		return r.Delivery.LastFailure != nil && strings.Contains(r.Delivery.LastFailure.Message, "does not hold it")
	})
	if err := sim.Configure(func(s *seeyon.Settings) { s.DropTasks = "" }); err != nil {
		t.Fatal(err)
	}
	w.drained(8)
	if got := titles(sim.Inbox("lisi")); len(got) != 8 {
		t.Errorf("inbox: %v", got)
	}
	if got := w.outcomes("T-3"); !slices.Contains(got, "Retrying/NotFoundAtOA") || got[len(got)-1] != "Delivered" {
		t.Errorf("outcomes: %v", got)
	}
}

// Many to-dos go to Seeyon in few calls; the one that it refuses is a dead letter in its own words, and takes no other one
// with it, whether Seeyon stores the rest of the list or nothing of it. // F93
func TestSeeyonRefusesOneOfAList(t *testing.T) {
	for name, atomic := range map[string]bool{"stores the others": false, "stores nothing": true} {
		t.Run(name, func(t *testing.T) {
			w, sim := seeyonWorld(t)
			w.bundle(func(c *connector) { c.Delivery.BatchSize, c.Delivery.Concurrency = 50, 1 })
			if err := sim.Configure(func(s *seeyon.Settings) { s.RefuseTasks, s.AtomicBatches = "^T-13$", atomic }); err != nil {
				t.Fatal(err)
			}
			w.start()
			w.mustSend(todos(0, 300, "created")...)
			w.until("all have ended", func(r report.Report) bool { return r.Delivery.Delivered == 299 && r.Delivery.Dead == 1 })
			if got := len(sim.Inbox("lisi")); got != 299 {
				t.Errorf("%d in the inbox", got)
			}
			dead := w.records("outcome=Dead")
			if len(dead) != 1 || dead[0].ItemID != "T-13" || dead[0].Class != "BusinessCode" || !strings.Contains(dead[0].Message, "refused") || dead[0].Attempt != 1 {
				t.Errorf("dead: %+v", dead)
			}
			// 300 items in lists of 50, one of which was sent again item by item; the first items may have gone before the list.
			if n := len(sim.Journal().Entries("/seeyon/rest/thirdpartyPending")); n > 70 {
				t.Errorf("%d calls", n)
			}
		})
	}
}
