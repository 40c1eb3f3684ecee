package inbox

import (
	"net/http"

	"github.com/oabridge/oabridge/internal/oasim/desk"
)

// Stats counts what the OA holds and what was written to it.
type Stats struct {
	Distinct int `json:"distinct"` // items ever taken: open + done + gone
	Open     int `json:"open"`
	Done     int `json:"done"`
	Gone     int `json:"gone"`
	// Revived sums how often a finished or deleted item was opened again: zombies.
	Revived int `json:"revived"`
	// Duplicates counts items that show a person the same task a second time.
	Duplicates int `json:"duplicates"`
	counts
}

type counts struct {
	Creates int `json:"creates"` // writes to an unknown item
	Updates int `json:"updates"` // writes that changed something
	Repeats int `json:"repeats"` // writes that changed nothing: redeliveries
	Stale   int `json:"stale"`   // writes that came too late and were ignored
}

// Stats counts.
func (b *Box) Stats() Stats {
	b.mu.RLock()
	defer b.mu.RUnlock()
	s := Stats{Distinct: len(b.order), counts: b.count}
	seen := map[[3]string]bool{}
	for _, item := range b.order {
		switch item.State {
		case Open:
			s.Open++
		case Done:
			s.Done++
		default:
			s.Gone++
		}
		s.Revived += item.Revived
		task := [3]string{item.Kind, item.TaskID, item.Person}
		if seen[task] && item.State != Gone {
			s.Duplicates++
		}
		seen[task] = seen[task] || item.State != Gone
	}
	return s
}

// ServeOn is the control API: GET /_sim/items (filtered by ?person=, ?taskId=, ?kind= and ?state=) and /_sim/stats, and
// DELETE /_sim/items.
func (b *Box) ServeOn(d *desk.Desk) {
	d.Get("全部待办 Items", "/_sim/items", func(r *http.Request) any {
		person, task, kind, state := r.FormValue("person"), r.FormValue("taskId"), r.FormValue("kind"), State(r.FormValue("state"))
		return map[string]any{"items": b.Where(func(i *Item) bool {
			return (person == "" || i.Person == person) && (task == "" || i.TaskID == task) && (kind == "" || i.Kind == kind) &&
				(state == "" || i.State == state)
		})}
	})
	d.Get("统计 Statistics", "/_sim/stats", func(*http.Request) any { return b.Stats() })
	d.Delete("/_sim/items", b.Reset)
}
