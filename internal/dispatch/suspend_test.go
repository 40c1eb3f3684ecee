package dispatch

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/report"
)

func suspended(c *connector) { c.Suspended = true }

// While a connector is suspended events are taken and kept, also over a restart, and the OA is not called, not even to ask
// whether it is there. Afterwards everything goes out in its order. // F172
func TestASuspendedConnectorSendsNothing(t *testing.T) {
	w := newWorld(t)
	w.base = func(c *connector) { c.Delivery.CatchUp = "EveryState" }
	w.bundle(nil)
	w.start()
	w.mustSend(todo("e0", "T-0", "created"))
	w.drained(1)

	w.bundle(suspended)
	w.until("the brake is on", func(r report.Report) bool { return r.OA.Reason == "Suspended" && r.OA.State == "Unknown" })
	calls, probes := len(w.oa.got()), w.oa.probed()
	w.mustSend(todo("e1", "T-1", "created").version(1), todo("e2", "T-1", "updated").version(2), todo("e3", "T-1", "completed").version(3),
		todo("e4", "T-2", "created"), todo("e5", "T-2", "created", "1099999"))
	w.until("they wait", func(r report.Report) bool { return r.Delivery.Pending == 5 })
	if got := w.records("item=T-0&outcome=Delivered"); len(got) != 1 {
		t.Errorf("records are not shown: %v", got)
	}

	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	w.start()
	w.until("they still wait", func(r report.Report) bool { return r.Delivery.Pending == 5 && r.OA.Reason == "Suspended" })
	if got := len(w.oa.got()); got != calls || w.oa.probed() != probes {
		t.Fatalf("the OA was called: %v", w.oa.got()[calls:])
	}

	w.bundle(nil)
	w.until("the rest is out", func(r report.Report) bool { return r.Delivery.Delivered == 5 && r.Delivery.Held == 1 })
	if got := w.oa.actions("T-1"); !slices.Equal(got, []string{"create", "update", "complete"}) {
		t.Errorf("calls: %v", got)
	}
}

// What piled up behind the brake is caught up with like what piled up in an outage.
func TestAResumedConnectorCatchesUp(t *testing.T) {
	w := newWorld(t)
	w.base = func(c *connector) { c.Delivery.CatchUp, c.Delivery.CatchUpFinished = "LatestState", "Skip" }
	w.bundle(nil)
	w.start()
	w.bundle(suspended)
	w.until("the brake is on", func(r report.Report) bool { return r.OA.Reason == "Suspended" })
	w.mustSend(todo("e1", "T-1", "created").version(1), todo("e2", "T-1", "completed").version(2), todo("e3", "T-2", "created"))
	w.until("they wait", func(r report.Report) bool { return r.Delivery.Pending == 3 })
	w.bundle(nil)
	w.until("it is caught up", func(r report.Report) bool { return r.Delivery.Pending == 0 && r.Delivery.Skipped == 2 })
	if got := w.oa.actions("T-1"); len(got) != 0 {
		t.Errorf("an item that came and went: %v", got)
	}
	if got := w.oa.actions("T-2"); !slices.Equal(got, []string{"create"}) {
		t.Errorf("T-2: %v", got)
	}
}

// An item that grew too old behind the brake is not thrown away there; that is decided when it comes off.
func TestAgeBehindTheBrake(t *testing.T) {
	w := newWorld(t)
	w.base = func(c *connector) { c.Delivery.MaxAge = bundle.Duration(1) }
	w.bundle(suspended)
	w.start()
	w.mustSend(todo("e1", "T-1", "created"))
	w.until("it waits", func(r report.Report) bool { return r.Delivery.Pending == 1 })
	w.bundle(func(c *connector) { c.Delivery.MaxAge = bundle.Duration(time.Hour) })
	w.drained(1)
}

// The intake of a suspended connector answers as ever.
func TestASuspendedConnectorAnswers(t *testing.T) {
	w := newWorld(t)
	w.bundle(suspended)
	w.start()
	if a := w.do(http.MethodGet, w.url("admin", "/readyz"), nil); a.status != http.StatusOK {
		t.Errorf("ready: %d %s", a.status, a.body)
	}
	w.mustSend(todo("e1", "T-1", "created"))
	// Nobody is woken for an OA that is not asked.
	if metrics := w.do(http.MethodGet, w.url("admin", "/metrics"), nil).body; strings.Contains(metrics, "\noabridge_target_up ") {
		t.Error("the metrics tell of an OA that was not asked")
	}
	w.bundle(nil)
	w.drained(1)
	if metrics := w.do(http.MethodGet, w.url("admin", "/metrics"), nil).body; !strings.Contains(metrics, "\noabridge_target_up 1\n") {
		t.Error("the metrics do not tell of the OA")
	}
}
