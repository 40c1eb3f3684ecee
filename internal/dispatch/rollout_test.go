package dispatch

import (
	"slices"
	"testing"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/report"
)

func TestOnlyTheChosenPeopleGetItems(t *testing.T) { // F55
	w := newWorld(t)
	w.bundle(func(c *connector) { c.Rollout = &bundle.Share{People: []string{"1001"}} })
	w.start()
	w.mustSend(todo("e1", "T1", "created", "1001", "1002"))
	w.until("one is delivered and one skipped", func(r report.Report) bool { return r.Delivery.Delivered == 1 && r.Delivery.Skipped == 1 })
	if got := w.oa.got(); len(got) != 1 || got[0].To != "oa1001" {
		t.Errorf("the OA got %v", got)
	}
	if got := w.outcomes("T1"); !slices.Contains(got, "Skipped/NotInRollout") {
		t.Errorf("the records say %v", got)
	}
}

func TestWhoLeavesTheRolloutKeepsNoOpenItem(t *testing.T) { // F55
	w := newWorld(t)
	w.bundle(func(c *connector) { c.Rollout = &bundle.Share{Percent: 100} })
	w.start()
	w.mustSend(todo("e1", "T1", "created"))
	w.drained(1)
	before := w.d.live.Load().hash
	w.bundle(func(c *connector) { c.Rollout = &bundle.Share{} })
	w.until("the other bundle is live", func(r report.Report) bool { return r.Config.Hash != before })
	w.mustSend(todo("e2", "T1", "completed"), todo("e3", "T2", "created"), todo("e4", "T1", "created"))
	w.until("what is open was finished", func(r report.Report) bool { return r.Delivery.Delivered == 2 && r.Delivery.Skipped == 2 })
	if got := w.oa.actions("T1"); !slices.Equal(got, []string{"create", "complete"}) {
		t.Errorf("T1 got %v", got)
	}
	if got := w.oa.actions("T2"); got != nil {
		t.Errorf("T2 got %v", got)
	}
}
