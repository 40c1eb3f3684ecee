package lanes

import (
	"cmp"
	"slices"
)

// timers is a heap of entries by the time they wake.
type timers []*Entry

func (t timers) Len() int           { return len(t) }
func (t timers) Less(i, j int) bool { return t[i].wake.Before(t[j].wake) }
func (t timers) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].index, t[j].index = i, j
}

// Push implements heap.Interface.
func (t *timers) Push(x any) {
	e := x.(*Entry)
	e.index = len(*t)
	*t = append(*t, e)
}

// Pop implements heap.Interface.
func (t *timers) Pop() any {
	old := *t
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*t = old[:len(old)-1]
	e.index = -1
	return e
}

// fifo is a queue that gives its memory back.
type fifo struct {
	items []*Entry
	start int
}

func (f *fifo) push(e *Entry) { f.items = append(f.items, e) }

func (f *fifo) pop() *Entry {
	if f.start == len(f.items) {
		return nil
	}
	e := f.items[f.start]
	f.items[f.start] = nil
	f.start++
	if f.start*2 >= len(f.items) {
		n := copy(f.items, f.items[f.start:])
		clear(f.items[n:])
		f.items, f.start = f.items[:n], 0
	}
	return e
}

// take removes the entries for which pick is true and returns them in order.
func (f *fifo) take(pick func(*Entry) bool) (taken []*Entry) {
	kept := f.items[:0]
	for _, e := range f.items[f.start:] {
		if pick(e) {
			taken = append(taken, e)
		} else {
			kept = append(kept, e)
		}
	}
	clear(f.items[len(kept):])
	f.items, f.start = kept, 0
	return taken
}

func (f *fifo) empty() bool { return f.start == len(f.items) }

// flows is the number of queues among which the turns go round (stochastic fair queueing): one scenario or receiver with
// many entries makes its own flow wait, and few others by chance.
const flows = 256

// turns is a queue for each flow, taken from in turn.
type turns struct {
	queues [flows]fifo
	// round holds the flows that have entries, in the order of their turns.
	round []uint8
	start int
}

func (t *turns) push(e *Entry) {
	q := &t.queues[e.Flow]
	if q.empty() {
		t.round = append(t.round, e.Flow)
	}
	q.push(e)
}

func (t *turns) pop() *Entry {
	if t.start == len(t.round) {
		return nil
	}
	flow := t.round[t.start]
	if t.start++; t.start*2 >= len(t.round) {
		n := copy(t.round, t.round[t.start:])
		t.round, t.start = t.round[:n], 0
	}
	q := &t.queues[flow]
	e := q.pop()
	if !q.empty() {
		t.round = append(t.round, flow)
	}
	return e
}

// take removes the entries for which pick is true and returns them by their numbers.
func (t *turns) take(pick func(*Entry) bool) (taken []*Entry) {
	round := t.round[t.start:]
	t.round, t.start = nil, 0
	for _, flow := range round {
		q := &t.queues[flow]
		taken = append(taken, q.take(pick)...)
		if !q.empty() {
			t.round = append(t.round, flow)
		}
	}
	slices.SortFunc(taken, func(a, b *Entry) int { return cmp.Compare(a.Seq, b.Seq) })
	return taken
}
