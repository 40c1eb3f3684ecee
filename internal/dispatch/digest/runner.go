package digest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/sync/errgroup"

	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/report"
)

const (
	// sendTimeout bounds one attempt to tell a channel.
	sendTimeout = 30 * time.Second
	// endTimeout bounds what is left of an attempt when the process ends.
	endTimeout = 5 * time.Second
	// saveTimeout bounds writing down what was sent.
	saveTimeout = 5 * time.Second
	// storeAgain is the pause before the store is asked again after it failed.
	storeAgain = 5 * time.Second
	// readBatch is how many dead letters are read at once.
	readBatch = 256
	// idle is how long nothing happens without channels, unless there is a new configuration.
	idle = time.Hour
)

// Letter is a dead letter: its sequence number and the record that ended the delivery.
type Letter struct {
	Seq    uint64
	Record record.Record
}

// Source is the store, and who works on it.
type Source interface {
	// LastDead is the sequence number of the youngest dead letter, 0 when there never was one.
	LastDead(ctx context.Context) (uint64, error)
	// Letters returns up to limit dead letters from a sequence number on.
	Letters(ctx context.Context, from uint64, limit int) ([]Letter, error)
	// Held returns the people whose items are held, of all partitions.
	Held(ctx context.Context) ([]Person, error)

	// Get, Put and Delete are those of the store's small state: Put fails when the revision is not the present one.
	Get(ctx context.Context, key string) ([]byte, uint64, error)
	Put(ctx context.Context, key string, value []byte, revision uint64) (uint64, error)
	Delete(ctx context.Context, key string, revision uint64) error
}

// Sink takes digests to people.
type Sink interface {
	// Send returns nil when the digest was taken.
	Send(ctx context.Context, d *Digest) *Failure
}

// Failure is why a digest was not taken. It holds nothing secret and nothing random.
type Failure struct {
	// Message says what happened and what to do.
	Message string
	// RetryAfter is how long a repeat cannot help; 0 when that is not known.
	RetryAfter time.Duration
}

// Config of a runner.
type Config struct {
	Connector Connector
	Window    time.Duration
	// Zone in which people read times.
	Zone     *time.Location
	Channels []Channel
}

// Channel is one way of telling people.
type Channel struct {
	Name string
	Sink Sink
}

func (c Config) names() (names []string) {
	for _, channel := range c.Channels {
		names = append(names, channel.Name)
	}
	return names
}

// Runner tells the channels of a connector. Only one may run at a time, that of the owner of the first partition; should
// there be two for a moment, the small state lets only one of them send.
type Runner struct {
	source  Source
	log     logr.Logger
	metrics *Metrics
	retry   time.Duration
	// changed is called when the report is another one.
	changed func()
	wake    chan struct{}

	mu     sync.Mutex
	config Config
	report *report.Notifications

	// state and revision belong to Run.
	state    *state
	revision uint64
}

// Options of a runner.
type Options struct {
	Source  Source
	Log     logr.Logger
	Metrics *Metrics
	// RetryFirst is the first pause before a digest is sent again; 0 means 30 s.
	RetryFirst time.Duration
	// Changed is called when the report is another one.
	Changed func()
}

// New returns a runner that says nothing until Use and Run were called.
func New(o Options) *Runner {
	if o.RetryFirst == 0 {
		o.RetryFirst = retryFirst
	}
	return &Runner{source: o.Source, log: o.Log, metrics: o.Metrics, retry: o.RetryFirst, changed: o.Changed, wake: make(chan struct{}, 1)}
}

// Use changes who is told.
func (r *Runner) Use(c Config) {
	r.mu.Lock()
	r.config = c
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Report says how the channels are; nil when there are none, or nothing is known yet.
func (r *Runner) Report() *report.Notifications {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.report
}

// Run works until ctx ends.
func (r *Runner) Run(ctx context.Context) {
	defer r.metrics.leave()
	for ctx.Err() == nil {
		r.mu.Lock()
		c := r.config
		r.mu.Unlock()
		wait, err := r.round(ctx, c)
		if err != nil && ctx.Err() == nil {
			r.log.Error(err, "cannot tell people about failures now; it is tried again")
			// What the store holds is found out anew: somebody else may have written.
			r.state, wait = nil, storeAgain
		}
		r.publish(c)
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-r.wake:
		}
		timer.Stop()
	}
}

