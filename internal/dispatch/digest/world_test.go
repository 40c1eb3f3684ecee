package digest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/oabridge/oabridge/internal/dispatch/digest"
	"github.com/oabridge/oabridge/internal/dispatch/journal"
	"github.com/oabridge/oabridge/internal/dispatch/record"
)

const window = 10 * time.Minute

// store is the store in memory: dead letters, people whose items are held, and the small state.
type store struct {
	mu      sync.Mutex
	last    uint64
	letters []digest.Letter
	held    []digest.Person
	state   map[string][]byte
	rev     map[string]uint64
	// broken makes every write fail.
	broken error
}

func newStore() *store { return &store{state: map[string][]byte{}, rev: map[string]uint64{}} }

// giveUp adds the dead letter of an item for a receiver.
func (s *store) giveUp(kind, item, receiver, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	s.letters = append(s.letters, digest.Letter{Seq: s.last, Record: record.Record{
		Seq: s.last, Kind: kind, ItemID: item, Receiver: receiver, Action: "create", Outcome: record.Dead, Reason: reason, Attempt: 3,
		Message: fmt.Sprintf("attempt of %s at %s", item, time.Now().Format(time.StampNano)), At: time.Now(),
	}})
}

// replayed takes all dead letters of an item away.
func (s *store) replayed(item string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.letters = slices.DeleteFunc(s.letters, func(l digest.Letter) bool { return l.Record.ItemID == item })
}

func (s *store) hold(people ...digest.Person) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = people
}

func (s *store) breakDown(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = err
}

func (s *store) LastDead(context.Context) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last, nil
}

func (s *store) Letters(_ context.Context, from uint64, limit int) ([]digest.Letter, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.IndexFunc(s.letters, func(l digest.Letter) bool { return l.Seq >= from })
	if at < 0 {
		return nil, nil
	}
	return slices.Clone(s.letters[at:min(len(s.letters), at+limit)]), nil
}

func (s *store) Held(context.Context) ([]digest.Person, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.held), nil
}

func (s *store) Get(_ context.Context, key string) ([]byte, uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state[key], s.rev[key], nil
}

func (s *store) Put(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.broken != nil:
		return 0, s.broken
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case s.rev[key] != revision:
		return 0, journal.ErrConflict
	}
	s.state[key], s.rev[key] = value, revision+1
	return revision + 1, nil
}

func (s *store) Delete(_ context.Context, key string, _ uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.state, key)
	delete(s.rev, key)
	return nil
}

// inbox is a channel that keeps what it is told.
type inbox struct {
	mu   sync.Mutex
	got  []digest.Digest
	down *digest.Failure
	// tries counts attempts, also failed ones.
	tries int
	// then is called after a digest was taken.
	then func()
}

func (i *inbox) Send(ctx context.Context, d *digest.Digest) *digest.Failure {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.tries++
	if i.down != nil {
		return i.down
	}
	i.got = append(i.got, *d)
	if i.then != nil {
		i.then()
	}
	if ctx.Err() != nil {
		return &digest.Failure{Message: "hung up"} // it has arrived all the same
	}
	return nil
}

func (i *inbox) fail(why *digest.Failure) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.down = why
}

func (i *inbox) take() []digest.Digest {
	i.mu.Lock()
	defer i.mu.Unlock()
	got := i.got
	i.got = nil
	return got
}

// replica is a runner that works until it is stopped.
type replica struct {
	*digest.Runner
	metrics *digest.Metrics
	stop    func()
}

var connector = digest.Connector{Namespace: "crm", Name: "hq", Type: "Seeyon"}

// start runs a replica that tells channels by name.
func start(s digest.Source, channels map[string]digest.Sink) *replica {
	r := &replica{metrics: digest.NewMetrics()}
	r.Runner = digest.New(digest.Options{Source: s, Log: logr.Discard(), Metrics: r.metrics})
	r.tell(channels)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx) }()
	r.stop = func() { cancel(); <-done }
	synctest.Wait()
	return r
}

func (r *replica) tell(channels map[string]digest.Sink) {
	c := digest.Config{Connector: connector, Window: window}
	for name, sink := range channels {
		c.Channels = append(c.Channels, digest.Channel{Name: name, Sink: sink})
	}
	r.Use(c)
}

// metric reads a value by its name and channel; false when there is none.
func (r *replica) metric(t *testing.T, name, channel string) (float64, bool) {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(r.metrics)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		at := slices.IndexFunc(f.GetMetric(), func(m *dto.Metric) bool { return m.GetLabel()[0].GetValue() == channel })
		if f.GetName() == name && at >= 0 {
			m := f.GetMetric()[at]
			return m.GetCounter().GetValue() + m.GetGauge().GetValue(), true
		}
	}
	return 0, false
}

// pass lets time go by, and whatever happens in it.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// toEnd passes the rest of the window, and a moment.
func toEnd() { pass(time.Until(time.Now().Truncate(window).Add(window)) + time.Second) }

var errDisk = errors.New("the disk is full")
