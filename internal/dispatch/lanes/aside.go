package lanes

// Place says where a delivery is stored.
type Place struct {
	Seq, Frame uint64
	Index      int32
}

// Aside remembers where deliveries are stored that are not in a Table, because their receiver has too many there already:
// those of other receivers behind them need not wait. What is set aside of a receiver stays in order. The zero value is
// empty. It is not safe for concurrent use.
type Aside struct {
	flows map[uint32]*fifo[Place]
	n     int
}

// Add sets a delivery of a flow aside, behind those that are there.
func (a *Aside) Add(flow uint32, p Place) {
	f := a.flows[flow]
	if f == nil {
		if a.flows == nil {
			a.flows = map[uint32]*fifo[Place]{}
		}
		f = &fifo[Place]{}
		a.flows[flow] = f
	}
	f.push(p)
	a.n++
}

// Has reports whether something of a flow is set aside. What comes later of it has to go there too.
func (a *Aside) Has(flow uint32) bool { return a.flows[flow] != nil }

// Len is the number of deliveries that are set aside.
func (a *Aside) Len() int { return a.n }

// First returns the first places, n at most, of a flow for which pick is true; none when there is no such flow.
func (a *Aside) First(n int, pick func(flow uint32) bool) (flow uint32, places []Place) {
	for flow, f := range a.flows {
		if pick(flow) {
			left := f.items[f.start:]
			return flow, append([]Place(nil), left[:min(n, len(left))]...)
		}
	}
	return 0, nil
}

// Drop forgets the first n places of a flow: they are in the Table now.
func (a *Aside) Drop(flow uint32, n int) {
	f := a.flows[flow]
	for range n {
		f.pop()
	}
	a.n -= n
	if f.empty() {
		delete(a.flows, flow)
	}
}
