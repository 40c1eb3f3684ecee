package dispatch

import (
	"context"
	"errors"

	"github.com/oabridge/oabridge/internal/dispatch/journal"
	"github.com/oabridge/oabridge/internal/dispatch/lanes"
)

const (
	// maxFlow is how many deliveries of one receiver may be in lanes when memory is half full. Of more, only the place on disk
	// is remembered until fewer than half of that are left, so that a flood for one receiver does not hide what others get.
	maxFlow = 256
	// maxAside bounds those places; one takes 24 to 48 bytes. Behind more than that the log is not read further.
	maxAside = 250_000
)

// crowded reports whether a delivery of a flow has to be set aside. The lock is held.
func (e *engine) crowded(flow uint32) bool {
	if e.aside.Has(flow) {
		return true // in order, always
	}
	half := e.lanes.Len() >= e.tuning.maxWaiting/2 || e.lanes.Count(lanes.Ready) >= int64(e.tuning.maxReady/2) || e.lanes.Cached() >= maxCached/2
	return half && e.lanes.Flow(flow) >= e.tuning.maxFlow
}

// refill brings deliveries back that were set aside, of each receiver that has few left in lanes. An error means that the
// store does not answer.
func (e *engine) refill(ctx context.Context) error {
	few := e.tuning.maxFlow / 2
	for ctx.Err() == nil {
		e.mu.Lock()
		flow, places := e.aside.First(max(few, 1), func(flow uint32) bool { return e.lanes.Flow(flow) <= few })
		e.mu.Unlock()
		if len(places) == 0 {
			return nil
		}
		payloads := make([][]byte, len(places))
		for i, p := range places {
			var err error
			if payloads[i], err = e.part.Events.Item(ctx, p.Frame, int(p.Index)); err != nil && !errors.Is(err, journal.ErrNotFound) {
				return err
			}
		}
		e.mu.Lock()
		for i, p := range places {
			if !e.progress.Done.Has(p.Seq) {
				d, readable := parse(payloads[i])
				e.insert(p, d, len(payloads[i]), readable)
			}
		}
		e.aside.Drop(flow, len(places))
		e.mu.Unlock()
		nudge(e.wake)
	}
	return nil
}
