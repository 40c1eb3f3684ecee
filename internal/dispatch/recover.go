package dispatch

import (
	"context"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/time/rate"

	"github.com/oabridge/oabridge/internal/dispatch/journal"
	"github.com/oabridge/oabridge/internal/dispatch/lanes"
	"github.com/oabridge/oabridge/internal/dispatch/progress"
	"github.com/oabridge/oabridge/internal/dispatch/record"
)

// newEngine takes over a partition and finds out how far its last owner got.
func newEngine(ctx context.Context, s *shared, j *journal.Journal, number, of int) (*engine, error) {
	e := &engine{
		shared: s, journal: j, of: of, limiter: rate.NewLimiter(rate.Inf, 1),
		wake: make(chan struct{}, 1), room: make(chan struct{}, 1), early: make(chan struct{}, 1), replays: make(chan struct{}, 1), recorded: make(chan struct{}, 1), tried: make(chan struct{}, 1),
		failed: make(chan error, 1), lanes: lanes.New(), gate: newGate(s.tuning, time.Now()), trouble: map[string]string{}, firstLook: true,
		replaying: map[string]*replayState{},
	}
	var err error
	e.part, err = j.OpenPartition(ctx, number, journal.Recovery{
		Record: func(checkpoint []byte) uint64 {
			p, err := progress.Decode(checkpoint)
			if err != nil {
				return 1 // Recover will say so
			}
			return p.Records + 1
		},
		Recover: func(p *journal.Partition, checkpoint []byte) (uint64, error) {
			e.progress, err = recoverProgress(ctx, p.Records, checkpoint, s.log)
			if err != nil {
				return 0, err
			}
			return e.progress.HighestKnown() + 1, nil
		},
	})
	if err != nil {
		return nil, fmt.Errorf("partition %d: %w", number, err)
	}
	if n := e.part.Events.Lacks; n > 0 {
		s.metrics.lost.Add(float64(n))
		e.lost = int64(n)
		s.log.Error(journal.ErrDamaged, "the end of the accepted events cannot be read: send the open items again from the CRM", "partition", number, "lost", n)
	}
	if e.deadLetters, err = e.part.CountDead(ctx); err != nil {
		return nil, err
	}
	records, err := e.part.Records.Bounds(ctx)
	if err != nil {
		return nil, err
	}
	e.maxUnsaved = int64(records.MaxBytes) / checkpointShare
	e.tailSeq = e.part.Events.Next() - 1
	e.catchUp.unsure = e.tailSeq
	e.readSeq, e.readFrame = min(e.progress.Done.Floor(), e.tailSeq), max(e.progress.EventsFrame, 1)
	e.events, e.records = journal.NewCommitter(e.part.Events), journal.NewCommitter(e.part.Records)
	if v := s.live.Load(); v != nil {
		v.limit(e.limiter, e.part.Number, e.of)
		e.window.Use(objective(v.bundle))
	}
	e.before = frameBound{e.progress.RecordsFrame, e.progress.Records}
	s.log.Info("partition is open", "partition", number, "waiting", e.waiting(), "delivered", e.progress.Totals.Delivered, "dead", e.deadLetters)
	return e, nil
}

// recoverProgress reads the checkpoint and folds in the records after it.
func recoverProgress(ctx context.Context, records *journal.Frames, checkpoint []byte, log logr.Logger) (*progress.Progress, error) {
	p := progress.New()
	if checkpoint != nil {
		var err error
		if p, err = progress.Decode(checkpoint); err != nil {
			return nil, err
		}
	}
	bounds, err := records.Bounds(ctx)
	if err != nil {
		return nil, err
	}
	from := max(p.RecordsFrame, 1)
	if from > bounds.Last {
		log.Info("records are missing in the store; some calls may be repeated", "checkpoint", p.RecordsFrame, "last", bounds.Last)
		from = 1 // the log was begun anew
	}
	for from <= bounds.Last {
		got, err := records.Frames(ctx, from, readBatch)
		if err != nil {
			return nil, err
		}
		if len(got) == 0 {
			break
		}
		for _, b := range got {
			from = b.Frame + 1
			if b.Damaged {
				log.Info("some records cannot be read; some calls may be repeated", "frame", b.Frame)
				continue
			}
			if b.First > p.Records+1 {
				log.Info("records are missing in the store; some calls may be repeated", "from", p.Records+1, "to", b.First-1)
			}
			for i := range b.Items {
				r, err := record.Decode(b.Items[i].Data)
				if err != nil {
					return nil, fmt.Errorf("%w: record %d cannot be read: %w; it was written by another version, or the volume is damaged", journal.ErrDamaged, b.First+uint64(i), err)
				}
				p.Apply(b.First+uint64(i), b.Frame, &r)
			}
		}
	}
	return p, nil
}

// checkpoint writes a summary of the records.
func (e *engine) checkpoint(ctx context.Context) error {
	e.mu.Lock()
	e.progress.EventsFrame = e.readFrame
	if len(e.frames) > 0 {
		e.progress.EventsFrame = e.frames[0].seq
	}
	data, err := e.progress.Encode()
	e.unsaved = 0
	e.mu.Unlock()
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return e.part.SaveCheckpoint(ctx, data)
}
