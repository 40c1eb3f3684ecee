package progress

import (
	"encoding/binary"
	"time"

	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/scenario"
)

// generation is how many keys Latest remembers at least; it keeps at most twice as many. One takes about 100 bytes of
// memory and 41 of a checkpoint.
const generation = 50_000

// State is what was delivered last for a key.
type State struct {
	// Version of the item, 0 when the CRM gives none.
	Version int64
	// Rank of the action, see rank.
	Rank uint8
	// Time of the event, zero when the CRM gives none.
	Time time.Time
	// Seq is the number of the delivery.
	Seq uint64
}

// rank orders the actions of equal version: an item that is finished stays finished.
func rank(a scenario.Action) uint8 {
	switch a {
	case scenario.Create:
		return 1
	case scenario.Update:
		return 2
	case scenario.Complete:
		return 3
	case scenario.Delete:
		return 4
	}
	return 0
}

// finished is the least rank of an item that is no longer open.
const finished = 3

// Latest remembers the state of the keys that were delivered last, within bounds: it forgets the keys that were not
// touched for longest, generation by generation.
type Latest struct {
	young, old map[record.Key]State
}

// Superseded reports whether an event is older than what was delivered already, so that an old create never revives a
// finished item.
//
// With versions, version and then action decide. Without them the order of acceptance decides, except that an event that
// the CRM itself dates before the end of the item does not open it again. order is the number of the delivery, or that of
// the dead one that is replayed: what was accepted before the state that was delivered last does not follow it.
func (l *Latest) Superseded(key record.Key, version int64, action scenario.Action, at time.Time, order uint64) bool {
	last, ok := l.get(key)
	if !ok {
		return false
	}
	if version > 0 && last.Version > 0 {
		return version < last.Version || version == last.Version && rank(action) <= last.Rank
	}
	if order < last.Seq {
		return true
	}
	return last.Rank >= finished && rank(action) < finished && !at.IsZero() && at.Before(last.Time)
}

func (l *Latest) get(key record.Key) (State, bool) {
	s, ok := l.young[key]
	if !ok {
		s, ok = l.old[key]
	}
	return s, ok
}

// Set notes what was delivered.
func (l *Latest) Set(key record.Key, s State) {
	if l.young == nil {
		l.young = map[record.Key]State{}
	}
	if len(l.young) >= generation {
		l.old, l.young = l.young, map[record.Key]State{}
	}
	l.young[key] = s
}

const stateBytes = len(record.Key{}) + 8 + 1 + 8 + 8

func appendStates(b []byte, states map[record.Key]State) []byte {
	for k, s := range states {
		b = append(b, k[:]...)
		b = binary.LittleEndian.AppendUint64(b, uint64(s.Version))
		b = append(b, s.Rank)
		var at int64
		if !s.Time.IsZero() {
			at = s.Time.UnixMilli()
		}
		b = binary.LittleEndian.AppendUint64(b, uint64(at))
		b = binary.LittleEndian.AppendUint64(b, s.Seq)
	}
	return b
}

func parseStates(b []byte) map[record.Key]State {
	states := make(map[record.Key]State, len(b)/stateBytes)
	for ; len(b) >= stateBytes; b = b[stateBytes:] {
		s := State{Version: int64(binary.LittleEndian.Uint64(b[16:])), Rank: b[24], Seq: binary.LittleEndian.Uint64(b[33:])}
		if at := int64(binary.LittleEndian.Uint64(b[25:])); at != 0 {
			s.Time = time.UnixMilli(at)
		}
		states[record.Key(b[:16])] = s
	}
	return states
}
