package slo

import (
	"sync"
	"time"
)

const (
	// Span is how far a Window looks back.
	Span = time.Hour
	// step is how much it forgets at once.
	step  = time.Minute
	slots = int(Span / step)
)

// Window counts what happened in the last hour. What is told late counts at its time, as far as that is in the hour. It takes
// some 65 KB. It is safe for concurrent use; the zero value counts against no objective.
type Window struct {
	mu        sync.Mutex
	objective Objective
	slots     [slots]slot
}

// slot is a minute.
type slot struct {
	minute    int64
	verdicts  [verdicts]int64
	latencies [buckets]uint32
}

// Use counts against an objective from now on. Verdicts by another time limit are forgotten: they say nothing of this one.
func (w *Window) Use(o Objective) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.objective.Within != o.Within {
		for i := range w.slots {
			w.slots[i].verdicts = [verdicts]int64{}
		}
	}
	w.objective = o
}

// Objective that is counted against.
func (w *Window) Objective() Objective {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.objective
}

// Judge counts a verdict of a time.
func (w *Window) Judge(at time.Time, v Verdict) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.at(at); s != nil {
		s.verdicts[v]++
	}
}

// Deliver counts the latency of a delivery.
func (w *Window) Deliver(at time.Time, latency time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.at(at); s != nil {
		s.latencies[bucketOf(latency)]++
	}
}

// at is the slot of a time, nil when another hour has it already. The lock is held.
func (w *Window) at(t time.Time) *slot {
	minute := t.Unix() / int64(step/time.Second)
	s := &w.slots[minute%int64(slots)]
	switch {
	case s.minute > minute:
		return nil
	case s.minute < minute:
		*s = slot{minute: minute}
	}
	return s
}

// Figures of the last hour.
func (w *Window) Figures(now time.Time) Figures {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := Figures{Latencies: map[int]int64{}}
	minute := now.Unix() / int64(step/time.Second)
	for i := range w.slots {
		s := &w.slots[i]
		if s.minute <= minute-int64(slots) || s.minute > minute {
			continue
		}
		f.InTime, f.Late, f.Dead = f.InTime+s.verdicts[InTime], f.Late+s.verdicts[Late], f.Dead+s.verdicts[Dead]
		for bucket, n := range s.latencies {
			if n > 0 {
				f.Latencies[bucket] += int64(n)
			}
		}
	}
	return f
}

// Totals are the number and the sum of all latencies since the start. It is safe for concurrent use.
type Totals struct {
	mu        sync.Mutex
	delivered uint64
	seconds   float64
}

// Deliver counts the latency of a delivery.
func (t *Totals) Deliver(latency time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.delivered++
	t.seconds += latency.Seconds()
}

// Sum is the number and the sum in seconds.
func (t *Totals) Sum() (delivered uint64, seconds float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.delivered, t.seconds
}
