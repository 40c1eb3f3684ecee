package bundle

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// AccountSet is the pairs of one AccountBinding.
type AccountSet struct {
	Namespace, Name string
	// Created is when the AccountBinding was created: the earlier set wins.
	Created time.Time
	Pairs   []v1alpha1.AccountPair
}

func (s AccountSet) id() string { return s.Namespace + "/" + s.Name }

// Conflict is a pair that is not in use because an earlier pair claims one of its accounts.
type Conflict struct {
	// Pair that is not in use, and its Set ("namespace/name").
	Pair v1alpha1.AccountPair
	Set  string
	// Stays is the pair in use, and StaysSet its set.
	Stays    v1alpha1.AccountPair
	StaysSet string
}

// Message names both pairs, and which one stays.
func (c Conflict) Message() string {
	account := "OA account " + c.Pair.OA
	if c.Pair.CRM == c.Stays.CRM {
		account = "CRM account " + c.Pair.CRM
	}
	return fmt.Sprintf("%s is claimed twice: %s ↔ %s (%s) stays in use, %s ↔ %s (%s) is not used; remove one of them",
		account, c.Stays.CRM, c.Stays.OA, c.StaysSet, c.Pair.CRM, c.Pair.OA, c.Set)
}

// Merge joins sets so that every CRM account and every OA account is in one pair at most. The earlier set (by creation,
// then by name) wins, in a set the earlier row (F160). The same pair again is no conflict.
func Merge(sets []AccountSet) (pairs []v1alpha1.AccountPair, conflicts []Conflict) {
	sets = slices.Clone(sets)
	slices.SortStableFunc(sets, func(a, b AccountSet) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Namespace, b.Namespace))
	})
	total := rows(sets)
	type owner struct{ pair, set int }
	pairs = make([]v1alpha1.AccountPair, 0, total)
	byCRM, byOA := make(map[string]owner, total), make(map[string]owner, total)
	for i, s := range sets {
		for _, p := range s.Pairs {
			first, taken := byCRM[p.CRM]
			if !taken {
				first, taken = byOA[p.OA]
			}
			if !taken {
				byCRM[p.CRM] = owner{len(pairs), i}
				byOA[p.OA] = owner{len(pairs), i}
				pairs = append(pairs, p)
				continue
			}
			if stays := pairs[first.pair]; stays != p {
				conflicts = append(conflicts, Conflict{Pair: p, Set: s.id(), Stays: stays, StaysSet: sets[first.set].id()})
			}
		}
	}
	return pairs, conflicts
}

// rows counts pairs, conflicts included.
func rows(sets []AccountSet) int {
	n := 0
	for _, s := range sets {
		n += len(s.Pairs)
	}
	return n
}

// unserved returns the CRM accounts that are in a conflict and in no pair in use.
func unserved(pairs []v1alpha1.AccountPair, conflicts []Conflict) []string {
	if len(conflicts) == 0 {
		return nil
	}
	bound := make(map[string]bool, len(pairs))
	for _, p := range pairs {
		bound[p.CRM] = true
	}
	var out []string
	for _, c := range conflicts {
		if !bound[c.Pair.CRM] {
			out = append(out, c.Pair.CRM)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
