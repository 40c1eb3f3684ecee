package slo

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// Whatever the latencies, a quantile is the exact one but for 5 %, or for the millisecond below which nothing is told apart.
func TestQuantiles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		exact := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) time.Duration {
			return time.Duration(math.Exp2(rapid.Float64Range(0, 31).Draw(t, "octave")) * float64(time.Millisecond))
		}), 1, 200).Draw(t, "latencies")
		var w Window
		for i, latency := range exact {
			w.Deliver(noon.Add(time.Duration(i)*time.Second), latency)
		}
		f := w.Figures(noon.Add(10 * time.Minute))
		slices.Sort(exact)
		for _, q := range []float64{0.5, 0.95, 0.99, 1} {
			want := exact[int(math.Ceil(q*float64(len(exact))))-1]
			got := f.Quantile(q)
			if math.Abs(float64(got-want)) > 0.05*float64(want) {
				t.Fatalf("the quantile %g of %d is %s, want %s", q, len(exact), got, want)
			}
		}
	})
}

// The window forgets what is older than an hour, minute by minute, and what happened at the same minute of another hour
// does not come back.
func TestWindow(t *testing.T) {
	var w Window
	w.Use(Objective{Ratio: 0.9, Within: time.Minute})
	w.Judge(noon, Late)
	w.Deliver(noon, 90*time.Second)
	w.Judge(noon.Add(30*time.Minute), InTime)
	for _, c := range []struct {
		after           time.Duration
		items, delivery int64
		ratio, burn     float64
	}{
		{after: 30 * time.Minute, items: 2, delivery: 1, ratio: 0.5, burn: 5},
		{after: 59 * time.Minute, items: 2, delivery: 1, ratio: 0.5, burn: 5},
		{after: 60 * time.Minute, items: 1, delivery: 0, ratio: 1, burn: 0},
		{after: 90 * time.Minute, items: 0, delivery: 0, ratio: 1, burn: 0},
		{after: 24 * time.Hour, items: 0, delivery: 0, ratio: 1, burn: 0},
	} {
		f := w.Figures(noon.Add(c.after))
		if f.Items() != c.items || f.Delivered() != c.delivery || f.Ratio() != c.ratio || math.Abs(f.BurnRate(w.Objective())-c.burn) > 1e-9 {
			t.Errorf("after %s: %+v, ratio %g, burn rate %g, want %+v", c.after, f, f.Ratio(), f.BurnRate(w.Objective()), c)
		}
	}
	w.Judge(noon.Add(2*time.Hour), Dead)
	if f := w.Figures(noon.Add(2 * time.Hour)); f.Items() != 1 || f.Dead != 1 {
		t.Errorf("two hours later: %+v, want the dead one only", f)
	}
	// What comes late counts at its time, and what is older than that takes nothing away from the hour.
	w.Judge(noon.Add(90*time.Minute), Late)
	w.Judge(noon, Late)
	w.Deliver(noon, time.Second)
	if f := w.Figures(noon.Add(2 * time.Hour)); f.Items() != 2 || f.Late != 1 || f.Delivered() != 0 {
		t.Errorf("with what came late: %+v", f)
	}
	var totals Totals
	totals.Deliver(90 * time.Second)
	if n, seconds := totals.Sum(); n != 1 || seconds != 90 {
		t.Errorf("totals %d, %g s: they are never forgotten", n, seconds)
	}
}

// Another time limit makes verdicts void, another ratio does not.
func TestAnotherObjective(t *testing.T) {
	var w Window
	w.Use(Objective{Ratio: 0.99, Within: time.Minute})
	w.Judge(noon, Late)
	w.Deliver(noon, time.Hour)
	w.Use(Objective{Ratio: 0.9, Within: time.Minute})
	if f := w.Figures(noon); f.Late != 1 {
		t.Errorf("another ratio: %+v", f)
	}
	w.Use(Objective{Ratio: 0.9, Within: time.Hour})
	if f := w.Figures(noon); f.Late != 0 || f.Delivered() != 1 {
		t.Errorf("another time: %+v, want the latency without the verdict", f)
	}
}

// What replicas say is summed up before quantiles are taken: a mean of quantiles would be wrong.
func TestReplicas(t *testing.T) {
	var fast, slow Window
	for range 99 {
		fast.Judge(noon, InTime)
		fast.Deliver(noon, 10*time.Millisecond)
	}
	slow.Judge(noon, Late)
	slow.Deliver(noon, 100*time.Second)
	sum, other := fast.Figures(noon), slow.Figures(noon)
	sum.Add(&other)
	if sum.Items() != 100 || sum.Ratio() != 0.99 || sum.Quantile(0.99) > 20*time.Millisecond || sum.Quantile(1) < 90*time.Second {
		t.Errorf("%+v: p99 %s, slowest %s", sum, sum.Quantile(0.99), sum.Quantile(1))
	}
	if f := (&Figures{}); f.Quantile(0.5) != 0 || f.BurnRate(Objective{Ratio: 0.999}) != 0 || (&Figures{Late: 1}).BurnRate(Objective{Ratio: 1}) != 0 {
		t.Error("nothing happened, and there are figures")
	}
}
