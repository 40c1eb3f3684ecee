package dispatch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/sync/errgroup"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/dispatch/journal"
	"github.com/oabridge/oabridge/internal/mounted"
	"github.com/oabridge/oabridge/internal/oa/drivers"
	"github.com/oabridge/oabridge/internal/report"
)

// closeTimeout bounds what comes after draining: the last records, a checkpoint, open connections.
const closeTimeout = 5 * time.Second

// settlePoll is how often draining looks whether all calls have ended.
const settlePoll = 20 * time.Millisecond

// Dispatcher is one running dispatcher.
type Dispatcher struct {
	options   Options
	log       logr.Logger
	journal   *journal.Journal
	engine    *engine
	intake    *intake
	keys      *keys
	config    configState
	publisher *report.Publisher
	servers   []server
	live      atomic.Bool
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

// New opens the store, recovers what is in it, and listens. Call Run next, which closes everything again, or Close.
func New(ctx context.Context, o Options) (*Dispatcher, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.NewPusher == nil {
		o.NewPusher = drivers.NewPusher
	}
	if err := os.MkdirAll(o.Store, 0o700); err != nil {
		return nil, fmt.Errorf("store: cannot make the directory: %w; check the volume and its permissions", err)
	}
	if o.StoreMaxBytes == 0 {
		var err error
		if o.StoreMaxBytes, err = volumeShare(o.Store); err != nil {
			return nil, err
		}
	}
	j, err := journal.Open(ctx, journal.Config{Dir: o.Store, MaxBytes: o.StoreMaxBytes, LockWait: o.LockWait, Log: o.Log.WithName("store")})
	if err != nil {
		return nil, err
	}
	d, err := open(ctx, o, j)
	if err != nil {
		j.Close()
		return nil, err
	}
	return d, nil
}

func open(ctx context.Context, o Options, j *journal.Journal) (*Dispatcher, error) {
	p, last, err := recoverProgress(ctx, j, o.Log)
	if err != nil {
		return nil, err
	}
	m := newMetrics()
	e := newEngine(j, p, o.tuning, m, o.Log)
	e.readSeq, e.tailSeq = min(p.Done.Floor(), last), last
	records, err := j.Records.Bounds(ctx)
	if err != nil {
		return nil, err
	}
	e.maxUnsaved = int64(records.MaxBytes) / checkpointShare
	m.registry.MustRegister(levels{engine: e, limit: o.StoreMaxBytes})

	d := &Dispatcher{options: o, log: o.Log, journal: j, engine: e, keys: &keys{dir: o.Secrets}}
	d.intake = newIntake(e, d.keys)
	d.publisher = report.NewPublisher(e.full(&d.config))
	o.Log.Info("store is open", "waiting", e.waiting(), "delivered", p.Totals.Delivered, "dead", p.Totals.Dead)
	if err := d.listen(ctx); err != nil {
		e.records.Close()
		d.intake.events.Close()
		return nil, err
	}
	return d, nil
}

// Run works until ctx ends, then drains: no new events, calls in flight finish, what is known is written down.
func (d *Dispatcher) Run(ctx context.Context) error {
	defer d.journal.Close()
	// calls outlives ctx by at most the shutdown timeout.
	calls, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	defer hangUp()
	work, stop := context.WithCancel(ctx)
	defer stop()

	var background errgroup.Group
	start := func(f func()) { background.Go(func() error { f(); return nil }) }
	start(func() { d.engine.run(work, calls) })
	start(func() { d.engine.read(work) })
	start(func() { d.engine.keepHouse(work) })
	start(func() { d.engine.publish(work, d.publisher, &d.config) })
	watching := make(chan error, 2)
	start(func() { watching <- d.watchBundle(work) })
	start(func() { watching <- d.watchSecrets(work) })
	served := make(chan error, len(d.servers))
	for _, s := range d.servers {
		start(func() { served <- s.http.Serve(s.listener) })
	}

	var err error
	select {
	case <-ctx.Done():
	case err = <-d.engine.failed:
	case err = <-served:
	case err = <-watchFailed(work, watching):
	}
	d.drain(stop, hangUp)
	_ = background.Wait()
	return err
}

// Close ends a dispatcher that was never run.
func (d *Dispatcher) Close() {
	for _, s := range d.servers {
		_ = s.listener.Close()
	}
	d.intake.events.Close()
	d.engine.records.Close()
	d.journal.Close()
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

// drain ends the work in the order in which nothing gets lost.
func (d *Dispatcher) drain(stop, hangUp context.CancelFunc) {
	e := d.engine
	d.log.Info("draining: no new events are taken", "timeout", d.options.ShutdownTimeout.String())
	e.mu.Lock()
	e.draining = true
	e.mu.Unlock()
	stop()
	deadline := time.NewTimer(d.options.ShutdownTimeout)
	defer deadline.Stop()
	if !e.settled(deadline.C) {
		d.log.Info("some calls did not finish in time: they are repeated after the next start")
		hangUp()
		last := time.NewTimer(closeTimeout)
		defer last.Stop()
		e.settled(last.C)
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	for _, s := range d.servers {
		// A connection that stays open beyond the timeout is cut; a request that waits for a report is one.
		if s.http.Shutdown(ctx) != nil {
			_ = s.http.Close()
		}
	}
	d.intake.events.Close()
	e.records.Close()
	if err := e.checkpoint(ctx); err != nil {
		d.log.Error(err, "cannot write the last checkpoint; the next start reads the records instead")
	}
	d.log.Info("drained")
}

// settled waits until nothing is in flight or unrecorded; false when the deadline comes first.
func (e *engine) settled(deadline <-chan time.Time) bool {
	ticker := time.NewTicker(settlePoll)
	defer ticker.Stop()
	for {
		e.mu.Lock()
		busy := e.unrecorded
		e.mu.Unlock()
		if busy == 0 {
			return true
		}
		select {
		case <-ticker.C:
		case <-deadline:
			return false
		}
	}
}

// watchBundle uses each bundle that is found in the directory.
func (d *Dispatcher) watchBundle(ctx context.Context) error {
	return bundle.Watch(ctx, d.options.Bundle, d.use, func(err error) {
		d.config.set("bundle", err)
		d.log.Error(err, "the bundle on disk cannot be used; the last good one stays live")
		nudge(d.engine.dirty)
	})
}

// use makes a bundle the live one.
func (d *Dispatcher) use(l *bundle.Loaded) {
	d.swap.Lock()
	defer d.swap.Unlock()
	v, err := newLive(l, d.engine.live.Load(), d.options.Secrets, d.options.NewPusher)
	d.config.set("bundle", err)
	if err != nil {
		d.log.Error(err, "the bundle on disk cannot be used; the last good one stays live", "hash", l.Hash)
		nudge(d.engine.dirty)
		return
	}
	d.reloadKeys(v)
	d.engine.use(v)
	d.live.Store(true)
	d.log.Info("bundle is live", "hash", v.hash, "connector", v.bundle.Namespace+"/"+v.bundle.Name, "accounts", v.accounts.Len())
}

func (d *Dispatcher) reloadKeys(v *live) {
	err := d.keys.reload(v.bundle.Source)
	d.config.set("keys", err)
	if err != nil {
		d.log.Error(err, "a Secret cannot be used; the last good keys stay live")
	}
	nudge(d.engine.dirty)
}

// watchSecrets uses changed Secrets at once: the keys of those who call the dispatcher are read again, and when what the
// dispatcher shows to the OA changed, the OA is asked at once. The driver reads the credentials itself.
func (d *Dispatcher) watchSecrets(ctx context.Context) error {
	shown := credentials(d.options.Secrets)
	return mounted.Watch(ctx, d.options.Secrets, func() {
		d.swap.Lock()
		defer d.swap.Unlock()
		v := d.engine.live.Load()
		if v == nil {
			return
		}
		d.reloadKeys(v)
		if now := credentials(d.options.Secrets); now != shown {
			shown = now
			d.log.Info("credentials changed: asking the OA")
			d.engine.retarget()
		}
	})
}

// ready says why the dispatcher is not ready, nil when it is.
func (d *Dispatcher) ready(ctx context.Context) error {
	switch {
	case !d.live.Load():
		return errors.New("no bundle is live: " + d.config.problem())
	case d.keys.authenticator() == nil:
		return errors.New("no proof of origin can be checked: " + d.config.problem())
	}
	d.engine.mu.Lock()
	draining := d.engine.draining
	d.engine.mu.Unlock()
	if draining {
		return errors.New("draining")
	}
	_, err := d.journal.Events.Bounds(ctx)
	return err
}

// Addr returns the address on which a part listens: public, admin, peer or local.
func (d *Dispatcher) Addr(part string) string {
	for _, s := range d.servers {
		if s.name == part {
			return s.listener.Addr().String()
		}
	}
	return ""
}
