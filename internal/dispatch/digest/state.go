package digest

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

const (
	// stateKey of the store's small state.
	stateKey = "digest"
	// nameAgain is how long nothing of a person must be held before the person is named again.
	nameAgain = 24 * time.Hour
	// maxPeople bounds the people that are remembered.
	maxPeople = 2000

	// retryFirst is the pause before a digest that could not be sent is sent again; it doubles up to retryMax.
	retryFirst = 30 * time.Second
	retryMax   = 15 * time.Minute
)

// state is what the store remembers. Its methods are pure: they know no clock and no store.
type state struct {
	// Window is the end of the last window that was looked at, Upto the last dead letter that was there then.
	Window time.Time `json:"window"`
	Upto   uint64    `json:"upto"`
	// People whose items are held, or were until lately, by their CRM account.
	People map[string]person `json:"people,omitempty"`
	// Channels by name.
	Channels map[string]*channelState `json:"channels"`
}

type person struct {
	// First is the window in which the person was found, Last the one in which items were held last.
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	// Items that are held now; 0 when none is.
	Items  int64  `json:"items,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// channelState is how far one channel was told.
type channelState struct {
	// Cursor is the last dead letter that it was told of, People the window up to which it was told of people.
	Cursor uint64    `json:"cursor"`
	People time.Time `json:"people"`
	// Told is the window up to which all was told, Success when it last had nothing left to be told, Sent when it last took
	// a digest.
	Told    time.Time `json:"told"`
	Success time.Time `json:"success,omitzero"`
	Sent    time.Time `json:"sent,omitzero"`
	// Open is the digest that it has to be told, nil when there is none.
	Open *open `json:"open,omitempty"`
}

// open is a digest that was not taken yet. The dead letters say what is in it.
type open struct {
	To       time.Time `json:"to"`
	Upto     uint64    `json:"upto"`
	Attempts int       `json:"attempts,omitempty"`
	Next     time.Time `json:"next,omitzero"`
	// Problem says why it was not taken.
	Problem string `json:"problem,omitempty"`
}

// newState begins with what comes from now on.
func newState(now time.Time, window time.Duration, last uint64) *state {
	return &state{Window: now.Truncate(window).UTC(), Upto: last, People: map[string]person{}, Channels: map[string]*channelState{}}
}

// adapt makes the state one of the given channels, and reports whether it is different now.
func (s *state) adapt(names []string) (changed bool) {
	before := len(s.Channels)
	maps.DeleteFunc(s.Channels, func(name string, _ *channelState) bool { return !slices.Contains(names, name) })
	changed = len(s.Channels) != before
	for _, name := range names {
		if s.Channels[name] == nil {
			s.Channels[name] = &channelState{Cursor: s.Upto, People: s.Window, Told: s.Window}
			changed = true
		}
	}
	return changed
}

// due is the end of a window that has not been looked at yet; false when there is none.
func (s *state) due(now time.Time, window time.Duration) (time.Time, bool) {
	to := now.Truncate(window).UTC()
	if s.Window.After(now.Add(window)) {
		s.Window = to // the clock was wrong: silence until then would be worse than a window too many
	}
	return to, to.After(s.Window)
}

// close ends a window: last is the youngest dead letter. Channels for which there is something have a digest open then;
// what could not be told before is a part of it.
func (s *state) close(to, now time.Time, last uint64, heldKnown bool, held []Person) {
	if last < s.Upto {
		// Another store than before: everything in it is new.
		for _, c := range s.Channels {
			c.Cursor, c.Open = 0, nil
		}
	}
	s.Window, s.Upto = to, last
	if heldKnown {
		s.observe(to, held)
	}
	for _, c := range s.Channels {
		switch {
		case c.Open != nil:
			c.Open.To, c.Open.Upto = to, last
		case c.Cursor < last || len(s.news(c.People, to)) > 0:
			c.Open = &open{To: to, Upto: last}
		default:
			c.Told, c.Success = to, now
		}
	}
}

// observe notes whose items are held at the end of a window.
func (s *state) observe(to time.Time, held []Person) {
	if s.People == nil {
		s.People = map[string]person{}
	}
	for account, p := range s.People {
		p.Items = 0
		s.People[account] = p
	}
	for _, h := range held {
		p, known := s.People[h.Account]
		if !known {
			p.First = to
		}
		p.Last, p.Items, p.Reason = to, h.Items, h.Reason
		s.People[h.Account] = p
	}
	maps.DeleteFunc(s.People, func(_ string, p person) bool { return to.Sub(p.Last) >= nameAgain })
	if extra := len(s.People) - maxPeople; extra > 0 {
		accounts := slices.SortedFunc(maps.Keys(s.People), func(a, b string) int {
			return cmp.Or(s.People[a].Last.Compare(s.People[b].Last), cmp.Compare(a, b))
		})
		for _, account := range accounts[:extra] {
			delete(s.People, account)
		}
	}
}

// news returns the people that were found after a window up to another and whose items are still held.
func (s *state) news(after, upTo time.Time) (news []Person) {
	for account, p := range s.People {
		if p.Items > 0 && p.First.After(after) && !p.First.After(upTo) {
			news = append(news, Person{Account: account, Reason: p.Reason, Items: p.Items})
		}
	}
	slices.SortFunc(news, func(a, b Person) int { return cmp.Compare(a.Account, b.Account) })
	return news
}

// claim counts an attempt before it is made. When nothing is heard of it any more, the next one follows after the pause.
func (o *open) claim(now time.Time, first time.Duration) {
	o.Attempts++
	o.Next = now.Add(backoff(o.Attempts, first))
}

// backoff is the pause after a number of attempts.
func backoff(attempts int, first time.Duration) time.Duration {
	d := first
	for range attempts - 1 {
		if d *= 2; d >= retryMax {
			return retryMax
		}
	}
	return d
}

// taken ends the open digest: the channel knows of dead letters up to cursor. sent is false when nothing was left to say.
func (c *channelState) taken(cursor uint64, sent bool, now time.Time) {
	c.Cursor, c.People, c.Told, c.Success = cursor, c.Open.To, c.Open.To, now
	if sent {
		c.Sent = now
	}
	c.Open = nil
}

// failed keeps the open digest for later.
func (c *channelState) failed(f *Failure, now time.Time) {
	c.Open.Problem = f.Message
	if at := now.Add(f.RetryAfter); at.After(c.Open.Next) {
		c.Open.Next = at
	}
}
