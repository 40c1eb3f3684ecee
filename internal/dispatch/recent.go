package dispatch

import (
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/dispatch/lookup"
)

const (
	// maxRecent and maxRecentBytes bound the events that are kept in memory for people to look at.
	maxRecent      = 200
	maxRecentBytes = 1 << 20
)

// recent are the latest events that this process accepted. What is delivered leaves the store, so this is where a person
// sees what real events look like. They are gone after a restart.
type recent struct {
	mu     sync.Mutex
	events []lookup.Event
	sizes  []int64
	bytes  int64
}

// add events that were accepted at a time.
func (r *recent) add(events []crm.Event, at time.Time) {
	events = events[max(0, len(events)-maxRecent):]
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range events {
		size := copyBytes(&events[i].Item)
		if size > maxRecentBytes {
			continue
		}
		r.events, r.sizes, r.bytes = append(r.events, lookup.Event{AcceptedAt: at, Event: events[i]}), append(r.sizes, size), r.bytes+size
	}
	drop := 0
	for ; len(r.events)-drop > maxRecent || r.bytes > maxRecentBytes; drop++ {
		r.bytes -= r.sizes[drop]
		r.events[drop] = lookup.Event{} // the array stays for a while, the texts must not
	}
	r.events, r.sizes = r.events[drop:], r.sizes[drop:]
}

// last returns the latest n events, the newest last.
func (r *recent) last(n int) []lookup.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events[max(0, len(r.events)-n):])
}

// recent answers the latest events that were accepted here.
func (l local) recent(w http.ResponseWriter, r *http.Request) {
	q, problem := parseQuery(r.URL.Query(), []string{lookup.ParamLimit}, time.Now())
	if problem != nil {
		problem.WriteTo(w)
		return
	}
	beginLines(w)
	out := json.NewEncoder(w)
	for _, e := range l.intake.recent.last(q.limit) {
		_ = out.Encode(e)
	}
}
