package dispatch

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/dispatch/lanes"
	"github.com/oabridge/oabridge/internal/report"
)

// reportPause is the least time between two reports.
const reportPause = 250 * time.Millisecond

// configState is which configuration is live and what is wrong with a newer one.
type configState struct {
	mu sync.Mutex
	// problems by source: bundle, keys.
	problems map[string]string
}

func (c *configState) set(source string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		delete(c.problems, source)
		return
	}
	if c.problems == nil {
		c.problems = map[string]string{}
	}
	c.problems[source] = err.Error()
}

func (c *configState) problem() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []string
	for _, p := range c.problems {
		all = append(all, p)
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}

// report counts the items of a partition.
func (e *engine) report() (d report.Delivery, oa report.OA, replays map[string]report.Replay) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.judgeWaiting(time.Now())
	d = report.Delivery{
		Retrying: e.lanes.Count(lanes.Retrying), Held: e.lanes.Held(), HeldReasons: e.lanes.HeldReasons(),
		Dead: e.deadLetters, Delivered: e.progress.Totals.Delivered, Skipped: e.progress.Totals.Skipped,
		Lost: e.lost,
	}
	d.Pending = max(e.waiting()-d.Retrying-d.Held, 0)
	if oldest := e.lanes.Get(e.progress.Done.Floor() + 1); oldest != nil {
		at := oldest.AcceptedAt.UTC().Truncate(time.Second)
		d.OldestTime = &at
	}
	if f := e.progress.LastFailure; f != nil {
		d.LastFailure = &report.Failure{Time: f.At.UTC().Truncate(time.Second), Class: f.Class, Message: f.Message}
	}
	oa = e.gate.oa
	switch v := e.live.Load(); {
	case v == nil:
	case v.bundle.Suspended:
		oa = report.OA{State: "Unknown", Reason: v1alpha1.ReasonSuspended, Message: "the connector is suspended, so the OA is not asked"}
	case v.passive():
		oa = report.OA{State: "Unknown", Reason: v1alpha1.ReasonUnknown, Message: "the OA asks for its items and is not called"}
	}
	return d, oa, e.replayReport()
}

// report is the whole report of this process: the sum over its partitions.
func (d *Dispatcher) report() report.Report {
	r := report.Report{Component: v1alpha1.ComponentDispatcher, Config: report.Config{Problem: d.config.problem()}}
	if v := d.live.Load(); v != nil {
		r.Config.Hash = v.hash
	}
	r.Credentials = d.credentials.States()
	s := d.session.Load()
	r.Store = d.storeReport(s, time.Now())
	if s == nil {
		return r
	}
	for _, e := range s.owned() {
		delivery, oa, replays := e.report()
		add(&r, delivery, oa, replays)
	}
	figures := s.figures(time.Now())
	r.SLO = &figures
	r.Revoke = s.revokeReport()
	r.Trials = d.trialReport(s)
	if t := s.telling(); t != nil {
		r.Notifications = t.Report()
	}
	return r
}

// add sums up the partitions.
func add(r *report.Report, d report.Delivery, oa report.OA, replays map[string]report.Replay) {
	// One partition that finds the OA down is enough to say so.
	if r.OA == nil || oa.State == "False" && r.OA.State != "False" || r.OA.State == "Unknown" {
		r.OA = &oa
	}
	if r.Delivery == nil {
		r.Delivery = &d
	} else {
		t := r.Delivery
		t.Pending, t.Retrying, t.Held, t.Dead = t.Pending+d.Pending, t.Retrying+d.Retrying, t.Held+d.Held, t.Dead+d.Dead
		t.Delivered, t.Skipped, t.Lost = t.Delivered+d.Delivered, t.Skipped+d.Skipped, t.Lost+d.Lost
		if d.OldestTime != nil && (t.OldestTime == nil || d.OldestTime.Before(*t.OldestTime)) {
			t.OldestTime = d.OldestTime
		}
		if d.LastFailure != nil && (t.LastFailure == nil || d.LastFailure.Time.After(t.LastFailure.Time)) {
			t.LastFailure = d.LastFailure
		}
		for reason, n := range d.HeldReasons {
			if t.HeldReasons == nil {
				t.HeldReasons = map[string]int64{}
			}
			t.HeldReasons[reason] += n
		}
	}
	for id, p := range replays {
		if r.Replays == nil {
			r.Replays = map[string]report.Replay{}
		}
		if t, ok := r.Replays[id]; ok {
			p.Done = p.Done && t.Done
			p.Matched, p.Queued = p.Matched+t.Matched, p.Queued+t.Queued
			p.Delivered, p.Skipped, p.Dead = p.Delivered+t.Delivered, p.Skipped+t.Skipped, p.Dead+t.Dead
			p.Differences = append(t.Differences, p.Differences...)
			p.Differences = p.Differences[:min(len(p.Differences), maxDifferences)]
			if p.Message == "" {
				p.Message = t.Message
			}
		}
		r.Replays[id] = p
	}
}

// publish keeps the publisher up to date, at once but not more often than every reportPause.
func (d *Dispatcher) publish(ctx context.Context) {
	slow := time.NewTicker(slowStore)
	defer slow.Stop()
	for {
		d.publisher.Publish(d.report())
		pause(ctx, reportPause)
		select {
		case <-ctx.Done():
			return
		case <-d.dirty:
		case <-slow.C: // a write that does not come back changes nothing else
		}
	}
}
