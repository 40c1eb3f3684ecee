package dispatch

import (
	"reflect"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/report"
	"github.com/oabridge/oabridge/internal/slo"
)

// A restart changes nothing in the figures: what the process before counted is found in the records, what still waits is counted
// by the one that goes on with it, and nothing is counted twice.
func TestFiguresOutliveARestart(t *testing.T) {
	w := newWorld(t)
	w.bundle(promise("99", time.Second))
	w.oa.set(func(c call) oa.Attempt {
		switch c.ID {
		case "T-slow":
			if len(w.oa.actions("T-slow")) == 1 {
				return oa.Attempt{Class: oa.RateLimited, Message: "slowly"}
			}
		case "T-dead":
			return oa.Attempt{Class: oa.BusinessCode, Message: "no"}
		}
		return oa.Attempt{}
	}, nil)
	slow := func(c *connector) {
		promise("99", time.Second)(c)
		c.Delivery.BackoffDelay, c.Delivery.BackoffMax = bundle.Duration(1500*time.Millisecond), bundle.Duration(1500*time.Millisecond)
	}
	w.bundle(slow)
	w.start()
	w.mustSend(todo("e1", "T-1", "created"), todo("e2", "T-2", "created"), todo("e3", "T-slow", "created"), todo("e4", "T-dead", "created"),
		todo("e5", "T-held", "created", "2000"), todo("e6", "T-stays", "created", "3000"))
	w.until("three are delivered, one is dead and two are held", func(r report.Report) bool {
		return r.Delivery.Delivered == 3 && r.Delivery.Dead == 1 && r.Delivery.Held == 2
	})
	w.bundle(func(c *connector) { slow(c); c.pairs["2000"] = "oa2000" })
	before := w.until("one more is delivered", func(r report.Report) bool { return r.Delivery.Delivered == 4 && r.Delivery.Held == 1 }).SLO
	if before.InTime != 2 || before.Late != 1 || before.Dead != 1 || before.Delivered() != 3 {
		t.Fatalf("before the restart: %+v", before)
	}
	for range 2 {
		if err := w.stop(); err != nil {
			t.Fatal(err)
		}
		w.start()
		w.until("the figures are those of before", func(r report.Report) bool { return reflect.DeepEqual(r.SLO, before) })
	}
	w.mustSend(todo("e7", "T-7", "created"))
	r := w.until("it goes on", func(r report.Report) bool { return r.Delivery.Delivered == 5 })
	if r.SLO.InTime != 3 || r.SLO.Late != 1 || r.SLO.Dead != 1 || r.SLO.Delivered() != 4 {
		t.Errorf("after the restart: %+v", r.SLO)
	}
}

// Of the records of a time those count that the engine would have counted: once for each delivery, at the time of its verdict.
func TestTheHourBefore(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	e := &engine{}
	e.window.Use(slo.Objective{Ratio: 0.99, Within: time.Minute})
	h := hourBefore{engine: e, within: time.Minute, excused: map[uint64]bool{}}
	for _, r := range []record.Record{
		{Seq: 1, AcceptedAt: now.Add(-3 * time.Hour), At: now.Add(-50 * time.Minute), Outcome: record.Delivered}, // its verdict is forgotten, its latency is not
		{Seq: 2, AcceptedAt: now.Add(-40 * time.Minute), At: now.Add(-40 * time.Minute), Outcome: record.Held, Reason: record.ReasonUnbound},
		{Seq: 2, AcceptedAt: now.Add(-40 * time.Minute), At: now.Add(-20 * time.Minute), Outcome: record.Delivered},
		{Seq: 3, AcceptedAt: now.Add(-30 * time.Minute), At: now.Add(-30 * time.Minute), Outcome: record.Retrying, Class: "Timeout"},
		{Seq: 3, AcceptedAt: now.Add(-30 * time.Minute), At: now.Add(-10 * time.Minute), Outcome: record.Delivered},
		{Seq: 4, AcceptedAt: now.Add(-30 * time.Minute), At: now.Add(-10 * time.Minute), Outcome: record.Dead, Reason: record.ReasonExpired},
		{Seq: 5, AcceptedAt: now.Add(-9 * time.Minute), At: now.Add(-9 * time.Minute), Outcome: record.Dead, Reason: "BusinessCode"},
		{Seq: 6, AcceptedAt: now.Add(-9 * time.Minute), At: now.Add(-9 * time.Minute), Outcome: record.Dead, Reason: record.ReasonUnbound},
		{Seq: 7, AcceptedAt: now.Add(-9 * time.Minute), At: now.Add(-9 * time.Minute), Outcome: record.Skipped},
		{Seq: 8, AcceptedAt: now.Add(-9 * time.Minute), At: now.Add(-9 * time.Minute), Outcome: record.Delivered},
		{Seq: 9, AcceptedAt: now.Add(-9 * time.Minute), At: now.Add(-8 * time.Minute), Outcome: record.Retrying},
	} {
		h.count(&r)
	}
	f := e.window.Figures(now)
	if f.InTime != 1 || f.Late != 2 || f.Dead != 1 || f.Delivered() != 3 {
		t.Errorf("%+v", f)
	}
	e.window.Use(slo.Objective{Ratio: 0.99, Within: time.Hour})
	h.count(&record.Record{Seq: 10, AcceptedAt: now, At: now, Outcome: record.Delivered})
	if f := e.window.Figures(now); f.Items() != 0 || f.Delivered() != 4 {
		t.Errorf("by another promise: %+v", f)
	}
}
