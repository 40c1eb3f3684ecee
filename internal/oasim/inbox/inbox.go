// Package inbox keeps what the people of a simulated OA see: to-dos, notices, cards, with everything that was ever
// written to them. Whatever an OA calls its fields, here they have one form, so that tests can ask every simulator alike.
package inbox

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"
)

const (
	maxItems   = 200_000
	maxHistory = 200
)

// State is what a person sees of an item.
type State string

// The states of an item.
const (
	Open State = "open"
	Done State = "done"
	Gone State = "gone" // deleted or revoked: nobody sees it
)

// Kinds of items. A simulator may have further ones.
const (
	ToDo   = "todo"
	Notice = "notice"
	Card   = "card"
)

// Content is what a request writes.
type Content struct {
	TaskID    string `json:"taskId"` // the third party's own id of the matter
	Kind      string `json:"kind"`
	Title     string `json:"title"`
	Text      string `json:"text,omitempty"`
	Sender    string `json:"sender,omitempty"`
	URL       string `json:"url,omitempty"`
	MobileURL string `json:"mobileURL,omitempty"`
	State     State  `json:"state"`
	Read      bool   `json:"read,omitempty"`
	// Version orders the writes where the OA has such a field; the simulator decides what an older one does.
	Version int64 `json:"version,omitempty"`
	// Fields holds what the OA's own interface calls differently, as it came.
	Fields map[string]any `json:"fields,omitempty"`
}

// Item is one thing that one person sees. Key and Person together name it.
type Item struct {
	ID     string `json:"id"` // names the item on the OA's own pages
	Key    string `json:"key"`
	Person string `json:"person"`
	Content
	Seq     int64     `json:"seq"` // when it was first written
	Created time.Time `json:"created"`
	Updated time.Time `json:"updated"`
	// Revived counts how often a finished or deleted item was opened again.
	Revived int `json:"revived"`
	// History holds the last writes, oldest first; Dropped counts older ones that are no longer held.
	History []Write `json:"history"`
	Dropped int     `json:"dropped,omitempty"`
}

// Write is one change of an item. Seq orders the writes of the whole OA.
type Write struct {
	Seq   int64     `json:"seq"`
	Time  time.Time `json:"time"`
	Path  string    `json:"path"` // or the operation
	State State     `json:"state"`
	Title string    `json:"title"`
}

// ErrStale is for an edit to return when a newer write was there before: the item stays as it is and the stats count it.
var ErrStale = errors.New("a newer version is known")

type itemKey struct{ key, person string }

// Box holds the items of all people.
type Box struct {
	now func() time.Time

	mu    sync.RWMutex
	seq   int64
	items map[itemKey]*Item
	order []*Item
	// byKey and byTask find the items of a key and of a matter without looking at all of them.
	byKey, byTask map[string][]*Item
	count         counts

	onReset []func()
}

// New returns an empty box.
func New(now func() time.Time) *Box {
	b := &Box{now: now}
	b.Reset()
	return b
}

// OnReset has something done after the box was emptied: a simulator forgets there what it knows beside the items.
func (b *Box) OnReset(do func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.onReset = append(b.onReset, do)
}

// Reset forgets every item.
func (b *Box) Reset() {
	b.mu.Lock()
	b.items, b.order, b.count = map[itemKey]*Item{}, nil, counts{}
	b.byKey, b.byTask = map[string][]*Item{}, map[string][]*Item{}
	after := b.onReset
	b.mu.Unlock()
	for _, do := range after {
		do()
	}
}

// Edit writes one item. edit gets what is there, or an empty content if the item is unknown; if it returns an error,
// nothing changes and the error is returned.
func (b *Box) Edit(path, key, person string, edit func(c *Content, known bool) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	item, known := b.items[itemKey{key, person}]
	if !known {
		item = &Item{Key: key, Person: person}
	}
	next := item.Content
	if err := edit(&next, known); err != nil {
		if errors.Is(err, ErrStale) {
			b.count.Stale++
		}
		return err
	}
	if !known {
		if err := b.add(item, next.TaskID); err != nil {
			return err
		}
	}
	b.write(item, path, next, known)
	return nil
}

// Put creates an item or writes over the one that is there.
func (b *Box) Put(path, key, person string, c Content) error {
	return b.Edit(path, key, person, func(old *Content, _ bool) error {
		*old = c
		return nil
	})
}

// Change edits the item of a person, or those of all people when person is empty, and counts them. Unknown items are not
// created.
func (b *Box) Change(path, key, person string, edit func(*Content)) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, item := range b.byKey[key] {
		if person != "" && item.Person != person {
			continue
		}
		next := item.Content
		edit(&next)
		b.write(item, path, next, true)
		n++
	}
	return n
}

func (b *Box) add(item *Item, task string) error {
	if len(b.items) >= maxItems {
		return fmt.Errorf("the simulator holds no more than %d items", maxItems)
	}
	item.ID, item.Seq, item.Created = fmt.Sprintf("i%d", len(b.order)+1), b.seq+1, b.now()
	b.items[itemKey{item.Key, item.Person}] = item
	b.byKey[item.Key] = append(b.byKey[item.Key], item)
	b.byTask[task] = append(b.byTask[task], item)
	b.order = append(b.order, item)
	return nil
}

func (b *Box) write(item *Item, path string, next Content, known bool) {
	b.seq++
	switch {
	case !known:
		b.count.Creates++
	case reflect.DeepEqual(item.Content, next):
		b.count.Repeats++
	default:
		b.count.Updates++
	}
	if known && item.State != Open && next.State == Open {
		item.Revived++
	}
	item.Content, item.Updated = next, b.now()
	if len(item.History) >= maxHistory {
		item.History = slices.Delete(item.History, 0, 1)
		item.Dropped++
	}
	item.History = append(item.History, Write{b.seq, item.Updated, path, item.State, item.Title})
}

// Get returns one item.
func (b *Box) Get(key, person string) (Item, bool) {
	return b.find(func() *Item { return b.items[itemKey{key, person}] })
}

// ByID returns the item that the OA's own pages call id.
func (b *Box) ByID(id string) (Item, bool) {
	return b.find(func() *Item {
		var n int
		if _, err := fmt.Sscanf(id, "i%d", &n); err != nil || n < 1 || n > len(b.order) {
			return nil
		}
		return b.order[n-1]
	})
}

func (b *Box) find(look func() *Item) (Item, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	item := look()
	if item == nil {
		return Item{}, false
	}
	return item.copy(), true
}

// Where returns the items that fit, oldest first.
func (b *Box) Where(fits func(*Item) bool) []Item {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return those(b.order, fits)
}

// OfTask returns the items of a matter that fit, oldest first.
func (b *Box) OfTask(task string, fits func(*Item) bool) []Item {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return those(b.byTask[task], fits)
}

func those(items []*Item, fits func(*Item) bool) []Item {
	out := []Item{}
	for _, item := range items {
		if fits(item) {
			out = append(out, item.copy())
		}
	}
	return out
}

// Of returns a person's items in a state, newest first.
func (b *Box) Of(person string, state State) []Item {
	out := b.Where(func(i *Item) bool { return i.Person == person && i.State == state })
	slices.SortStableFunc(out, func(x, y Item) int { return cmp.Compare(y.Seq, x.Seq) })
	return out
}

func (i *Item) copy() Item {
	c := *i
	c.History = slices.Clone(i.History)
	return c
}
