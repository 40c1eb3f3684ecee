package match

import (
	"cmp"
	"slices"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// Input of Join.
type Input struct {
	// By lists the keys in the order in which they decide.
	By      []v1alpha1.MatchKey
	CRM, OA []Person
	// Bound pairs stay as they are: neither of their accounts is matched again.
	Bound []v1alpha1.AccountPair
	// Exclude lists CRM accounts that are not matched.
	Exclude []string
}

// Result of Join, both parts by CRM account.
type Result struct {
	// Pairs are new.
	Pairs []v1alpha1.AccountPair
	// Unmatched people of the CRM are neither bound nor excluded, and have no pair.
	Unmatched []Unmatched
}

// Join finds the OA account of each person of the CRM who is not bound yet. For each person, the keys are tried in turn; the
// first one whose value one person on each side has alone decides. Nobody is guessed: not who shares every value with
// somebody, not who is led to an account that is bound or to which somebody else is led as well. The order of the
// directories does not matter, and a second Join with the new pairs among the bound ones finds none.
func Join(in Input) Result {
	skip := make(map[string]bool, len(in.Bound)+len(in.Exclude))
	owner := make(map[string]string, len(in.Bound))
	for _, p := range in.Bound {
		skip[p.CRM], owner[p.OA] = true, p.CRM
	}
	for _, account := range in.Exclude {
		skip[account] = true
	}
	j := joiner{by: in.By, crm: newIndex(in.By, in.CRM), oa: newIndex(in.By, in.OA), led: make([]int32, len(in.OA))}
	var leads []lead
	var out Result
	for i := range in.CRM {
		if skip[in.CRM[i].Account] {
			continue
		}
		l, u := j.find(int32(i)) //nolint:gosec // there are fewer than 2³¹ people
		if u != nil {
			out.Unmatched = append(out.Unmatched, *u)
			continue
		}
		leads = append(leads, l)
		j.led[l.oa]++
	}
	for _, l := range leads {
		crm, oa := in.CRM[l.crm].Account, in.OA[l.oa].Account
		switch bound, taken := owner[oa]; {
		case taken:
			out.Unmatched = append(out.Unmatched, Unmatched{CRM: crm, Why: Taken, Key: l.key, Others: []string{oa}, Owner: bound})
		case j.led[l.oa] > 1:
			out.Unmatched = append(out.Unmatched, Unmatched{CRM: crm, Why: Contested, Key: l.key, Others: []string{oa}})
		default:
			out.Pairs = append(out.Pairs, v1alpha1.AccountPair{CRM: crm, OA: oa})
		}
	}
	slices.SortFunc(out.Pairs, func(a, b v1alpha1.AccountPair) int { return cmp.Compare(a.CRM, b.CRM) })
	slices.SortFunc(out.Unmatched, func(a, b Unmatched) int { return cmp.Compare(a.CRM, b.CRM) })
	return out
}

// joiner is the state of one Join.
type joiner struct {
	by      []v1alpha1.MatchKey
	crm, oa *index
	// led counts the people of the CRM that lead to each person of the OA.
	led []int32
}

// lead from a person of the CRM to the one of the OA, and the key that decided.
type lead struct {
	crm, oa int32
	key     v1alpha1.MatchKey
}

// find tries the keys in turn. Of several reasons why nobody is found, the first shared value is named: it is the one that
// can be corrected.
func (j *joiner) find(i int32) (lead, *Unmatched) {
	p := &j.crm.people[i]
	u := &Unmatched{CRM: p.Account, Why: Unknown, Keys: j.by}
	for _, k := range j.by {
		value := *keys[k].of(p)
		if value == "" {
			continue
		}
		here, there := j.crm.all(k, value), j.oa.all(k, value)
		switch {
		case len(there) == 0:
			if u.Why == Unknown {
				u.Why = Missing
			}
		case len(here) == 1 && len(there) == 1:
			return lead{i, there[0], k}, nil
		case u.Why == SharedInOA || u.Why == SharedInCRM:
		case len(there) > 1:
			u.Why, u.Key, u.Others = SharedInOA, k, j.oa.accounts(there, "")
		default:
			u.Why, u.Key, u.Others = SharedInCRM, k, j.crm.accounts(here, p.Account)
		}
	}
	return lead{}, u
}

// index finds people by the value of a key. People with one value are chained, which costs one number for each.
type index struct {
	people []Person
	first  map[v1alpha1.MatchKey]map[string]int32
	next   map[v1alpha1.MatchKey][]int32
}

func newIndex(by []v1alpha1.MatchKey, people []Person) *index {
	x := &index{people, map[v1alpha1.MatchKey]map[string]int32{}, map[v1alpha1.MatchKey][]int32{}}
	for _, k := range by {
		first, next := make(map[string]int32, len(people)), make([]int32, len(people))
		of := keys[k].of
		for i := range people {
			value := *of(&people[i])
			if value == "" {
				continue
			}
			next[i] = -1
			if other, there := first[value]; there {
				next[i] = other
			}
			first[value] = int32(i) //nolint:gosec // there are fewer than 2³¹ people
		}
		x.first[k], x.next[k] = first, next
	}
	return x
}

// all people who have a value, at most maxOthers+1 of them.
func (x *index) all(k v1alpha1.MatchKey, value string) (found []int32) {
	i, there := x.first[k][value]
	for ; there && i >= 0 && len(found) <= maxOthers; i = x.next[k][i] {
		found = append(found, i)
	}
	return found
}

// accounts of people other than the one named, sorted.
func (x *index) accounts(people []int32, but string) (names []string) {
	for _, i := range people {
		if account := x.people[i].Account; account != but {
			names = append(names, account)
		}
	}
	slices.Sort(names)
	return names[:min(len(names), maxOthers)]
}
