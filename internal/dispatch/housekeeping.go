package dispatch

import (
	"context"
	"time"

	"github.com/oabridge/oabridge/internal/dispatch/journal"
)

const (
	// housekeepingEvery is how often checkpoints are written and what is done is removed.
	housekeepingEvery = time.Minute
	// keepEvents is how long a delivery stays in the store after it was done, so that a repeat of it is recognised
	// after a restart too: the storage engine rebuilds its memory of ids from what is there.
	keepEvents = journal.DedupeWindow + time.Minute
	// pressure is the part of EVENTS that may be in use before done deliveries above the floor are removed one by one,
	// in per cent. Below, one held delivery may keep what came after it on disk.
	pressure = 50
	// sweepMost bounds how many are removed one by one in a round.
	sweepMost = 20_000
)

// checkpointShare is the part of RECORDS that may be written without a checkpoint, as a divisor: RECORDS drops its oldest
// when it is full, and what is dropped must be in a checkpoint, or deliveries would be repeated out of order.
const checkpointShare = 4

// mark remembers how far the log was at a time.
type mark struct {
	at  time.Time
	seq uint64
}

// keepHouse writes checkpoints and makes room, until ctx ends.
func (e *engine) keepHouse(ctx context.Context) {
	ticker := time.NewTicker(e.tuning.housekeeping)
	defer ticker.Stop()
	var marks []mark
	var last uint64
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-e.early:
		}
		e.mu.Lock()
		now := time.Now()
		marks = append(marks, mark{now, e.tailSeq})
		floor, records := e.progress.Done.Floor(), e.progress.Records
		e.mu.Unlock()
		if records != last {
			if err := e.checkpoint(ctx); err != nil {
				e.log.Error(err, "cannot write a checkpoint")
				continue
			}
			last = records
		}
		// old: what was there keepEvents ago.
		var old uint64
		for len(marks) > 0 && now.Sub(marks[0].at) >= e.tuning.keepEvents {
			old, marks = marks[0].seq, marks[1:]
		}
		if old > 0 {
			if err := e.makeRoom(ctx, old, floor); err != nil && ctx.Err() == nil {
				e.log.Error(err, "cannot remove what is done")
			}
		}
	}
}

// makeRoom removes deliveries that are done and not younger than old. The last one always stays: the numbers of the log
// must never start again.
func (e *engine) makeRoom(ctx context.Context, old, floor uint64) error {
	b, err := e.journal.Events.Bounds(ctx)
	if err != nil || b.Messages == 0 {
		return err
	}
	if below := min(old, floor, b.Last-1); below >= b.First {
		if err := e.journal.Events.PurgeBelow(ctx, below+1); err != nil {
			return err
		}
		b, err = e.journal.Events.Bounds(ctx)
		if err != nil {
			return err
		}
	}
	if b.Bytes*100 < b.MaxBytes*pressure {
		return nil
	}
	removed := 0
	for seq := max(b.First, floor+1); seq <= min(old, b.Last-1) && removed < sweepMost; seq++ {
		e.mu.Lock()
		done := e.progress.Done.Has(seq) && seq > e.swept
		e.mu.Unlock()
		if !done {
			continue
		}
		if err := e.journal.Events.Remove(ctx, seq); err != nil {
			return err
		}
		removed++
		e.swept = seq
	}
	return nil
}