// round does what is due and returns when to come again.
func (r *Runner) round(ctx context.Context, c Config) (time.Duration, error) {
	now := time.Now()
	if len(c.Channels) == 0 {
		return idle, r.forget(ctx)
	}
	changed, err := r.load(ctx, c, now)
	if err != nil {
		return 0, err
	}
	if to, due := r.state.due(now, c.Window); due {
		last, err := r.source.LastDead(ctx)
		if err != nil {
			return 0, err
		}
		held, err := r.source.Held(ctx)
		if err != nil {
			r.log.Info("whose items are held is not known now; the next digest says it", "why", err.Error())
		}
		r.state.close(to, now, last, err == nil, held)
		changed = true
	}
	var sending []Channel
	for _, channel := range c.Channels {
		if o := r.state.Channels[channel.Name].Open; o != nil && !o.Next.After(now) {
			o.claim(now, r.retry)
			sending = append(sending, channel)
		}
	}
	// Written down before anything is sent: who cannot write is not the one to send.
	if changed || len(sending) > 0 {
		if err := r.save(ctx); err != nil {
			return 0, err
		}
	}
	if len(sending) > 0 {
		if err := r.send(ctx, c, sending); err != nil {
			return 0, err
		}
	}
	return time.Until(r.next(time.Now(), c)), nil
}

// next is when something is due.
func (r *Runner) next(now time.Time, c Config) time.Time {
	at := now.Truncate(c.Window).Add(c.Window)
	for _, channel := range r.state.Channels {
		if channel.Open != nil && channel.Open.Next.Before(at) {
			at = channel.Open.Next
		}
	}
	return at
}

// load reads the state, if it is not known, and adapts it to the channels.
func (r *Runner) load(ctx context.Context, c Config, now time.Time) (changed bool, err error) {
	if r.state == nil {
		data, revision, err := r.source.Get(ctx, stateKey)
		if err != nil {
			return false, err
		}
		r.revision = revision
		s := &state{}
		if data == nil {
			last, err := r.source.LastDead(ctx)
			if err != nil {
				return false, err
			}
			s, changed = newState(now, c.Window, last), true
		} else if err := json.Unmarshal(data, s); err != nil {
			return false, fmt.Errorf("state %s: %w", stateKey, err)
		}
		r.state = s
	}
	return r.state.adapt(c.names()) || changed, nil
}

// forget removes the state of a connector that tells nobody: whoever is told later is told of what comes then.
func (r *Runner) forget(ctx context.Context) error {
	data, _, err := r.source.Get(ctx, stateKey)
	if err != nil {
		return err
	}
	if data != nil {
		if err := r.source.Delete(ctx, stateKey, 0); err != nil {
			return err
		}
	}
	r.state = nil
	return nil
}

func (r *Runner) save(ctx context.Context) error {
	data, err := json.Marshal(r.state)
	if err != nil {
		return err
	}
	r.revision, err = r.source.Put(ctx, stateKey, data, r.revision)
	return err
}

// outcome of telling one channel.
type outcome struct {
	cursor  uint64
	sent    bool
	failure *Failure
	err     error
}

