package dispatch

import (
	"strconv"
	"time"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/dispatch/lanes"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/slo"
)

// objective of a bundle. One of an older operator names none, and gets the default.
func objective(b *bundle.Bundle) slo.Objective {
	s := b.SLO
	if s == nil {
		s = &bundle.SLO{Objective: bundle.DefaultObjective, Within: bundle.Duration(bundle.DefaultWithin)}
	}
	percent, err := strconv.ParseFloat(s.Objective, 64)
	if err != nil { // the schema does not let it through
		percent = 0
	}
	return slo.Objective{Ratio: percent / 100, Within: s.Within.Std()}
}

// figures of the last hour, of the partitions that this process owns.
func (s *session) figures(now time.Time) (sum slo.Figures) {
	sum.Latencies = map[int]int64{}
	if s == nil {
		return sum
	}
	for _, e := range s.owned() {
		f := e.window.Figures(now)
		sum.Add(&f)
	}
	return sum
}

// judgeWaiting gives a verdict to the entries whose time is over while they wait. Each entry is looked at once: they were
// accepted in the order of their numbers. What was not in memory by then gets its verdict when it ends. The lock is held.
func (e *engine) judgeWaiting(now time.Time) {
	within := e.window.Objective().Within
	for e.judged = max(e.judged, e.progress.Done.Floor()); e.judged < e.readSeq; e.judged++ {
		entry := e.lanes.Get(e.judged + 1)
		switch {
		case entry == nil || entry.Judged:
			continue
		case now.Sub(entry.AcceptedAt) <= within:
			return
		}
		entry.Excused = entry.Excused || e.lanes.Halted(entry)
		e.verdict(entry, slo.Late, entry.AcceptedAt.Add(within))
	}
}

// judgeEnd counts what a record says of an entry. The lock is held.
func (e *engine) judgeEnd(entry *lanes.Entry, r *record.Record) {
	if excuses(r) {
		entry.Excused = true
	}
	took := r.At.Sub(r.AcceptedAt)
	late := took > e.window.Objective().Within
	if r.Outcome == record.Delivered && !entry.Excused {
		e.window.Deliver(r.At, took)
		e.latencies.Deliver(took)
	}
	switch {
	case entry.Excused:
	case r.Outcome == record.Delivered && late:
		e.verdict(entry, slo.Late, r.At)
	case r.Outcome == record.Delivered:
		e.verdict(entry, slo.InTime, r.At)
	case r.Outcome == record.Dead:
		e.verdict(entry, slo.Dead, r.At)
	}
}

// excuses reports whether the delivery of a record waited for a person: it counts neither way.
func excuses(r *record.Record) bool {
	return r.Outcome == record.Held || r.Reason == record.ReasonUnbound || r.Reason == record.ReasonBindingConflict
}

// verdict counts one, unless the entry has one or gets none.
func (e *engine) verdict(entry *lanes.Entry, v slo.Verdict, now time.Time) {
	if entry.Judged || entry.Excused {
		return
	}
	entry.Judged = true
	e.window.Judge(now, v)
	e.metrics.verdicts.WithLabelValues(v.String()).Inc()
}
