package dispatch

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/report"
	"github.com/oabridge/oabridge/internal/slo"
)

// promise sets the objective of a bundle.
func promise(percent string, within time.Duration) func(*connector) {
	return func(c *connector) { c.SLO = &bundle.SLO{Objective: percent, Within: bundle.Duration(within)} }
}

// What the dispatcher says of its latency and of its promise is what the OA's own journal says: when each item arrived
// there for the last time, against when the CRM sent it.
func TestFiguresAreTheOAs(t *testing.T) {
	const (
		within  = 1500 * time.Millisecond
		backoff = 3 * time.Second
		// doubt is how far the two clocks of a delivery may be apart: the CRM's and the OA's side of it.
		doubt = 500 * time.Millisecond
	)
	w, sim := seeyonWorld(t)
	w.bundle(func(c *connector) {
		promise("90", within)(c)
		c.Delivery.BackoffDelay, c.Delivery.BackoffMax = bundle.Duration(backoff), bundle.Duration(backoff)
	})
	fail := func(item string, a fault.Action, times int) {
		if _, err := sim.Faults().Add(fault.Rule{Match: fault.Match{Path: "/seeyon/rest/thirdpartyPending/", TaskID: item}, Times: times, Action: a}); err != nil {
			t.Fatal(err)
		}
	}
	var events []event
	for i := range 40 {
		item := fmt.Sprintf("T-%02d", i)
		events = append(events, todo("e-"+item, item, "created"))
		switch {
		case i%8 == 3: // one in eight arrives with the second attempt
			fail(item, fault.Action{Kind: fault.Status, Status: 502}, 1)
		case i%20 == 9: // one in twenty is refused
			fail(item, fault.Action{Kind: fault.Business, ErrorMsgs: []string{"no such process"}}, 9)
		}
	}
	w.start()
	sent := time.Now()
	w.mustSend(events...)
	r := w.until("all have ended", func(r report.Report) bool { return r.Delivery.Delivered == 38 && r.Delivery.Dead == 2 })

	arrived := map[string]time.Time{}
	for _, i := range sim.Items() {
		arrived[i.TaskID] = time.Time{}
	}
	for _, e := range sim.Journal().Entries("/seeyon/rest/thirdpartyPending/") {
		var body struct{ TaskID string }
		if err := json.Unmarshal([]byte(e.Body), &body); err != nil {
			t.Fatal(err)
		}
		if _, there := arrived[body.TaskID]; there {
			arrived[body.TaskID] = e.Time
		}
	}
	var exact []time.Duration
	inTime, late, unclear := int64(0), int64(0), int64(0)
	for _, at := range arrived {
		took := at.Sub(sent)
		exact = append(exact, took)
		switch {
		case took > within-doubt && took < within+doubt:
			unclear++
		case took <= within:
			inTime++
		default:
			late++
		}
	}
	slices.Sort(exact)
	if len(exact) != 38 || late < 5 {
		t.Fatalf("the OA has %d items, of which %d came late", len(exact), late)
	}
	f := r.SLO
	if f.Dead != 2 || f.Items() != 40 || f.InTime < inTime || f.InTime > inTime+unclear || f.Late < late || f.Late > late+unclear {
		t.Errorf("figures %+v, the journal says in time %d, late %d, unclear %d", f, inTime, late, unclear)
	}
	for _, q := range []float64{0.5, 0.95, 0.99} {
		want := exact[int(math.Ceil(q*38))-1]
		if got := f.Quantile(q); math.Abs(float64(got-want)) > 0.05*float64(want)+float64(doubt) {
			t.Errorf("the quantile %g is %s, the journal says %s", q, got, want)
		}
	}
	metrics := w.do("GET", w.url("admin", "/metrics"), nil).body
	for _, line := range []string{
		"oabridge_slo_objective_ratio 0.9\n", "oabridge_slo_within_seconds 1.5\n", "oabridge_slo_latency_seconds_count 38\n",
		"oabridge_slo_deliveries_total{verdict=\"Dead\"} 2\n", fmt.Sprintf("oabridge_slo_deliveries_total{verdict=\"Late\"} %d\n", f.Late),
		fmt.Sprintf("oabridge_slo_burn_rate %v\n", f.BurnRate(slo.Objective{Ratio: 0.9})),
	} {
		if !strings.Contains(metrics, line) {
			t.Errorf("the metrics lack %s", line)
		}
	}
}

// An outage shows while it lasts: items are late as soon as their time is over, and not once more when they arrive.
func TestLateWhileWaiting(t *testing.T) {
	w := newWorld(t)
	w.oa.set(always(refused()), refused)
	w.bundle(promise("99", time.Second))
	w.start()
	w.mustSend(todo("e1", "T-1", "created"), todo("e2", "T-2", "created"), todo("e3", "T-2", "updated"))
	w.until("they are late", func(r report.Report) bool {
		return r.SLO.Late == 3 && r.SLO.Items() == 3 && r.Delivery.Delivered == 0
	})
	w.oa.set(nil, nil)
	w.until("they are delivered", func(r report.Report) bool { return r.Delivery.Delivered+r.Delivery.Skipped == 3 })
	w.mustSend(todo("e4", "T-3", "created"))
	r := w.until("the next one is in time", func(r report.Report) bool { return r.SLO.InTime == 1 })
	if r.SLO.Late != 3 || r.SLO.Dead != 0 {
		t.Errorf("figures %+v, want three late ones, each once", r.SLO)
	}
}

// Whoever waits for a person to be bound waits for a person, not for us: such items count neither way, also those behind
// them, and when they are let go.
func TestHeldCountNeitherWay(t *testing.T) {
	w := newWorld(t)
	within := promise("99", 200*time.Millisecond)
	w.bundle(within)
	w.start()
	w.mustSend(todo("e1", "T-1", "created", "2000"), todo("e2", "T-1", "updated", "2000"), todo("e3", "T-2", "created", "1001"))
	w.until("two are held", func(r report.Report) bool { return r.Delivery.Held == 2 && r.SLO.Items() == 1 })
	w.oa.set(always(oa.Attempt{Class: oa.ServerError, Reason: "ServerError", Message: "the OA stumbles"}), nil)
	w.bundle(func(c *connector) { within(c); c.pairs["2000"] = "oa2000" })
	w.until("they are tried", func(r report.Report) bool { return r.Delivery.Held == 0 && r.Delivery.Retrying > 0 })
	w.oa.set(nil, nil)
	r := w.drained(3)
	if r.SLO.Items() != 1 || r.SLO.Delivered() != 1 {
		t.Errorf("figures %+v, want those of the item of the bound person", r.SLO)
	}
}

// An unbound person whose items are given up at once is no failure of ours; another give-up is.
func TestWhoseFault(t *testing.T) {
	w := newWorld(t)
	w.bundle(func(c *connector) { c.Accounts.Unbound = "DeadLetter" })
	w.oa.set(always(oa.Attempt{Class: oa.BusinessCode, Message: "no such process"}), nil)
	w.start()
	w.mustSend(todo("e1", "T-1", "created", "2000"), todo("e2", "T-2", "created"))
	r := w.until("both are dead", func(r report.Report) bool { return r.Delivery.Dead == 2 })
	if r.SLO.Dead != 1 || r.SLO.Items() != 1 || r.SLO.Delivered() != 0 {
		t.Errorf("figures %+v, want one dead item", r.SLO)
	}
}