// send tells channels at the same time, and writes down what they said.
func (r *Runner) send(ctx context.Context, c Config, channels []Channel) error {
	// What is on its way may arrive also when we are ending: cut off, it would be told again by the next one.
	sending, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	defer hangUp()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(endTimeout, hangUp) })()
	outcomes := make([]outcome, len(channels))
	var group errgroup.Group
	for i, channel := range channels {
		group.Go(func() error {
			outcomes[i] = r.tell(sending, c, channel)
			return nil
		})
	}
	_ = group.Wait()
	now := time.Now()
	var errs []error
	for i, channel := range channels {
		s, o := r.state.Channels[channel.Name], outcomes[i]
		switch {
		case o.err != nil:
			errs = append(errs, o.err)
		case o.failure != nil && ctx.Err() != nil:
			// We are ending; whether it was taken is not known. It is sent again, with the same ID.
		case o.failure != nil:
			s.failed(o.failure, now)
			r.metrics.failed.WithLabelValues(channel.Name).Inc()
			r.log.Info("a digest was not taken; it is sent again", "channel", channel.Name, "why", o.failure.Message)
		default:
			s.taken(o.cursor, o.sent, now)
			if o.sent {
				r.metrics.sent.WithLabelValues(channel.Name).Inc()
			}
		}
	}
	// Also when we are ending: what was taken must not be told again by the next one.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
	defer cancel()
	if err := r.save(ctx); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// tell makes the digest of a channel and sends it, unless nothing is left to say.
func (r *Runner) tell(ctx context.Context, c Config, channel Channel) outcome {
	d, cursor, err := r.digest(ctx, c, channel.Name)
	if err != nil || d.Empty() {
		return outcome{cursor: cursor, err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	return outcome{cursor: cursor, sent: true, failure: channel.Sink.Send(ctx, d)}
}

// digest gathers what a channel has to be told, and returns the last dead letter that is in it.
func (r *Runner) digest(ctx context.Context, c Config, name string) (*Digest, uint64, error) {
	s := r.state.Channels[name]
	d := &Digest{ID: id(c.Connector, name, s.Open.To), Connector: c.Connector, From: s.Told, To: s.Open.To, zone: c.Zone}
	found, cursor := newCollector(), s.Cursor
	for n := 0; cursor < s.Open.Upto && n < maxLetters; {
		letters, err := r.source.Letters(ctx, cursor+1, readBatch)
		if err != nil {
			return nil, 0, err
		}
		if len(letters) == 0 {
			cursor = s.Open.Upto // replays took the rest
		}
		for i := range letters {
			if letters[i].Seq > s.Open.Upto {
				cursor = s.Open.Upto
				break
			}
			cursor = letters[i].Seq
			found.add(&letters[i].Record)
			n++
		}
	}
	found.fill(d)
	people := r.state.news(s.People, s.Open.To)
	for _, p := range people {
		d.Unbound.Items += p.Items
	}
	d.Unbound.People, d.Unbound.List = len(people), people[:min(len(people), maxItems)]
	return d, cursor, nil
}

// id of a digest: the same for everybody who makes it.
func id(c Connector, channel string, to time.Time) string {
	name := strings.ReplaceAll(c.Namespace+"/"+c.Name+"/"+channel, ".", "_") // a dot ends the id in a signature
	return fmt.Sprintf("%s/%d", name, to.UnixMilli())
}

// publish makes the report and the metrics.
func (r *Runner) publish(c Config) {
	var next *report.Notifications
	if len(c.Channels) > 0 && r.state != nil {
		next = &report.Notifications{}
		var problems []string
		all := true
		for _, channel := range c.Channels {
			s := r.state.Channels[channel.Name]
			if s.Open != nil && s.Open.Problem != "" {
				problems = append(problems, fmt.Sprintf("channel %s: %s", channel.Name, s.Open.Problem))
			}
			r.metrics.told(channel.Name, s.Success)
			if all = all && !s.Sent.IsZero(); all && (next.LastSent == nil || s.Sent.Before(*next.LastSent)) {
				sent := s.Sent.UTC().Truncate(time.Second)
				next.LastSent = &sent
			}
		}
		if !all {
			next.LastSent = nil
		}
		next.Problem = strings.Join(problems, "; ")
		r.metrics.keep(slices.Values(c.names()))
	} else if len(c.Channels) > 0 {
		return // the store does not answer: what was known stays
	}
	r.mu.Lock()
	same := next == r.report || next != nil && r.report != nil && next.Problem == r.report.Problem && equal(next.LastSent, r.report.LastSent)
	r.report = next
	r.mu.Unlock()
	if next == nil {
		r.metrics.leave()
	}
	if !same && r.changed != nil {
		r.changed()
	}
}

func equal(a, b *time.Time) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(*b)
}
