package dispatch

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/oabridge/oabridge/internal/dispatch/journal"
)

const (
	// leaseTime is how long an owner may be silent before another replica takes its partitions over. The owner itself
	// stops after two thirds of it, so that two never work at the same time; and if they did, only one could write.
	leaseTime = 15 * time.Second

	keyOwner  = "owner."
	keyMember = "member."
)

// owners shares the partitions between the replicas: each has a lease in the store's small state, and the replica that a
// partition belongs to is found by rendezvous hashing with equal shares over those that are alive.
type owners struct {
	*session
	id    string
	lease time.Duration

	mu sync.Mutex
	// seen is what the small state says, and when it was last heard of, by our clock.
	seen map[string]sighting
	// working holds the partitions that this process works on or is about to.
	working map[int]*tenure
	wake    chan struct{}
}

// sighting is an entry of the small state.
type sighting struct {
	value    string
	revision uint64
	at       time.Time
}

// tenure is the time in which this process owns a partition.
type tenure struct {
	revision uint64
	renewed  time.Time
	cancel   context.CancelCauseFunc
	done     chan struct{}
}

// errLeaseLost ends the work on a partition that may belong to another replica by now.
var errLeaseLost = errors.New("the lease was not renewed in time")

// share works on the partitions that are this replica's turn, until ctx ends or the store fails.
func (s *session) share(ctx context.Context, id string) error {
	if id == "" {
		return errors.New("--replica is empty: replicas that share a queue need a name each")
	}
	o := &owners{session: s, id: id, lease: s.tuning.lease, seen: map[string]sighting{}, working: map[int]*tenure{}, wake: make(chan struct{}, 1)}
	watch, err := s.journal.Watch(ctx, ">")
	if err != nil {
		return err
	}
	go o.watch(watch)
	defer o.leave(ctx, watch)
	tick := time.NewTicker(o.lease / 6)
	defer tick.Stop()
	failures := 0
	for {
		switch err := o.round(ctx); {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			failures = 0
		default:
			// The leases of this replica run out by themselves; a session that cannot reach the store for long is begun anew.
			s.log.Error(err, "cannot renew the leases")
			if failures++; failures > 12 {
				return fmt.Errorf("%w: %w", journal.ErrUnreachable, err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-o.wake:
		}
	}
}

// watch notes what changes in the small state.
func (o *owners) watch(w jetstream.KeyWatcher) {
	for e := range w.Updates() {
		if e == nil || !strings.HasPrefix(e.Key(), keyOwner) && !strings.HasPrefix(e.Key(), keyMember) {
			continue
		}
		o.mu.Lock()
		if e.Operation() == jetstream.KeyValuePut {
			o.seen[e.Key()] = sighting{value: string(e.Value()), revision: e.Revision(), at: time.Now()}
		} else {
			delete(o.seen, e.Key())
		}
		o.mu.Unlock()
		nudge(o.wake)
	}
}

// round renews what is ours, gives away what is not our turn any more, and takes what is.
func (o *owners) round(ctx context.Context) error {
	now := time.Now()
	if err := o.beAMember(ctx, now); err != nil {
		return err
	}
	members := o.members(now)
	for p, owner := range shareOut(members, o.partitions) {
		if err := o.one(ctx, p, owner == o.id, now); err != nil {
			return err
		}
	}
	return nil
}

// beAMember tells the others that this replica is alive.
func (o *owners) beAMember(ctx context.Context, now time.Time) error {
	o.mu.Lock()
	own, ok := o.seen[keyMember+stateKey(o.id)]
	o.mu.Unlock()
	if ok && now.Sub(own.at) < o.lease/3 {
		return nil
	}
	return o.journal.Set(ctx, keyMember+stateKey(o.id), []byte(o.id))
}

// members are the replicas that were heard of lately, this one always.
func (o *owners) members(now time.Time) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := []string{o.id}
	for key, s := range o.seen {
		if strings.HasPrefix(key, keyMember) && s.value != o.id && now.Sub(s.at) < o.lease {
			out = append(out, s.value)
		}
	}
	return out
}

// shareOut returns the member to whom each partition belongs: the one with the highest score for it, among those that have
// less than their share. So no member has more than one partition above another, and few partitions move when one comes
// or goes.
func shareOut(members []string, partitions int) []string {
	share := (partitions + len(members) - 1) / len(members)
	load := make(map[string]int, len(members))
	out := make([]string, partitions)
	for p := range out {
		var best uint64
		for _, m := range members {
			s := score(m, p)
			if load[m] < share && (out[p] == "" || s > best || s == best && m < out[p]) {
				out[p], best = m, s
			}
		}
		load[out[p]]++
	}
	return out
}

// score of a member for a partition. FNV hardly spreads names that differ in their last bytes, so its sum is mixed
// (finalizer of SplitMix64).
func score(member string, partition int) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(member + "/" + strconv.Itoa(partition)))
	x := h.Sum64()
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// one deals with one partition.
func (o *owners) one(ctx context.Context, p int, ours bool, now time.Time) error {
	key := keyOwner + strconv.Itoa(p)
	o.mu.Lock()
	t, s := o.working[p], o.seen[key]
	o.mu.Unlock()
	switch {
	case t != nil:
		select {
		case <-t.done:
			o.mu.Lock()
			delete(o.working, p)
			o.mu.Unlock()
			return o.release(ctx, key, t.revision)
		default:
		}
		if !ours {
			o.log.Info("giving a partition to another replica", "partition", p)
			t.cancel(nil)
		}
		return o.renew(ctx, key, t, now)
	case !ours:
		return nil
	case s.revision != 0 && s.value != o.id && now.Sub(s.at) < o.lease:
		return nil // its owner is alive, or may be
	}
	revision, err := o.journal.Put(ctx, key, []byte(o.id), s.revision)
	if errors.Is(err, journal.ErrConflict) {
		return nil // somebody was faster
	}
	if err != nil {
		return err
	}
	o.begin(ctx, p, revision, now)
	return nil
}

