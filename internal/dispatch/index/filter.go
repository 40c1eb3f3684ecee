package index

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oabridge/oabridge/internal/dispatch/record"
)

// Filter selects records. A list selects the records that have one of its values; what is empty selects all.
type Filter struct {
	Items []string
	// Receivers are CRM or OA accounts.
	Receivers []string
	Outcomes  []record.Outcome
	Reasons   []string
	Classes   []string
	Kinds     []string
	// Scenarios are names of scenarios.
	Scenarios []string
	// Abouts are records of the CRM. All records of the time are looked at for them, or those of the receivers.
	Abouts []string
	// Traces are W3C trace ids, 32 hex digits; Events are the ids of events. All records of the time are looked at for them.
	Traces, Events []string
	// Replays are IDs of replays.
	Replays    []string
	Partitions []int
	// Since and Until bound the time of the record: Since is within, Until is not.
	Since, Until time.Time
	// NotReplayed leaves out the deliveries that were sent once more since: with the outcome Dead it selects what is dead
	// now.
	NotReplayed bool

	// OldestFirst turns the order, which is the newest first.
	OldestFirst bool
	// After is the last hit of the page before.
	After *Cursor
	// Limit of the hits; 0 means DefaultLimit.
	Limit int
}

const (
	// DefaultLimit of the hits of one query.
	DefaultLimit = 100
	// MaxLimit of the hits of one query.
	MaxLimit = 10_000
	// MaxValues bounds each list of a filter.
	MaxValues = 1000
)

// position columns, in the order of the answer.
const order = "at, part, frame, idx"

// selected are the columns of a hit.
const selected = "part, frame, idx, seq, kind, event, item, version, action, receiver, receiver_oa, attempt, outcome, reason, class, message, " +
	"template, revision, status, latency_ms, accepted_at, at, replay, replay_of, scenario, about"

// query returns the statement for a filter and its arguments. people are the CRM accounts that f.Receivers may mean.
func (x *Index) query(f Filter, people []string) (string, []any, error) {
	w := where{}
	w.add("connector = ?", x.connector)
	for _, list := range []struct {
		name, column, condition string
		values                  []string
	}{
		{"items", "item", "", f.Items},
		{"receivers", "", "", f.Receivers},
		{"outcomes", "outcome", "", texts(f.Outcomes)},
		{"reasons", "reason", "reason <> ''", f.Reasons},
		{"classes", "class", "class <> ''", f.Classes},
		{"kinds", "kind", "", f.Kinds},
		{"scenarios", "scenario", "", f.Scenarios},
		{"abouts", "about", "", f.Abouts},
		{"traces", "trace", "", f.Traces},
		{"events", "event", "", f.Events},
		{"replays", "replay", "replay <> ''", f.Replays},
	} {
		if len(list.values) > MaxValues {
			return "", nil, fmt.Errorf("index: %d %s are more than %d: ask in parts", len(list.values), list.name, MaxValues)
		}
		if len(list.values) > 0 && list.column != "" {
			w.in(list.column, list.values)
			w.literal(list.condition)
		}
	}
	if len(f.Outcomes) > 0 && !slices.Contains(f.Outcomes, record.Delivered) {
		w.literal(notDelivered)
	}
	if len(f.Receivers) > 0 {
		// Both say the same; the first lets the database use its index.
		w.in("receiver", people)
		either := where{}
		either.in("receiver", f.Receivers)
		either.in("receiver_oa", f.Receivers)
		w.either(either)
	}
	if n := len(f.Partitions); n > 0 {
		args := make([]any, n)
		for i, p := range f.Partitions {
			args[i] = p
		}
		w.add("part IN ("+marks(n)+")", args...)
	}
	if !f.Since.IsZero() {
		w.add("at >= ?", f.Since.UnixNano())
	}
	if !f.Until.IsZero() {
		w.add("at < ?", f.Until.UnixNano())
	}
	if f.NotReplayed {
		w.literal("NOT EXISTS (SELECT 1 FROM " + tableRecords + " AS again WHERE again.connector = r.connector AND again.part = r.part " +
			"AND again.replay_of = r.seq AND again.replay_of <> 0)")
	}
	direction, compare := "DESC", "<"
	if f.OldestFirst {
		direction, compare = "ASC", ">"
	}
	if c := f.After; c != nil {
		// The first condition says nothing new, but lets the database start at the right place of an index.
		w.add("at "+compare+"= ?", c.at)
		w.add("("+order+") "+compare+" (?, ?, ?, ?)", c.at, c.partition, int64(c.frame), c.index)
	}
	limit := f.Limit
	if limit <= 0 {
		limit = DefaultLimit
	}
	w.args = append(w.args, min(limit, MaxLimit))
	return x.dialect.bind("SELECT " + selected + " FROM " + tableRecords + " AS r WHERE " + w.String() +
		" ORDER BY " + strings.ReplaceAll(order, ",", " "+direction+",") + " " + direction + " LIMIT ?"), w.args, nil
}

// where is a list of conditions that all have to hold.
type where struct {
	conditions []string
	args       []any
}

func (w *where) String() string { return strings.Join(w.conditions, " AND ") }

func (w *where) add(condition string, args ...any) {
	w.conditions = append(w.conditions, condition)
	w.args = append(w.args, args...)
}

// either adds that one of some conditions has to hold.
func (w *where) either(of where) { w.add("("+strings.Join(of.conditions, " OR ")+")", of.args...) }

// literal adds a condition of a partial index, if there is one.
func (w *where) literal(condition string) {
	if condition != "" {
		w.add(condition)
	}
}

func (w *where) in(column string, values []string) {
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = clean(v)
	}
	if len(values) == 1 {
		w.add(column+" = ?", args...)
		return
	}
	w.add(column+" IN ("+marks(len(values))+")", args...)
}

func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?,", n), ",") }

func texts(outcomes []record.Outcome) []string {
	out := make([]string, len(outcomes))
	for i, o := range outcomes {
		out[i] = string(o)
	}
	return out
}
