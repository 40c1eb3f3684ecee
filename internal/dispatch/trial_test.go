package dispatch

import (
	"fmt"
	"strings"
	"testing"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/report"
	"github.com/oabridge/oabridge/internal/scenario"
)

// onTrial changes the to-do's template to another revision, which writes to /new and is tried with the people 1000 to 1009.
func onTrial(revision string) func(*connector) {
	return func(c *connector) {
		c.Stable = []scenario.Definition{c.Scenarios[0]}
		changed := definition("Todo")
		changed.Revision = revision
		call := changed.Calls[scenario.Create]
		call.Path = "/new"
		changed.Calls[scenario.Create] = call
		c.Scenarios[0] = changed
		c.Canary = &bundle.Canary{MinDeliveries: 10, MaxFailurePercent: 20}
		for i := range 10 {
			c.Canary.People = append(c.Canary.People, fmt.Sprint(1000+i))
		}
	}
}

// paths counts the creations by path.
func (f *fakeOA) paths() map[string]int {
	out := map[string]int{}
	for _, c := range f.got() {
		out[c.Action]++
	}
	return out
}

func state(r report.Report) string {
	for _, t := range r.Trials {
		return t.State
	}
	return ""
}

// everybody is an item for each of the people 1000 to 1019.
func everybody(name string) (events []event) {
	for i := range 20 {
		id := fmt.Sprintf("%s-%d", name, i)
		events = append(events, todo(id, id, "created", fmt.Sprint(1000+i)))
	}
	return events
}

// A new revision goes to the canary's people first; when it does well, it goes to everybody, also after a restart. // F55
func TestANewRevisionIsPromoted(t *testing.T) {
	w := newWorld(t)
	w.bundle(onTrial("r2"))
	w.start()
	w.mustSend(everybody("a")...)
	w.until("it is promoted", func(r report.Report) bool { return r.Delivery.Delivered == 20 && state(r) == v1alpha1.ReasonPromoted })
	if got := w.oa.paths(); got["new"] != 10 || got["create"] != 10 {
		t.Errorf("on trial: %v", got)
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	w.start()
	w.until("the verdict is known", func(r report.Report) bool { return state(r) == v1alpha1.ReasonPromoted })
	w.mustSend(everybody("b")...)
	w.drained(40)
	if got := w.oa.paths(); got["new"] != 30 || got["create"] != 10 {
		t.Errorf("promoted: %v", got)
	}
	w.bundle(func(c *connector) { onTrial("r2")(c); c.Canary, c.Stable = nil, nil })
	w.until("the trial is over", func(r report.Report) bool { return r.Trials == nil })
}

// A revision that fails is rolled back for everybody, what still waits goes out with the stable one, and it stays so over a
// restart until the template changes again. // F55
func TestABadRevisionIsRolledBack(t *testing.T) {
	w := newWorld(t)
	base := func(c *connector) { c.Delivery.RetryOn = append(c.Delivery.RetryOn, "BusinessCode") }
	w.base = base
	w.bundle(onTrial("bad"))
	w.oa.set(func(c call) oa.Attempt {
		if c.Action == "new" {
			return oa.Attempt{Class: oa.BusinessCode, Message: "no such field"}
		}
		return oa.Attempt{}
	}, nil)
	w.start()
	w.mustSend(everybody("a")...)
	r := w.until("it is rolled back and everything is delivered", func(r report.Report) bool {
		return state(r) == v1alpha1.ReasonRolledBack && r.Delivery.Delivered == 20
	})
	for id, trial := range r.Trials {
		if trial.Failed < 10 || trial.Stable != "r1" || trial.Revision != "bad" || !strings.HasSuffix(id, "@r1>bad") {
			t.Errorf("%s: %+v", id, trial)
		}
	}
	before := w.oa.paths()["new"]
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	w.start()
	w.mustSend(everybody("b")...)
	w.drained(40)
	if got := w.oa.paths(); got["new"] != before || got["create"] != 40 {
		t.Errorf("after the restart: %v, %d before", got, before)
	}
	w.bundle(onTrial("better"))
	w.until("the next revision is on trial", func(r report.Report) bool { return state(r) == v1alpha1.ReasonCanary })
	w.oa.set(nil, nil)
	w.mustSend(everybody("c")...)
	w.until("it is promoted", func(r report.Report) bool { return r.Delivery.Delivered == 60 && state(r) == v1alpha1.ReasonPromoted })
	w.bundle(onTrial("bad"))
	w.until("an old verdict is forgotten", func(r report.Report) bool { return state(r) == v1alpha1.ReasonCanary })
}

// An outage of the OA is no fault of a template. // F55
func TestAnOutageDecidesNothing(t *testing.T) {
	w := newWorld(t)
	w.bundle(onTrial("r2"))
	w.oa.set(always(refused()), func() oa.Attempt { return refused() })
	w.start()
	w.mustSend(everybody("a")...)
	w.until("the OA is down", func(r report.Report) bool { return r.OA.State == "False" })
	w.oa.set(nil, nil)
	r := w.drained(20)
	for _, trial := range r.Trials {
		if trial.Failed != 0 || trial.State == v1alpha1.ReasonRolledBack {
			t.Errorf("%+v", trial)
		}
	}
}

// Of two replicas that decide at the same time the first one counts, and both say the same from then on. // F55
func TestTheFirstVerdictStands(t *testing.T) {
	w := newWorld(t)
	w.bundle(onTrial("r2"))
	w.start()
	v, store := w.d.live.Load(), w.d.session.Load().journal
	id := "/crm/todo@r1>r2"
	var one, other, late verdicts
	for _, x := range []struct {
		verdicts *verdicts
		says     string
	}{{&one, v1alpha1.ReasonRolledBack}, {&other, v1alpha1.ReasonPromoted}, {&late, ""}} {
		if err := x.verdicts.decide(t.Context(), store, v, id, x.says); err != nil {
			t.Fatal(err)
		}
		if got := x.verdicts.get(id); got != v1alpha1.ReasonRolledBack {
			t.Errorf("who says %q holds %q", x.says, got)
		}
	}
	w.until("the dispatcher takes it over", func(r report.Report) bool { return state(r) == v1alpha1.ReasonRolledBack })
}
