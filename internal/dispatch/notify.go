package dispatch

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/oabridge/oabridge/internal/dispatch/digest"
	"github.com/oabridge/oabridge/internal/dispatch/journal"
)

const (
	// tellingPartition is the one whose owner tells people about the failures of all partitions.
	tellingPartition = 0
	// askHeld is what the owner of a partition is asked for the people whose items it holds. Deliveries are a JSON array.
	askHeld = `"held"`
	// maxHeldPeople bounds the people that a digest knows of, those with the first accounts.
	maxHeldPeople = 1000
	// askTimeout bounds a question to the owner of a partition.
	askTimeout = 5 * time.Second
)

// tell begins to tell people about failures, when the partition is the one that does. The returned function ends it.
func (s *session) tell(ctx context.Context, partition int) (silence func()) {
	if partition != tellingPartition {
		return func() {}
	}
	t := digest.New(digest.Options{
		Source: digestSource{s.journal, s}, Log: s.log.WithName("digest"), Metrics: s.digests, RetryFirst: s.tuning.digestRetry,
		Changed: func() { nudge(s.dirty) },
	})
	s.mu.Lock()
	s.teller = t
	s.mu.Unlock()
	for v := s.live.Load(); v != nil; {
		s.useDigest(t, v)
		now := s.live.Load()
		if now == v {
			break
		}
		v = now // it came in between
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); t.Run(ctx) }()
	return func() {
		cancel()
		<-done
		s.mu.Lock()
		s.teller = nil
		s.mu.Unlock()
	}
}

func (s *session) telling() *digest.Runner {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.teller
}

// useDigest makes the runner tell whom a bundle names.
func (s *session) useDigest(t *digest.Runner, v *live) {
	c := digest.Config{
		Connector: digest.Connector{Namespace: v.bundle.Namespace, Name: v.bundle.Name, Type: v.bundle.Type},
		Zone:      v.zone(),
	}
	if n := v.bundle.Notifications; n != nil && n.Window > 0 {
		c.Window = n.Window.Std()
		for _, channel := range n.Channels {
			sink, err := digest.NewSink(channel, v.bundle.CRM, s.secrets, s.crm)
			if err != nil {
				s.log.Error(err, "a channel cannot be used")
				sink = digest.Broken(err)
			}
			c.Channels = append(c.Channels, digest.Channel{Name: channel.Name, Sink: sink})
		}
	}
	t.Use(c)
}

// zone is the time zone of the connector's scenarios.
func (v *live) zone() *time.Location {
	for _, d := range v.bundle.Scenarios {
		if zone, err := time.LoadLocation(d.TimeZone); err == nil {
			return zone
		}
	}
	return time.UTC
}

// digestSource is where a digest finds what was given up and what is held.
type digestSource struct {
	*journal.Journal
	session *session
}

// Letters implements digest.Source.
func (d digestSource) Letters(ctx context.Context, from uint64, limit int) ([]digest.Letter, error) {
	stored, err := d.DeadLetters(ctx, from, limit)
	if err != nil {
		return nil, err
	}
	letters := make([]digest.Letter, len(stored))
	for i := range stored {
		var letter DeadLetter
		// One that cannot be read is a failure all the same, without a name.
		_ = json.Unmarshal(stored[i].Data, &letter)
		letters[i] = digest.Letter{Seq: stored[i].Seq, Record: letter.Record}
	}
	return letters, nil
}

// Held implements digest.Source: it asks every owner.
func (d digestSource) Held(ctx context.Context) ([]digest.Person, error) {
	all := people{}
	for p := range d.session.partitions {
		if e := d.session.engine(p); e != nil {
			all.add(e.heldPeople()...)
			continue
		}
		ask, cancel := context.WithTimeout(ctx, askTimeout)
		answer, err := d.Ask(ask, p, []byte(askHeld))
		cancel()
		var held []digest.Person
		if err == nil {
			err = json.Unmarshal(answer, &held)
		}
		if err != nil {
			return nil, fmt.Errorf("partition %d: %w", p, err)
		}
		all.add(held...)
	}
	return all.list(), nil
}

// heldPeople are those whose items the partition holds.
func (e *engine) heldPeople() []digest.Person {
	all := people{}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lanes.HeldPeople(func(account, reason string, n int64) {
		all.add(digest.Person{Account: account, Reason: reason, Items: n})
	})
	return all.list()
}

func encodePeople(list []digest.Person) []byte {
	data, err := json.Marshal(list)
	if err != nil {
		panic("dispatch: a list of people is always JSON: " + err.Error())
	}
	return data
}

// people by their accounts.
type people map[string]digest.Person

func (p people) add(list ...digest.Person) {
	for _, one := range list {
		one.Items += p[one.Account].Items
		p[one.Account] = one
	}
}

// list is sorted by account, so that it is about the same people each time when there are too many.
func (p people) list() []digest.Person {
	out := slices.SortedFunc(maps.Values(p), func(a, b digest.Person) int { return cmp.Compare(a.Account, b.Account) })
	return out[:min(len(out), maxHeldPeople)]
}
