// Command chaos proves from outside that the dispatcher loses nothing, keeps the order and shows nobody a to-do twice.
//
// A CRM with a seeded life of to-dos sends its events to the real dispatcher process, which delivers them to the real
// simulator of a Seeyon OA. Meanwhile the dispatcher is killed (SIGKILL) again and again, the OA hangs, cuts connections,
// fails, lies and forgets its tokens, and the disk fills up. When calm has returned and everything is drained, the OA's
// own journal is compared with what the CRM sent. The same seed makes the same events and the same dice.
//
//	go run ./test/chaos                      100,000 events, one dispatcher
//	go run ./test/chaos -nats                three NATS servers, three dispatchers; servers and owners are killed
//	go run ./test/chaos -outage              20,000 changes on 4,000 to-dos while the OA is down
//
// The exit code is 1 when anything was lost, reordered or visible twice, 2 when the run could not be made.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := command(ctx)
	stop()
	os.Exit(code)
}

// config is what a run is made of.
type config struct {
	seed                     uint64
	events, items, receivers int
	// rate of the CRM in events/s, so that enough happens while it works; 0 means as fast as they are taken.
	rate float64
	// havoc bounds how long things are broken; the run goes on until all is drained.
	havoc time.Duration
	// killMin and killMax are the bounds of the time between two kills.
	killMin, killMax time.Duration
	// finished is delivery.catchUpFinished of the connector: Skip or Deliver.
	finished string
	nats     bool
	replicas int
	outage   bool
	hold     time.Duration
	bin, out string
}

func command(ctx context.Context) int {
	var c config
	flag.Uint64Var(&c.seed, "seed", 0, "repeats the run with this seed; 0 means a new one")
	flag.IntVar(&c.events, "events", 0, "events of the CRM (default 100000, with -outage 20000)")
	flag.IntVar(&c.items, "items", 0, "to-dos that they are about (default one for every five events)")
	flag.IntVar(&c.receivers, "receivers", 1, "receivers of each to-do")
	flag.Float64Var(&c.rate, "rate", 0, "events per second of the CRM (default 400, with -outage as fast as they are taken)")
	flag.DurationVar(&c.havoc, "duration", 10*time.Minute, "how long things are broken at most")
	flag.DurationVar(&c.killMin, "kill-min", 0, "least time between two kills of a dispatcher (default 200ms, with -nats 1s)")
	flag.DurationVar(&c.killMax, "kill-max", 0, "most time between two kills of a dispatcher (default 800ms, with -nats 4s)")
	flag.StringVar(&c.finished, "finished", "", "what happens to a to-do that was created and finished during an outage: Skip or Deliver (default Deliver, with -outage Skip)")
	flag.BoolVar(&c.nats, "nats", false, "keep the queue in a cluster of three NATS servers")
	flag.IntVar(&c.replicas, "replicas", 3, "dispatchers, with -nats")
	flag.BoolVar(&c.outage, "outage", false, "one long outage of the OA instead of chaos")
	flag.DurationVar(&c.hold, "hold", 5*time.Second, "with -outage: how long the OA stays down after the last change")
	flag.StringVar(&c.bin, "bin", "", "folder with prebuilt oabridge, oasim and natsd")
	flag.StringVar(&c.out, "out", "out", "folder for the journals of the run")
	flag.Parse()
	c.complete()

	fmt.Println("seed", c.seed)
	var good bool
	var err error
	if c.outage {
		good, err = outage(ctx, c, os.Stdout)
	} else {
		good, err = chaos(ctx, c, os.Stdout)
	}
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "chaos:", err)
		return 2
	case !good:
		return 1
	}
	return 0
}

// complete fills in the defaults that depend on one another.
func (c *config) complete() {
	set := func(field *int, value int) {
		if *field == 0 {
			*field = value
		}
	}
	if c.seed == 0 {
		c.seed = rand.Uint64N(1_000_000_000) + 1
	}
	finished, first, last := "Deliver", 200*time.Millisecond, 800*time.Millisecond
	if c.outage {
		finished = "Skip"
		set(&c.events, 20_000)
	}
	if c.nats {
		first, last = time.Second, 4*time.Second
	} else {
		c.replicas = 1
	}
	set(&c.events, 100_000)
	if c.rate == 0 && !c.outage {
		c.rate = 400
	}
	set(&c.items, c.events/5)
	set(&c.receivers, 1)
	if c.finished == "" {
		c.finished = finished
	}
	if c.killMin == 0 {
		c.killMin = first
	}
	c.killMax = max(c.killMax, c.killMin)
	if c.killMax == c.killMin {
		c.killMax = max(last, c.killMin)
	}
}

// dice returns a source of chance of its own for one actor, so that the actors do not disturb one another.
func (c *config) dice(actor uint64) *rand.Rand { return rand.New(rand.NewPCG(c.seed, actor)) }
