package lanes

import (
	"cmp"
	"slices"
	"unique"
)

// turns holds the ready entries so that all get their turn: the classes of calls one after the other, and within a class
// the receivers one after the other. However many entries one receiver has, one of another waits for as many calls as
// there are classes times receivers with ready entries, at most. Every step takes constant time.
type turns struct {
	classes map[class]*calls
	round   fifo[*calls]
}

// class of entries that may be taken together.
type class struct {
	form  unique.Handle[Form]
	alone bool
}

// calls are the entries of a class.
type calls struct {
	class
	flows map[uint32]*flow
	round fifo[*flow]
}

// flow is the entries of one receiver in a class, those first that have been ready for longest.
type flow struct {
	id      uint32
	entries fifo[*Entry]
}

func (t *turns) push(e *Entry) {
	k := class{e.Form, e.Alone}
	c := t.classes[k]
	if c == nil {
		if t.classes == nil {
			t.classes = map[class]*calls{}
		}
		c = &calls{class: k, flows: map[uint32]*flow{}}
		t.classes[k] = c
		t.round.push(c)
	}
	c.push(e)
}

func (c *calls) push(e *Entry) {
	f := c.flows[e.Flow]
	if f == nil {
		f = &flow{id: e.Flow}
		c.flows[e.Flow] = f
		c.round.push(f)
	}
	f.entries.push(e)
}

// pop takes the entries whose turn it is: as many as most says for their form, one when they go alone.
func (t *turns) pop(most func(Form) int) []*Entry {
	if t.round.empty() {
		return nil
	}
	c := t.round.pop()
	n := 1
	if !c.alone {
		n = max(most(c.form.Value()), 1)
	}
	var taken []*Entry
	for len(taken) < n && !c.round.empty() {
		f := c.round.pop()
		taken = append(taken, f.entries.pop())
		if f.entries.empty() {
			delete(c.flows, f.id)
		} else {
			c.round.push(f)
		}
	}
	t.again(c)
	return taken
}

// again gives a class its next turn, if it has entries left.
func (t *turns) again(c *calls) {
	if c.round.empty() {
		delete(t.classes, c.class)
	} else {
		t.round.push(c)
	}
}

// take removes at most n of the entries for which pick is true, and returns them by their numbers.
func (t *turns) take(n int, pick func(*Entry) bool) (taken []*Entry) {
	for range len(t.classes) {
		c := t.round.pop()
		for range len(c.flows) {
			f := c.round.pop()
			var kept fifo[*Entry]
			for !f.entries.empty() {
				if e := f.entries.pop(); len(taken) < n && pick(e) {
					taken = append(taken, e)
				} else {
					kept.push(e)
				}
			}
			if f.entries = kept; kept.empty() {
				delete(c.flows, f.id)
			} else {
				c.round.push(f)
			}
		}
		t.again(c)
	}
	slices.SortFunc(taken, func(a, b *Entry) int { return cmp.Compare(a.Seq, b.Seq) })
	return taken
}
