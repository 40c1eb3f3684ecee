package dispatch

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/dispatch/index"
	"github.com/oabridge/oabridge/internal/mounted"
)

const (
	// indexFile is the SQLite file of the index, beside the queue.
	indexFile = "records.db"
	// indexShare is the part of the store's size that the SQLite file may have beside it, in per cent. Beyond, it forgets
	// the oldest records before the log does.
	indexShare = 15
	// signInShare is the part of the SQLite file that sign-ins may have, as a divisor, and signInBytes what one is taken to
	// need; an attacker who makes the gateway write pushes out older sign-ins, but no records.
	signInShare = 4
	signInBytes = 1 << 10
	// indexRetry is the pause before an index that failed is tried again; it doubles up to indexRetryMax.
	indexRetry    = time.Second
	indexRetryMax = 30 * time.Second
)

// projection is the index of the records of a session. It is opened in the background, as often as it takes, and filled by
// the projectors of the partitions. Whatever happens to it, deliveries go on: all that it holds is in the log too.
type projection struct {
	config index.Config
	// maxBytes bounds the index, 0 leaves that to whoever runs the database.
	maxBytes int64
	// maxAge is how long sign-ins are kept; 0 means as long as there is room. keepHouse is how often old ones are removed.
	maxAge, keepHouse time.Duration
	log               logr.Logger
	// dirty tells the reporter that something is different.
	dirty chan struct{}
	// opened is closed when there is an index, failed when the first try to open it did not work.
	opened, failed chan struct{}

	mu    sync.Mutex
	index *index.Index
	// troubles says why the index cannot be opened (-1) or takes no records of a partition.
	troubles map[int]string
	filling  map[int]*projector

	stop   context.CancelFunc
	opener sync.WaitGroup
}

// noPartition is the key of troubles that all partitions have.
const noPartition = -1

// newProjection of the records of a connector. Nothing is opened before start.
func newProjection(s *shared, o *Options, v *live, storeBytes int64) *projection {
	p := &projection{
		log: s.log.WithName("records"), dirty: s.dirty, opened: make(chan struct{}), failed: make(chan struct{}), troubles: map[int]string{}, filling: map[int]*projector{},
		config: index.Config{Connector: v.bundle.Namespace + "/" + v.bundle.Name},
		maxAge: v.bundle.Records.MaxAge.Std(), keepHouse: s.tuning.housekeeping,
	}
	p.config.Log = p.log
	if v.bundle.Records.Postgres {
		secrets := o.Secrets
		p.config.URL = func() (string, error) { return mounted.Read(secrets, bundle.SlotIndex, "url") }
		p.config.AllowedCIDRs = v.bundle.Records.AllowedCIDRs
		return p
	}
	p.config.File, p.maxBytes = filepath.Join(o.Store, indexFile), storeBytes/100*indexShare
	return p
}

// start opens the index in the background.
func (p *projection) start(ctx context.Context) {
	ctx, p.stop = context.WithCancel(ctx)
	p.opener.Go(func() {
		var once sync.Once
		for delay := indexRetry; ctx.Err() == nil; delay = min(2*delay, indexRetryMax) {
			x, err := index.Open(ctx, p.config)
			if err == nil {
				p.mu.Lock()
				p.index = x
				p.mu.Unlock()
				p.note(noPartition, nil)
				close(p.opened)
				p.forgetSignIns(ctx, x)
				return
			}
			if ctx.Err() == nil {
				p.note(noPartition, err)
				once.Do(func() { close(p.failed) })
				pause(ctx, delay)
			}
		}
	})
}

// forgetSignIns removes old sign-ins until ctx ends.
func (p *projection) forgetSignIns(ctx context.Context, x *index.Index) {
	ticker := time.NewTicker(p.keepHouse)
	defer ticker.Stop()
	for {
		var before time.Time
		if p.maxAge > 0 {
			before = time.Now().Add(-p.maxAge)
		}
		if err := x.PruneSignIns(ctx, before, p.maxBytes/signInShare/signInBytes); err != nil && ctx.Err() == nil {
			p.log.Error(err, "cannot forget old sign-ins; it is tried again")
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// close ends what start began. The projectors have ended by then.
func (p *projection) close() {
	p.stop()
	p.opener.Wait()
	p.mu.Lock()
	x := p.index
	p.index = nil
	p.mu.Unlock()
	if x == nil {
		return
	}
	if err := x.Close(); err != nil {
		p.log.Error(err, "the index of the records was not closed well; it is checked at the next start")
	}
}

// note remembers why records cannot be taken in, nil when they can, and logs each change once.
func (p *projection) note(partition int, err error) {
	trouble := ""
	if err != nil {
		trouble = err.Error()
	}
	p.mu.Lock()
	before := p.troubles[partition]
	if trouble == "" {
		delete(p.troubles, partition)
	} else {
		p.troubles[partition] = trouble
	}
	p.mu.Unlock()
	if trouble == before {
		return
	}
	if err != nil {
		p.log.Error(err, "the index of the records does not work; deliveries go on and it is tried again")
	}
	nudge(p.dirty)
}

// ready waits until the index is open, its opening has failed, or ctx ends.
func (p *projection) ready(ctx context.Context) {
	select {
	case <-p.opened:
	case <-p.failed:
	case <-ctx.Done():
	}
}

// use returns the open index, or why there is none.
func (p *projection) use() (*index.Index, string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.index != nil {
		return p.index, ""
	}
	if t := p.troubles[noPartition]; t != "" {
		return nil, t
	}
	return nil, "it is being opened"
}

// problem says why records cannot be looked up or are late, empty when all is well.
func (p *projection) problem() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, partition := range slices.Sorted(maps.Keys(p.troubles)) {
		return p.troubles[partition]
	}
	for _, f := range p.filling {
		if f.behind() > manyBehind {
			return fmt.Sprintf("more than %d records are not in the index yet: the volume or the database is slower than the deliveries", manyBehind)
		}
	}
	return ""
}

// up reports whether the index takes records, and behind how many it does not have yet.
func (p *projection) up() (up bool, behind uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.filling {
		behind += f.behind()
	}
	return p.index != nil && len(p.troubles) == 0, behind
}

// follow fills the index from the log of a partition until stop is called.
func (p *projection) follow(ctx context.Context, e *engine) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	f := &projector{projection: p, engine: e, asked: make(chan struct{}, 1), moved: make(chan struct{})}
	p.mu.Lock()
	p.filling[e.part.Number] = f
	p.mu.Unlock()
	var running sync.WaitGroup
	running.Go(func() { f.run(ctx) })
	running.Go(func() { f.lookBack(ctx) })
	return func() {
		cancel()
		running.Wait()
		p.mu.Lock()
		delete(p.filling, e.part.Number)
		p.mu.Unlock()
		p.note(e.part.Number, nil)
	}
}

// await waits until the index has what was recorded up to now in the partitions, or ctx ends. It does not say whether it
// has: an answer that lacks the last records is better than none.
func (p *projection) await(ctx context.Context) {
	p.mu.Lock()
	all := make([]*projector, 0, len(p.filling))
	for _, f := range p.filling {
		all = append(all, f)
	}
	p.mu.Unlock()
	for _, f := range all {
		f.await(ctx, f.engine.recordedUpTo())
	}
}
