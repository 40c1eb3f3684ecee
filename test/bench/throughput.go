package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/oabridge/oabridge/test/process"
)

const (
	// batchEvents is how many events go into one request where they go in batches.
	batchEvents = 100
	// warmUp events go through before anything is measured: connections, the token, the first files.
	warmUp = 1000
	// fewItems and fewReceivers are the keys of one connector, manyItems and manyReceivers those of 50.
	fewItems, fewReceivers   = 2_000, 100
	manyItems, manyReceivers = 100_000, 5_000
	// slowSink is the delay of a sink that does not answer at once.
	slowSink = 20 * time.Millisecond
	// drainPoll is how often the sink is asked whether all has come. Rates do not depend on it: the sink keeps the times.
	drainPoll = 20 * time.Millisecond
	// drainStuck is how long nothing may come before a measurement is given up.
	drainStuck = 90 * time.Second
)

// point is one row of the table.
type point struct {
	clients, batch int
	delay          time.Duration
	many           bool
	events         int
}

// sample is what one run at a point measured. Latencies are ns.
type sample struct {
	point
	rate                 float64 // deliveries/s
	perCPU, perAllCPU    float64 // deliveries per CPU-second of the dispatcher, and of all processes
	intake50, intake99   int64
	deliver50, deliver99 int64
	memory               process.Resident
	diskPerEvent         float64
	parts                map[string]int64
	// foreign is the processor time of processes that are not ours, in cores.
	foreign float64
	// refused requests were sent again; merged deliveries were overtaken by a newer state and never sent.
	refused, merged int
}

// ceiling is the best bare loop: requests/s, and requests per CPU-second of both of its processes.
type ceiling struct{ rate, perCPU float64 }

// bareLoops measures the ceiling at each number of clients and returns the best.
func (l *lab) bareLoops(ctx context.Context, p *printer) (best ceiling, err error) {
	clients := []int{16, 64, 256}
	if l.quick {
		clients = []int{64}
	}
	p.heading("The bare loop", "clients", "requests/s", "p50", "p99", "requests per CPU-second of both processes")
	for _, n := range clients {
		var runs []sample
		for range l.runs {
			if err := l.prepare(ctx, 0, false); err != nil {
				return best, err
			}
			m, err := startMeter(l.sink.PID())
			if err != nil {
				return best, err
			}
			r, _, err := l.load(ctx, loadFlags{
				url: l.sinkURL + "/seeyon/rest/thirdpartyPending/receive", want: http.StatusOK, clients: n, batch: 1, events: 2 * l.events,
				items: fewItems, people: fewReceivers,
			})
			if err != nil {
				return best, err
			}
			u, err := m.stop(r.CPU)
			if err != nil {
				return best, err
			}
			runs = append(runs, sample{
				rate: float64(r.Accepted) / seconds(r.Last-r.First), intake50: r.P50, intake99: r.P99,
				perAllCPU: float64(r.Accepted) / u.all.Seconds(), foreign: u.foreign,
			})
		}
		s := median(runs)
		if s.rate > best.rate {
			best = ceiling{s.rate, s.perAllCPU}
		}
		p.saw(s.foreign)
		p.row(fmt.Sprint(n), fmt.Sprintf("%.0f", s.rate), ms(s.intake50), ms(s.intake99), fmt.Sprintf("%.0f", s.perAllCPU))
	}
	p.end()
	return best, nil
}

// points of the table.
func (l *lab) points() (out []point) {
	if l.quick {
		return []point{{clients: 64, batch: 1, events: l.events}, {clients: 64, batch: batchEvents, events: 3 * l.events}}
	}
	for _, many := range []bool{false, true} {
		for _, delay := range []time.Duration{0, slowSink} {
			for _, batch := range []int{1, batchEvents} {
				for _, clients := range []int{16, 64, 256} {
					events := l.events
					switch {
					case delay > 0:
						events /= 2
					case batch > 1:
						events *= 2
					}
					// Every client has something to do a few times.
					out = append(out, point{clients, batch, delay, many, max(events, 2*clients*batch)})
				}
			}
		}
	}
	return out
}

// throughput measures all points and returns the best rates with a sink that answers at once.
func (l *lab) throughput(ctx context.Context, p *printer, bare ceiling) (single, batched float64, err error) {
	p.heading("Throughput", "clients", "events per request", "sink", "keys of", "deliveries/s", "of bare loop", "by CPU",
		"per CPU-s, dispatcher", "per CPU-s, all", "intake p50", "p99", "accepted→delivered p50", "p99", "RSS", "without program", "peak", "disk per event")
	for _, at := range l.points() {
		var runs []sample
		for range l.runs {
			s, err := l.run(ctx, at, l.store)
			if err != nil {
				return 0, 0, err
			}
			runs = append(runs, s)
		}
		s := median(runs)
		if at.delay == 0 && at.batch == 1 {
			single = max(single, s.rate)
		} else if at.delay == 0 {
			batched = max(batched, s.rate)
		}
		p.saw(s.foreign)
		connectors := "1 connector"
		if at.many {
			connectors = "50 connectors"
		}
		p.row(fmt.Sprint(at.clients), fmt.Sprint(at.batch), at.delay.String(), connectors, fmt.Sprintf("%.0f", s.rate), fmt.Sprintf("%.2f", s.rate/bare.rate), fmt.Sprintf("%.2f", s.perAllCPU/bare.perCPU),
			fmt.Sprintf("%.0f", s.perCPU), fmt.Sprintf("%.0f", s.perAllCPU), ms(s.intake50), ms(s.intake99), ms(s.deliver50), ms(s.deliver99),
			mib(s.memory.All), mib(s.memory.Own), mib(s.memory.Peak), fmt.Sprintf("%.0f B", s.diskPerEvent))
		if s.refused+s.merged > 0 {
			p.remark("%d clients, %d per request: %d requests had to be sent again, %d deliveries were overtaken", at.clients, at.batch, s.refused, s.merged)
		}
	}
	p.end()
	return single, batched, nil
}

