// Command perf measures the operator at scale: the real `oabridge manager` process against a real kube-apiserver and etcd.
//
// What the manager asks of the API server and writes to it is counted by the API server (its audit log), memory is the resident
// set of the manager's own process, and a stand-in plays everything that runs workloads: it makes the pods of Deployments and
// answers the manager's questions for all of them over HTTP (docs/decisions/0015-a-stand-in-plays-the-pods.md).
//
//	make perf                         # everything, with 1,000 and 10,000 connectors; wants the machine for itself
//	make perf ARGS=-quick             # fewer objects, minutes
//	make perf ARGS='-only cold -cpuprofile cold.cpu'
//
// Each value has a goal and a range (ranges.yaml). A value that misses its goal is shown; one that leaves its range fails the run.
package main

import (
	"context"
	"errors"
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
	err := command(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "perf:", err)
		os.Exit(1)
	}
}

// options of a run.
type options struct {
	sizes

	quick                  bool
	only                   []string
	cpuProfile, memProfile string
	output, docs, bin      string
	keep                   bool
}

// sizes of what is measured.
type sizes struct {
	// fleet connectors are made through the API; known ones are put into etcd beside them, as the operator leaves them.
	fleet, known int
	// foreign Secrets are none of the operator's business.
	foreign int
	// pairs of accounts of one connector.
	pairs int
	// changes are timed one after the other, newcomers while everything is looked at again.
	changes, newcomers int
	// loadSeconds is for how long every pod reports new counts each second.
	loadSeconds int
}

var (
	fullSizes  = sizes{fleet: 1_000, known: 9_000, foreign: 30_000, pairs: 100_000, changes: 200, newcomers: 200, loadSeconds: 45}
	quickSizes = sizes{fleet: 40, known: 400, foreign: 1_000, pairs: 10_000, changes: 20, newcomers: 5, loadSeconds: 22}
)

// The sections, in their order.
const (
	sectionFleet    = "fleet"
	sectionCold     = "cold"
	sectionBindings = "bindings"
)

var sections = []string{sectionFleet, sectionBindings, sectionCold}

// errOutOfRange ends a run that was measured well and is too slow.
var errOutOfRange = errors.New("a value left its range; see test/perf/ranges.yaml")

func parse(args []string) (options, error) {
	o := options{sizes: fullSizes}
	f := flag.NewFlagSet("perf", flag.ContinueOnError)
	f.BoolVar(&o.quick, "quick", false, "fewer objects, with ranges of their own: some minutes")
	only := f.String("only", "", "sections, separated by commas: "+strings.Join(sections, ", ")+" (default all)")
	f.StringVar(&o.cpuProfile, "cpuprofile", "", "file for the manager's processor profile of the cold start, for go tool pprof")
	f.StringVar(&o.memProfile, "memprofile", "", "file for the manager's heap after the cold start, for go tool pprof")
	f.StringVar(&o.output, "o", "text", "text or json")
	f.StringVar(&o.docs, "docs", "", "file whose block between perf:begin and perf:end gets the table; refused while others use the machine")
	f.StringVar(&o.bin, "bin", "", "a prebuilt oabridge; without it, it is built")
	f.BoolVar(&o.keep, "keep", false, "keep the folder with the logs of the manager and the audit log")
	known := f.Int("known", 0, "so many connectors for the cold start")
	fleet := f.Int("fleet", 0, "so many connectors made through the API")
	newcomers := f.Int("newcomers", 0, "so many new connectors during starts; a p99 wants 100 or more")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if o.quick {
		o.sizes = quickSizes
	}
	if *known > 0 {
		o.known = *known
	}
	if *fleet > 0 {
		o.fleet = *fleet
	}
	if *newcomers > 0 {
		o.newcomers = *newcomers
	}
	o.only = sections
	if *only != "" {
		o.only = strings.Split(*only, ",")
		for _, s := range o.only {
			if !slices.Contains(sections, s) {
				return o, fmt.Errorf("-only: there is no section %q, only %s", s, strings.Join(sections, ", "))
			}
		}
	}
	if o.output != "text" && o.output != "json" {
		return o, fmt.Errorf("-o is %q: use text or json", o.output)
	}
	if o.docs != "" && (o.quick || *only != "" || *known > 0 || *fleet > 0 || *newcomers > 0) {
		return o, errors.New("-docs needs the whole run: leave out -quick, -only, -known, -fleet and -newcomers")
	}
	return o, nil
}

func command(ctx context.Context, args []string, out io.Writer) error {
	o, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	ranges, err := loadRanges(o.quick)
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
	if err := l.measure(ctx); err != nil {
		return fmt.Errorf("%w; logs are in %s (-keep keeps them)", err, l.dir)
	}
	r, err := l.result(ranges, args)
	if err != nil {
		return err
	}
	if err := r.print(out, o.output); err != nil {
		return err
	}
	if o.docs != "" {
		if err := r.writeDocs(o.docs); err != nil {
			return err
		}
	}
	if r.outOfRange() {
		return errOutOfRange
	}
	return nil
}

// measure runs the sections. What the fleet leaves behind is what the cold start multiplies.
func (l *lab) measure(ctx context.Context) error {
	if l.has(sectionFleet) || l.has(sectionCold) {
		if err := l.fleet(ctx); err != nil {
			return fmt.Errorf("fleet: %w", err)
		}
	}
	if l.has(sectionBindings) {
		if err := l.bindings(ctx); err != nil {
			return fmt.Errorf("bindings: %w", err)
		}
	}
	if l.has(sectionCold) {
		if err := l.cold(ctx); err != nil {
			return fmt.Errorf("cold start: %w", err)
		}
	}
	return nil
}
