package dispatch

import (
	"time"

	"github.com/oabridge/oabridge/internal/dispatch/lanes"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/scenario"
)

// catchUpAge is how old the oldest delivery must be at a start for the time before to count as an outage.
const catchUpAge = time.Minute

// catchUp remembers what piled up during an outage. Of that, the latest state of each item goes out instead of its
// history, and the OA gets it at a growing pace: an OA that has just come back is not knocked over again.
type catchUp struct {
	// upTo is the last delivery that was accepted before the outage ended; 0 when there was none.
	upTo uint64
	// unsure is the last delivery that was accepted before the start of this process: the OA may have got each of them, from
	// a process that ended before it wrote that down.
	unsure uint64
	// ramp is how many calls may be in flight at once, 0 when it is not limited; succeeded counts calls since it grew.
	ramp, succeeded int
}

// begin is called when the OA answers again; tail is the last delivery that was accepted.
func (c *catchUp) begin(tail uint64) { c.upTo, c.ramp, c.succeeded = tail, 1, 0 }

// success lets more calls through, up to limit.
func (c *catchUp) success(limit int) {
	if c.ramp == 0 {
		return
	}
	if c.succeeded++; c.succeeded >= c.ramp {
		c.ramp, c.succeeded = 2*c.ramp, 0
	}
	if c.ramp >= limit {
		c.ramp = 0
	}
}

// concurrency is how many calls of this partition may be in flight.
func (e *engine) concurrency(v *live) int {
	n := max(v.concurrency()/e.of, 1)
	if e.catchUp.ramp > 0 {
		return min(n, e.catchUp.ramp)
	}
	return n
}

// plan says what to do with the head of a lane when it piled up during an outage: skip it for a reason, or send the state
// of an entry further back with it (of itself, when there is none).
func (c *catchUp) plan(p policy, t *lanes.Table, head *lanes.Entry) (skip string, state *lanes.Entry) {
	switch {
	case head.Skip != "":
		return head.Skip, nil
	case p.CatchUp != "LatestState" || head.Seq > c.upTo:
		return "", head
	case head.Action() == scenario.Create:
		return c.planCreate(p, t, head)
	}
	next := t.Behind(head)
	if next == nil || next.Seq > c.upTo {
		return "", head
	}
	overtaken := false
	switch head.Action() {
	case scenario.Update, scenario.Complete:
		overtaken = next.Action() != scenario.Create // a new item of the same name needs the end of the old one
	case scenario.Delete:
		overtaken = next.Action() == scenario.Delete
	}
	if overtaken {
		return record.ReasonCaughtUp, nil
	}
	return "", head
}

// planCreate: the OA does not know the item yet, so it must be created, but at once as it is now. When it is finished by
// now, the policy decides whether the OA ever hears of it.
func (c *catchUp) planCreate(p policy, t *lanes.Table, head *lanes.Entry) (string, *lanes.Entry) {
	state := head
	for x := t.Behind(head); x != nil && x.Seq <= c.upTo; x = t.Behind(x) {
		if a := x.Action(); a == scenario.Create || a == scenario.Update {
			state = x
			continue
		}
		// An attempt may have reached the OA although we saw it fail or did not see it: then the end must reach it too.
		if p.CatchUpFinished == "Deliver" || head.Attempts > 0 || head.Noted > 0 || head.Seq <= c.unsure {
			break
		}
		for y := head; ; y = t.Behind(y) {
			y.Skip, y.Noted = record.ReasonCameAndWent, x.Seq
			if y == x {
				return record.ReasonCameAndWent, nil
			}
		}
	}
	return "", state
}

// merged notes that the head was delivered with the state of an entry further back: those up to it are not needed any
// more. The lock is held.
func (e *engine) merged(head *lanes.Entry) {
	for x := e.lanes.Behind(head); x != nil && x.Seq <= head.Merged; x = e.lanes.Behind(x) {
		x.Skip = record.ReasonCaughtUp
	}
}
