package dispatch

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/dispatch/index"
	"github.com/oabridge/oabridge/internal/dispatch/lookup"
	"github.com/oabridge/oabridge/internal/dispatch/record"
)

const (
	// maxValues bounds how often a parameter may be repeated, maxValue the length of a value in bytes.
	maxValues = 100
	maxValue  = 512
)

// query selects records. Empty fields select everything.
type query struct {
	items, receivers, kinds, scenarios, outcomes, reasons, classes, events, traces, replays []string

	// of sign-ins alone
	accounts, crmAccounts, codes, modes, traceEnds []string

	since, until time.Time
	limit        int
	cursor       string
}

var outcomes = []string{string(record.Delivered), string(record.Retrying), string(record.Held), string(record.Dead), string(record.Skipped)}

var (
	traceIDs  = regexp.MustCompile(`^[0-9a-f]{32}$`)
	traceEnds = regexp.MustCompile(`^[0-9a-f]{12,32}$`)
)

// parseQuery reads the parameters that an answer knows, or names everything that is wrong with them.
func parseQuery(v url.Values, known []string, now time.Time) (query, *crm.Problem) {
	q := query{limit: lookup.DefaultLimit}
	var wrong []crm.FieldError
	bad := func(field, cause, nextStep string) {
		wrong = append(wrong, crm.FieldError{Field: field, Cause: cause, NextStep: nextStep})
	}
	lists := map[string]*[]string{
		lookup.ParamItem: &q.items, lookup.ParamReceiver: &q.receivers, lookup.ParamKind: &q.kinds, lookup.ParamScenario: &q.scenarios, lookup.ParamOutcome: &q.outcomes,
		lookup.ParamReason: &q.reasons, lookup.ParamClass: &q.classes, lookup.ParamEvent: &q.events, lookup.ParamTrace: &q.traces, lookup.ParamReplay: &q.replays,
		lookup.ParamAccount: &q.accounts, lookup.ParamCRMAccount: &q.crmAccounts, lookup.ParamCode: &q.codes, lookup.ParamMode: &q.modes, lookup.ParamTraceEnd: &q.traceEnds,
	}
	for _, name := range sortedKeys(v) {
		values := slices.DeleteFunc(slices.Clone(v[name]), func(s string) bool { return s == "" })
		list := lists[name]
		switch {
		case !slices.Contains(known, name):
			bad(name, "there is no such parameter", "use "+strings.Join(known, ", "))
		case len(values) > maxValues:
			bad(name, fmt.Sprintf("it is given %d times", len(values)), fmt.Sprintf("ask in parts of at most %d", maxValues))
		case slices.ContainsFunc(values, func(s string) bool { return len(s) > maxValue }):
			bad(name, "a value is too long", fmt.Sprintf("give at most %d bytes", maxValue))
		case list != nil:
			*list = values
		case len(values) > 1:
			bad(name, "it is given more than once", "give one value")
		case len(values) == 1:
			if cause, nextStep := q.set(name, values[0], now); cause != "" {
				bad(name, cause, nextStep)
			}
		}
	}
	for _, o := range q.outcomes {
		if !slices.Contains(outcomes, o) {
			bad(lookup.ParamOutcome, strconv.Quote(o)+" is no outcome", "use "+strings.Join(outcomes, ", "))
		}
	}
	for _, id := range q.traces {
		if !traceIDs.MatchString(id) {
			bad(lookup.ParamTrace, "it is no W3C trace id", "give 32 lower-case hex digits, the second part of a traceparent")
		}
	}
	for _, end := range q.traceEnds {
		if !traceEnds.MatchString(end) {
			bad(lookup.ParamTraceEnd, "it is not the end of a trace id", "give the 12 lower-case hex digits that the error page shows, or all 32")
		}
	}
	if !q.since.IsZero() && !q.until.IsZero() && !q.since.Before(q.until) {
		bad(lookup.ParamUntil, "it is not after since", "give a later time")
	}
	if len(wrong) == 0 {
		return q, nil
	}
	p := crm.NewProblem(http.StatusBadRequest, "nothing was looked up: see errors")
	p.Errors = wrong[:min(len(wrong), maxProblemErrors)]
	return q, p
}

// set reads a parameter that has one value.
func (q *query) set(name, value string, now time.Time) (cause, nextStep string) {
	switch name {
	case lookup.ParamSince, lookup.ParamUntil:
		at, err := parseTime(value, now)
		if err != nil {
			return "it is neither a time nor a duration", "give a time such as 2026-11-22T09:30:00+08:00, or how long ago, such as 90m"
		}
		if name == lookup.ParamSince {
			q.since = at
		} else {
			q.until = at
		}
	case lookup.ParamLimit:
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > lookup.MaxLimit {
			return "it is not a number in range", fmt.Sprintf("give a number from 1 to %d", lookup.MaxLimit)
		}
		q.limit = n
	case lookup.ParamCursor:
		q.cursor = value
	}
	return "", ""
}

func parseTime(s string, now time.Time) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		return at, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return time.Time{}, fmt.Errorf("%q is no time", s)
	}
	return now.Add(-d), nil
}

func sortedKeys(v url.Values) []string {
	names := make([]string, 0, len(v))
	for name := range v {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// badCursor is the answer to a cursor that no answer gave.
func badCursor() *crm.Problem {
	p := crm.NewProblem(http.StatusBadRequest, "nothing was looked up: see errors")
	p.Errors = []crm.FieldError{{Field: lookup.ParamCursor, Cause: "it is not the cursor of an answer to this path", NextStep: "take it from the Link of the page before, or leave it out"}}
	return p
}

// filter of the index.
func (q query) filter() (index.Filter, *crm.Problem) {
	f := index.Filter{
		Items: q.items, Receivers: q.receivers, Kinds: q.kinds, Scenarios: q.scenarios, Reasons: q.reasons, Classes: q.classes, Events: q.events, Traces: q.traces,
		Replays: q.replays, Since: q.since, Until: q.until, Limit: q.limit,
	}
	for _, o := range q.outcomes {
		f.Outcomes = append(f.Outcomes, record.Outcome(o))
	}
	if q.cursor != "" {
		c, err := index.ParseCursor(q.cursor)
		if err != nil {
			return f, badCursor()
		}
		f.After = c
	}
	return f, nil
}

// match does for one record what filter does in the index.
func (q query) match(r *record.Record) bool {
	in := func(list []string, values ...string) bool {
		return len(list) == 0 || slices.ContainsFunc(values, func(v string) bool { return slices.Contains(list, v) })
	}
	return in(q.items, r.ItemID) && in(q.receivers, r.Receiver, r.ReceiverOA) && in(q.kinds, r.Kind) && in(q.scenarios, r.Scenario) && in(q.reasons, r.Reason) &&
		in(q.classes, r.Class) && in(q.events, r.EventID) && in(q.traces, index.TraceID(r.TraceParent)) && in(q.replays, r.Replay) &&
		(q.since.IsZero() || !r.At.Before(q.since)) && (q.until.IsZero() || r.At.Before(q.until))
}
