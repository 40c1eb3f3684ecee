package journal

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	// DedupeWindow is how long the id of an accepted item is remembered at least.
	DedupeWindow = 10 * time.Minute
	// idGenerations is how many sets the window is cut into; one more is kept, so that the oldest is complete.
	idGenerations = 2
	// idBatch bounds one message of remembered ids.
	idBatch = 32 << 10
)

// ids remembers which items there were, within DedupeWindow. It outlives the items themselves: what is done can be
// removed from the log at once.
type ids struct {
	now func() time.Time

	mu sync.Mutex
	// sets, the youngest first.
	sets   []map[ID]struct{}
	turned time.Time
	// unsaved is what save has not written down yet, frame the last frame that it comes from.
	unsaved []ID
	frame   uint64
}

func newIDs(now func() time.Time) *ids {
	return &ids{now: now, sets: []map[ID]struct{}{{}}, turned: now()}
}

func (s *ids) has(id ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, set := range s.sets {
		if _, ok := set[id]; ok {
			return true
		}
	}
	return false
}

func (s *ids) add(id ID) {
	if id == (ID{}) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.now(); now.Sub(s.turned) >= DedupeWindow/idGenerations {
		s.sets = append([]map[ID]struct{}{{}}, s.sets[:min(len(s.sets), idGenerations)]...)
		s.turned = now
	}
	s.sets[0][id] = struct{}{}
	s.unsaved = append(s.unsaved, id)
}

// reached notes that all ids up to a frame were added.
func (s *ids) reached(frame uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frame = frame
}

// take returns what has to be saved.
func (s *ids) take() ([]ID, uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.unsaved
	s.unsaved = nil
	return out, s.frame
}

// giveBack undoes take after a failure.
func (s *ids) giveBack(unsaved []ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unsaved = append(unsaved, s.unsaved...)
}

// SaveIDs writes down which items were accepted since the last time. It returns the frame of EVENTS up to which the frames
// are no longer needed for that.
func (p *Partition) SaveIDs(ctx context.Context) (uint64, error) {
	unsaved, frame := p.Events.ids.take()
	for rest := unsaved; len(rest) > 0; {
		n := min(len(rest), idBatch)
		b := make([]byte, 8, 8+n*len(ID{}))
		if n == len(rest) {
			binary.LittleEndian.PutUint64(b, frame) // only the last message makes the whole true
		}
		for _, id := range rest[:n] {
			b = append(b, id[:]...)
		}
		if err := p.journal.request(ctx, &nats.Msg{Subject: p.subject(subjectIDs), Data: b}); err != nil {
			p.Events.ids.giveBack(rest)
			return 0, fmt.Errorf("ids: %w", err)
		}
		rest = rest[n:]
	}
	return frame, nil
}

// loadIDs remembers what SaveIDs wrote, and what came after it.
func (p *Partition) loadIDs(ctx context.Context) error {
	s := p.Events.ids
	var frame uint64
	if p.Events.Lacks > 0 {
		// Nobody knows which items are gone: what the CRM sends again must be taken again.
		return p.idsAfter(ctx, 0)
	}
	err := p.journal.ids.each(ctx, func(m Stored) error {
		if !strings.HasSuffix(m.Subject, p.subject(subjectIDs)) || len(m.Data) < 8 {
			return nil
		}
		frame = max(frame, binary.LittleEndian.Uint64(m.Data))
		for b := m.Data[8:]; len(b) >= len(ID{}); b = b[len(ID{}):] {
			s.sets[0][ID(b[:len(ID{})])] = struct{}{}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return p.idsAfter(ctx, frame)
}

// idsAfter remembers the ids of the frames after one.
func (p *Partition) idsAfter(ctx context.Context, frame uint64) error {
	s := p.Events.ids
	s.reached(frame)
	for from := frame + 1; ; {
		got, err := p.Events.Frames(ctx, from, readFrames)
		if err != nil {
			return err
		}
		if len(got) == 0 {
			return nil
		}
		for _, b := range got {
			for i := range b.Items {
				s.add(b.Items[i].ID)
			}
			s.reached(b.Frame)
			from = b.Frame + 1
		}
	}
}

// readFrames is how many frames are read at once.
const readFrames = 256

// each calls f with all messages of a log.
func (l *Log) each(ctx context.Context, f func(Stored) error) error {
	for from := uint64(1); ; {
		got, err := l.Read(ctx, from, readFrames)
		if err != nil {
			return err
		}
		if len(got) == 0 {
			return nil
		}
		for _, m := range got {
			if err := f(m); err != nil {
				return err
			}
			from = m.Seq + 1
		}
	}
}
