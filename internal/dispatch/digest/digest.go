// Package digest tells people, in one message for each window, which to-dos and reminders were given up, and who is not
// bound to an OA account (F64–F68). Nothing is said about what is still tried again, and nothing at all when all is well.
//
// Nothing is gathered in memory either: what was given up lies in the store as dead letters, and the store's small state
// remembers up to which of them each channel was told. So a digest outlives restarts and a change of the owner, one that
// could not be sent is made anew and holds what came in the meantime, and what a replay has saved is not in it any more.
package digest

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/oabridge/oabridge/internal/dispatch/record"
)

const (
	// maxItems bounds the items and the people that a digest names.
	maxItems = 10
	// maxLetters bounds the dead letters that one digest looks at; the next one is about the rest.
	maxLetters = 100_000
	// maxExample bounds the message of a failure in a digest, in characters.
	maxExample = 160
)

// Digest is what people are told.
type Digest struct {
	// ID is the same whenever the same digest is sent again.
	ID        string    `json:"-"`
	Connector Connector `json:"connector"`
	// From and To bound the time in which the failures happened; more than one window when some could not be told of.
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// GivenUp counts failures, each once for its item, receiver and reason.
	GivenUp int64 `json:"givenUp"`
	// Groups of them by kind and reason, the largest first.
	Groups []Group `json:"groups,omitempty"`
	// Items are the newest of them, the newest first.
	Items []Item `json:"items,omitempty"`
	// Unbound are people who were not told of before and whose items wait.
	Unbound Unbound `json:"unbound"`

	// zone in which people read times.
	zone *time.Location
}

// Connector that a digest is about.
type Connector struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Type of the OA.
	Type string `json:"type"`
}

// Group is the failures of one kind for one reason.
type Group struct {
	Kind   string `json:"kind"`
	Reason string `json:"reason"`
	Count  int64  `json:"count"`
	// Example is the message of the newest one.
	Example string `json:"example,omitempty"`
}

// Item is one failure.
type Item struct {
	Kind     string    `json:"kind"`
	ItemID   string    `json:"itemID"`
	Receiver string    `json:"receiver"`
	Action   string    `json:"action"`
	Reason   string    `json:"reason"`
	Message  string    `json:"message,omitempty"`
	Attempts int       `json:"attempts"`
	At       time.Time `json:"at"`
}

// Unbound says for whom items wait because no OA account, or more than one, belongs to the CRM account.
type Unbound struct {
	People int   `json:"people"`
	Items  int64 `json:"items"`
	// List names some of them, by their accounts.
	List []Person `json:"list,omitempty"`
}

// Person is somebody whose items are held.
type Person struct {
	// Account in the CRM.
	Account string `json:"account"`
	// Reason is Unbound or BindingConflict.
	Reason string `json:"reason"`
	Items  int64  `json:"items"`
}

// Empty reports whether there is nothing to say.
func (d *Digest) Empty() bool { return d.GivenUp == 0 && d.Unbound.People == 0 }

// collector makes a digest of dead letters that come in the order of their sequence numbers.
type collector struct {
	seen   map[failure]struct{}
	groups map[groupKey]*Group
	// newest failures, the newest last.
	newest []entry
}

// failure is what counts as the same: the business keys, and never a text.
type failure struct {
	key   record.Key
	group *Group
}

type groupKey struct{ kind, reason string }

type entry struct {
	failure
	item Item
}

func newCollector() *collector {
	return &collector{seen: map[failure]struct{}{}, groups: map[groupKey]*Group{}}
}

func (c *collector) add(r *record.Record) {
	k := groupKey{r.Kind, r.Reason}
	g := c.groups[k]
	if g == nil {
		g = &Group{Kind: strings.Clone(r.Kind), Reason: strings.Clone(r.Reason)}
		c.groups[k] = g
	}
	f := failure{r.Key(), g}
	g.Example = shorten(r.Message)
	if _, known := c.seen[f]; !known {
		c.seen[f] = struct{}{}
		g.Count++
	}
	c.newest = slices.DeleteFunc(c.newest, func(e entry) bool { return e.failure == f })
	if len(c.newest) == maxItems {
		c.newest = slices.Delete(c.newest, 0, 1)
	}
	c.newest = append(c.newest, entry{f, Item{
		Kind: r.Kind, ItemID: r.ItemID, Receiver: r.Receiver, Action: string(r.Action), Reason: r.Reason, Message: g.Example,
		Attempts: r.Attempt, At: r.At,
	}})
}

// fill writes what was collected into a digest.
func (c *collector) fill(d *Digest) {
	for _, g := range c.groups {
		d.Groups = append(d.Groups, *g)
	}
	slices.SortFunc(d.Groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Reason, b.Reason))
	})
	d.GivenUp = int64(len(c.seen))
	for _, e := range slices.Backward(c.newest) {
		d.Items = append(d.Items, e.item)
	}
}

// shorten makes one line of a message.
func shorten(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > maxExample {
		s = string(r[:maxExample]) + "…"
	}
	return s
}
