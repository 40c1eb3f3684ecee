package dispatch

import (
	"context"
	"fmt"

	"github.com/go-logr/logr"

	"github.com/oabridge/oabridge/internal/dispatch/journal"
	"github.com/oabridge/oabridge/internal/dispatch/progress"
	"github.com/oabridge/oabridge/internal/dispatch/record"
)

// recoverProgress loads the checkpoint and folds in the records after it. It returns the last sequence number of EVENTS
// too.
func recoverProgress(ctx context.Context, j *journal.Journal, log logr.Logger) (*progress.Progress, uint64, error) {
	p := progress.New()
	data, err := j.LoadCheckpoint(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("store: %w", err)
	}
	if data != nil {
		if p, err = progress.Decode(data); err != nil {
			return nil, 0, fmt.Errorf("store: %w", err)
		}
	}
	records, err := j.Records.Bounds(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("store: %w", err)
	}
	if p.Records > records.Last {
		log.Info("records are missing in the store; some calls may be repeated", "checkpoint", p.Records, "last", records.Last)
		p.Records = records.Last
	}
	if records.Messages > 0 && p.Records+1 < records.First {
		log.Info("records are missing in the store; some calls may be repeated", "checkpoint", p.Records, "first", records.First)
	}
	for p.Records < records.Last {
		got, err := j.Records.Read(ctx, p.Records+1, readBatch)
		if err != nil {
			return nil, 0, fmt.Errorf("store: %w", err)
		}
		if len(got) == 0 {
			break
		}
		for _, s := range got {
			r, err := record.Decode(s.Data)
			if err != nil {
				return nil, 0, fmt.Errorf("store: record %d cannot be read: %w; it was written by another version, or the volume is damaged", s.Seq, err)
			}
			p.Apply(s.Seq, &r)
		}
	}
	events, err := j.Events.Bounds(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("store: %w", err)
	}
	// Numbers that are not there (any more) will be given out again, so nothing may be known about them.
	if p.Done.Clamp(events.Last) {
		log.Info("accepted deliveries are missing in the store; send the open items again from the CRM", "last", events.Last)
	}
	for seq := range p.Open {
		if seq > events.Last {
			delete(p.Open, seq)
		}
	}
	return p, events.Last, nil
}

// checkpoint writes a summary of the records.
func (e *engine) checkpoint(ctx context.Context) error {
	e.mu.Lock()
	data, err := e.progress.Encode()
	e.unsaved = 0
	e.mu.Unlock()
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if err := e.journal.SaveCheckpoint(ctx, data); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return nil
}
