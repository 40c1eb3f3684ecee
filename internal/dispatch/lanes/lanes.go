// Package lanes keeps deliveries that wait in memory: one queue for each key, of which only the head moves. It knows
// nothing of disks, networks or clocks, and is not safe for concurrent use.
package lanes

import (
	"cmp"
	"container/heap"
	"slices"
	"time"
	"unique"

	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/scenario"
)

// State of an entry.
type State uint8

// The states.
const (
	// Queued behind another entry of its key.
	Queued State = iota
	// Ready to be taken.
	Ready
	// Taken by a worker, until Done, Retry or Hold.
	Taken
	// Retrying waits for its time.
	Retrying
	// Confirming waits for its time too: the OA accepted it and is asked then whether it holds it.
	Confirming
	// Held waits for a change of the configuration.
	Held
)

// Form says which call an entry makes.
type Form struct {
	// Kind of the item, and the name of its scenario.
	Kind, Scenario string
	Action         scenario.Action
}

// Entry is a reference to a delivery.
type Entry struct {
	Seq        uint64
	Key        record.Key
	AcceptedAt time.Time
	// Frame and Index say where the delivery is stored.
	Frame uint64
	Index int32
	// Flow tells receivers apart: entries of one flow wait for each other, not for those of another.
	Flow uint32
	// Form is that of the entry's call. Entries of one form may be taken together, unless they go Alone.
	Form  unique.Handle[Form]
	Alone bool
	// Delivery is nil when it has to be read again; Size is what it takes in memory, in bytes.
	Delivery *record.Delivery
	Size     int
	// Skip is the reason for which the entry is not needed any more, "" when it is.
	Skip string
	// Merged is the number of the entry whose state was sent with this one, 0 when it was its own.
	Merged uint64
	// Noted is the number of the entry whose state this one goes out with, as it was written down, or with whose end it came and
	// went; 0 when there is none.
	Noted uint64
	// Attempts so far; Class and Message of the last failed one.
	Attempts       int
	Class, Message string
	// HeldFor is the reason it was last held for, "" when it was not, and Receiver the CRM account that it was held for.
	HeldFor, Receiver string
	// TargetDown: the last attempt failed because of the OA as a whole.
	TargetDown bool
	// Accepted: the OA accepted it, and was asked ReadBacks times whether it holds it.
	Accepted  bool
	ReadBacks uint8
	// Judged: the entry has its verdict of the service level objective. Excused: it gets none, because it waited for a person.
	Judged, Excused bool
	// NotBefore is when the next attempt is due for an entry that waited when the process ended before.
	NotBefore time.Time

	state State
	wake  time.Time
	index int32 // in the heap, -1 when not there
	next  *Entry
}

// State of the entry.
func (e *Entry) State() State { return e.state }

// Action of the entry.
func (e *Entry) Action() scenario.Action { return e.Form.Value().Action }

type lane struct {
	head, tail *Entry
	n          int64
}

// Table holds all lanes.
type Table struct {
	lanes   map[record.Key]*lane
	entries map[uint64]*Entry
	// flows counts the entries of each flow.
	flows  map[uint32]int
	ready  turns
	timers timers
	held   map[string]int64
	counts [Held + 1]int64
	cached int
}

// New returns an empty Table.
func New() *Table {
	return &Table{lanes: map[record.Key]*lane{}, entries: map[uint64]*Entry{}, flows: map[uint32]int{}, held: map[string]int64{}}
}

// Add appends an entry to its lane. Entries of a lane must come in the order of their sequence numbers.
func (t *Table) Add(e *Entry) {
	e.index = -1
	t.entries[e.Seq] = e
	t.flows[e.Flow]++
	if e.Delivery != nil {
		t.cached += e.Size
	}
	l := t.lanes[e.Key]
	if l == nil {
		t.lanes[e.Key] = &lane{head: e, tail: e, n: 1}
		t.enter(e, Ready)
		return
	}
	l.tail.next = e
	l.tail = e
	l.n++
	e.state = Queued
	t.counts[Queued]++
	if l.head.state == Held {
		t.held[l.head.HeldFor]++
	}
}

// Next takes the entries whose turn it is, none when none is ready: of one form, as many as most says for it, no two of
// one lane. Those that go alone are taken alone.
func (t *Table) Next(most func(Form) int) []*Entry {
	return t.taken(t.ready.pop(most))
}

// TakeOlder takes at most n ready entries that were accepted before the cutoff.
func (t *Table) TakeOlder(cutoff time.Time, n int) []*Entry {
	return t.taken(t.ready.take(n, func(e *Entry) bool { return e.AcceptedAt.Before(cutoff) }))
}

func (t *Table) taken(entries []*Entry) []*Entry {
	for _, e := range entries {
		t.move(e, Taken)
	}
	return entries
}

