package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/test/process"
)

const (
	// profileSeconds of a cold start.
	profileSeconds = 30
	// afterStart is when after a start its memory is looked at: what it had needed besides has been given back then.
	afterStart = 45 * time.Second
)

// coldStart is one start of the manager over everything that is known.
type coldStart struct {
	// took is by the clock, cpu what the manager used of the processors.
	took, cpu      time.Duration
	writes, reads  []request
	rounds         float64
	resident, peak int64
	anonymous      int64
	state          state
}

// cold starts the manager over very many connectors.
func (l *lab) cold(ctx context.Context) error {
	// A manager that saw a connector before its children would make them.
	if err := l.manager.stop(); err != nil {
		return err
	}
	l.manager = nil
	l.say("putting %d connectors with their children and pods into etcd", l.known)
	if err := l.seedConnectors(ctx); err != nil {
		return err
	}
	// Copies of one transaction share a resource version: a watch that was resumed between two of them has lost the second.
	if err := l.pods.watch(ctx); err != nil {
		return err
	}
	all := l.known + l.sizes.fleet
	measured := l.bin
	var err error
	if l.bin, err = anotherBuild(measured, l.path("oabridge-before")); err != nil {
		return err
	}
	first, err := l.start(ctx, all, "")
	if err != nil {
		return err
	}
	l.say("first look at all: %s, %d writes%s", first.took.Round(time.Millisecond), len(first.writes), examples(first.writes))
	if err := l.until(ctx, "every pod was heard", func() bool { return l.pods.heard() >= all }); err != nil {
		return err // what it has to put right for a pod would be left for the next start
	}
	if _, _, err := l.manager.settle(ctx, all); err != nil {
		return err
	}
	l.bin = measured
	upgrade, err := l.start(ctx, all, "")
	if err != nil {
		return err
	}
	if _, _, err := l.manager.settle(ctx, all); err != nil {
		return err
	}
	second, err := l.start(ctx, all, l.cpuProfile)
	if err != nil {
		return err
	}
	if err := l.manager.profile(ctx, "heap?gc=1", l.memProfile); err != nil {
		return err
	}
	l.found("cold-seconds", second.took.Seconds(), "%d connectors, from the start of the process to an empty queue, %.0f rounds, %.0f s of processor time; the first start of this build, which trusts no other, took %.0f s with %d writes, %.0f MiB at most",
		all, second.rounds, second.cpu.Seconds(), upgrade.took.Seconds(), len(upgrade.writes), mebi(upgrade.peak))
	l.found("cold-writes", float64(len(second.writes)), "and %d gets and lists%s", len(second.reads), examples(second.writes))
	l.found("memory", mebi(second.resident), "resident with %d connectors, their children and pods, %.0f s after the start, which took %.0f MiB at most; without the program's file %.0f MiB, heap %.0f, stacks %.0f",
		all, afterStart.Seconds(), mebi(second.peak), mebi(second.anonymous), mebi(int64(second.state.heap)), mebi(int64(second.state.stacks)))
	l.say("putting %d Secrets of others into etcd", l.foreign)
	if err := l.seedForeign(ctx); err != nil {
		return err
	}
	third, err := l.start(ctx, all, "")
	if err != nil {
		return err
	}
	l.found("memory-foreign", max(0, mebi(third.resident-second.resident)), "%d Secrets without the label; another start", l.foreign)
	return l.newcomersDuringStart(ctx)
}

// start restarts the manager and waits until it has nothing left to do.
func (l *lab) start(ctx context.Context, connectors int, profile string) (c coldStart, err error) {
	place := l.cluster.audit.now()
	if err := l.restart(ctx); err != nil {
		return c, err
	}
	profiled := make(chan error, 1)
	go func() { profiled <- l.manager.profile(ctx, fmt.Sprintf("profile?seconds=%d", profileSeconds), profile) }()
	ended, state, err := l.manager.settle(ctx, connectors)
	if err = errors.Join(err, <-profiled); err != nil {
		return c, err
	}
	if c.cpu, err = process.CPU(l.manager.PID()); err != nil {
		return c, err
	}
	requests, err := l.cluster.audit.since(place)
	if err != nil {
		return c, err
	}
	select {
	case <-ctx.Done():
		return c, context.Cause(ctx)
	case <-time.After(afterStart):
	}
	if state, err = l.manager.state(ctx); err != nil {
		return c, err
	}
	memory, err := process.Memory(l.manager.PID())
	return coldStart{
		took: ended.Sub(l.manager.Started), cpu: c.cpu, writes: writes(requests), reads: reads(requests), rounds: state.connectorRounds,
		resident: memory.All, peak: memory.Peak, anonymous: memory.Own, state: state,
	}, err
}

// newcomersDuringStart creates connectors while everything waits to be looked at again. One start is too short for enough of them.
func (l *lab) newcomersDuringStart(ctx context.Context) error {
	var took []time.Duration
	starts, least := 0, math.Inf(1)
	for len(took) < l.newcomers {
		more, queued, err := l.newcomersOfStart(ctx, len(took))
		if err != nil {
			return err
		}
		if len(more) == 0 {
			return errors.New("the queue was empty before the first newcomer: use more connectors")
		}
		took, least = append(took, more...), min(least, queued)
		starts++
	}
	l.found("newcomer-p99", quantile(took, 0.99).Seconds(), "%d newcomers one after the other, p50 %.0f ms, slowest %.0f ms; in %d starts, at least %.0f connectors waited",
		len(took), ms(quantile(took, 0.5)), ms(slices.Max(took)), starts, least)
	return nil
}

// newcomersOfStart begins with a number and ends when nothing waits any more. queued are the connectors that waited at the last one.
func (l *lab) newcomersOfStart(ctx context.Context, number int) (took []time.Duration, queued float64, err error) {
	if err := l.restart(ctx); err != nil {
		return nil, 0, err
	}
	if err := l.until(ctx, "objects wait", func() bool {
		s, err := l.manager.state(ctx)
		return err == nil && s.connectorRounds > 0
	}); err != nil {
		return nil, 0, err
	}
	for ; number < l.newcomers; number++ {
		now, err := l.manager.state(ctx)
		if err != nil || now.queued == 0 {
			return took, queued, err
		}
		c := connector(fleetNamespace, 2*knownNumber+number)
		began := time.Now()
		if err := l.cluster.admin.Create(ctx, c); err != nil {
			return nil, 0, err
		}
		key := client.ObjectKeyFromObject(c)
		if err := l.until(ctx, "children of "+c.Name, func() bool { return !l.pods.seen(key).IsZero() }); err != nil {
			return nil, 0, err
		}
		took, queued = append(took, l.pods.seen(key).Sub(began)), now.queued
	}
	return took, queued, nil
}

func mebi(bytes int64) float64 { return float64(bytes) / (1 << 20) }
