package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

const (
	// flushItems and flushBytes bound one frame.
	flushItems = 1000
	flushBytes = 768 << 10
	// recentFrames is how many frames are kept that items were read from.
	recentFrames = 8
)

// Message is one item of a log.
type Message struct {
	// ID makes a repeat harmless; zero means none.
	ID   ID
	Data []byte
}

// Ack says where an item is.
type Ack struct {
	// Number of the item.
	Number uint64
	// Frame and Index say where it is stored.
	Frame uint64
	Index int
	// Duplicate: an item of this id was there before; then nothing else is known.
	Duplicate bool
}

// Group is a set of items that belong together, e.g. the deliveries of one request.
type Group struct {
	Messages []Message
	// Acks, one for each item, when Err is nil.
	Acks []Ack
	// Err says why not all of the group is known to be on disk.
	Err error
	// Done is called by a Committer when the fate of the group is known.
	Done func(*Group)
}

func (g *Group) bytes() (n int) {
	for i := range g.Messages {
		n += len(g.Messages[i].Data)
	}
	return n
}

// Frames is a log of items, many of which are synced with one write.
type Frames struct {
	*Log
	// Lacks is how many messages a damage took from the end of the log before it was opened.
	Lacks uint64
	// next is the number of the next item.
	next uint64
	// ids is what is remembered of items, nil for a log that does not look for repeats.
	ids *ids

	mu sync.Mutex
	// recent are the frames that items were read from last, the latest first: what is read one by one mostly lies beside
	// each other, in a few frames.
	recent []Batch
}

// Next is the number that the next item will get.
func (f *Frames) Next() uint64 { return f.next }

// slot is an item on its way.
type slot struct {
	message *Message
	ack     *Ack
}

// Append writes groups in order and syncs them. The items of one group are written all or none, unless there are more
// than a frame holds. A repeat of an item never fails its neighbours: it shares the fate of the first. It is not safe for
// concurrent use; a Committer calls it.
func (f *Frames) Append(ctx context.Context, groups []*Group) {
	var failed error
	var open []slot
	var members []*Group
	size := 0
	flush := func() {
		if len(open) > 0 && failed == nil {
			failed = f.write(ctx, open)
		}
		for _, g := range members {
			if g.Err == nil {
				g.Err = failed
			}
		}
		open, members, size = open[:0], members[:0], 0
	}
	first := map[ID]*Ack{}
	for _, g := range groups {
		g.Acks, g.Err = make([]Ack, len(g.Messages)), failed
		if bytes := g.bytes(); len(open) > 0 && (len(open)+len(g.Messages) > flushItems || size+bytes > flushBytes) {
			flush()
			g.Err = failed
		}
		members = append(members, g)
		for i := range g.Messages {
			m := &g.Messages[i]
			if f.ids != nil && m.ID != (ID{}) {
				if first[m.ID] != nil || f.ids.has(m.ID) {
					g.Acks[i].Duplicate = true
					continue
				}
				first[m.ID] = &g.Acks[i]
			}
			open = append(open, slot{m, &g.Acks[i]})
			size += len(m.Data)
			if len(open) >= flushItems || size > flushBytes {
				flush()
				members = append(members, g)
			}
		}
	}
	flush()
}

// write makes one frame of slots.
func (f *Frames) write(ctx context.Context, slots []slot) error {
	out := frame{first: f.next, items: make([]Message, len(slots))}
	for i, s := range slots {
		out.items[i] = *s.message
	}
	seq, err := f.Log.Append(ctx, out.encode())
	if err != nil {
		return err
	}
	for i, s := range slots {
		s.ack.Number, s.ack.Frame, s.ack.Index = f.next+uint64(i), seq, i
		if f.ids != nil {
			f.ids.add(s.message.ID)
		}
	}
	f.next += uint64(len(slots))
	if f.ids != nil {
		f.ids.reached(seq)
	}
	return nil
}

// Batch is a frame that was read.
type Batch struct {
	// Frame is the sequence number of the frame, First the number of its first item.
	Frame, First uint64
	Items        []Message
	// Damaged says that the bytes are no frame; nothing else is known.
	Damaged bool
}

// Frames reads up to limit frames from sequence number from on.
func (f *Frames) Frames(ctx context.Context, from uint64, limit int) ([]Batch, error) {
	got, err := f.Read(ctx, from, limit)
	if err != nil {
		return nil, err
	}
	out := make([]Batch, len(got))
	for i, s := range got {
		fr, err := decodeFrame(s.Data)
		out[i] = Batch{Frame: s.Seq, First: fr.first, Items: fr.items, Damaged: err != nil}
	}
	return out, nil
}

// Item returns one item, or ErrNotFound.
func (f *Frames) Item(ctx context.Context, seq uint64, index int) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := slices.IndexFunc(f.recent, func(b Batch) bool { return b.Frame == seq })
	var b Batch
	if at >= 0 {
		b = f.recent[at]
	} else {
		data, err := f.get(ctx, seq)
		if err != nil {
			return nil, err
		}
		fr, err := decodeFrame(data)
		if err != nil {
			return nil, fmt.Errorf("stream %s: message %d: %w: %w", f.name, seq, ErrNotFound, err)
		}
		b = Batch{Frame: seq, First: fr.first, Items: fr.items}
		if at = len(f.recent); at < recentFrames {
			f.recent = append(f.recent, b)
		} else {
			at-- // the one that was not used for longest makes room
		}
	}
	copy(f.recent[1:], f.recent[:at])
	f.recent[0] = b
	if index >= len(b.Items) {
		return nil, fmt.Errorf("stream %s: message %d: item %d: %w", f.name, seq, index, ErrNotFound)
	}
	return b.Items[index].Data, nil
}

// open finds the number of the next item, at least least, and fences the log.
func (f *Frames) open(ctx context.Context, least uint64) (err error) {
	f.Lacks, err = f.Fence(ctx, func(last uint64) ([]byte, error) {
		f.next = max(least, 1)
		if last > 0 {
			data, err := f.get(ctx, last)
			if err != nil && !errors.Is(err, ErrNotFound) {
				return nil, err
			}
			if fr, err := decodeFrame(data); err == nil {
				f.next = max(f.next, fr.first+uint64(len(fr.items)))
			}
		}
		return frame{first: f.next}.encode(), nil
	})
	return err
}
