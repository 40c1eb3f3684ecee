package dispatch

import (
	"context"
	"time"
)

const (
	// housekeepingEvery is how often checkpoints are written and what is done is removed.
	housekeepingEvery = time.Minute
	// pressure is the part of EVENTS that may be in use before frames above the floor are removed one by one, in per cent.
	// Below, one held delivery may keep what came after it on disk.
	pressure = 50
	// sweepMost bounds how many frames are removed one by one in a round, and manyFrames how many may be remembered
	// before that happens without pressure too.
	sweepMost  = 20_000
	manyFrames = 200_000
)

// checkpointShare is the part of RECORDS that may be written without a checkpoint, as a divisor: RECORDS drops its oldest
// when it is full, and what is dropped must be in a checkpoint, or deliveries would be repeated out of order.
const checkpointShare = 4

// keepHouse writes checkpoints and makes room, until ctx ends.
func (e *engine) keepHouse(ctx context.Context) {
	ticker := time.NewTicker(e.tuning.housekeeping)
	defer ticker.Stop()
	var last uint64
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-e.early:
		}
		e.mu.Lock()
		records := e.progress.Records
		e.mu.Unlock()
		if records != last {
			if err := e.checkpoint(ctx); err != nil {
				e.log.Error(err, "cannot write a checkpoint")
				continue
			}
			last = records
		}
		saved, err := e.part.SaveIDs(ctx)
		if err == nil {
			err = e.makeRoom(ctx, saved)
		}
		if err != nil && ctx.Err() == nil {
			e.log.Error(err, "cannot remove what is done")
		}
	}
}

// makeRoom removes frames up to saved in which all is done. The last frame that was read always stays, so that the
// numbers of the log never start again.
func (e *engine) makeRoom(ctx context.Context, saved uint64) error {
	e.mu.Lock()
	floor, n := e.progress.Done.Floor(), 0
	for n < len(e.frames)-1 && e.frames[n].last() <= floor && e.frames[n].seq <= saved {
		n++
	}
	var below uint64
	if n > 0 {
		below = e.frames[n].seq
	}
	many := len(e.frames) > manyFrames
	e.mu.Unlock()
	b, err := e.part.Events.Bounds(ctx)
	if err != nil {
		return err
	}
	if below > 0 {
		if err := e.part.Events.PurgeBelow(ctx, below); err != nil {
			return err
		}
		e.mu.Lock()
		e.frames = append([]frameRef(nil), e.frames[n:]...)
		e.mu.Unlock()
		if b, err = e.part.Events.Bounds(ctx); err != nil {
			return err
		}
	}
	if b.Bytes*100 < b.MaxBytes*pressure && !many {
		return nil
	}
	return e.sweep(ctx, saved)
}

// sweep removes frames one by one that lie above an open delivery.
func (e *engine) sweep(ctx context.Context, saved uint64) error {
	var done []frameRef
	e.mu.Lock()
	for i, f := range e.frames {
		if i == len(e.frames)-1 || f.seq > saved || len(done) == sweepMost {
			break
		}
		if e.progress.Done.Between(f.first-1, f.last()) == uint64(f.count) {
			done = append(done, f)
		}
	}
	e.mu.Unlock()
	for _, f := range done {
		if err := e.part.Events.Remove(ctx, f.seq); err != nil {
			return err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	kept := make([]frameRef, 0, len(e.frames)-len(done))
	for _, f := range e.frames {
		if len(done) > 0 && done[0].seq == f.seq {
			done = done[1:]
			continue
		}
		kept = append(kept, f)
	}
	e.frames = kept
	return nil
}
