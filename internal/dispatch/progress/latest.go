package progress

import (
	"encoding/binary"
	"encoding/hex"
	"maps"
	"time"

	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/scenario"
)

// generation is how many keys Latest remembers at least; it keeps at most twice as many. One takes about 100 bytes of
// memory and 51 of a checkpoint.
const generation = 50_000

// State is what was delivered last for a key.
type State struct {
	// Version of the item, 0 when the CRM gives none.
	Version int64
	// Rank of the action, see rank.
	Rank uint8
	// Time of the event, zero when the CRM gives none.
	Time time.Time
	// Seq is the number of the delivery, or of the one that it repeats.
	Seq uint64
	// Sent is the item.version that went out last, 0 when the template does not use it.
	Sent int64
	// Reopened counts how often the item was finished and opened again.
	Reopened uint16
	// Captured are values of the OA's answers, nil when there are none.
	Captured map[string]string
}

// after returns the state after a delivery that succeeded, perhaps some time after the OA accepted it.
func (s State) after(r *record.Record, open Open) State {
	captured := r.Captured
	if captured == nil {
		captured = open.Captured
	}
	order := r.Seq
	if r.ReplayOf != 0 {
		order = r.ReplayOf // it stands where the dead one stood, so that those that died behind it may follow
	}
	next := State{
		Version: r.Version, Rank: rank(r.Action), Time: r.EventTime, Seq: order, Sent: max(s.Sent, r.Sent, open.Sent), Reopened: s.Reopened, Captured: s.Captured,
	}
	if s.Opens(r.Action) {
		next.Reopened++
	}
	if len(captured) == 0 {
		return next
	}
	next.Captured = maps.Clone(s.Captured) // others may be reading the old one
	if next.Captured == nil {
		next.Captured = map[string]string{}
	}
	for name, value := range captured {
		if next.Captured[name] = value; value == "" {
			delete(next.Captured, name)
		}
	}
	return next
}

// never returns the state of an item that came and went without the OA, up to its end: what is accepted later is about a new one.
// The deliveries in between are written down one by one, so a process that ends among them must not send the rest, which the
// OA could only refuse. Their order decides, because their versions are not known here.
func (s State) never(end uint64) State {
	s.Version, s.Seq = 0, max(s.Seq, end+1)
	return s
}

// Opens reports whether an action opens a finished item again.
func (s State) Opens(a scenario.Action) bool { return s.Rank >= finished && rank(a) < finished }

// IsOpen reports whether the OA is known to show the item as open.
func (s State) IsOpen() bool { return s.Rank > 0 && s.Rank < finished }

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

// Get returns what was delivered last for a key; the zero State when nothing is known.
func (l *Latest) Get(key record.Key) State {
	s, _ := l.get(key)
	return s
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

const stateBytes = len(record.Key{}) + 8 + 1 + 8 + 8 + 8 + 2

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
		b = binary.LittleEndian.AppendUint64(b, uint64(s.Sent))
		b = binary.LittleEndian.AppendUint16(b, s.Reopened)
	}
	return b
}

func parseStates(b []byte) map[record.Key]State {
	states := make(map[record.Key]State, len(b)/stateBytes)
	for ; len(b) >= stateBytes; b = b[stateBytes:] {
		s := State{Version: int64(binary.LittleEndian.Uint64(b[16:])), Rank: b[24], Seq: binary.LittleEndian.Uint64(b[33:]),
			Sent: int64(binary.LittleEndian.Uint64(b[41:])), Reopened: binary.LittleEndian.Uint16(b[49:])}
		if at := int64(binary.LittleEndian.Uint64(b[25:])); at != 0 {
			s.Time = time.UnixMilli(at)
		}
		states[record.Key(b[:16])] = s
	}
	return states
}

// captured are the captured values by key, in hex.
func (l *Latest) captured() map[string]map[string]string {
	out := map[string]map[string]string{}
	for k, s := range l.young {
		if len(s.Captured) > 0 {
			out[hex.EncodeToString(k[:])] = s.Captured
		}
	}
	for k, s := range l.old {
		if _, newer := l.young[k]; !newer && len(s.Captured) > 0 {
			out[hex.EncodeToString(k[:])] = s.Captured
		}
	}
	return out
}

// restoreCaptured is the inverse of captured.
func (l *Latest) restoreCaptured(captured map[string]map[string]string) {
	for name, values := range captured {
		raw, err := hex.DecodeString(name)
		if err != nil || len(raw) != len(record.Key{}) {
			continue
		}
		k := record.Key(raw)
		states := l.old
		if _, newer := l.young[k]; newer {
			states = l.young
		}
		if s, ok := states[k]; ok {
			s.Captured = values
			states[k] = s
		}
	}
}