// run measures one point once, with a fresh store.
func (l *lab) run(ctx context.Context, at point, base string) (s sample, err error) {
	s.point = at
	d, err := l.begin(ctx, base)
	if d != nil {
		defer d.end()
	}
	if err != nil {
		return s, err
	}
	load := loadFlags{url: d.Events(), want: http.StatusAccepted, clients: 16, batch: 1, events: warmUp, items: fewItems, people: fewReceivers}
	if at.many {
		load.items, load.people, load.reminders = manyItems, manyReceivers, true
	}
	if err := l.prepare(ctx, 0, false); err != nil {
		return s, err
	}
	if _, _, err := l.load(ctx, load); err != nil {
		return s, err
	}
	if _, err := l.drained(ctx, d, warmUp); err != nil {
		return s, err
	}
	if err := l.prepare(ctx, at.delay, false); err != nil {
		return s, err
	}

	load.clients, load.batch, load.first, load.events = at.clients, at.batch, warmUp, at.events/at.batch*at.batch
	m, err := startMeter(d.PID(), l.sink.PID())
	if err != nil {
		return s, err
	}
	profiled := d.profile(ctx, fmt.Sprintf("%d-clients-%d-per-request", at.clients, at.batch))
	r, accepted, err := l.load(ctx, load)
	if err != nil {
		return s, err
	}
	state, err := l.drained(ctx, d, int64(r.Accepted))
	if err != nil {
		return s, err
	}
	u, err := m.stop(r.CPU)
	if err != nil {
		return s, err
	}
	if err := profiled(); err != nil {
		return s, fmt.Errorf("profile: %w", err)
	}
	s.rate = float64(state.Distinct) / seconds(state.Last-r.First)
	s.perCPU, s.perAllCPU = float64(state.Distinct)/u.own[0].Seconds(), float64(state.Distinct)/u.all.Seconds()
	s.foreign, s.intake50, s.intake99 = u.foreign, r.P50, r.P99
	s.refused, s.merged = r.Repeated, r.Accepted-int(state.Distinct)
	if s.deliver50, s.deliver99, err = l.latencies(ctx, load.first, accepted); err != nil {
		return s, err
	}
	if s.memory, err = process.Memory(d.PID()); err != nil {
		return s, err
	}
	total, parts, err := d.disk()
	s.diskPerEvent, s.parts = float64(total)/float64(warmUp+r.Accepted), parts
	return s, err
}

// drained waits until the sink has n events, or the dispatcher has nothing left to do.
func (l *lab) drained(ctx context.Context, d *subject, n int64) (sinkState, error) {
	last, since := int64(-1), time.Now()
	for {
		s, err := l.state(ctx)
		if err != nil || s.Distinct >= n {
			return s, err
		}
		if s.Distinct != last {
			last, since = s.Distinct, time.Now()
		} else if time.Since(since) > time.Second {
			// Nothing came for a second: perhaps nothing is left, because a newer state took the place of an older one.
			if r, _, _, err := d.Report(ctx, "", 0); err == nil && r.Delivery.Pending+r.Delivery.Retrying == 0 {
				return l.state(ctx)
			}
		}
		if time.Since(since) > drainStuck {
			return s, fmt.Errorf("the sink has %d of %d events and gets no more; see %s", s.Distinct, n, d.Log)
		}
		select {
		case <-ctx.Done():
			return s, ctx.Err()
		case <-time.After(drainPoll):
		}
	}
}

// latencies matches each event's time at the sink with that of its acceptance, as the load generator saw the 202. The sink
// may have it earlier than the generator has the answer; that counts as 1 ns.
func (l *lab) latencies(ctx context.Context, first int, accepted []int64) (p50, p99 int64, err error) {
	raw, err := l.ask(ctx, fmt.Sprintf("/bench/times?n=%d", first+len(accepted)))
	if err != nil {
		return 0, 0, err
	}
	times := numbers(raw)[first:]
	took := make([]int64, 0, len(accepted))
	for i, at := range accepted {
		if at > 0 && times[i] > 0 {
			took = append(took, max(times[i]-at, 1))
		}
	}
	q := quantiles(took, .5, .99)
	return q[0], q[1], nil
}

// median is the run with the median rate, as a whole; foreign is the worst of all.
func median(runs []sample) sample {
	slices.SortFunc(runs, func(a, b sample) int { return cmp.Compare(a.rate, b.rate) })
	s := runs[len(runs)/2]
	for _, r := range runs {
		s.foreign = max(s.foreign, r.foreign)
	}
	return s
}

func seconds(ns int64) float64 { return time.Duration(ns).Seconds() }
