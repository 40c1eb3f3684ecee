package dispatch

import (
	"context"
	"encoding/json"
	"time"

	"github.com/oabridge/oabridge/internal/dispatch/journal"
	"github.com/oabridge/oabridge/internal/dispatch/lanes"
	"github.com/oabridge/oabridge/internal/dispatch/record"
)

// readBatch is how many deliveries are read at once.
const readBatch = 256

// read fills the lanes from the journal, in sequence, as long as there is room. Keys in memory keep their order because
// nothing is ever read out of sequence; what does not fit stays on disk.
func (e *engine) read(ctx context.Context) {
	empty := 0
	for ctx.Err() == nil {
		e.mu.Lock()
		from, tail, more := e.readSeq+1, e.tailSeq, e.readSeq < e.tailSeq && e.hasRoom()
		e.mu.Unlock()
		if !more {
			select {
			case <-ctx.Done():
				return
			case <-e.room:
			}
			continue
		}
		got, err := e.journal.Events.Read(ctx, from, readBatch)
		if err != nil {
			if ctx.Err() == nil {
				e.log.Error(err, "cannot read deliveries")
				pause(ctx, storeRetry)
			}
			continue
		}
		if len(got) > 0 {
			empty = 0
			e.take(got)
			continue
		}
		// There must be something: the last delivery is never removed. Look again before believing that it is lost.
		if empty++; empty < emptyReads {
			pause(ctx, storeRetry)
			continue
		}
		empty = 0
		e.mu.Lock()
		if e.readSeq+1 == from {
			e.gone(from, tail+1)
			e.readSeq = tail
		}
		e.mu.Unlock()
	}
}

// emptyReads is how often the log must deny a delivery before it counts as lost.
const emptyReads = 3

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// hasRoom reports whether more deliveries may be taken into memory. The lock is held.
func (e *engine) hasRoom() bool {
	return e.lanes.Len() < e.tuning.maxWaiting && e.lanes.Count(lanes.Ready) < int64(e.tuning.maxReady)
}

// take adds what was read.
func (e *engine) take(got []journal.Stored) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range got {
		if s.Seq <= e.readSeq {
			continue // handed over by the intake in the meantime
		}
		e.gone(e.readSeq+1, s.Seq)
		e.readSeq = s.Seq
		if e.progress.Done.Has(s.Seq) {
			continue
		}
		// A delivery that cannot be read becomes an entry all the same: it is recorded as unreadable.
		var d record.Delivery
		_ = json.Unmarshal(s.Data, &d)
		if len(d.Event.Item.Receivers) != 1 {
			d.Event.Item.Receivers = append(d.Event.Item.Receivers[:0], d.Event.Item.Sender)
		}
		e.add(s.Seq, &d, s.Data)
	}
	nudge(e.wake)
}

// gone deals with numbers in [from, to) that the log does not have: they were removed because they are done. If they
// are not, the store lost them. The lock is held.
func (e *engine) gone(from, to uint64) {
	lost := 0
	for seq := from; seq < to; seq++ {
		if e.progress.Done.Add(seq) {
			delete(e.progress.Open, seq)
			lost++
		}
	}
	if lost > 0 {
		e.log.Info("deliveries are missing in the store; send the open items again from the CRM", "count", lost, "from", from, "to", to-1)
	}
}

// add puts one delivery into its lane. The lock is held.
func (e *engine) add(seq uint64, d *record.Delivery, payload []byte) {
	entry := &lanes.Entry{Seq: seq, Key: d.Key(), AcceptedAt: d.AcceptedAt}
	if e.lanes.Cached() < maxCached {
		entry.Payload = payload
	}
	if o, ok := e.progress.Open[seq]; ok {
		restore(entry, o)
	}
	e.lanes.Add(entry)
}

// handOver takes deliveries that were just synced without reading them again, if they are next in line; otherwise the
// reader finds them.
func (e *engine) handOver(acks []journal.Ack, deliveries []*record.Delivery, payloads []journal.Message) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, a := range acks {
		if a.Duplicate || a.Seq == 0 {
			continue
		}
		e.tailSeq = max(e.tailSeq, a.Seq)
		if a.Seq == e.readSeq+1 && e.hasRoom() {
			e.readSeq = a.Seq
			e.add(a.Seq, deliveries[i], payloads[i].Data)
		}
	}
	nudge(e.room)
	e.changed()
}
