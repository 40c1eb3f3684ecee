package dispatch

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/oabridge/oabridge/internal/dispatch/journal"
	"github.com/oabridge/oabridge/internal/dispatch/lanes"
	"github.com/oabridge/oabridge/internal/dispatch/progress"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/oa"
)

// DeadLetter is a message of the DEAD stream: the delivery with the record that ended it.
type DeadLetter struct {
	Record   record.Record   `json:"record"`
	Delivery json.RawMessage `json:"delivery,omitempty"`
}

// record writes down what became of an entry; the lane moves on when that is synced. The slot of the call is free at
// once.
func (e *engine) record(v *live, entry *lanes.Entry, r record.Record, payload []byte) {
	r.At = time.Now()
	e.mu.Lock()
	e.inFlight--
	e.mu.Unlock()
	nudge(e.wake)
	if r.Outcome == record.Dead {
		e.bury(v, entry, r, payload)
		return
	}
	e.commit(v, entry, r)
}

// bury copies a dead letter to its own stream before the record says that it is there.
func (e *engine) bury(v *live, entry *lanes.Entry, r record.Record, payload []byte) {
	letter := DeadLetter{Record: r}
	if json.Valid(payload) {
		letter.Delivery = payload
	}
	data, err := json.Marshal(letter)
	if err != nil {
		panic("dispatch: a dead letter is always JSON: " + err.Error())
	}
	g := &journal.Group{Messages: []journal.Message{{Subject: journal.SubjectDead, ID: strconv.FormatUint(r.Seq, 10), Data: data}}}
	e.journal.Dead.Append(context.Background(), []*journal.Group{g})
	if g.Err == nil {
		e.note(troubleDead, "")
		e.commit(v, entry, r)
		return
	}
	// The item stays where it is and is dealt with again: nothing vanishes because the dead letters are full.
	e.log.Error(g.Err, "cannot keep a dead letter", "seq", r.Seq)
	e.note(troubleDead, fmt.Sprintf("dead letters cannot be kept: %v", g.Err))
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
	g := &journal.Group{Messages: []journal.Message{{Subject: journal.SubjectRecords, Data: data}}}
	g.Done = func(g *journal.Group) {
		if g.Err != nil {
			e.storeFailed(g.Err)
			// The call was made; not writing it down is no choice. The lane waits.
			time.AfterFunc(storeRetry, func() { e.submit(g) })
			return
		}
		e.apply(v, entry, &r, g.Acks[0].Seq, len(data))
	}
	e.submit(g)
}

func (e *engine) submit(g *journal.Group) {
	if err := e.records.Submit(context.Background(), g); err != nil {
		// Only after the end of draining: the call is repeated after the next start.
		e.log.Info("a record was not written because the process ends; the call will be repeated")
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

// storeFailed notes that the store does not take records, and ends the process when that lasts: after a write error the
// storage engine refuses all writes until it is started again.
func (e *engine) storeFailed(err error) {
	e.log.Error(err, "cannot write records; deliveries wait")
	e.note(troubleRecords, fmt.Sprintf("records cannot be written: %v", err))
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	if e.recordsSince.IsZero() {
		e.recordsSince = now
	}
	if now.Sub(e.recordsSince) > storePatience {
		select {
		case e.failed <- fmt.Errorf("store: records could not be written for %s: %w; the volume may be full or broken", storePatience, err):
		default:
		}
	}
}

// apply takes in a synced record.
func (e *engine) apply(v *live, entry *lanes.Entry, r *record.Record, at uint64, size int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.recordsSince = time.Time{}
	delete(e.trouble, troubleRecords)
	e.progress.Apply(at, r)
	if e.unsaved += int64(size); e.unsaved >= e.maxUnsaved {
		nudge(e.early)
	}
	e.unrecorded--
	entry.Attempts = r.Attempt
	if r.Class != "" {
		entry.Class, entry.Message = r.Class, r.Message
	}
	switch r.Outcome {
	case record.Retrying:
		entry.TargetDown, entry.HeldFor = r.TargetDown, ""
		at := r.RetryAt
		if expiry := v.policy.expiry(entry.AcceptedAt); expiry.Before(at) {
			at = expiry
		}
		if r.TargetDown && e.gate.state == gateOpen && r.Class != string(oa.ServerError) && r.Class != string(oa.Timeout) {
			at = r.At // the gate closed and opened again in the meantime
		}
		e.lanes.Retry(entry, at)
	case record.Held:
		e.hold(v, entry, r.Reason)
	default:
		e.lanes.Done(entry)
	}
	e.metrics.recorded(r)
	e.changed()
}

// waiting counts what is not done, in memory and on disk. The lock is held.
func (e *engine) waiting() int64 {
	unread := e.tailSeq - e.readSeq - e.progress.Done.Between(e.readSeq, e.tailSeq)
	return int64(e.lanes.Len()) + int64(unread)
}

// restore fills in what is known about an entry from before. The lock is held.
func restore(entry *lanes.Entry, o progress.Open) {
	entry.Attempts, entry.Class, entry.Message, entry.HeldFor = o.Attempts, o.Class, o.Message, o.Held
	entry.NotBefore, entry.TargetDown = o.RetryAt, o.TargetDown
}
