package dispatch

import (
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/oa"
)

// Probes of an OA that is down back off up to half a minute; those of a rejected account start there, so that the OA
// does not lock it.
func TestProbesBackOff(t *testing.T) {
	for _, c := range []struct {
		name string
		a    oa.Attempt
		want []time.Duration
	}{
		{"down", refused(), []time.Duration{1, 2, 4, 8, 16, 30, 30}},
		{"rejected", rejected(), []time.Duration{30, 60, 120, 240, 300, 300}},
		{"asks for patience", oa.Attempt{Class: oa.ServerError, Reason: "ServerError", RetryAfter: 9 * time.Second}, []time.Duration{9, 9, 9, 9, 16}},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)
			g := newGate(defaultTuning(), now)
			for i, want := range c.want {
				if !g.due(now) || g.due(now) {
					t.Fatal("a probe is due, and only one")
				}
				g.probed(c.a, g.version, false, c.a.RetryAfter, now)
				if got := g.probeAt.Sub(now); got != want*time.Second {
					t.Fatalf("delay %d: %s, want %ds", i, got, want)
				}
				if ok, _ := g.admit(now); ok {
					t.Fatal("a call is admitted")
				}
				now = g.probeAt
			}
			g.changed(true, now)
			if !g.due(now) {
				t.Error("no probe at once after a change of the credentials")
			}
		})
	}
}

// After a probe worked one call is tried; only when it works too do the others follow.
func TestTrial(t *testing.T) {
	now := time.Now()
	g := newGate(defaultTuning(), now)
	g.close(refused(), 0, now)
	g.due(g.probeAt)
	if !g.probed(oa.Attempt{}, g.version, true, 0, now) {
		t.Fatal("calls do not resume")
	}
	ok, trial := g.admit(now)
	if again, _ := g.admit(now); !ok || !trial || again {
		t.Fatal("not exactly one call on trial")
	}
	// A call from before the outage ends now: it is not the one on trial.
	g.observe(oa.Attempt{}, false, 0, now)
	if again, _ := g.admit(now); again {
		t.Fatal("an old call opened the gate")
	}
	g.observe(oa.Attempt{Class: oa.Timeout, Reason: "Timeout"}, trial, 0, now)
	if g.state != gateClosed || g.delay != 2*time.Second {
		t.Fatalf("state %d, delay %s after the trial failed", g.state, g.delay)
	}
	g.due(g.probeAt)
	g.probed(oa.Attempt{}, g.version, true, 0, now)
	_, trial = g.admit(now)
	g.observe(oa.Attempt{Class: oa.BusinessCode}, trial, 0, now)
	for range 3 {
		if ok, trial := g.admit(now); !ok || trial {
			t.Fatal("the gate is not open")
		}
	}
}

// A probe with credentials that were replaced meanwhile says nothing.
func TestProbeOfTheOldPassword(t *testing.T) {
	now := time.Now()
	g := newGate(defaultTuning(), now)
	g.due(now)
	old := g.version
	g.changed(true, now)
	g.probed(rejected(), old, false, 0, now)
	if g.state == gateClosed || !g.due(now) {
		t.Error("the answer to the old password counts")
	}
}

// The delay between attempts. // F61
func TestBackoff(t *testing.T) {
	p := policy{bundle.Delivery{
		Retry: true, RetryOn: []string{"ServerError"}, BackoffDelay: bundle.Duration(5 * time.Second),
		BackoffMax: bundle.Duration(time.Minute), RetryAfterMax: bundle.Duration(5 * time.Minute),
	}}
	for _, c := range []struct {
		kind       string
		attempts   int
		random     float64
		retryAfter time.Duration
		want       time.Duration
	}{
		{"Exponential", 1, 0.5, 0, 5 * time.Second},
		{"Exponential", 3, 0.5, 0, 20 * time.Second},
		{"Exponential", 3, 0, 0, 16 * time.Second},
		{"Exponential", 1_000_000, 0.5, 0, time.Minute},
		{"Linear", 3, 0.5, 0, 15 * time.Second},
		{"Linear", 1_000_000_000, 0.5, 0, time.Minute},
		{"Linear", 1, 0.5, 30 * time.Second, 30 * time.Second},
		{"Linear", 1, 0.5, time.Hour, 5 * time.Minute},
	} {
		p.Backoff = c.kind
		if got := p.delay(oa.Attempt{RetryAfter: c.retryAfter}, c.attempts, c.random); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
	for range 1000 {
		outcome, d := p.judge(oa.Attempt{Class: oa.ServerError}, 1)
		if outcome != record.Retrying || d < 4*time.Second || d > 6*time.Second {
			t.Fatalf("%s after %s", outcome, d)
		}
	}
}
