package seeyon

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	maxItems   = 200_000
	maxHistory = 200
)

// Item is a to-do of one person, with everything that was ever written to it.
type Item struct {
	ID string `json:"id"` // names the item on the OA's own pages
	Pending
	LoginName string    `json:"loginName"`
	Seq       int64     `json:"seq"` // when it was first written
	Updated   time.Time `json:"updated"`
	// Revived counts how often a finished or revoked item was opened again.
	Revived int `json:"revived"`
	// History holds the last writes, oldest first; Dropped counts older ones that are no longer held.
	History []Write `json:"history"`
	Dropped int     `json:"dropped,omitempty"`
}

// Write is one change of an item. Seq orders the writes of the whole OA.
type Write struct {
	Seq   int64     `json:"seq"`
	Time  time.Time `json:"time"`
	Path  string    `json:"path"`
	State string    `json:"state"`
	Title string    `json:"title"`
}

type itemKey struct{ registerCode, taskID, receiver string }

type taskKey struct{ registerCode, taskID string }

type itemBox struct {
	now func() time.Time

	mu     sync.RWMutex
	seq    int64
	items  map[itemKey]*Item
	order  []*Item
	byTask map[taskKey][]*Item
	count  writeCounts
}

func newInbox(now func() time.Time) *itemBox {
	b := &itemBox{now: now}
	b.reset()
	return b
}

func (b *itemBox) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.items, b.byTask, b.order, b.count = map[itemKey]*Item{}, map[taskKey][]*Item{}, nil, writeCounts{}
}

// put creates an item, or overwrites the one with the same key.
func (b *itemBox) put(path string, m message, login string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	key, task := itemKey{m.RegisterCode, m.TaskID, m.receiver()}, taskKey{m.RegisterCode, m.TaskID}
	item, known := b.items[key]
	if !known {
		if len(b.items) >= maxItems {
			return []string{fmt.Sprintf("the simulator holds no more than %d items", maxItems)}
		}
		item = &Item{ID: fmt.Sprintf("i%d", len(b.order)+1), Seq: b.seq + 1}
		b.items[key] = item
		b.byTask[task] = append(b.byTask[task], item)
		b.order = append(b.order, item)
	} else {
		b.count.Recreates++
	}
	b.count.Creates++
	before := item.Pending
	item.Pending, item.LoginName = m.Pending, login
	b.note(item, path, before, known)
	return nil
}

// change applies an update to the named item, or to all items of the task when no receiver is named. It says whether
// there was one.
func (b *itemBox) change(path string, m message, forgetDeleted bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	items := b.byTask[taskKey{m.RegisterCode, m.TaskID}]
	if m.receiver() != "" {
		items = nil
		if item, ok := b.items[itemKey{m.RegisterCode, m.TaskID, m.receiver()}]; ok {
			items = []*Item{item}
		}
	}
	found := false
	for _, item := range items {
		if forgetDeleted && item.State == StateRevoked {
			continue
		}
		found = true
		before := item.Pending
		given, into := m.fields(), item.fields()
		for _, name := range m.present {
			*into[name] = *given[name]
		}
		b.count.Updates++
		b.note(item, path, before, true)
	}
	return found
}

// note writes the history of an item that has just changed.
func (b *itemBox) note(item *Item, path string, before Pending, known bool) {
	b.seq++
	item.Updated = b.now()
	if known && before.State != StateOpen && item.State == StateOpen {
		item.Revived++
	}
	if known && before == item.Pending {
		b.count.Repeats++
	}
	if len(item.History) >= maxHistory {
		item.History = slices.Delete(item.History, 0, 1)
		item.Dropped++
	}
	item.History = append(item.History, Write{b.seq, item.Updated, path, item.State, item.Title})
}

func (b *itemBox) all() []Item {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := make([]Item, len(b.order))
	for i, item := range b.order {
		out[i] = item.copy()
	}
	return out
}

// of returns a person's items in a state, newest first.
func (b *itemBox) of(login, state string) []Item {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := []Item{}
	for _, item := range b.order {
		if item.LoginName == login && item.State == state {
			out = append(out, item.copy())
		}
	}
	slices.SortStableFunc(out, func(x, y Item) int {
		return cmp.Or(cmp.Compare(y.CreationDate, x.CreationDate), cmp.Compare(y.Seq, x.Seq))
	})
	return out
}

func (b *itemBox) byID(id string) (Item, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, item := range b.order {
		if item.ID == id {
			return item.copy(), true
		}
	}
	return Item{}, false
}

func (b *itemBox) byKey(key itemKey) (Item, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	item, ok := b.items[key]
	if !ok {
		return Item{}, false
	}
	return item.copy(), true
}

func (i *Item) copy() Item {
	c := *i
	c.History = slices.Clone(i.History)
	return c
}
