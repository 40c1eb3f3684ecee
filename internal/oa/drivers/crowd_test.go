package drivers

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// crowd does something over and over, several at a time.
type crowd struct {
	done  chan struct{}
	all   sync.WaitGroup
	ended [pushers]atomic.Int64
}

func gather(do func()) *crowd {
	c := &crowd{done: make(chan struct{})}
	for i := range c.ended {
		c.all.Go(func() {
			for {
				select {
				case <-c.done:
					return
				default:
				}
				do()
				c.ended[i].Add(1)
			}
		})
	}
	return c
}

// caughtUp waits until all that had begun has ended. Otherwise a slow machine replaces a secret twice while one call is under way,
// which no administrator does.
func (c *crowd) caughtUp(t *testing.T) {
	t.Helper()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for i := range c.ended {
		for before := c.ended[i].Load(); c.ended[i].Load() == before; {
			select {
			case <-look.C:
			case <-t.Context().Done():
				t.Fatal("somebody is stuck")
			}
		}
	}
}

// gone ends it, and says how much was done.
func (c *crowd) gone() (n int64) {
	close(c.done)
	c.all.Wait()
	for i := range c.ended {
		n += c.ended[i].Load()
	}
	return n
}