// Done removes a taken entry; the next one of its lane gets ready.
func (t *Table) Done(e *Entry) {
	t.counts[e.state]--
	t.Forget(e)
	delete(t.entries, e.Seq)
	if t.flows[e.Flow]--; t.flows[e.Flow] == 0 {
		delete(t.flows, e.Flow)
	}
	l := t.lanes[e.Key]
	l.head = e.next
	l.n--
	e.next = nil
	if l.head == nil {
		delete(t.lanes, e.Key)
		return
	}
	t.counts[Queued]--
	t.enter(l.head, Ready)
}

// Return makes a taken entry ready again, as if it had not been taken.
func (t *Table) Return(e *Entry) { t.move(e, Ready) }

// Retry lets a taken entry wait until a time.
func (t *Table) Retry(e *Entry, at time.Time) {
	t.move(e, Retrying)
	t.wakeAt(e, at)
}

// Confirm lets a taken entry that the OA accepted wait until it is asked about it.
func (t *Table) Confirm(e *Entry, at time.Time) {
	t.Forget(e)
	t.move(e, Confirming)
	t.wakeAt(e, at)
}

// Hold lets a taken entry wait until Release, at most until a time.
func (t *Table) Hold(e *Entry, reason string, until time.Time) {
	e.HeldFor = reason
	t.Forget(e)
	t.move(e, Held)
	t.wakeAt(e, until)
}

// Release makes waiting entries ready for which pick is true, the earliest accepted first.
func (t *Table) Release(pick func(*Entry) bool) {
	var picked, kept timers
	for _, e := range t.timers {
		if pick(e) {
			e.index = -1
			picked = append(picked, e)
		} else {
			e.index = int32(len(kept))
			kept = append(kept, e)
		}
	}
	if len(picked) == 0 {
		return
	}
	t.timers = kept
	heap.Init(&t.timers)
	slices.SortFunc(picked, func(a, b *Entry) int { return cmp.Compare(a.Seq, b.Seq) })
	for _, e := range picked {
		t.move(e, Ready)
	}
}

// Wake makes entries ready whose time has come.
func (t *Table) Wake(now time.Time) {
	for len(t.timers) > 0 && !t.timers[0].wake.After(now) {
		e := heap.Pop(&t.timers).(*Entry)
		t.move(e, Ready)
	}
}

// NextWake is when the next waiting entry is due; false when none waits.
func (t *Table) NextWake() (time.Time, bool) {
	if len(t.timers) == 0 {
		return time.Time{}, false
	}
	return t.timers[0].wake, true
}

// Forget lets go of the delivery of an entry: it is read again when its turn comes.
func (t *Table) Forget(e *Entry) {
	if e.Delivery != nil {
		t.cached -= e.Size
		e.Delivery = nil
	}
}

// Behind returns the entry that follows in the same lane, nil when there is none.
func (t *Table) Behind(e *Entry) *Entry { return e.next }

// Halted reports whether an entry waits for a change of the configuration, because it or the head of its lane is held.
func (t *Table) Halted(e *Entry) bool { return t.lanes[e.Key].head.state == Held }

// Get returns the entry of a sequence number, nil when it is not here.
func (t *Table) Get(seq uint64) *Entry { return t.entries[seq] }

// Len is the number of entries.
func (t *Table) Len() int { return len(t.entries) }

// Flow is the number of entries of a flow.
func (t *Table) Flow(flow uint32) int { return t.flows[flow] }

// Count is the number of entries in a state.
func (t *Table) Count(s State) int64 { return t.counts[s] }

// Held is the number of entries that wait for a change of the configuration: held ones and those behind them.
func (t *Table) Held() (n int64) {
	for _, v := range t.held {
		n += v
	}
	return n
}

// HeldReasons counts the entries of Held by reason.
func (t *Table) HeldReasons() map[string]int64 {
	if len(t.held) == 0 {
		return nil
	}
	out := make(map[string]int64, len(t.held))
	for k, v := range t.held {
		out[k] = v
	}
	return out
}

// HeldPeople calls yield for each held entry with the CRM account and the number of entries that wait for it, itself
// included.
func (t *Table) HeldPeople(yield func(account, reason string, n int64)) {
	for _, e := range t.timers {
		if e.state == Held {
			yield(e.Receiver, e.HeldFor, t.lanes[e.Key].n)
		}
	}
}

// Cached is the size of all deliveries in memory, in bytes.
func (t *Table) Cached() int { return t.cached }

func (t *Table) wakeAt(e *Entry, at time.Time) {
	e.wake = at
	heap.Push(&t.timers, e)
}

func (t *Table) move(e *Entry, s State) {
	t.counts[e.state]--
	if e.state == Held {
		if t.held[e.HeldFor] -= t.lanes[e.Key].n; t.held[e.HeldFor] == 0 {
			delete(t.held, e.HeldFor)
		}
	}
	t.enter(e, s)
}

func (t *Table) enter(e *Entry, s State) {
	e.state = s
	t.counts[s]++
	switch s {
	case Ready:
		t.ready.push(e)
	case Held:
		t.held[e.HeldFor] += t.lanes[e.Key].n
	}
}
