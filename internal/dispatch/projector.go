package dispatch

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/oabridge/oabridge/internal/dispatch/index"
	"github.com/oabridge/oabridge/internal/dispatch/record"
)

const (
	// gatherTime is how long records gather before they are put into the index together, unless somebody asks.
	gatherTime = 250 * time.Millisecond
	// restFactor is how many times as long as it worked a projector rests while the partition is busy, so that it never
	// takes more than a tenth of one core from the deliveries. It does not rest when more than muchBehind records wait.
	restFactor = 9
	muchBehind = 100_000
	// manyBehind records that are not in the index are worth a word in the report.
	manyBehind = 200_000
	// lookAgain is the pause before a log is read again that did not show what must be there: a copy in a cluster may lag.
	lookAgain = 100 * time.Millisecond
)

// projector puts the records of one partition into the index, in the background of the deliveries. Where it stopped stands
// in the index itself.
type projector struct {
	*projection
	engine *engine
	// asked tells that somebody waits for the last records.
	asked chan struct{}

	mu sync.Mutex
	// done is the number of the last record in the index; known, whether it was found out.
	done  uint64
	known bool
	// moved is closed when done grows, and replaced.
	moved chan struct{}
}

// recordedUpTo is the number of the last record.
func (e *engine) recordedUpTo() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.progress.Records
}

// behind is how many records are not in the index; 0 as long as that is not known.
func (f *projector) behind() uint64 {
	last := f.engine.recordedUpTo()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.known {
		return 0
	}
	return last - min(f.done, last)
}

// reached notes the number of the last record that is in.
func (f *projector) reached(number uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.known = true
	if number <= f.done {
		return
	}
	f.done = number
	close(f.moved)
	f.moved = make(chan struct{})
}

// await waits until a record is in the index or ctx ends.
func (f *projector) await(ctx context.Context, number uint64) {
	for {
		f.mu.Lock()
		done, moved := f.done, f.moved
		f.mu.Unlock()
		if done >= number {
			return
		}
		nudge(f.asked)
		select {
		case <-moved:
		case <-ctx.Done():
			return
		}
	}
}

// run fills the index until ctx ends; what fails is tried again from the position that the index has.
func (f *projector) run(ctx context.Context) {
	select {
	case <-f.opened:
	case <-ctx.Done():
		return
	}
	x, _ := f.use()
	delay := indexRetry
	for ctx.Err() == nil {
		began := time.Now()
		err := f.fill(ctx, x)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > indexRetryMax || errors.Is(err, index.ErrRestarted) {
			delay = indexRetry
		}
		if errors.Is(err, index.ErrRestarted) {
			continue
		}
		f.note(f.engine.part.Number, err)
		pause(ctx, delay)
		delay = min(2*delay, indexRetryMax)
	}
}

// fill puts in what the log has beyond the index, and what comes, until something fails or ctx ends.
func (f *projector) fill(ctx context.Context, x *index.Index) error {
	next, err := f.resume(ctx, x)
	if err != nil {
		return err
	}
	house := time.NewTicker(f.engine.tuning.housekeeping)
	defer house.Stop()
	for {
		began := time.Now()
		after, err := f.batch(ctx, x, next)
		if err != nil {
			return err
		}
		f.note(f.engine.part.Number, nil)
		switch {
		case after > next:
			next = after
			if f.engine.busy() && f.behind() < muchBehind {
				f.rest(ctx, restFactor*time.Since(began))
			}
		case f.behind() > 0:
			if err := f.atEnd(ctx, next); err != nil {
				return err
			}
		default:
			select {
			case <-f.engine.recorded:
				f.rest(ctx, gatherTime)
			case <-f.asked:
			case <-house.C:
				if err := f.forget(ctx, x); err != nil {
					return err
				}
			case <-ctx.Done():
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// resume returns the frame to go on from. Position and log must belong together: an index that is ahead of its log knows
// another log, which was lost, and starts again.
func (f *projector) resume(ctx context.Context, x *index.Index) (uint64, error) {
	number := f.engine.part.Number
	position, err := x.Position(ctx, number)
	if err != nil {
		return 0, err
	}
	b, err := f.engine.part.Records.Bounds(ctx)
	if err != nil {
		return 0, err
	}
	if position > b.Last {
		f.log.Info("the index knows more records than the log has: it is made again from the log", "partition", number, "index", position, "log", b.Last)
		if err := x.Forget(ctx, number); err != nil {
			return 0, err
		}
		position = 0
	}
	// The last frame that is in is read again, because it says the number of its records.
	return max(position, b.First, 1), f.prune(ctx, x, b.First)
}

// batch puts the records of the next frames into the index and returns the frame after them.
func (f *projector) batch(ctx context.Context, x *index.Index, next uint64) (uint64, error) {
	frames, err := f.engine.part.Records.Frames(ctx, next, readBatch)
	if err != nil {
		return next, err
	}
	var rows []index.Located
	var last uint64
	for _, b := range frames {
		next = b.Frame + 1
		if b.Damaged {
			f.log.Info("some records cannot be read and are left out of the index", "partition", f.engine.part.Number, "frame", b.Frame)
			continue
		}
		for i := range b.Items {
			r, err := record.DecodeHead(b.Items[i].Data)
			if err != nil {
				f.log.Error(err, "a record cannot be read and is left out of the index", "partition", f.engine.part.Number, "frame", b.Frame)
				continue
			}
			rows = append(rows, index.Located{Partition: f.engine.part.Number, Frame: b.Frame, Index: i, Record: &r})
		}
		last = b.First + uint64(len(b.Items)) - 1
	}
	if err := x.Apply(ctx, rows); err != nil {
		return next, err
	}
	f.reached(last)
	return next, nil
}

// atEnd notes that everything is in when the log has nothing more, although it was said to: its last records were lost.
func (f *projector) atEnd(ctx context.Context, next uint64) error {
	last := f.engine.recordedUpTo()
	b, err := f.engine.part.Records.Bounds(ctx)
	if err != nil {
		return err
	}
	if next > b.Last {
		f.reached(last)
		return nil
	}
	pause(ctx, lookAgain)
	return nil
}

// forget removes what the log no longer has, and the oldest records when the index is too large.
func (f *projector) forget(ctx context.Context, x *index.Index) error {
	b, err := f.engine.part.Records.Bounds(ctx)
	if err != nil {
		return err
	}
	return f.prune(ctx, x, b.First)
}

func (f *projector) prune(ctx context.Context, x *index.Index, first uint64) error {
	if err := x.Prune(ctx, f.engine.part.Number, first); err != nil || f.maxBytes == 0 {
		return err
	}
	n, err := x.Bytes(ctx)
	if err != nil || n <= f.maxBytes {
		return err
	}
	f.log.Info("the index of the records is too large: its oldest records are forgotten", "bytes", n, "most", f.maxBytes)
	return x.Shrink(ctx, f.engine.part.Number)
}

// rest waits for d, or until somebody asks.
func (f *projector) rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-f.asked:
	case <-ctx.Done():
	}
}

// busy reports whether deliveries are under way.
func (e *engine) busy() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.unrecorded > 0
}
