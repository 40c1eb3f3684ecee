package tokens

import "time"

// held is a token and what is known of its life.
type held struct {
	Value string `json:"value"`
	// Issued is when it was asked for, LastUse when the last call began that the OA accepted with it.
	Issued  time.Time `json:"issued"`
	LastUse time.Time `json:"lastUse"`
	// Life from Issued on; 0 when only idling ends it.
	Life time.Duration `json:"life,omitempty"`
}

// freshness of a token.
type freshness int

const (
	dead  freshness = iota // not to be used
	stale                  // still good, but time for a new one
	fresh
)

// maxMargin bounds how much before the end of its fixed life a token is considered dead.
const maxMargin = 30 * time.Second

// early is when a token is replaced: at 80 % of its life.
func early(life time.Duration) time.Duration { return life / 5 * 4 }

// at says how fresh a token is. A token that may only idle is dead at 80 % of that, because nobody needed it until now
// and asking for it costs the same then as later; the rest covers the way of a call to the OA and clocks that run
// differently. One with a fixed life is stale from 80 % on, so that a new one is there before it ends.
func (h held) at(now time.Time, idle time.Duration) freshness {
	age := now.Sub(h.Issued)
	switch {
	case h.Value == "", idle > 0 && now.Sub(h.LastUse) >= early(idle):
		return dead
	case h.Life <= 0 || age < early(h.Life):
		return fresh
	case age < h.Life-min(h.Life/10, maxMargin):
		return stale
	}
	return dead
}
