package dispatch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/crm/fxiaoke"
	"github.com/oabridge/oabridge/internal/dispatch/digest"
	"github.com/oabridge/oabridge/internal/mounted"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/drivers"
	"github.com/oabridge/oabridge/internal/report"
	"github.com/oabridge/oabridge/internal/rotation"
)

const (
	// closeTimeout bounds what comes after draining: the last records, a checkpoint, open connections.
	closeTimeout = 5 * time.Second
	// settlePoll is how often draining looks whether all calls have ended.
	settlePoll = 20 * time.Millisecond
	// reopenFirst is the pause before a store that failed is opened again; it doubles up to reopenMax.
	reopenFirst = 200 * time.Millisecond
	reopenMax   = 15 * time.Second
)

// Dispatcher is one running dispatcher.
type Dispatcher struct {
	*shared
	options  Options
	intake   *intake
	callback *fxiaoke.Callback
	keys     *keys
	config   configState
	store    storeState
	// credentials knows which values of the Secrets are in use.
	credentials *rotation.Keeper
	publisher   *report.Publisher
	servers     []server
	// session is the open store, nil while there is none.
	session atomic.Pointer[session]
	// first is closed when the first bundle is live.
	first     chan struct{}
	firstOnce sync.Once
	swap      sync.Mutex
}

// server is one listening address.
type server struct {
	name     string
	http     *http.Server
	listener net.Listener
}

// Run is New and Dispatcher.Run.
func Run(ctx context.Context, o Options) error {
	d, err := New(ctx, o)
	if err != nil {
		return err
	}
	return d.Run(ctx)
}

// New makes a dispatcher that listens. Call Run next, which opens the store and closes everything again, or Close.
func New(ctx context.Context, o Options) (*Dispatcher, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	d := &Dispatcher{
		options: o, first: make(chan struct{}), keys: &keys{dir: o.Secrets},
		shared: &shared{log: o.Log, metrics: newMetrics(), tuning: o.tuning, tracer: o.Tracer, dirty: make(chan struct{}, 1), shutdown: o.ShutdownTimeout,
			secrets: o.Secrets, crm: fxiaoke.NewClient(o.Secrets, time.Now), digests: digest.NewMetrics()},
	}
	if o.NewPusher == nil {
		d.options.NewPusher = func(b *bundle.Bundle, secrets string, now func() time.Time) (oa.Pusher, error) {
			return drivers.New(b, secrets, now, drivers.Options{Tokens: d.tokenStore, Pace: pace, Log: o.Log.WithName("oa")})
		}
	}
	d.intake = newIntake(d)
	d.credentials = rotation.NewKeeper(d.rotators, d.accepted, func() { nudge(d.dirty) })
	d.callback = fxiaoke.NewCallback(o.Secrets, d.crm, time.Now)
	d.metrics.registry.MustRegister(levels{d}, d.callback, d.digests)
	d.store.set(errors.New("the store is being opened"))
	d.publisher = report.NewPublisher(d.report())
	if err := d.listen(ctx); err != nil {
		return nil, err
	}
	return d, nil
}

// Run works until ctx ends, then drains: no new events, calls in flight finish, what is known is written down.
func (d *Dispatcher) Run(ctx context.Context) error {
	work, stop := context.WithCancel(ctx)
	defer stop()
	var background errgroup.Group
	start := func(f func()) { background.Go(func() error { f(); return nil }) }
	start(func() { d.publish(work) })
	start(func() { d.credentials.Run(work) })
	watching := make(chan error, 2)
	start(func() { watching <- d.watchBundle(work) })
	start(func() { watching <- d.watchSecrets(work) })
	served := make(chan error, len(d.servers))
	for _, s := range d.servers {
		start(func() { served <- s.http.Serve(s.listener) })
	}
	stored := make(chan struct{})
	start(func() { defer close(stored); d.keepStore(work) })

	var err error
	select {
	case <-ctx.Done():
	case err = <-served:
	case err = <-watchFailed(work, watching):
	}
	d.log.Info("draining: no new events are taken", "timeout", d.options.ShutdownTimeout.String())
	d.ending.Store(true)
	stop()
	<-stored
	closing, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	for _, s := range d.servers {
		// A connection that stays open beyond the timeout is cut; a request that waits for a report is one.
		if s.http.Shutdown(closing) != nil {
			_ = s.http.Close()
		}
	}
	_ = background.Wait()
	d.log.Info("drained")
	return err
}

// Close ends a dispatcher that was never run.
func (d *Dispatcher) Close() {
	for _, s := range d.servers {
		_ = s.listener.Close()
	}
}

