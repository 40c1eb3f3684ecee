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

// report counts items.
func (e *engine) report() (d report.Delivery, up float64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	d = report.Delivery{
		Retrying: e.lanes.Count(lanes.Retrying), Held: e.lanes.Held(), HeldReasons: e.lanes.HeldReasons(),
		Dead: e.progress.Totals.Dead, Delivered: e.progress.Totals.Delivered, Skipped: e.progress.Totals.Skipped,
	}
	d.Pending = max(e.waiting()-d.Retrying-d.Held, 0)
	if oldest := e.lanes.Get(e.progress.Done.Floor() + 1); oldest != nil {
		at := oldest.AcceptedAt.UTC().Truncate(time.Second)
		d.OldestTime = &at
	}
	if f := e.progress.LastFailure; f != nil {
		d.LastFailure = &report.Failure{Time: f.At.UTC().Truncate(time.Second), Class: f.Class, Message: f.Message}
	}
	return d, e.gate.up()
}

// full is the whole report.
func (e *engine) full(c *configState) report.Report {
	d, _ := e.report()
	r := report.Report{Component: v1alpha1.ComponentDispatcher, Config: report.Config{Problem: c.problem()}, Delivery: &d, Store: &report.Store{}}
	if v := e.live.Load(); v != nil {
		r.Config.Hash = v.hash
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	oa := e.gate.oa
	r.OA = &oa
	for _, what := range []string{troubleRecords, troubleEvents, troubleDead} {
		if p := e.trouble[what]; p != "" {
			r.Store.Problem = p
			break
		}
	}
	return r
}

// publish keeps a publisher up to date, at once but not more often than every reportPause.
func (e *engine) publish(ctx context.Context, p *report.Publisher, c *configState) {
	for {
		p.Publish(e.full(c))
		pause(ctx, reportPause)
		select {
		case <-ctx.Done():
			return
		case <-e.dirty:
		}
	}
}
