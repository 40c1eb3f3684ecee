// Package quota counts calls the way the vendors limit them: so many in a window of time, and whoever calls more is
// blocked for a while.
package quota

import (
	"sync"
	"time"
)

// Limit allows Max calls per window; a call beyond it starts a block of the length Block, or without one is refused until
// the window is over. Max 0 allows everything.
type Limit struct {
	Max        int
	Per, Block time.Duration
}

// maxKeys bounds what is counted at the same time.
const maxKeys = 100_000

// Counter counts calls by key. It is safe for concurrent use.
type Counter struct {
	now func() time.Time

	mu   sync.Mutex
	runs map[run]*window
}

type run struct {
	key string
	per time.Duration
}

type window struct {
	end, blocked time.Time
	count        int
}

// New returns a counter that reads the time from now.
func New(now func() time.Time) *Counter {
	return &Counter{now: now, runs: map[run]*window{}}
}

// Allow counts a call of a key and says whether all limits let it through.
func (c *Counter) Allow(key string, limits ...Limit) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, ok := c.now(), true
	for _, l := range limits {
		if l.Max > 0 && !c.window(run{key, l.Per}, now).take(l, now) {
			ok = false
		}
	}
	return ok
}

func (c *Counter) window(r run, now time.Time) *window {
	w, known := c.runs[r]
	if !known {
		if len(c.runs) >= maxKeys {
			c.sweep(now)
		}
		w = &window{end: now.Add(r.per)}
		c.runs[r] = w
	}
	return w
}

func (w *window) take(l Limit, now time.Time) bool {
	if now.Before(w.blocked) {
		return false
	}
	if !now.Before(w.end) {
		w.end, w.count = now.Add(l.Per), 0
	}
	w.count++
	if w.count <= l.Max {
		return true
	}
	if l.Block > 0 {
		w.blocked, w.end, w.count = now.Add(l.Block), now, 0
	}
	return false
}

// sweep forgets what is over.
func (c *Counter) sweep(now time.Time) {
	for r, w := range c.runs {
		if !now.Before(w.end) && !now.Before(w.blocked) {
			delete(c.runs, r)
		}
	}
}

// Reset forgets all calls and ends all blocks.
func (c *Counter) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.runs)
}
