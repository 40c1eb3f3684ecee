package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/oabridge/oabridge/internal/dispatch/journal"
	"github.com/oabridge/oabridge/internal/dispatch/lanes"
	"github.com/oabridge/oabridge/internal/dispatch/record"
)

// Why deliveries are not taken now.
var (
	errDraining = errors.New("the dispatcher is ending")
	errCrowded  = errors.New("too many deliveries wait: bind the people whose items are held, or clear what fails")
	errTrouble  = errors.New("the store cannot be written now")
)

// open reports why the partition takes nothing now, nil when it does.
func (e *engine) open() error {
	v := e.live.Load()
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.draining || v == nil:
		return errDraining
	case e.lanes.Len() >= e.tuning.maxWaiting && e.gate.state == gateOpen && e.lanes.Count(lanes.Ready) == 0:
		return errCrowded
	case e.trouble[troubleRecords] != "":
		return errTrouble
	}
	return nil
}

// accept writes deliveries as one group, waits for the sync, and says which of them were known before.
func (e *engine) accept(_ context.Context, deliveries []*record.Delivery) (duplicates []bool, err error) {
	if err := e.open(); err != nil {
		return nil, err
	}
	g := &journal.Group{Messages: make([]journal.Message, len(deliveries))}
	for i, d := range deliveries {
		data, err := json.Marshal(d)
		if err != nil {
			return nil, fmt.Errorf("delivery %d: %w", i, err)
		}
		g.Messages[i] = journal.Message{ID: journal.ID(d.ID()), Data: data}
	}
	done := make(chan struct{})
	g.Done = func(g *journal.Group) {
		if g.Err == nil || !errors.Is(g.Err, journal.ErrFull) {
			// Also after an error: a part of a large group may be there.
			e.handOver(g.Acks, deliveries, g.Messages)
		}
		close(done)
	}
	// The request's own context is not asked: once submitted, the group is written, and the answer must be true.
	if err := e.events.Submit(context.Background(), g); err != nil {
		return nil, errDraining
	}
	<-done
	switch {
	case g.Err == nil:
		e.note(troubleEvents, "")
	case errors.Is(g.Err, journal.ErrFull):
		e.note(troubleEvents, "the store is full: no events are taken until deliveries are done; enlarge spec.dispatcher.storage.size, or see what keeps them waiting")
		return nil, g.Err
	default:
		e.fail(fmt.Errorf("events: %w", g.Err))
		return nil, g.Err
	}
	duplicates = make([]bool, len(g.Acks))
	for i, a := range g.Acks {
		duplicates[i] = a.Duplicate
	}
	return duplicates, nil
}
