package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/crm"
	"github.com/oabridge/oabridge/internal/oasim/fault"
)

// outage tells the story of an OA that is down for long, compressed: half of the to-dos are in the OA before, then the OA
// is down while the CRM goes on changing to-dos, then it comes back. It must not get the whole history but the latest
// state of each to-do: at most one push for each, and an inbox equal to the CRM's. Report and metrics say so meanwhile.
func outage(ctx context.Context, c config, out io.Writer) (bool, error) {
	changes := c.events
	c.events += c.items / 2 // those that happen before
	s, st, d, err := open(ctx, c, out)
	if err != nil {
		return false, err
	}
	defer st.close()
	before, during := split(s.events, c.items/2)
	var v verdict
	var pushes int
	var took time.Duration
	err = st.play(ctx, func(ctx context.Context) error {
		var progress crm.Progress
		if err := send(ctx, st.places, c.rate, before, &progress); err != nil {
			return err
		}
		if err := st.drained(ctx); err != nil {
			return err
		}
		if err := st.says(ctx, true, 0); err != nil {
			return err
		}
		d.note("the OA goes down")
		if err := st.sim.Script(ctx, fault.Rule{Match: fault.Match{Path: "/seeyon/"}, Action: fault.Action{Kind: fault.Close}}); err != nil {
			return err
		}
		if err := send(ctx, st.places, c.rate, during, &progress); err != nil {
			return err
		}
		d.note("the CRM has sent everything")
		if !pause(ctx, c.hold) {
			return ctx.Err()
		}
		if err := st.says(ctx, false, int64(changes*c.receivers)); err != nil {
			return err
		}
		if err := st.sink.fetch(ctx); err != nil {
			return err
		}
		down, _ := st.sink.count()
		d.note("the OA is back")
		if err := st.sim.Script(ctx); err != nil {
			return err
		}
		back := time.Now()
		if err := st.drained(ctx); err != nil {
			return err
		}
		took = time.Since(back)
		if err := st.says(ctx, true, 0); err != nil {
			return err
		}
		if v, err = st.judge(ctx, c, s); err != nil {
			return err
		}
		up, missed := st.sink.count()
		if missed > 0 {
			return fmt.Errorf("the OA forgot %d requests before they were read: nothing can be said", missed)
		}
		pushes = up - down
		return nil
	})
	if err != nil {
		return false, err
	}
	for _, w := range v.Wrong[:min(len(v.Wrong), 10)] {
		_, _ = fmt.Fprintln(out, " ", w)
	}
	_, _ = fmt.Fprintf(out, "journals in %s; repeat with -outage -seed %d\nthe inbox was up to date %s after the OA came back; %s\n",
		d.dir, c.seed, took.Round(100*time.Millisecond), v)
	_, _ = fmt.Fprintf(out, "outage: changes %d to-dos %d pushes %d wrong %d\n", changes, c.items, pushes, v.Lost+v.Dead+v.Reordered+v.Visible)
	return v.good() && v.Dead == 0 && pushes <= c.items, d.keep("verdict.json", v)
}

// split takes the first event of n to-dos out.
func split(events []crm.Event, n int) (before, during []crm.Event) {
	for _, e := range events {
		if e.Type == crm.Created && len(before) < n {
			before = append(before, e)
		} else {
			during = append(during, e)
		}
	}
	return before, during
}
