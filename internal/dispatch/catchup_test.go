package dispatch

import (
	"testing"
	"unique"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/dispatch/lanes"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/report"
	"github.com/oabridge/oabridge/internal/scenario"
)

// An item that waited at a start may be in the OA already: it is never kept from the OA that it is finished.
func TestCatchUpAfterAStart(t *testing.T) {
	for name, c := range map[string]struct {
		unsure, upTo uint64
		finished     string
		skip         string
		state        uint64
	}{
		"no outage":                        {unsure: 3, finished: "Skip", state: 1},
		"came and went":                    {upTo: 3, finished: "Skip", skip: record.ReasonCameAndWent},
		"it waited at the start":           {upTo: 3, unsure: 3, finished: "Skip", state: 2},
		"the end is to be delivered":       {upTo: 3, finished: "Deliver", state: 2},
		"the end came after the outage":    {upTo: 2, finished: "Skip", state: 2},
		"the change came after the outage": {upTo: 1, finished: "Skip", state: 1},
	} {
		t.Run(name, func(t *testing.T) {
			table := lanes.New()
			for i, action := range []scenario.Action{scenario.Create, scenario.Update, scenario.Complete} {
				table.Add(&lanes.Entry{Seq: uint64(i + 1), Key: record.Key{1}, Form: unique.Make(lanes.Form{Kind: "Todo", Action: action})})
			}
			up := catchUp{unsure: c.unsure, upTo: c.upTo}
			skip, state := up.plan(policy{Delivery: bundle.Delivery{CatchUp: "LatestState", CatchUpFinished: c.finished}}, table, table.Get(1))
			if skip != c.skip || (state == nil) != (c.state == 0) || state != nil && state.Seq != c.state {
				t.Errorf("skip %q, state %+v", skip, state)
			}
			if end := table.Get(1).Noted; (end == 3) != (skip == record.ReasonCameAndWent) {
				t.Errorf("skip %q up to %d", skip, end)
			}
		})
	}
}

// Dead letters of an item that has no versions follow each other in a replay as they would have then.
func TestReplayKeepsTheOrder(t *testing.T) {
	w := newWorld(t)
	w.oa.set(always(oa.Attempt{Class: oa.BusinessCode, Message: "not allowed"}), nil)
	w.start()
	w.mustSend(todo("e1", "T-1", "created"), todo("e2", "T-1", "updated"), todo("e3", "T-1", "completed"))
	w.until("all are dead", func(r report.Report) bool { return r.Delivery.Dead == 3 })
	w.oa.set(nil, nil)
	before := len(w.oa.got())
	w.bundle(func(c *connector) { c.Replays = []bundle.Replay{{ID: "replay/1", Name: "all", Template: "Current"}} })
	r := w.until("they are replayed", func(r report.Report) bool { return r.Replays["replay/1"].Done }).Replays["replay/1"]
	if got := w.oa.actions("T-1")[before:]; r.Delivered != 3 || len(got) != 3 || got[2] != "complete" {
		t.Errorf("%+v, calls %v", r, got)
	}
}
