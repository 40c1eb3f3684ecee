package dispatch

import (
	"context"
	"fmt"
	"hash/fnv"
	"time"
	"unique"

	"github.com/oabridge/oabridge/internal/dispatch/journal"
	"github.com/oabridge/oabridge/internal/dispatch/lanes"
	"github.com/oabridge/oabridge/internal/dispatch/record"
)

const (
	// readBatch is how many frames are read at once.
	readBatch = 64
	// fewMoving is how many deliveries must be ready or under way before the memory for deliveries counts: when it is full of
	// what waits, others must get their turn all the same.
	fewMoving = 1000
	// entrySize is what a delivery takes in memory beside its texts, in bytes.
	entrySize = 1 << 10
	// emptyReads is how often the log must deny a delivery before it counts as lost.
	emptyReads = 10
)

// read fills the lanes from the journal, in sequence, as long as there is room. Keys in memory keep their order because
// nothing of a receiver is ever taken out of sequence; what does not fit stays on disk.
func (e *engine) read(ctx context.Context) {
	empty := 0
	var got []journal.Batch // what was read and had no room
	for ctx.Err() == nil {
		if err := e.refill(ctx); err != nil {
			if ctx.Err() == nil {
				e.log.Error(err, "cannot read deliveries again")
				pause(ctx, storeRetry)
			}
			continue
		}
		e.mu.Lock()
		from, before, tail, more := e.readFrame, e.readSeq, e.tailSeq, e.readSeq < e.tailSeq && e.hasRoom()
		e.mu.Unlock()
		if !more {
			select {
			case <-ctx.Done():
				return
			case <-e.room:
			}
			continue
		}
		if got = beyond(got, from); len(got) == 0 {
			var err error
			if got, err = e.part.Events.Frames(ctx, from, readBatch); err != nil {
				if ctx.Err() == nil {
					e.log.Error(err, "cannot read deliveries")
					pause(ctx, storeRetry)
				}
				continue
			}
		}
		if e.take(got) {
			empty = 0
			continue
		}
		got = nil
		// There must be something: the last frame is never removed. Look again before believing that it is lost, and at
		// last ask who knows best: in a cluster a copy that lags behind may have answered.
		if empty++; empty < emptyReads {
			pause(ctx, storeRetry)
			continue
		}
		empty = 0
		if ends, err := e.part.Events.Ends(ctx, from); err != nil || !ends {
			e.log.Info("deliveries cannot be read yet", "from", from, "why", fmt.Sprint(err))
			pause(ctx, storeRetry)
			continue
		}
		e.mu.Lock()
		if e.readSeq == before {
			e.gone(before+1, tail+1)
			e.readSeq = tail
		}
		e.mu.Unlock()
	}
}

// beyond leaves what lies in frames from from on, if it begins there.
func beyond(got []journal.Batch, from uint64) []journal.Batch {
	for len(got) > 0 && got[0].Frame < from {
		got = got[1:]
	}
	if len(got) > 0 && got[0].Frame == from {
		return got
	}
	return nil
}

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
	ready := e.lanes.Count(lanes.Ready)
	return e.lanes.Len() < e.tuning.maxWaiting && e.aside.Len() < maxAside && ready < int64(e.tuning.maxReady) &&
		(e.lanes.Cached() < maxCached || ready+e.lanes.Count(lanes.Taken) < fewMoving)
}

// take adds what was read, as far as there is room, and reports whether that leads on: frames in which nothing is left to
// do count, or a start after many others would see nothing but those.
func (e *engine) take(got []journal.Batch) (news bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	defer nudge(e.wake)
	for _, b := range got {
		if b.Damaged {
			e.log.Info("a part of the store cannot be read; what was in it is counted as lost when the next part is read", "frame", b.Frame)
		}
		for i := range b.Items {
			number := b.First + uint64(i)
			if number <= e.readSeq {
				continue // handed over by the intake in the meantime, or done before the start
			}
			news = true
			if !e.hasRoom() {
				return news
			}
			e.gone(e.readSeq+1, number)
			e.at(b.Frame, number)
			if e.progress.Done.Has(number) {
				continue
			}
			d, readable := parse(b.Items[i].Data)
			if e.firstLook {
				e.firstLook = false
				if time.Since(d.AcceptedAt) > catchUpAge {
					e.catchUp.begin(e.tailSeq)
				}
			}
			e.add(lanes.Place{Seq: number, Frame: b.Frame, Index: int32(i)}, d, len(b.Items[i].Data), readable)
		}
		if b.Frame >= e.readFrame {
			e.readFrame, news = b.Frame+1, true
		}
	}
	return news
}

// at notes that everything up to a delivery was read, and where it is stored. The lock is held.
func (e *engine) at(frame, number uint64) {
	if n := len(e.frames); n == 0 || e.frames[n-1].seq < frame {
		e.frames = append(e.frames, frameRef{seq: frame, first: number})
	}
	e.frames[len(e.frames)-1].count++
	e.readSeq, e.readFrame = number, frame
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
		e.metrics.lost.Add(float64(lost))
		e.lost += int64(lost)
		e.log.Info("deliveries are missing in the store; send the open items again from the CRM", "count", lost, "from", from, "to", to-1)
	}
}

// parse reads a stored delivery. One that cannot be read gets a receiver all the same: it becomes an entry, which is then
// recorded as unreadable.
func parse(data []byte) (d *record.Delivery, readable bool) {
	d = new(record.Delivery)
	err := record.DecodeDelivery(data, d)
	if err == nil && len(d.Event.Item.Receivers) == 1 {
		return d, true
	}
	d.Event.Item.Receivers = append(d.Event.Item.Receivers[:0], d.Event.Item.Sender)
	return d, false
}

// add puts one delivery into its lane, or sets it aside. The lock is held.
func (e *engine) add(p lanes.Place, d *record.Delivery, size int, readable bool) {
	if f := flow(d); e.crowded(f) {
		e.aside.Add(f, p)
		return
	}
	e.insert(p, d, size, readable)
}

// insert puts one delivery into its lane. The lock is held.
func (e *engine) insert(p lanes.Place, d *record.Delivery, size int, readable bool) {
	entry := &lanes.Entry{
		Seq: p.Seq, Frame: p.Frame, Index: p.Index, Key: d.Key(), Flow: flow(d), Form: unique.Make(lanes.Form{Kind: d.Event.Kind, Scenario: d.Scenario, Action: d.Event.Action}),
		AcceptedAt: d.AcceptedAt, Size: size + entrySize,
	}
	if readable && e.lanes.Cached() < maxCached {
		entry.Delivery = d
	}
	if o, ok := e.progress.Open[p.Seq]; ok {
		restore(entry, o)
	}
	e.lanes.Add(entry)
}

// flow of a delivery: receivers take turns.
func flow(d *record.Delivery) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(d.Receiver()))
	return h.Sum32()
}

// handOver takes deliveries that were just synced without reading them again, if they are next in line; otherwise the
// reader finds them.
func (e *engine) handOver(acks []journal.Ack, deliveries []*record.Delivery, messages []journal.Message) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, a := range acks {
		if a.Duplicate || a.Number == 0 {
			continue
		}
		e.tailSeq = max(e.tailSeq, a.Number)
		if a.Number == e.readSeq+1 && e.hasRoom() {
			e.at(a.Frame, a.Number)
			e.add(lanes.Place{Seq: a.Number, Frame: a.Frame, Index: int32(a.Index)}, deliveries[i], len(messages[i].Data), true)
		}
	}
	nudge(e.room)
	e.changed()
}
