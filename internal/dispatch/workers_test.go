package dispatch

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// Calls never wait for one another, and nothing is left of the workers at the end: the bubble would not end otherwise.
func TestWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		done, release := make(chan struct{}), make(chan struct{})
		w := newWorkers(done)
		var running, finished atomic.Int32
		call := func() { running.Add(1); <-release; finished.Add(1) }
		for range 3 {
			w.run(call)
		}
		if synctest.Wait(); running.Load() != 3 {
			t.Fatalf("%d calls run at the same time, want 3", running.Load())
		}
		close(release)
		synctest.Wait()
		for range 5 { // more than there are idle workers
			w.run(call)
		}
		if synctest.Wait(); finished.Load() != 8 {
			t.Errorf("%d calls finished, want 8", finished.Load())
		}
		close(done)
	})
}
