// Package slo measures deliveries against a service level objective (SLO): that so many of a hundred items are with the OA
// so long after their acceptance. It looks at the last hour, in bounded memory.
package slo

import (
	"math"
	"time"
)

// Objective is what is promised.
type Objective struct {
	// Ratio of the items that are to be in time, such as 0.999.
	Ratio float64
	// Within is how long an item may take from its acceptance to its delivery.
	Within time.Duration
}

// Verdict on an item. Each item gets one.
type Verdict int

// The verdicts. What was skipped on purpose, or held until a person is bound, gets none.
const (
	// InTime: the item was delivered within the time that it has.
	InTime Verdict = iota
	// Late: the time was over before it was delivered. It is said at that moment, not when the item is delivered in the end,
	// so that an outage shows while it lasts.
	Late
	// Dead: the item was given up before its time was over.
	Dead
	verdicts
)

// String is the value of the metric's label.
func (v Verdict) String() string { return [verdicts]string{"InTime", "Late", "Dead"}[v] }

// Verdicts are all there are.
func Verdicts() []Verdict { return []Verdict{InTime, Late, Dead} }

// Figures of a time.
type Figures struct {
	InTime int64 `json:"inTime"`
	Late   int64 `json:"late"`
	Dead   int64 `json:"dead"`
	// Latencies counts deliveries by their time from acceptance to delivery: the bucket i holds those of at most
	// 2^(i/8) milliseconds, and of more than the bucket before.
	Latencies map[int]int64 `json:"latencies,omitempty"`
}

// Add makes f the figures of both.
func (f *Figures) Add(o *Figures) {
	f.InTime, f.Late, f.Dead = f.InTime+o.InTime, f.Late+o.Late, f.Dead+o.Dead
	for bucket, n := range o.Latencies {
		if f.Latencies == nil {
			f.Latencies = map[int]int64{}
		}
		f.Latencies[bucket] += n
	}
}

// Items is how many got a verdict.
func (f *Figures) Items() int64 { return f.InTime + f.Late + f.Dead }

// Ratio of the items that were in time; 1 when there were none.
func (f *Figures) Ratio() float64 {
	if f.Items() == 0 {
		return 1
	}
	return float64(f.InTime) / float64(f.Items())
}

// BurnRate is how fast the error budget is used up: 1 when exactly as many items miss the objective as may, 0 when none does.
func (f *Figures) BurnRate(o Objective) float64 {
	if o.Ratio >= 1 {
		return 0
	}
	return (1 - f.Ratio()) / (1 - o.Ratio)
}

// Delivered is how many deliveries the quantiles are of.
func (f *Figures) Delivered() (n int64) {
	for _, count := range f.Latencies {
		n += count
	}
	return n
}

// Quantile is the time in which a share q of the deliveries were with the OA, at most 5 % off; 0 when there were none.
func (f *Figures) Quantile(q float64) time.Duration {
	rank := int64(math.Ceil(q * float64(f.Delivered())))
	for bucket := range buckets {
		if rank -= f.Latencies[bucket]; rank <= 0 && f.Latencies[bucket] > 0 {
			return middle(bucket)
		}
	}
	return 0
}

const (
	// perOctave buckets halve a latency: neighbours differ by 9 %.
	perOctave = 8
	// buckets reach from 1 ms to 2^32 ms, about 50 days; an item is tried for 30 days at most.
	buckets = 32*perOctave + 1
)

// bucketOf is the first bucket that holds a latency.
func bucketOf(latency time.Duration) int {
	ms := float64(latency) / float64(time.Millisecond)
	if ms <= 1 {
		return 0
	}
	return min(int(math.Ceil(math.Log2(ms)*perOctave)), buckets-1)
}

// middle of a bucket, on the scale of the buckets.
func middle(bucket int) time.Duration {
	return time.Duration(math.Exp2((float64(bucket)-0.5)/perOctave) * float64(time.Millisecond))
}
