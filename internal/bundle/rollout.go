package bundle

import (
	"hash/fnv"
	"slices"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// Share is a part of the receivers.
type Share struct {
	// People are CRM accounts, sorted.
	People []string `json:"people,omitempty"`
	// Percent of all receivers, 0 to 100, beside People.
	Percent int `json:"percent"`
}

// Includes reports whether a CRM account is in the share. It depends on the account alone, so that a person stays in when
// the percentage grows. A nil Share is everybody.
func (s *Share) Includes(account string) bool {
	if s == nil {
		return true
	}
	if _, listed := slices.BinarySearch(s.People, account); listed {
		return true
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(account))
	x := h.Sum64()
	x ^= x >> 32 // FNV's low bits alone are weak for short numbers
	x *= 0xd6e8feb86659fd93
	return int((x^x>>32)%100) < s.Percent
}

// compileShare returns nil for a share that says nothing.
func compileShare(s v1alpha1.RolloutShare) *Share {
	if len(s.People) == 0 && s.Percent == nil {
		return nil
	}
	out := &Share{People: slices.Sorted(slices.Values(s.People))}
	if s.Percent != nil {
		out.Percent = int(*s.Percent)
	}
	return out
}
