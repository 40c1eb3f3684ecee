package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/oabridge/oabridge/internal/oasim/crm"
)

// maxDead bounds the dead letters that are asked for at once, and perItem those of one to-do.
const (
	maxDead = 10_000
	perItem = 1_000
)

// chaos makes a run and prints the verdict.
func chaos(ctx context.Context, c config, out io.Writer) (bool, error) {
	s, st, d, err := open(ctx, c, out)
	if err != nil {
		return false, err
	}
	defer st.close()
	began := time.Now()
	var v verdict
	var progress crm.Progress
	err = st.play(ctx, func(ctx context.Context) error {
		if err := st.sim.Script(ctx, refuseForGood); err != nil {
			return err
		}
		if err := st.havoc(ctx, c, func(ctx context.Context) error { return send(ctx, st.places, c.rate, s.events, &progress) }); err != nil {
			return err
		}
		d.note("calm")
		if err := st.sim.Script(ctx, refuseForGood); err != nil {
			return err
		}
		if err := st.drained(ctx); err != nil {
			return err
		}
		v, err = st.judge(ctx, c, s)
		return err
	})
	if err != nil {
		return false, err
	}
	counts := progress.Counts()
	_, _ = fmt.Fprintf(out, "%s: %d kills, %d requests of the CRM sent again, %d duplicates refused, %d deliveries overtaken by a newer state, %d writes repeated at the OA\n",
		time.Since(began).Round(time.Second), d.kills, counts.Retried, counts.Duplicates, v.Overtaken, v.Repeated)
	for _, w := range v.Wrong[:min(len(v.Wrong), 10)] {
		_, _ = fmt.Fprintln(out, " ", w)
	}
	_, _ = fmt.Fprintf(out, "journals in %s; repeat with -seed %d\nchaos: %s\n", d.dir, c.seed, v)
	return v.good(), d.keep("verdict.json", v)
}

// open prepares the CRM, the programs and the diary of a run.
func open(ctx context.Context, c config, out io.Writer) (*source, *stage, *diary, error) {
	s, err := newSource(c)
	if err != nil {
		return nil, nil, nil, err
	}
	d, err := newDiary(c)
	if err != nil {
		return nil, nil, nil, err
	}
	st, err := newStage(ctx, c, s, d, out)
	return s, st, d, err
}

// play runs the programs while scene is played. When it is over they end well, which a dispatcher must be able to do.
func (st *stage) play(ctx context.Context, scene func(context.Context) error) error {
	group, ctx := errgroup.WithContext(ctx)
	working, end := context.WithCancel(ctx)
	defer end()
	for _, m := range st.members() {
		group.Go(func() error { return m.live(working) })
	}
	group.Go(func() error { return st.sink.follow(working) })
	group.Go(func() error {
		defer end()
		for _, m := range st.members() {
			if err := m.isUp(working); err != nil {
				return fmt.Errorf("%s does not get ready: %w", m.name, err)
			}
		}
		return scene(working)
	})
	return group.Wait()
}

// havoc breaks things while work is done and until most of what it caused is delivered, but not longer than the run
// allows.
func (st *stage) havoc(ctx context.Context, c config, work func(context.Context) error) error {
	over := errors.New("enough havoc")
	group, broken := errgroup.WithContext(ctx)
	broken, cancel := context.WithTimeoutCause(broken, c.havoc, over)
	defer cancel()
	kill := st.killer
	if len(st.servers) > 0 {
		kill = st.inTurn
	}
	group.Go(func() error { return kill(broken, c) })
	group.Go(func() error { return st.moody(broken, c) })
	if st.volume != nil {
		group.Go(func() error { return st.diskFiller(broken, c) })
	}
	group.Go(func() error {
		defer cancel()
		// The CRM goes on when the havoc has lasted long enough.
		if err := work(ctx); err != nil {
			return err
		}
		st.diary.note("the CRM has sent everything")
		for broken.Err() == nil {
			// While a dispatcher is down nobody knows.
			if waiting, _, err := st.levels(broken); err == nil && waiting < int64(c.events/50) {
				return nil
			}
			pause(broken, drainPoll)
		}
		return nil
	})
	err := group.Wait()
	if st.volume != nil {
		err = errors.Join(err, st.volume.Free())
	}
	return err
}

// judge asks the OA what it has and the dispatchers what they gave up, and keeps both.
func (st *stage) judge(ctx context.Context, c config, s *source) (verdict, error) {
	if err := st.sink.fetch(ctx); err != nil {
		return verdict{}, err
	}
	items, err := st.sim.Items(ctx)
	if err != nil {
		return verdict{}, err
	}
	if err := st.diary.keep("items.json", items); err != nil {
		return verdict{}, err
	}
	dead, at := map[letter]bool{}, byPerson(items)
	for _, d := range st.places {
		letters, err := d.Dead(ctx, "", maxDead)
		if err != nil {
			return verdict{}, err
		}
		for _, l := range letters {
			dead[letter{l.EventID, l.Receiver}] = true
		}
		if len(letters) < maxDead {
			continue
		}
		// There are more than one answer holds: ask for the to-dos that are not as they should be, one by one.
		for _, want := range s.want {
			if stands(want, at[spot{want.ToDo, want.OALogin}], c.finished) {
				continue
			}
			letters, err := d.Dead(ctx, want.ToDo, perItem)
			if err != nil {
				return verdict{}, err
			}
			for _, l := range letters {
				dead[letter{l.EventID, l.Receiver}] = true
			}
		}
	}
	return judge(s, items, dead, c.finished), nil
}
