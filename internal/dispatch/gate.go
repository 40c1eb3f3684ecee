package dispatch

import (
	"time"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/report"
)

const (
	// probeFirst is the delay before the first probe after the gate closed; it doubles up to probeMax.
	probeFirst = time.Second
	probeMax   = 30 * time.Second
	// probeToken and probeTokenMax are the same while the OA rejects the account: OA systems lock accounts after a few
	// wrong passwords.
	probeToken    = 30 * time.Second
	probeTokenMax = 5 * time.Minute
	// suspicion is how many calls in a row must fail by an error or a timeout of the OA before the gate closes. One
	// item that the OA cannot digest must not stop the others.
	suspicion = 3
)

type gateState uint8

const (
	gateOpen gateState = iota
	// gateTrial lets one call through: a probe worked, now a real call has to.
	gateTrial
	gateClosed
)

// gate stops all calls while the OA as a whole is down, so that not every item burns attempts of its own. It closes after
// a failure that is about the OA and opens by probing: probe, then one call on trial, then all. Where no probe can tell, the
// calls on trial are the probes, ever more rarely. It is a pure state machine; the engine asks it under its lock.
type gate struct {
	tuning tuning
	state  gateState
	// trial: the one call of gateTrial is on its way.
	trial bool
	// failures in a row that might be about the OA.
	failures int
	delay    time.Duration
	// probeAt is when the next probe is due; zero when none is.
	probeAt time.Time
	probing bool
	// pausedUntil is how long the OA, which is well, asked for no more calls.
	pausedUntil time.Time
	// version counts credential and bundle changes, so that a probe with the old ones does not count.
	version int
	oa      report.OA
	// doubt is a failure that a call met and no probe has seen since, nil when there is none.
	doubt *doubt
}

// doubt is why a probe that works is not enough: an OA may answer every probe and refuse every item, because nothing that
// only reads checks the token, the right to write, or the address of the items. What only a call sees, only a call takes
// back, or the condition would flap with each trial.
type doubt struct {
	oa report.OA
	// account: it is about what we show to the OA, so it lasts also while there is no item to try.
	account bool
}

func newGate(t tuning, now time.Time) gate {
	return gate{tuning: t, probeAt: now, oa: report.OA{State: "Unknown", Reason: v1alpha1.ReasonUnknown, Message: "the OA has not been asked yet"}}
}

// admit reports whether a call may start now, and whether it is the one on trial; that one has to be ended by withdraw or
// observe.
func (g *gate) admit(now time.Time) (ok, trial bool) {
	switch {
	case now.Before(g.pausedUntil):
		return false, false
	case g.state == gateOpen:
		return true, false
	case g.state == gateTrial && !g.trial:
		g.trial = true
		return true, true
	}
	return false, false
}

// withdraw takes back an admitted call that was not made.
func (g *gate) withdraw(trial bool) {
	if trial {
		g.trial = false
	}
}

// observe takes in the result of a call that was admitted.
func (g *gate) observe(a oa.Attempt, trial bool, retryAfter time.Duration, now time.Time) {
	g.withdraw(trial)
	if a.Class == oa.RateLimited && retryAfter > 0 {
		// The next item would be refused just so.
		if at := now.Add(retryAfter); at.After(g.pausedUntil) {
			g.pausedUntil = at
		}
	}
	if !a.TargetDown() {
		g.failures = 0
		if g.state == gateOpen || trial && g.state == gateTrial {
			g.state, g.delay, g.doubt = gateOpen, 0, nil
			g.reachable()
		}
		return
	}
	g.failures++
	if g.state == gateClosed {
		return // a call from before
	}
	sure := a.Class != oa.ServerError && a.Class != oa.Timeout
	if sure || trial || g.failures >= suspicion {
		g.close(a, retryAfter, now)
		g.doubt = &doubt{oa: g.oa, account: a.Class == oa.AuthExpired}
	} else if g.probeAt.IsZero() {
		g.probeAt = now // ask the OA itself before the next item has to find out
	}
}

func (g *gate) close(a oa.Attempt, retryAfter time.Duration, now time.Time) {
	first, limit := g.tuning.probeFirst, g.tuning.probeMax
	if a.Reason == v1alpha1.ReasonTokenRejected {
		first, limit = g.tuning.probeToken, g.tuning.probeTokenMax
	}
	g.delay = min(max(2*g.delay, first), limit)
	g.state, g.probeAt = gateClosed, now.Add(max(g.delay, retryAfter))
	g.oa = report.OA{State: "False", Reason: a.Reason, Message: a.Message}
}

// due reports whether a probe should start now, and counts it as started.
func (g *gate) due(now time.Time) bool {
	if g.probing || g.probeAt.IsZero() || g.probeAt.After(now) {
		return false
	}
	g.probing, g.probeAt = true, time.Time{}
	return true
}

// probed takes in the result of a probe that was started at version. waiting is whether there is a call to make soon. It
// reports whether calls may start again.
func (g *gate) probed(a oa.Attempt, version int, waiting bool, retryAfter time.Duration, now time.Time) (resumed bool) {
	g.probing = false
	if version != g.version {
		g.probeAt = now
		return false
	}
	if a.TargetDown() {
		if g.doubt != nil && g.doubt.oa.Reason == a.Reason {
			g.doubt = nil // a probe sees it, so a probe will see its end
		}
		g.close(a, retryAfter, now)
		return false
	}
	if g.doubt != nil && (waiting || g.doubt.account) {
		g.oa = g.doubt.oa
	} else {
		g.reachable()
	}
	if g.state == gateClosed {
		g.state = gateTrial
		return true
	}
	return false
}

// changed makes a new try: something on our side is different. shown is whether that is what we show to the OA.
func (g *gate) changed(shown bool, now time.Time) {
	g.version++
	g.delay, g.probeAt = 0, now
	if g.doubt != nil && shown {
		g.doubt.account = false
	}
}

func (g *gate) reachable() {
	g.oa = report.OA{State: "True", Reason: v1alpha1.ReasonReachable, Message: "the OA answers and accepts the account"}
}
