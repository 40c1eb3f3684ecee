package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/oabridge/oabridge/test/process"
)

const (
	// fillBatch is how many events go into one request while a backlog is made.
	fillBatch = 500
	// window is how long deliveries are counted at each backlog; a small one may be drained earlier.
	window = 5 * time.Second
)

// backlogs measures what a backlog does: memory, the start of the process, and throughput.
func (l *lab) backlogs(ctx context.Context, p *printer) error {
	p.heading("Backlog", "pending", "RSS", "without program", "peak", "start→ready", "start→first delivery", "deliveries/s, out only", "deliveries/s, in and out")
	for _, pending := range l.pending {
		if err := l.backlog(ctx, p, pending); err != nil {
			return fmt.Errorf("backlog of %d: %w", pending, err)
		}
	}
	p.end()
	return nil
}

// backlog accepts events while the sink is down, kills the dispatcher, brings the sink back and starts the dispatcher anew.
func (l *lab) backlog(ctx context.Context, p *printer, pending int) error {
	d, err := l.begin(ctx, l.store)
	if d != nil {
		defer d.end()
	}
	if err == nil {
		err = l.prepare(ctx, 0, true)
	}
	if err != nil {
		return err
	}
	load := loadFlags{url: d.Events(), want: http.StatusAccepted, clients: 4, batch: fillBatch, events: pending / fillBatch * fillBatch, items: maxEvents, people: manyReceivers}
	r, _, err := l.load(ctx, load)
	if err != nil {
		return err
	}
	memory, err := process.Memory(d.PID())
	if err != nil {
		return err
	}
	d.Kill()
	if err := l.answer(ctx, 0, false); err != nil {
		return err
	}
	ready, err := d.start(ctx)
	if err != nil {
		return err
	}
	first, err := l.firstDelivery(ctx)
	if err != nil {
		return err
	}
	out, err := l.rate(ctx, int64(r.Accepted), window)
	if err != nil {
		return err
	}
	before, err := l.state(ctx)
	if err != nil {
		return err
	}
	m, err := startMeter(d.PID(), l.sink.PID())
	if err != nil {
		return err
	}
	load.clients, load.batch, load.first, load.events = 64, 1, pending, l.events/2
	r, _, err = l.load(ctx, load)
	if err != nil {
		return err
	}
	after, err := l.state(ctx)
	if err != nil {
		return err
	}
	u, err := m.stop(r.CPU)
	if err != nil {
		return err
	}
	p.saw(u.foreign)
	p.row(fmt.Sprint(pending), mib(memory.All), mib(memory.Own), mib(memory.Peak), ready.Round(time.Millisecond).String(),
		first.Sub(d.Started).Round(time.Millisecond).String(), fmt.Sprintf("%.0f", out),
		fmt.Sprintf("%.0f", float64(after.Distinct-before.Distinct)/seconds(max(after.Last, r.Last)-r.First)))
	return nil
}

// firstDelivery waits for the first event at the sink.
func (l *lab) firstDelivery(ctx context.Context) (time.Time, error) {
	deadline := time.Now().Add(drainStuck)
	for {
		s, err := l.state(ctx)
		if err != nil || s.First > 0 {
			return time.Unix(0, s.First), err
		}
		if time.Now().After(deadline) {
			return time.Time{}, fmt.Errorf("nothing was delivered within %s of the start", drainStuck)
		}
		select {
		case <-ctx.Done():
			return time.Time{}, ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
}

// rate counts deliveries for a time, or until there are n.
func (l *lab) rate(ctx context.Context, n int64, during time.Duration) (float64, error) {
	over := time.After(during)
	for {
		s, err := l.state(ctx)
		if err != nil {
			return 0, err
		}
		enough := s.Distinct >= n
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-over:
			enough = true
		case <-time.After(drainPoll):
		}
		if enough {
			s, err = l.state(ctx)
			return float64(s.Distinct-1) / seconds(max(s.Last-s.First, 1)), err
		}
	}
}