// renew keeps a lease alive; when it cannot be, the work on the partition ends before another replica may begin.
func (o *owners) renew(ctx context.Context, key string, t *tenure, now time.Time) error {
	if now.Sub(t.renewed) < o.lease/4 {
		return nil
	}
	revision, err := o.journal.Put(ctx, key, []byte(o.id), t.revision)
	if errors.Is(err, journal.ErrConflict) {
		t.cancel(errLeaseLost)
		return nil
	}
	if err != nil {
		return err
	}
	o.mu.Lock()
	t.revision, t.renewed = revision, now
	o.mu.Unlock()
	return nil
}

// begin works on a partition in the background.
func (o *owners) begin(ctx context.Context, p int, revision uint64, now time.Time) {
	work, cancel := context.WithCancelCause(ctx)
	t := &tenure{revision: revision, renewed: now, cancel: cancel, done: make(chan struct{})}
	o.mu.Lock()
	o.working[p] = t
	o.mu.Unlock()
	o.log.Info("taking a partition", "partition", p)
	go o.guard(work, t)
	go func() {
		defer nudge(o.wake)
		defer close(t.done)
		defer cancel(nil)
		if err := o.own(work, p, nil); err != nil {
			o.log.Error(err, "the work on a partition ended", "partition", p)
		}
	}()
}

// guard ends the work when the lease was not renewed for two thirds of its time.
func (o *owners) guard(ctx context.Context, t *tenure) {
	tick := time.NewTicker(o.lease / 12)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		o.mu.Lock()
		late := time.Since(t.renewed) > o.lease*2/3
		o.mu.Unlock()
		if late {
			t.cancel(errLeaseLost)
			return
		}
	}
}

// release gives a lease back, so that the next owner need not wait for its end.
func (o *owners) release(ctx context.Context, key string, revision uint64) error {
	err := o.journal.Delete(ctx, key, revision)
	if errors.Is(err, journal.ErrConflict) {
		return nil
	}
	return err
}

// leave ends all work and gives everything back.
func (o *owners) leave(ctx context.Context, w jetstream.KeyWatcher) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.shutdown+2*closeTimeout)
	defer cancel()
	o.mu.Lock()
	working := o.working
	o.mu.Unlock()
	for p, t := range working {
		t.cancel(nil)
		// Calls in flight may take as long as they need; the lease has to last.
		o.awaitEnd(ctx, p, t)
		if err := o.release(ctx, keyOwner+strconv.Itoa(p), t.revision); err != nil {
			o.log.Error(err, "cannot give a partition back; another replica takes it when the lease is over", "partition", p)
		}
	}
	if err := o.journal.Delete(ctx, keyMember+stateKey(o.id), 0); err != nil {
		o.log.Error(err, "cannot leave; the others notice when the lease is over")
	}
	_ = w.Stop()
}

func (o *owners) awaitEnd(ctx context.Context, p int, t *tenure) {
	tick := time.NewTicker(o.lease / 6)
	defer tick.Stop()
	for {
		select {
		case <-t.done:
			return
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := o.renew(ctx, keyOwner+strconv.Itoa(p), t, time.Now()); err != nil {
				o.log.Error(err, "cannot renew a lease", "partition", p)
			}
		}
	}
}
