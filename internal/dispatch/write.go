package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/oabridge/oabridge/internal/dispatch/journal"
	"github.com/oabridge/oabridge/internal/dispatch/lanes"
	"github.com/oabridge/oabridge/internal/dispatch/progress"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/oa"
)

// DeadLetter is a message of the DEAD stream: the delivery with the record that ended it.
type DeadLetter struct {
	Record   record.Record    `json:"record"`
	Delivery *record.Delivery `json:"delivery,omitempty"`
}

// record writes down what became of an entry; the lane moves on when that is synced.
func (e *engine) record(v *live, entry *lanes.Entry, r record.Record, d *record.Delivery) {
	r.At = time.Now()
	if r.Outcome == record.Dead {
		e.bury(v, entry, r, d)
		return
	}
	r.Item = v.kept(&r, d)
	e.commit(v, entry, r)
}

// bury copies a dead letter to its own stream before the record says that it is there.
func (e *engine) bury(v *live, entry *lanes.Entry, r record.Record, d *record.Delivery) {
	data, err := json.Marshal(DeadLetter{Record: r, Delivery: d})
	if err != nil {
		panic("dispatch: a dead letter is always JSON: " + err.Error())
	}
	if err = e.part.Bury(context.Background(), r.Seq, data); err == nil {
		e.note(troubleDead, "")
		e.commit(v, entry, r)
		return
	}
	// The item stays where it is and is dealt with again: nothing vanishes because the dead letters are full.
	e.log.Error(err, "cannot keep a dead letter", "seq", r.Seq)
	e.note(troubleDead, fmt.Sprintf("dead letters cannot be kept: %v", err))
	e.mu.Lock()
	defer e.mu.Unlock()
	e.unrecorded--
	e.lanes.Retry(entry, time.Now().Add(buryAgain))
	e.changed()
}

// buryAgain is the pause before a dead letter that could not be kept is tried again.
const buryAgain = 30 * time.Second

// commit submits a record and applies it when it is synced.
func (e *engine) commit(v *live, entry *lanes.Entry, r record.Record) {
	data, err := r.Encode()
	if err != nil {
		panic("dispatch: a record is always JSON: " + err.Error())
	}
	g := &journal.Group{Messages: []journal.Message{{Data: data}}}
	g.Done = func(g *journal.Group) {
		if g.Err != nil {
			if !errors.Is(g.Err, journal.ErrFull) {
				e.fail(fmt.Errorf("records: %w", g.Err))
				return
			}
			e.storeFailed(g.Err)
			// The call was made; not writing it down is no choice. The lane waits.
			time.AfterFunc(storeRetry, func() { e.submit(g) })
			return
		}
		e.apply(v, entry, &r, g.Acks[0], len(data))
	}
	e.submit(g)
}

func (e *engine) submit(g *journal.Group) {
	if err := e.records.Submit(context.Background(), g); err != nil {
		// Only after the end of draining: the call is repeated after the next start.
		e.log.Info("a record was not written because the store was closed; the call will be repeated")
	}
}

// The keys of engine.trouble.
const (
	troubleEvents  = "events"
	troubleRecords = "records"
	troubleDead    = "dead"
)

// note remembers why something cannot be written; "" when it can.
func (e *engine) note(what, trouble string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.trouble[what] == trouble {
		return
	}
	if trouble == "" {
		delete(e.trouble, what)
	} else {
		e.trouble[what] = trouble
	}
	nudge(e.dirty)
}

// storeFailed notes that the store has no room for records, and ends the engine when that lasts.
func (e *engine) storeFailed(err error) {
	e.log.Error(err, "no room for records; deliveries wait")
	e.note(troubleRecords, fmt.Sprintf("records cannot be written: %v", err))
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	if e.recordsSince.IsZero() {
		e.recordsSince = now
	}
	if now.Sub(e.recordsSince) > storePatience {
		e.fail(fmt.Errorf("records could not be written for %s: %w; the volume may be full or broken", storePatience, err))
	}
}

// apply takes in a synced record.
func (e *engine) apply(v *live, entry *lanes.Entry, r *record.Record, ack journal.Ack, size int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.recordsSince = time.Time{}
	delete(e.trouble, troubleRecords)
	e.progress.Apply(ack.Number, ack.Frame, r)
	if e.unsaved += int64(size); e.unsaved >= e.maxUnsaved {
		nudge(e.early)
	}
	e.unrecorded--
	entry.Attempts = r.Attempt
	entry.Accepted, entry.ReadBacks = r.Awaited(), r.ReadBacks
	if r.Class != "" {
		entry.Class, entry.Message = r.Class, r.Message
	}
	entry.Alone = entry.Accepted || goesAlone(entry.Class)
	e.judgeEnd(entry, r)
	switch r.Outcome {
	case record.Retrying:
		entry.Noted = max(entry.Noted, r.Merged)
		entry.TargetDown, entry.HeldFor = r.TargetDown, ""
		at := r.RetryAt
		if expiry := v.policy.expiry(entry.AcceptedAt); expiry.Before(at) {
			at = expiry
		}
		if entry.Accepted {
			e.lanes.Confirm(entry, at)
			break
		}
		if r.TargetDown && e.gate.state == gateOpen && r.Class != string(oa.ServerError) && r.Class != string(oa.Timeout) {
			at = r.At // the gate closed and opened again in the meantime
		}
		e.lanes.Retry(entry, at)
	case record.Held:
		e.hold(v, entry, r)
	default:
		if r.Outcome == record.Dead {
			e.deadLetters++
		} else if entry.Merged > 0 {
			e.merged(entry)
		}
		e.lanes.Done(entry)
	}
	e.metrics.recorded(r)
	e.trace(r)
	nudge(e.recorded)
	if r.Trial != "" {
		nudge(e.tried)
	}
	e.changed()
}

// waiting counts what is not done, in memory and on disk. The lock is held.
func (e *engine) waiting() int64 {
	unread := e.tailSeq - e.readSeq - e.progress.Done.Between(e.readSeq, e.tailSeq)
	return int64(e.lanes.Len()) + int64(e.aside.Len()) + int64(unread)
}

// restore fills in what is known about an entry from before. The lock is held.
func restore(entry *lanes.Entry, o progress.Open) {
	entry.Attempts, entry.Class, entry.Message, entry.HeldFor = o.Attempts, o.Class, o.Message, o.Held
	entry.NotBefore, entry.TargetDown, entry.Noted = o.RetryAt, o.TargetDown, o.Merged
	entry.Accepted, entry.ReadBacks = o.Accepted, o.ReadBacks
	entry.Alone = entry.Accepted || goesAlone(entry.Class)
	entry.Excused = o.Held != ""
}

// goesAlone reports whether an item that failed with a class must not be sent together with others: it may be the one at
// which the OA stumbles.
func goesAlone(class string) bool {
	return class == string(oa.ServerError) || class == string(oa.Timeout)
}
