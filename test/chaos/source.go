package main

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oasim/crm"
	"github.com/oabridge/oabridge/internal/oasim/seeyon"
	"github.com/oabridge/oabridge/test/process"
)

const (
	// people in both systems.
	people = 200
	// lanes of the CRM for each way of sending: so many requests are open at a time.
	lanes = 32
	// batchSize is how many events go into one request where they go in batches.
	batchSize = 50
	// longestPause bounds how long the CRM waits before it sends again, however long it is asked to.
	longestPause = 100 * time.Millisecond
	// requestTimeout bounds one request of the CRM.
	requestTimeout = 20 * time.Second
)

// source is the CRM: what happened there, in order.
type source struct {
	people []crm.Person
	events []crm.Event
	// want is how each to-do of each receiver stands in the end.
	want []crm.Expected
}

func newSource(c config) (*source, error) {
	s, err := crm.Generate(crm.Workload{
		Seed: c.seed, Events: c.events, ToDos: c.items, People: people, Receivers: c.receivers, EnterpriseID: process.EnterpriseID,
	})
	if err != nil {
		return nil, err
	}
	for i := range s.People {
		s.People[i].Unbound = false // here everybody has a binding: nothing may be held
	}
	for i := range s.Events {
		// The end of a to-do leaves its title alone; with the version in it, the OA's journal tells every event apart.
		d := &s.Events[i].Data
		d.Detail = fmt.Sprintf("%s [%d]", d.Detail, d.Version)
	}
	out := &source{people: append(s.People, s.Sender), events: s.Events}
	out.want = crm.Expect(out.events, out.people)
	return out, nil
}

// accounts of everybody, for the connector.
func (s *source) accounts() (out []v1alpha1.AccountPair) {
	for _, p := range s.people {
		out = append(out, v1alpha1.AccountPair{CRM: p.Account, OA: p.OALogin})
	}
	return out
}

// logins of everybody, for the OA.
func (s *source) logins() (out []seeyon.Person) {
	for _, p := range s.people {
		out = append(out, seeyon.Person{LoginName: p.OALogin, Name: p.Name})
	}
	return out
}

// send sends events until each is accepted. Half of the to-dos go one event at a time, half in batches. What is not
// answered with 202 is sent again, with the same event id; the next event of a to-do waits for that.
func send(ctx context.Context, to []*process.Dispatcher, rate float64, events []crm.Event, p *crm.Progress) error {
	var single, batched []crm.Event
	for _, e := range events {
		h := fnv.New32a()
		_, _ = io.WriteString(h, "half "+e.Data.ID)
		if h.Sum32()%2 == 0 {
			single = append(single, e)
		} else {
			batched = append(batched, e)
		}
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 2 * lanes
	defer transport.CloseIdleConnections()
	target := crm.Target{
		URL: to[0].Events(), Token: process.Token, Concurrency: lanes, Mode: crm.Structured, BatchSize: 1, RatePerSecond: rate / 2,
		Client: &http.Client{Timeout: requestTimeout, Transport: &spread{to: to, next: transport}},
		Wait: func(ctx context.Context, d time.Duration) error {
			timer := time.NewTimer(min(d, longestPause))
			defer timer.Stop()
			select {
			case <-timer.C:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		},
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return crm.Send(ctx, target, single, p) })
	group.Go(func() error {
		inBatches := target
		inBatches.Mode, inBatches.BatchSize = crm.Batch, batchSize
		return crm.Send(ctx, inBatches, batched, p)
	})
	if err := group.Wait(); err != nil {
		return fmt.Errorf("the CRM gave up: %w (last trouble: %s)", err, p.Trouble())
	}
	if n := p.Counts().Refused; n > 0 {
		return fmt.Errorf("%d events were refused for good: %s", n, p.Trouble())
	}
	return nil
}

// spread sends requests to several dispatchers in turn, as a Service does.
type spread struct {
	to   []*process.Dispatcher
	next http.RoundTripper
	turn atomic.Uint64
}

// RoundTrip implements http.RoundTripper.
func (s *spread) RoundTrip(r *http.Request) (*http.Response, error) {
	u, err := url.Parse(s.to[s.turn.Add(1)%uint64(len(s.to))].Events())
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.URL = u
	return s.next.RoundTrip(r)
}
