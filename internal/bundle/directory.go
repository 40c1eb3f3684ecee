package bundle

import (
	"cmp"
	"slices"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// Binding is the state of a CRM account.
type Binding int

// The states.
const (
	// Unbound: no AccountBinding names it.
	Unbound Binding = iota
	// Bound to an OA account.
	Bound
	// Conflicting: its OA account belongs to an earlier pair, so items for it are held rather than sent to someone else.
	Conflicting
)

// Directory maps accounts both ways. It is a sorted list with an index, which takes a third of the memory of two maps,
// and never changes: it is safe for concurrent use. The nil Directory is empty.
type Directory struct {
	pairs []v1alpha1.AccountPair // by CRM account
	byOA  []uint32               // indexes of pairs, by OA account
	held  []string               // sorted
}

// NewDirectory makes a Directory of pairs in which every account is unique, and of CRM accounts that are held.
func NewDirectory(pairs []v1alpha1.AccountPair, held []string) *Directory {
	d := &Directory{pairs: slices.Clone(pairs), byOA: make([]uint32, len(pairs)), held: slices.Sorted(slices.Values(held))}
	slices.SortFunc(d.pairs, func(a, b v1alpha1.AccountPair) int { return cmp.Compare(a.CRM, b.CRM) })
	for i := range d.byOA {
		d.byOA[i] = uint32(i)
	}
	slices.SortFunc(d.byOA, func(a, b uint32) int { return cmp.Compare(d.pairs[a].OA, d.pairs[b].OA) })
	return d
}

// OA returns the OA account of a CRM account; it is empty unless the state is Bound.
func (d *Directory) OA(crm string) (oa string, state Binding) {
	if d == nil {
		return "", Unbound
	}
	if i, ok := slices.BinarySearchFunc(d.pairs, crm, func(p v1alpha1.AccountPair, s string) int { return cmp.Compare(p.CRM, s) }); ok {
		return d.pairs[i].OA, Bound
	}
	if _, ok := slices.BinarySearch(d.held, crm); ok {
		return "", Conflicting
	}
	return "", Unbound
}

// CRM returns the CRM account of an OA account.
func (d *Directory) CRM(oa string) (crm string, ok bool) {
	if d == nil {
		return "", false
	}
	i, ok := slices.BinarySearchFunc(d.byOA, oa, func(i uint32, s string) int { return cmp.Compare(d.pairs[i].OA, s) })
	if !ok {
		return "", false
	}
	return d.pairs[d.byOA[i]].CRM, true
}

// Len is the number of pairs.
func (d *Directory) Len() int {
	if d == nil {
		return 0
	}
	return len(d.pairs)
}
