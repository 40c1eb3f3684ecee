package dispatch

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/oabridge/oabridge/internal/dispatch/journal"
	"github.com/oabridge/oabridge/internal/dispatch/lanes"
	"github.com/oabridge/oabridge/internal/dispatch/progress"
	"github.com/oabridge/oabridge/internal/slo"
)

const (
	// maxWaiting bounds the deliveries that are known in memory; one takes 300 to 450 bytes there, without its payload. More
	// stay on disk.
	maxWaiting = 250_000
	// maxReady bounds those of them that could go out at once, so that reading ahead does not fill the memory with
	// what waits for the OA anyway.
	maxReady = 50_000
	// maxCached bounds the payloads in memory, in bytes. Others are read again when their turn comes.
	maxCached = 16 << 20
	// maxUnrecorded bounds the calls that were made and are not recorded yet: those are repeated after a crash.
	maxUnrecorded = 2048
	// storeRetry is the pause before the store is tried again after it failed, storePatience how long until the process
	// gives up and ends with an error.
	storeRetry    = time.Second
	storePatience = 30 * time.Second
)

// engine moves the deliveries of one partition from the journal to the OA and writes down what became of them.
type engine struct {
	*shared
	journal *journal.Journal
	part    *journal.Partition
	// of is the number of partitions: an engine has its share of the rate and of the concurrency.
	of              int
	events, records *journal.Committer
	limiter         *rate.Limiter

	// wake tells the loop, room the reader, early the housekeeper, replays the replayer, recorded the projector and tried the judge of trials that
	// something is different.
	wake, room, early, replays, recorded, tried chan struct{}
	// failed gets the error that ends the engine.
	failed chan error

	mu       sync.Mutex
	lanes    *lanes.Table
	aside    lanes.Aside
	progress *progress.Progress
	gate     gate
	catchUp  catchUp
	// readSeq is the last delivery in lanes or aside, tailSeq the last one in the journal, readFrame the frame to read next: that of
	// readSeq as long as more of it may be to read.
	readSeq, tailSeq, readFrame uint64
	// frames that were read and are still on disk, in order.
	frames []frameRef
	// firstLook: nothing was read since the start.
	firstLook bool
	// replaying is how far replays came, by their ID.
	replaying map[string]*replayState
	// window counts deliveries against the objective of the live bundle. It goes with the partition: the next owner finds out
	// from the records what happened before.
	window slo.Window
	// before is where the records of the owner before end.
	before frameBound
	// judged is the last delivery that was looked at for having waited too long.
	judged uint64
	// deadLetters is how many are kept.
	deadLetters int64
	// withdrawn: no open item is left to withdraw.
	withdrawn bool
	// lost counts deliveries that the store does not have any more.
	lost int64
	// inFlight counts calls, unrecorded the deliveries that were taken from lanes and are not recorded yet.
	inFlight, unrecorded int
	draining             bool
	// suspended: the loop found the brake on, and has not seen it off since.
	suspended bool
	// unsaved is the size of the records since the last checkpoint, and maxUnsaved when the next one is due, in bytes.
	unsaved, maxUnsaved int64
	// trouble says for a stream why it cannot be written, recordsSince since when that is so for RECORDS.
	trouble      map[string]string
	recordsSince time.Time
}

// frameRef is a frame of EVENTS and the numbers of its deliveries.
type frameRef struct {
	seq, first uint64
	count      int
}

func (f frameRef) last() uint64 { return f.first + uint64(f.count) - 1 }

// changed tells everybody that the state is different.
func (e *engine) changed() {
	nudge(e.wake)
	nudge(e.dirty)
}

// fail ends the engine.
func (e *engine) fail(err error) {
	select {
	case e.failed <- err:
	default:
	}
}

// work moves deliveries until ctx ends, then drains: calls in flight finish, what is known is written down. An error
// means that the store failed or the partition has another owner; then nothing more is written.
func (e *engine) work(ctx context.Context) error {
	// calls outlives ctx by at most the shutdown timeout.
	calls, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	defer hangUp()
	work, stop := context.WithCancel(ctx)
	defer stop()
	var background sync.WaitGroup
	background.Go(func() { e.run(work, calls) })
	background.Go(func() { e.read(work) })
	background.Go(func() { e.keepHouse(work) })
	background.Go(func() { e.replay(work) })
	background.Go(func() { e.judge(work) })

	var err error
	select {
	case <-ctx.Done():
		if cause := context.Cause(ctx); errors.Is(cause, errLeaseLost) {
			err = cause
		}
	case err = <-e.failed:
	}
	e.mu.Lock()
	e.draining = true
	e.mu.Unlock()
	stop()
	if err != nil {
		hangUp()
	}
	e.drain(hangUp, err == nil)
	background.Wait()
	return err
}

// drain waits for the calls in flight and closes the partition.
func (e *engine) drain(hangUp context.CancelFunc, well bool) {
	if well {
		deadline := time.NewTimer(e.shutdown)
		defer deadline.Stop()
		if !e.settled(deadline.C) {
			e.log.Info("some calls did not finish in time: they are repeated after the next start")
		}
	}
	hangUp()
	last := time.NewTimer(closeTimeout)
	defer last.Stop()
	e.settled(last.C)
	e.events.Close()
	e.records.Close()
	if !well {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := e.checkpoint(ctx); err != nil {
		e.log.Error(err, "cannot write the last checkpoint; the next start reads the records instead")
	}
	if _, err := e.part.SaveIDs(ctx); err != nil {
		e.log.Error(err, "cannot write the last ids; the next start reads the events instead")
	}
}

// settled waits until nothing is in flight or unrecorded; false when the deadline comes first.
func (e *engine) settled(deadline <-chan time.Time) bool {
	ticker := time.NewTicker(settlePoll)
	defer ticker.Stop()
	for {
		e.mu.Lock()
		busy := e.unrecorded
		e.mu.Unlock()
		if busy == 0 {
			return true
		}
		select {
		case <-ticker.C:
		case <-deadline:
			return false
		}
	}
}
