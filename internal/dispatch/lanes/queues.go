package lanes

// timers is a heap of entries by the time they wake.
type timers []*Entry

func (t timers) Len() int           { return len(t) }
func (t timers) Less(i, j int) bool { return t[i].wake.Before(t[j].wake) }
func (t timers) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].index, t[j].index = int32(i), int32(j)
}

// Push implements heap.Interface.
func (t *timers) Push(x any) {
	e := x.(*Entry)
	e.index = int32(len(*t))
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
type fifo[T any] struct {
	items []T
	start int
}

func (f *fifo[T]) push(x T) { f.items = append(f.items, x) }

// pop removes the first item; there must be one.
func (f *fifo[T]) pop() T {
	x := f.items[f.start]
	clear(f.items[f.start : f.start+1])
	f.start++
	if f.start*2 >= len(f.items) {
		n := copy(f.items, f.items[f.start:])
		clear(f.items[n:])
		f.items, f.start = f.items[:n], 0
	}
	return x
}

func (f *fifo[T]) empty() bool { return f.start == len(f.items) }
