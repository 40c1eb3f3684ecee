package journal

import (
	"context"
	"errors"
	"sync"
)

// queueGroups is how many groups may wait for a flush.
const queueGroups = 4096

// ErrClosed is the fate of a group that comes after Close.
var ErrClosed = errors.New("the store is closing")

// Committer combines the groups of many callers into few synced writes. It never waits for more to come: while one
// flush is being synced, the next one gathers by itself.
type Committer struct {
	frames *Frames
	queue  chan *Group
	mu     sync.RWMutex
	closed bool
	done   chan struct{}
}

// NewCommitter starts a committer for a log.
func NewCommitter(f *Frames) *Committer {
	c := &Committer{frames: f, queue: make(chan *Group, queueGroups), done: make(chan struct{})}
	go c.run()
	return c
}

// Submit queues a group; its Done is called from the committer's goroutine, in the order of the log. An error means
// that Done is not called.
func (c *Committer) Submit(ctx context.Context, g *Group) error {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.closed {
		return ErrClosed
	}
	select {
	case c.queue <- g:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close flushes what was submitted and stops.
func (c *Committer) Close() {
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		close(c.queue)
	}
	c.mu.Unlock()
	<-c.done
}

func (c *Committer) run() {
	defer close(c.done)
	var groups []*Group
	for g := range c.queue {
		groups = append(groups[:0], g)
		messages, bytes := len(g.Messages), g.bytes()
	gather:
		for messages < flushItems && bytes < flushBytes {
			select {
			case next, ok := <-c.queue:
				if !ok {
					break gather
				}
				groups = append(groups, next)
				messages += len(next.Messages)
				bytes += next.bytes()
			default:
				break gather
			}
		}
		// What was submitted is written even when the caller has gone: its context is not asked.
		c.frames.Append(context.Background(), groups)
		for _, g := range groups {
			g.Done(g)
		}
	}
}
