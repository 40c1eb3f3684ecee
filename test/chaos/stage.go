package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/test/process"
)

const (
	// natsServers of the cluster, and copies of each stream.
	natsServers = 3
	// partitions of the items with several dispatchers.
	partitions = 16
	// volumeBytes of a store, and volumeBytesPerEvent more for each event.
	volumeBytes         = 256 << 20
	volumeBytesPerEvent = 24 << 10
)

// stage is the set of programs of a run: the OA, one or more dispatchers, and perhaps a NATS cluster.
type stage struct {
	diary       *diary
	sim         *process.Simulator
	sink        *sinkJournal
	places      []*process.Dispatcher
	dispatchers []*member
	servers     []*member
	// volume of the only dispatcher's store; nil when it cannot be limited.
	volume *process.Volume
	// scratch holds what is not worth keeping.
	scratch string
}

// newStage prepares everything and starts the OA.
func newStage(ctx context.Context, c config, s *source, d *diary, out io.Writer) (*stage, error) {
	scratch, err := os.MkdirTemp("", "oabridge-chaos-")
	if err != nil {
		return nil, err
	}
	st := &stage{diary: d, scratch: scratch}
	if err := st.prepare(ctx, c, s, out); err != nil {
		st.close()
		return nil, err
	}
	return st, nil
}

func (st *stage) prepare(ctx context.Context, c config, s *source, out io.Writer) error {
	bin, err := process.Build(ctx, st.scratch, c.bin, c.nats)
	if err != nil {
		return err
	}
	if st.sim, err = process.StartSimulator(ctx, bin, s.logins(), st.scratch+"/oasim.json", st.diary.path("simulator.log")); err != nil {
		return err
	}
	if st.sink, err = newSinkJournal(st.sim, st.diary.path("sink-journal.jsonl")); err != nil {
		return err
	}
	connector := process.Connector{Dir: st.scratch, OA: st.sim.URL, Accounts: s.accounts(), Change: c.connector}
	if c.nats {
		servers, err := process.NewNATSCluster(bin, st.scratch, natsServers)
		if err != nil {
			return err
		}
		var urls []string
		for _, n := range servers {
			urls = append(urls, n.URL)
			st.servers = append(st.servers, &member{name: "nats " + n.Name, begin: n.Start, ready: n.Ready, diary: st.diary})
		}
		connector.Change = func(b *bundle.Bundle) {
			c.connector(b)
			b.Queue.Type, b.Queue.URLs, b.Queue.StreamReplicas, b.Queue.Partitions = "NATS", urls, natsServers, partitions
			b.Queue.AllowedCIDRs = []string{"127.0.0.0/8"}
			b.Queue.MaxBytes = volumeBytes + int64(c.events)*volumeBytesPerEvent
		}
	}
	if err := connector.Write(bin.Root); err != nil {
		return err
	}
	if !c.nats && !c.outage {
		if st.volume, err = process.MountVolume(st.scratch+"/volume", volumeBytes+int64(c.events)*volumeBytesPerEvent); err != nil {
			_, _ = fmt.Fprintf(out, "the disk does not fill up in this run: %v (that needs root)\n", err)
		}
	}
	for i := range c.replicas {
		replica := ""
		if c.nats {
			replica = strconv.Itoa(i)
		}
		store := fmt.Sprintf("%s/volume/store%s", st.scratch, replica)
		place, err := process.NewDispatcher(bin, connector, store, st.diary.path("dispatcher"+replica+".log"), replica)
		if err != nil {
			return err
		}
		st.places = append(st.places, place)
		st.dispatchers = append(st.dispatchers, &member{
			name: "dispatcher" + replica, begin: place.Start, diary: st.diary,
			ready: func(ctx context.Context, p *process.Process) error { _, err := place.Ready(ctx, p); return err },
		})
	}
	return nil
}

// connector makes a run short: retries come soon, and calls do not wait long for an OA that hangs.
func (c config) connector(b *bundle.Bundle) {
	b.Delivery.BackoffDelay, b.Delivery.BackoffMax = bundle.Duration(50*time.Millisecond), bundle.Duration(time.Second)
	b.Delivery.RetryAfterMax, b.Delivery.Timeout = bundle.Duration(time.Second), bundle.Duration(2*time.Second)
	b.Delivery.Concurrency = 32
	b.Delivery.CatchUp, b.Delivery.CatchUpFinished = "LatestState", c.finished
}

// close ends what is still there and removes what is not worth keeping.
func (st *stage) close() {
	if st.sim != nil {
		st.sim.Kill()
	}
	if st.volume != nil {
		if err := st.volume.Unmount(); err != nil {
			st.diary.note("unmount: %v", err)
		}
	}
	_ = os.RemoveAll(st.scratch)
}

// members are all programs but the OA.
func (st *stage) members() []*member {
	return append(st.servers[:len(st.servers):len(st.servers)], st.dispatchers...)
}

// levels sums up what the dispatchers report: what still waits, and everything that has ended.
func (st *stage) levels(ctx context.Context) (waiting, ended int64, err error) {
	for _, d := range st.places {
		r, _, _, err := d.Report(ctx, "", 0)
		if err != nil {
			return 0, 0, err
		}
		if r.Delivery == nil {
			return 0, 0, fmt.Errorf("the store of dispatcher %s is not open", d.Replica)
		}
		waiting += r.Delivery.Pending + r.Delivery.Retrying + r.Delivery.Held
		ended += r.Delivery.Delivered + r.Delivery.Dead + r.Delivery.Skipped
	}
	return waiting, ended, nil
}

const (
	// drainPoll is how often the dispatchers are asked how far they are.
	drainPoll = 100 * time.Millisecond
	// drainStuck is how long nothing at all may happen before a run is given up; a dispatcher probes an OA that was down
	// every 30 s.
	drainStuck = 2 * time.Minute
)

// drained waits until no dispatcher has anything left to do.
func (st *stage) drained(ctx context.Context) error {
	last, since := [2]int64{-1, -1}, time.Now()
	calm := 0
	for {
		waiting, ended, err := st.levels(ctx)
		switch now := [2]int64{waiting, ended}; {
		case err == nil && waiting == 0:
			if calm++; calm == 3 { // one look may fall between two steps
				return nil
			}
		case err == nil && now != last:
			last, since, calm = now, time.Now(), 0
		case time.Since(since) > drainStuck:
			return fmt.Errorf("nothing moves for %s: %d waiting, %d ended (%w); see %s", drainStuck, waiting, ended, err, st.diary.dir)
		}
		if !pause(ctx, drainPoll) {
			return ctx.Err()
		}
	}
}
