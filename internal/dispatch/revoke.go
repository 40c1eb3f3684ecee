package dispatch

import (
	"context"
	"fmt"
	"time"

	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/dispatch/index"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/report"
	"github.com/oabridge/oabridge/internal/scenario"
)

const (
	// revokeBatch is how many open items are withdrawn before the list is read again; more are never in memory.
	revokeBatch = 500
	// revokePoll is how often it is looked whether those have ended.
	revokePoll = 500 * time.Millisecond
)

// revoke withdraws every open item from the OA while the live bundle asks for it, batch by batch: the list of open items is
// that of the records, and each withdrawal is a delivery like any other, paced, retried and recorded. After a crash
// the list is read anew, so nothing has to be remembered.
func (s *session) revoke(ctx context.Context) {
	tick := time.NewTicker(revokePoll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		v := s.live.Load()
		if v == nil || !v.bundle.Revoking {
			continue
		}
		for _, e := range s.owned() {
			if e.revoked() || !e.idle() {
				continue
			}
			if err := s.withdraw(ctx, e); err != nil && ctx.Err() == nil {
				s.log.Error(err, "open items cannot be withdrawn yet", "partition", e.part.Number)
			}
		}
	}
}

// withdraw queues the withdrawal of the next open items of a partition, or notes that there are none.
func (s *session) withdraw(ctx context.Context, e *engine) error {
	x, problem := s.opened()
	if problem != nil {
		return fmt.Errorf("the list of open items: %s", problem.Detail)
	}
	patient, cancel := context.WithTimeout(ctx, freshWait)
	defer cancel()
	if s.index.await(patient); patient.Err() != nil {
		return nil // the records are not all in: the next look comes soon
	}
	open, err := x.Open(ctx, e.part.Number, revokeBatch)
	if err != nil {
		return err
	}
	if len(open) == 0 {
		e.mu.Lock()
		e.withdrawn = true
		e.mu.Unlock()
		nudge(e.dirty)
		return nil
	}
	deliveries := make([]*record.Delivery, len(open))
	for i := range open {
		r, _ := s.whole(ctx, &open[i])
		deliveries[i] = withdrawal(&r, time.Now())
	}
	_, err = e.accept(ctx, deliveries)
	return err
}

// kept is what a withdrawal needs of an item that was delivered, nil when there will be none.
func (v *live) kept(r *record.Record, d *record.Delivery) *scenario.Item {
	opens := r.Action == scenario.Create || r.Action == scenario.Update
	if !v.bundle.Revocable || !opens || r.Outcome != record.Delivered {
		return nil
	}
	item := d.Event.Item
	item.Receivers = nil // the record has them
	return &item
}

// withdrawal is the delivery that takes an item away. Of the item it knows what the record keeps; of one that was delivered before
// the connector was to withdraw anything, that is id, receiver and version. What the template captured is at hand as always.
func withdrawal(r *record.Record, now time.Time) *record.Delivery {
	typ, _, _ := crm.Meaning(r.Kind, "deleted")
	key := r.Key()
	item := scenario.Item{CreatedAt: r.AcceptedAt}
	if r.Item != nil {
		item = *r.Item
	}
	item.ID, item.Version, item.Receivers = r.ItemID, r.Version, []scenario.Person{{Account: r.Receiver}}
	return &record.Delivery{
		AcceptedAt: now, Scenario: r.Scenario,
		Event: crm.Event{
			ID: fmt.Sprintf("%s%x-%d", index.RevokePrefix, key, r.Seq), Source: index.RevokeSource, Type: typ, Kind: r.Kind, Action: scenario.Delete, Time: now,
			Item: item,
		},
	}
}

// revoked reports whether nothing is left to withdraw.
func (e *engine) revoked() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.withdrawn
}

// idle reports whether nothing waits that could change what the OA shows: held deliveries stay where they are.
func (e *engine) idle() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.waiting()-e.lanes.Held() <= 0
}

// revokeReport says whether everything is withdrawn, in all partitions of this process; nil when that is not asked for.
func (s *session) revokeReport() *report.Revoke {
	if v := s.live.Load(); v == nil || !v.bundle.Revoking {
		return nil
	}
	done := true
	for _, e := range s.owned() {
		done = done && e.revoked()
	}
	return &report.Revoke{Done: done}
}
