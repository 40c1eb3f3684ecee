package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/crm"
	"github.com/oabridge/oabridge/internal/oasim/fault"
)

// The actors, each with dice of its own.
const (
	actorKiller = iota + 1
	actorInTurn
	actorOA
	actorDisk
)

// takeover is how long an owner stays away: longer than its lease of 15 s.
const takeover = 18 * time.Second

func between(dice *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(dice.Int64N(int64(most-least)+1))
}

// ready waits until a program is up; false when the havoc is over before.
func ready(ctx context.Context, m *member) bool { return m.isUp(ctx) == nil }

// killer kills the only dispatcher again and again. Mostly it lets the next one get ready first; one time in four it does not, so
// that recovery is interrupted as well.
func (st *stage) killer(ctx context.Context, c config) error {
	dice := c.dice(actorKiller)
	victim := st.dispatchers[0]
	for {
		if dice.IntN(4) > 0 {
			if !ready(ctx, victim) { // the havoc is over
				return nil
			}
		}
		if !pause(ctx, between(dice, c.killMin, c.killMax)) {
			return nil
		}
		victim.kill(0)
	}
}

// inTurn kills an owner of partitions and a NATS server, one after the other: the next one only when the others are
// healthy again. Every other owner stays away for so long that the remaining ones have to take over.
func (st *stage) inTurn(ctx context.Context, c config) error {
	dice := c.dice(actorInTurn)
	for n := 0; ; n++ {
		for _, s := range st.servers {
			if !ready(ctx, s) {
				return nil
			}
		}
		if !pause(ctx, between(dice, c.killMin, c.killMax)) {
			return nil
		}
		switch n % 4 {
		case 0:
			st.dispatchers[dice.IntN(len(st.dispatchers))].kill(0)
		case 2:
			st.dispatchers[dice.IntN(len(st.dispatchers))].kill(takeover)
		default:
			st.servers[dice.IntN(len(st.servers))].kill(0)
		}
	}
}

// refuseForGood makes the OA refuse the one to-do that fails for good; that one must stop no other.
var refuseForGood = fault.Rule{
	ID: "for-good", Match: fault.Match{Path: pushPath, Title: crm.FailMarker},
	Action: fault.Action{Kind: fault.Business, ErrorMsgs: []string{"该待办不允许接收"}},
}

// moods are the ways in which the OA fails. A rule with Times acts on so many requests, one without until the mood is over.
var moods = []struct {
	name string
	rule func(dice *rand.Rand) fault.Rule
}{
	{"hangs", some(8, fault.Action{Kind: fault.Hang})},
	{"cuts connections", some(40, fault.Action{Kind: fault.Close})},
	{"does its work and cuts the connection", some(40, fault.Action{Kind: fault.Close, After: true})},
	{"is down", all(fault.Action{Kind: fault.Close})},
	{"fails (500)", some(40, fault.Action{Kind: fault.Status, Status: 500})},
	{"does its work and says that it failed (500)", some(40, fault.Action{Kind: fault.Status, Status: 500, After: true})},
	{"is overloaded (503)", all(fault.Action{Kind: fault.Status, Status: 503, RetryAfter: "1"})},
	{"limits the rate (429)", some(20, fault.Action{Kind: fault.Status, Status: 429, RetryAfter: "1"})},
	{"says with HTTP 200 that it failed", some(2, fault.Action{Kind: fault.Business})},
	{"does its work and says with HTTP 200 that it failed", some(2, fault.Action{Kind: fault.Business, After: true})},
	{"shows its login page with HTTP 200", some(20, fault.Action{Kind: fault.HTML})},
	{"forgets tokens", some(10, fault.Action{Kind: fault.ExpireToken})},
	{"is slow", all(fault.Action{Kind: fault.Delay, DelayMillis: 50})},
}

// some strikes up to n pushes.
func some(n int, a fault.Action) func(*rand.Rand) fault.Rule {
	return func(dice *rand.Rand) fault.Rule {
		return fault.Rule{Match: fault.Match{Path: pushPath}, Times: 1 + dice.IntN(n), Action: a}
	}
}

// all strikes every call to the OA, logins too.
func all(a fault.Action) func(*rand.Rand) fault.Rule {
	return func(*rand.Rand) fault.Rule { return fault.Rule{Match: fault.Match{Path: "/seeyon/"}, Action: a} }
}

// moody lets the OA fail in one way after the other, with calm in between, and restart now and then.
func (st *stage) moody(ctx context.Context, c config) error {
	dice := c.dice(actorOA)
	for {
		if !pause(ctx, between(dice, 0, 600*time.Millisecond)) {
			return nil
		}
		mood := moods[dice.IntN(len(moods))]
		st.diary.note("the OA %s", mood.name)
		err := st.sim.Script(ctx, refuseForGood, mood.rule(dice))
		if err == nil && dice.IntN(10) == 0 {
			st.diary.note("the OA forgets all tokens")
			err = st.sim.ForgetTokens(ctx)
		}
		if err == nil && pause(ctx, between(dice, 100*time.Millisecond, 900*time.Millisecond)) {
			err = st.sim.Script(ctx, refuseForGood)
		}
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("the OA cannot be scripted: %w", err)
		}
	}
}

// diskFiller fills the dispatcher's volume and frees it again.
func (st *stage) diskFiller(ctx context.Context, c config) error {
	dice := c.dice(actorDisk)
	for {
		if !pause(ctx, between(dice, 2*time.Second, 6*time.Second)) {
			return nil
		}
		over := time.Now().Add(between(dice, 300*time.Millisecond, 1500*time.Millisecond))
		st.diary.note("the disk is full")
		for time.Now().Before(over) {
			if err := st.volume.Fill(); err != nil {
				return fmt.Errorf("the disk cannot be filled: %w", err)
			}
			if !pause(ctx, 20*time.Millisecond) {
				break
			}
		}
		if err := st.volume.Free(); err != nil {
			return err
		}
		st.diary.note("the disk has room again")
	}
}
