package journal

import (
	"context"
	"errors"
	"sync"
)

const (
	// flushMessages and flushBytes bound one flush.
	flushMessages = 500
	flushBytes    = 4 << 20
	// queueGroups is how many groups may wait for a flush.
	queueGroups = 1024
)

// ErrClosed is the fate of a group that comes after Close.
var ErrClosed = errors.New("the store is closing")

// Committer combines the groups of many callers into few synced writes. It never waits for more to come: while one
// flush is being synced, the next one gathers by itself.
type Committer struct {
	log    *Log
	queue  chan *Group
	mu     sync.RWMutex
	closed bool
	done   chan struct{}
}

// NewCommitter starts a committer for log.
func NewCommitter(log *Log) *Committer {
	c := &Committer{log: log, queue: make(chan *Group, queueGroups), done: make(chan struct{})}
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
	for g := range c.queue {
		groups, messages, bytes := []*Group{g}, len(g.Messages), g.bytes()
	gather:
		for messages < flushMessages && bytes < flushBytes {
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
		c.log.Append(context.Background(), groups)
		for _, g := range groups {
			g.Done(g)
		}
	}
}

func (g *Group) bytes() (n int) {
	for _, m := range g.Messages {
		n += len(m.Data)
	}
	return n
}
