package dispatch

// workers runs functions at the same time and keeps the goroutines for the next ones: their stacks have grown to what a
// call to the OA needs, which costs a new goroutine as much as rendering a template.
type workers struct {
	next chan func()
	// done ends those that have nothing to do.
	done <-chan struct{}
}

func newWorkers(done <-chan struct{}) *workers { return &workers{next: make(chan func()), done: done} }

// run calls f in a goroutine; it does not wait.
func (w *workers) run(f func()) {
	select {
	case w.next <- f: // one is idle
	default:
		go w.work(f)
	}
}

func (w *workers) work(f func()) {
	for {
		f()
		select {
		case f = <-w.next:
		case <-w.done:
			return
		}
	}
}
