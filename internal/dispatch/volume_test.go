package dispatch

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/report"
	"github.com/oabridge/oabridge/test/process"
)

// onVolume gives the store a volume of its own, which needs the right to mount.
func (w *world) onVolume() *process.Volume {
	w.t.Helper()
	v, err := process.MountVolume(filepath.Join(w.t.TempDir(), "volume"), 96<<20)
	if err != nil {
		w.t.Skip("needs root: ", err)
	}
	w.t.Cleanup(func() {
		_ = w.stop()
		if err := v.Unmount(); err != nil {
			w.t.Error(err)
		}
	})
	w.options.Store, w.options.StoreMaxBytes = filepath.Join(v.Dir, "store"), 64<<20
	return v
}

// sendUntil sends events one by one until one is answered with the wanted status, and returns how many were accepted.
func (w *world) sendUntil(name string, status int) (accepted int64) {
	w.t.Helper()
	for n, deadline := 0, time.Now().Add(patience); ; n++ {
		a := w.send(todo(fmt.Sprintf("%s-%d", name, n), fmt.Sprintf("%s-%d", name, n), "created"))
		if a.status == http.StatusAccepted {
			accepted++
		}
		if a.status == status {
			return accepted
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("no answer %d; the last one is %d %s", status, a.status, a.body)
		}
	}
}

// A volume that is full, read-only or both, and then not any more: while it lasts the report says what it is and no event
// is accepted that could be lost; then the same process goes on by itself, with everything that it had accepted.
func TestVolumeFaults(t *testing.T) {
	for name, c := range map[string]struct {
		reason        string
		begin, finish func(*process.Volume) error
	}{
		"full": {v1alpha1.ReasonStoreFull, (*process.Volume).Fill, (*process.Volume).Free},
		"read-only": {v1alpha1.ReasonStoreReadOnly,
			func(v *process.Volume) error { return v.ReadOnly(true) }, func(v *process.Volume) error { return v.ReadOnly(false) }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			v := w.onVolume()
			w.start()
			w.mustSend(todo("e1", "T-1", "created"))
			w.drained(1)
			w.oa.set(always(refused()), refused)
			accepted := int64(1) + w.sendUntil("before", http.StatusAccepted)
			if name == "read-only" { // nothing becomes read-only while it is open for writing
				if err := w.stop(); err != nil {
					t.Fatal(err)
				}
			}
			if err := c.begin(v); err != nil {
				t.Fatal(err)
			}
			if name == "read-only" {
				w.run()
			} else {
				accepted += w.sendUntil("meanwhile", http.StatusServiceUnavailable)
			}
			w.until("the report names the cause", func(r report.Report) bool { return r.Store.Reason == c.reason })
			if a := w.send(todo("no", "T-no", "created")); a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
				t.Errorf("%d %s", a.status, a.body)
			}
			w.oa.set(nil, nil)
			if err := c.finish(v); err != nil {
				t.Fatal(err)
			}
			accepted += w.sendUntil("after", http.StatusAccepted)
			r := w.until("everything is delivered", func(r report.Report) bool {
				return r.Store.Problem == "" && r.Delivery.Pending+r.Delivery.Retrying == 0 && r.Delivery.Delivered >= accepted
			})
			// An event that was refused may be there all the same: the CRM sends it again.
			if got := r.Delivery.Delivered; got > accepted+2 || r.Delivery.Dead+r.Delivery.Skipped > 0 {
				t.Errorf("%d delivered of %d accepted: %+v", got, accepted, r.Delivery)
			}
		})
	}
}

// A block of accepted events that was damaged on disk: what it held is counted as lost, loudly, everything else goes on
// without hand-work, and what the CRM sends again is no duplicate.
func TestDamagedBlock(t *testing.T) { // TM-27
	w := newWorld(t)
	w.oa.set(always(refused()), refused)
	w.start()
	var events []event
	for i := range 20 {
		e := todo(fmt.Sprintf("e%d", i), fmt.Sprintf("T-%d", i), "created").version(1)
		w.mustSend(e)
		events = append(events, e)
	}
	w.until("they wait", func(r report.Report) bool { return r.Delivery.Pending+r.Delivery.Retrying == 20 })
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	block := filepath.Join(w.options.Store, "journal", "jetstream", "$G", "streams", "EVENTS_0", "msgs", "1.blk")
	data, err := os.ReadFile(block)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 64 {
		data[len(data)/2+i] ^= 0xff
	}
	if err := os.WriteFile(block, data, 0o600); err != nil {
		t.Fatal(err)
	}
	w.oa.set(nil, nil)
	w.start()
	r := w.until("what is left is delivered, and the report counts what is not", func(r report.Report) bool {
		return r.Delivery.Delivered > 0 && r.Delivery.Pending+r.Delivery.Retrying == 0 && r.Delivery.Lost > 0
	})
	t.Logf("%d lost and %d delivered of 20", r.Delivery.Lost, r.Delivery.Delivered)
	if metrics := w.do(http.MethodGet, w.url("admin", "/metrics"), nil).body; strings.Contains(metrics, "oabridge_deliveries_lost_total 0\n") {
		t.Error("nothing counts as lost")
	}
	if !strings.Contains(w.logs.String(), "send the open items again from the CRM") {
		t.Error("the log does not say what to do")
	}
	if a := w.send(events...); a.status != http.StatusAccepted {
		t.Fatalf("%d %s", a.status, a.body)
	}
	w.until("everything is there", func(r report.Report) bool { return r.Delivery.Delivered == 20 && r.Delivery.Pending == 0 })
	for i := range events {
		if got := w.oa.actions(fmt.Sprintf("T-%d", i)); len(got) != 1 {
			t.Errorf("T-%d: %v", i, got)
		}
	}
	// The loss is said until a start that finds none.
	if again := w.d.report().Delivery.Lost; again != r.Delivery.Lost {
		t.Errorf("%d lost, before it was %d", again, r.Delivery.Lost)
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	w.start()
	w.until("nothing is lost twice", func(r report.Report) bool {
		return r.Delivery != nil && r.Delivery.Delivered == 20 && r.Delivery.Lost == 0
	})
}

// The log of the records is lost and the checkpoint is not: new records count on from it, so that what they say holds after
// the next start too.
func TestLostRecords(t *testing.T) {
	w := newWorld(t)
	w.start()
	for i := range 5 {
		w.mustSend(todo(fmt.Sprint("a", i), fmt.Sprint("T-a", i), "created"))
	}
	w.drained(5)
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(w.options.Store, "journal", "jetstream", "$G", "streams", "RECORDS_0")); err != nil {
		t.Fatal(err)
	}
	w.start()
	w.mustSend(todo("b", "T-b", "created"))
	w.drained(6)
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	w.start()
	w.drained(6)
	calls := 0
	for _, c := range w.oa.got() {
		if c.ID == "T-b" {
			calls++
		}
	}
	if calls != 1 {
		t.Errorf("an item that was delivered and recorded was sent %d times", calls)
	}
}
