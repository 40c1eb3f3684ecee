package crm

import (
	"cmp"
	"slices"
	"sync"
)

// maxRecords bounds what the CRM remembers of its own to-dos.
const maxRecords = 100_000

// Record is what the CRM's pages know of a record: the to-do that belongs to it.
type Record struct {
	Object Object `json:"object"`
	ToDo   ToDo   `json:"todo"`
	State  string `json:"state"`
}

type records struct {
	mu    sync.RWMutex
	known map[Object]Record
}

func newRecords() *records { return &records{known: map[Object]Record{}} }

// Learn makes the to-dos of events known to the record pages.
func (c *CRM) Learn(events []Event) {
	r := c.records
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range events {
		old, ok := r.known[e.Data.Object]
		if !ok && len(r.known) >= maxRecords || ok && old.ToDo.Version > e.Data.Version {
			continue
		}
		r.known[e.Data.Object] = Record{e.Data.Object, e.Data, expected(e, Person{}, "").State}
	}
}

func (r *records) get(o Object) (Record, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	rec, ok := r.known[o]
	return rec, ok
}

// open lists a person's open to-dos, newest first.
func (r *records) open(account string) []Record {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var out []Record
	for _, rec := range r.known {
		mine := func(a Account) bool { return a.Account == account }
		if rec.State == Open && slices.ContainsFunc(rec.ToDo.Receivers, mine) {
			out = append(out, rec)
		}
	}
	slices.SortFunc(out, func(a, b Record) int {
		return cmp.Or(b.ToDo.CreatedAt.Compare(a.ToDo.CreatedAt), cmp.Compare(a.ToDo.ID, b.ToDo.ID))
	})
	return out
}