// keepStore opens the store, works with it, and opens it again when it failed, until ctx ends.
func (d *Dispatcher) keepStore(ctx context.Context) {
	select {
	case <-d.first:
	case <-ctx.Done():
		return
	}
	delay := reopenFirst
	for ctx.Err() == nil {
		began := time.Now()
		err := d.oneSession(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > reopenMax || errors.Is(err, errQueueChanged) {
			delay = reopenFirst
		}
		d.store.set(err)
		nudge(d.dirty)
		d.log.Error(err, "the store is closed and will be opened again", "after", delay.String())
		pause(ctx, delay)
		delay = min(2*delay, reopenMax)
	}
}

// oneSession opens the store and works until it fails or ctx ends.
func (d *Dispatcher) oneSession(ctx context.Context) error {
	s, err := d.openSession(ctx, d.live.Load())
	if err != nil {
		return err
	}
	d.swap.Lock() // a bundle that comes in between is not missed
	d.session.Store(s)
	d.swap.Unlock()
	d.store.set(nil)
	defer func() {
		d.session.Store(nil)
		nudge(d.dirty)
	}()
	return s.run(ctx, d.options.Replica)
}

// watchFailed passes on the first error of a watch that did not end because ctx did.
func watchFailed(ctx context.Context, watching <-chan error) <-chan error {
	out := make(chan error, 1)
	go func() {
		for range cap(watching) {
			if err := <-watching; err != nil && ctx.Err() == nil {
				out <- fmt.Errorf("cannot watch the configuration: %w", err)
				return
			}
		}
	}()
	return out
}

// watchBundle uses each bundle that is found in the directory.
func (d *Dispatcher) watchBundle(ctx context.Context) error {
	return bundle.Watch(ctx, d.options.Bundle, func(l *bundle.Loaded) { d.use(ctx, l) }, func(err error) {
		d.config.set("bundle", err)
		d.log.Error(err, "the bundle on disk cannot be used; the last good one stays live")
		nudge(d.dirty)
	})
}

// use makes a bundle the live one.
func (d *Dispatcher) use(ctx context.Context, l *bundle.Loaded) {
	d.swap.Lock()
	defer d.swap.Unlock()
	before := d.live.Load()
	v, err := newLive(l, before, d.options.Secrets, d.options.NewPusher)
	if err == nil {
		err = errors.Join(d.callback.Use(l.Bundle), d.crm.Use(l.Bundle.CRM))
	}
	d.config.set("bundle", err)
	if err != nil {
		d.log.Error(err, "the bundle on disk cannot be used; the last good one stays live", "hash", l.Hash)
		nudge(d.dirty)
		return
	}
	d.reloadKeys(v)
	d.live.Store(v)
	if s := d.session.Load(); s != nil {
		s.use(ctx, v)
		if before == nil || before.pusher != v.pusher {
			s.retarget()
		}
	}
	d.credentials.Look()
	d.firstOnce.Do(func() { close(d.first) })
	nudge(d.dirty)
	d.log.Info("bundle is live", "hash", v.hash, "accounts", v.accounts.Len())
}

func (d *Dispatcher) reloadKeys(v *live) {
	err := d.keys.reload(v.bundle.Source)
	d.config.set("keys", err)
	if err != nil {
		d.log.Error(err, "a Secret cannot be used; the last good keys stay live")
	}
	nudge(d.dirty)
}

// watchSecrets uses changed Secrets at once: the keys of those who call the dispatcher are read again, and when what the
// dispatcher shows to the OA changed, the OA is asked at once. The driver reads the credentials itself.
func (d *Dispatcher) watchSecrets(ctx context.Context) error {
	shown := credentials(d.options.Secrets)
	return mounted.Watch(ctx, d.options.Secrets, func() {
		d.swap.Lock()
		defer d.swap.Unlock()
		v := d.live.Load()
		if v == nil {
			return
		}
		d.reloadKeys(v)
		d.credentials.Look()
		if now := credentials(d.options.Secrets); now != shown {
			shown = now
			d.log.Info("credentials changed: asking the OA")
			if s := d.session.Load(); s != nil {
				s.retarget()
			}
		}
	})
}

// ready says why the dispatcher is not ready, nil when it is.
func (d *Dispatcher) ready(ctx context.Context) error {
	s := d.session.Load()
	switch {
	case d.live.Load() == nil:
		return errors.New("no bundle is live: " + d.config.problem())
	case d.lacksKeys(d.live.Load()):
		return errors.New("no proof of origin can be checked: " + d.config.problem())
	case d.ending.Load():
		return errors.New("draining")
	case s == nil:
		_, problem := d.store.get()
		return errors.New("the store is not open: " + problem)
	case s.queue.Type != queueNATS && s.engine(0) == nil:
		return errors.New("the store is being read")
	}
	return s.journal.Check(ctx)
}

// lacksKeys reports whether the proof of origin of events cannot be checked, although there should be one.
func (d *Dispatcher) lacksKeys(v *live) bool { return v.takesEvents() && d.keys.authenticator() == nil }

// Addr returns the address on which a part listens: public, admin, peer or local.
func (d *Dispatcher) Addr(part string) string {
	for _, s := range d.servers {
		if s.name == part {
			return s.listener.Addr().String()
		}
	}
	return ""
}
