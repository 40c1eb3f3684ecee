// Command bench measures the real dispatcher process over real HTTP, with every event and every record synced to disk.
//
// Four processes share this machine: the dispatcher, a sink in the place of the OA (a bare net/http server that says
// success), a load generator in the place of the CRM, and this one, which only waits. The measure is the bare loop: the
// same load generator with the same bodies against the same sink, with nothing in between. An event that comes in and goes
// out costs two HTTP exchanges, so half of the bare loop is the ceiling with one event per request.
//
//	go run ./test/bench             everything, about 20 minutes
//	go run ./test/bench -quick      one row of each kind, about a minute
//	go run ./test/bench -only backlog -markdown
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options of a run.
type options struct {
	quick, markdown, signed bool
	only                    string
	runs, events            int
	concurrency             int
	profiles, memLimit      string
	store, memory, bin      string
	pending                 []int
}

// podMemory is the GOMEMLIMIT of a pod with the default memory limit.
const podMemory = "410MiB"

// defaultEvents of one run with one event per request and a sink that answers at once.
const defaultEvents = 40_000

// The sections, in their order.
const (
	sectionThroughput = "throughput"
	sectionCosts      = "costs"
	sectionBacklog    = "backlog"
)

func command(ctx context.Context, args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "sink":
			return runSink(ctx, args[1:])
		case "load":
			return runLoad(ctx, args[1:])
		}
	}
	o, err := parse(args)
	if err != nil {
		return err
	}
	l, err := newLab(ctx, o)
	if l != nil {
		defer l.close()
	}
	if err != nil {
		return err
	}
	return l.measure(ctx, os.Stdout, args)
}

func parse(args []string) (options, error) {
	o := options{pending: []int{10_000, 100_000, 1_000_000}}
	f := flag.NewFlagSet("bench", flag.ExitOnError)
	f.BoolVar(&o.quick, "quick", false, "one row of each kind, once, with few events")
	f.BoolVar(&o.markdown, "markdown", false, "print tables for docs/performance.md")
	f.BoolVar(&o.signed, "signed", false, "sign requests (Standard Webhooks) instead of sending a bearer token")
	f.StringVar(&o.only, "only", "", "sections, separated by commas: throughput, costs, backlog (default all)")
	f.IntVar(&o.runs, "runs", 3, "each row is the median of so many runs")
	f.IntVar(&o.events, "events", defaultEvents, "events of one run with one event per request and a sink that answers at once")
	f.IntVar(&o.concurrency, "concurrency", 64, "delivery.concurrency of the connector: calls to the OA at the same time")
	f.StringVar(&o.store, "store", "out", "folder for the stores, on the disk that is measured")
	f.StringVar(&o.memory, "memory", "/dev/shm", "folder in memory, to tell what syncing to disk costs; empty leaves that out")
	f.StringVar(&o.bin, "bin", "", "folder with a prebuilt oabridge and oasim")
	f.StringVar(&o.memLimit, "memory-limit", podMemory, "GOMEMLIMIT of the dispatcher; its pod sets 80 % of the memory limit")
	pending := f.Int("pending", 0, "only this backlog, in events")
	f.StringVar(&o.profiles, "profiles", "", "folder for profiles of the dispatcher during the throughput runs, for go tool pprof")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	for _, s := range strings.Split(o.only, ",") {
		if s != "" && !slices.Contains([]string{sectionThroughput, sectionCosts, sectionBacklog}, s) {
			return o, fmt.Errorf("-only: there is no section %q", s)
		}
	}
	if o.quick {
		o.runs, o.pending = 1, []int{10_000}
		if o.events == defaultEvents {
			o.events = 10_000
		}
	}
	if *pending > 0 {
		o.pending = []int{*pending}
	}
	return o, nil
}

func (o *options) has(section string) bool {
	return o.only == "" || slices.Contains(strings.Split(o.only, ","), section)
}

// measure runs the sections and prints what they find.
func (l *lab) measure(ctx context.Context, out io.Writer, args []string) error {
	p := &printer{out: out, markdown: l.markdown}
	p.machine(l, args)
	bare, err := l.bareLoops(ctx, p)
	if err != nil {
		return err
	}
	var single, batched float64
	if l.has(sectionThroughput) {
		if single, batched, err = l.throughput(ctx, p, bare); err != nil {
			return err
		}
	}
	if l.has(sectionCosts) {
		if err := l.costs(ctx, p, bare); err != nil {
			return err
		}
	}
	if l.has(sectionBacklog) {
		if err := l.backlogs(ctx, p); err != nil {
			return err
		}
	}
	p.verdict()
	if l.has(sectionThroughput) {
		_, _ = fmt.Fprintf(out, "bench: deliveries/s %.0f of bare loop %.0f = %.2f batched %.2f\n", single, bare.rate, single/bare.rate, batched/bare.rate)
	}
	return nil
}
