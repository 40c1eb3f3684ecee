package dispatch

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/report"
)

// die ends the dispatcher as a crash does: without a last checkpoint, and without a summary of what was accepted.
func (w *world) die() {
	w.t.Helper()
	broken := w.d.session.Load()
	broken.engine(0).fail(errors.New("the end of a test"))
	w.soon("the store is closed", func() bool { return w.d.session.Load() != broken })
	if err := w.stop(); err != nil {
		w.t.Fatal(err)
	}
}

// soon waits for a state of the process itself, without waiting for a report.
func (w *world) soon(what string, ok func() bool) {
	w.t.Helper()
	tick, deadline := time.NewTicker(time.Millisecond), time.Now().Add(patience)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(deadline) {
			w.t.Fatalf("waited in vain until %s", what)
		}
		<-tick.C
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

// A clock that was ahead, or a pause that was long, when a failure was written down does not keep an item waiting after
// the start.
func TestClockJumpsBack(t *testing.T) {
	w := newWorld(t)
	w.bundle(func(c *connector) {
		c.Delivery.BackoffDelay, c.Delivery.BackoffMax = bundle.Duration(24*time.Hour), bundle.Duration(24*time.Hour)
	})
	w.oa.set(always(oa.Attempt{Class: oa.ServerError, Reason: "ServerError", Message: "the OA answers 500"}), nil)
	w.start()
	w.mustSend(todo("e1", "T-1", "created"), todo("e2", "T-1", "completed"))
	w.until("it waits for a day", func(r report.Report) bool { return r.Delivery.Retrying == 1 })
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	w.bundle(nil)
	w.oa.set(nil, nil)
	w.start()
	w.drained(2)
}
