package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"
)

// costs shows where the time goes: syncing to disk, intake alone, delivery alone, and what each event leaves on disk.
func (l *lab) costs(ctx context.Context, p *printer, bare ceiling) error {
	at := point{clients: 64, batch: 1, events: l.events}
	p.heading("Costs", "what", "events/s", "of bare loop", "CPU of the dispatcher per event")
	row := func(what string, s sample) {
		p.saw(s.foreign)
		p.row(what, fmt.Sprintf("%.0f", s.rate), fmt.Sprintf("%.2f", s.rate/bare.rate), fmt.Sprintf("%.0f µs", 1e6/s.perCPU))
	}
	disk, err := l.median(func() (sample, error) { return l.run(ctx, at, l.store) })
	if err != nil {
		return err
	}
	row("both: in and out, store on disk", disk)
	if l.memory != "" {
		s, err := l.median(func() (sample, error) { return l.run(ctx, at, l.memory) })
		if err != nil {
			return err
		}
		row("both, store in memory: no syncs to disk", s)
	}
	for _, batch := range []int{1, batchEvents} {
		events := l.events
		if batch > 1 {
			events *= 3
		}
		in, err := l.median(func() (sample, error) { s, _, err := l.halves(ctx, batch, events); return s, err })
		if err != nil {
			return err
		}
		row(fmt.Sprintf("intake alone, %d per request, the OA is down", batch), in)
	}
	out, err := l.median(func() (sample, error) { _, s, err := l.halves(ctx, batchEvents, l.events); return s, err })
	if err != nil {
		return err
	}
	row("delivery alone: push and record, nothing comes in", out)
	p.end()

	p.heading("Disk", "part of the store", "bytes per event")
	for _, part := range slices.SortedFunc(maps.Keys(disk.parts), func(a, b string) int { return int(disk.parts[b] - disk.parts[a]) }) {
		if perEvent := disk.parts[part] / int64(warmUp+at.events); perEvent > 0 {
			p.row(part, fmt.Sprint(perEvent))
		}
	}
	p.end()
	return nil
}

// median of as many runs as were asked for.
func (l *lab) median(run func() (sample, error)) (sample, error) {
	var runs []sample
	for range l.runs {
		s, err := run()
		if err != nil {
			return s, err
		}
		runs = append(runs, s)
	}
	return median(runs), nil
}

// halves measures intake without delivery, then delivery without intake. The sink holds its answers back meanwhile, so the
// OA counts as slow and not as down, and every event is of a to-do of its own.
func (l *lab) halves(ctx context.Context, batch, events int) (in, out sample, err error) {
	d, err := l.begin(ctx, l.store)
	if d != nil {
		defer d.end()
	}
	if err == nil {
		err = l.prepare(ctx, holdBack, false)
	}
	if err != nil {
		return in, out, err
	}
	events = events / batch * batch
	m, err := startMeter(d.PID(), l.sink.PID())
	if err != nil {
		return in, out, err
	}
	r, _, err := l.load(ctx, loadFlags{url: d.Events(), want: http.StatusAccepted, clients: 64, batch: batch, events: events, items: maxEvents, people: manyReceivers})
	if err != nil {
		return in, out, err
	}
	u, err := m.stop(r.CPU)
	if err != nil {
		return in, out, err
	}
	in = sample{rate: float64(r.Accepted) / seconds(r.Last-r.First), perCPU: float64(r.Accepted) / u.own[0].Seconds(), foreign: u.foreign}

	// The calls that are held back end when their time is over; then it runs freely.
	if err := l.answer(ctx, 0, false); err != nil {
		return in, out, err
	}
	before, err := l.released(ctx)
	if err != nil {
		return in, out, err
	}
	if m, err = startMeter(d.PID(), l.sink.PID()); err != nil {
		return in, out, err
	}
	began := time.Now().UnixNano()
	after, err := l.drained(ctx, d, int64(r.Accepted))
	if err != nil {
		return in, out, err
	}
	if u, err = m.stop(0); err != nil {
		return in, out, err
	}
	n := float64(after.Distinct - before.Distinct)
	out = sample{rate: n / seconds(after.Last-began), perCPU: n / u.own[0].Seconds(), foreign: u.foreign}
	return in, out, nil
}

// holdBack is how long the sink holds back answers while a backlog is made. It is less than the connector's timeout.
const holdBack = 10 * time.Second

// released waits until more events come than were held back.
func (l *lab) released(ctx context.Context) (sinkState, error) {
	s, err := l.state(ctx)
	for held := s.Distinct + int64(l.concurrency); err == nil && s.Distinct <= held; {
		select {
		case <-ctx.Done():
			return s, ctx.Err()
		case <-time.After(time.Millisecond):
		}
		s, err = l.state(ctx)
	}
	return s, err
}
