package dispatch

import (
	"errors"
	"fmt"
	"testing"

	"github.com/oabridge/oabridge/internal/report"
)

// die ends the dispatcher as a crash does: without a last checkpoint, and without a summary of what was accepted.
func (w *world) die() {
	w.t.Helper()
	w.engine().fail(errors.New("the end of a test"))
	w.until("the store is closed", func(r report.Report) bool { return r.Store.Problem != "" })
	if err := w.stop(); err != nil {
		w.t.Fatal(err)
	}
}

// A start without a checkpoint finds what is left to do, however many frames before it are done.
func TestStartBehindManyFrames(t *testing.T) {
	w := newWorld(t)
	w.start()
	for i := range readBatch + 5 {
		w.mustSend(todo(fmt.Sprintf("e%d", i), fmt.Sprintf("T-%d", i), "created"))
	}
	w.drained(readBatch + 5)
	w.oa.set(always(refused()), refused)
	w.mustSend(todo("last", "T-last", "created"))
	w.until("it waits", func(r report.Report) bool { return r.Delivery.Pending+r.Delivery.Retrying == 1 })
	if b, err := w.engine().part.Events.Bounds(t.Context()); err != nil || b.Messages <= readBatch {
		t.Fatalf("%d frames (%v): the test proves nothing", b.Messages, err)
	}
	w.die()
	w.oa.set(nil, nil)
	w.start()
	w.drained(readBatch + 6)
}
