// Package progress knows how far the dispatcher got: which deliveries are done, how often the others were tried, and
// what was delivered last of each item. It is a pure fold over RECORDS, so it can be rebuilt at any time.
package progress

import "math/bits"

// wordBits is the number of deliveries in a word of the bit set.
const wordBits = 64

// Done is a set of sequence numbers that fills up from below: a floor, and bits for what is done above it.
type Done struct {
	// floor: all numbers up to and including it are done.
	floor uint64
	// bits[i] holds the numbers base+64*i … base+64*i+63, where base = floor rounded down to a multiple of 64.
	bits []uint64
}

func (d *Done) base() uint64 { return d.floor / wordBits * wordBits }

// Floor is the highest number below which nothing is open.
func (d *Done) Floor() uint64 { return d.floor }

// Has reports whether seq is done.
func (d *Done) Has(seq uint64) bool {
	if seq <= d.floor {
		return true
	}
	word := (seq - d.base()) / wordBits
	return word < uint64(len(d.bits)) && d.bits[word]&(1<<(seq%wordBits)) != 0
}

// Add marks seq as done and reports whether it was not before.
func (d *Done) Add(seq uint64) bool {
	if d.Has(seq) {
		return false
	}
	word := (seq - d.base()) / wordBits
	for uint64(len(d.bits)) <= word {
		d.bits = append(d.bits, 0)
	}
	d.bits[word] |= 1 << (seq % wordBits)
	for d.above(d.floor + 1) {
		d.raise(d.floor + 1)
	}
	return true
}

func (d *Done) above(seq uint64) bool {
	word := (seq - d.base()) / wordBits
	return word < uint64(len(d.bits)) && d.bits[word]&(1<<(seq%wordBits)) != 0
}

// raise moves the floor up by one.
func (d *Done) raise(floor uint64) {
	old := d.base()
	d.floor = floor
	if d.base() != old {
		d.bits = d.bits[min(1, len(d.bits)):]
	}
	if len(d.bits) == 0 {
		d.bits = nil
	}
}

// Between counts what is done in (from, to].
func (d *Done) Between(from, to uint64) (n uint64) {
	if from < d.floor {
		n = min(to, d.floor) - from
		from = d.floor
	}
	for seq := from + 1; seq <= to && (seq-d.base())/wordBits < uint64(len(d.bits)); seq++ {
		if d.Has(seq) {
			n++
		}
	}
	return n
}

// highest is the highest number that is done.
func (d *Done) highest() uint64 {
	for word := len(d.bits) - 1; word >= 0; word-- {
		if b := d.bits[word]; b != 0 {
			return max(d.floor, d.base()+uint64(word)*wordBits+uint64(bits.Len64(b))-1)
		}
	}
	return d.floor
}
