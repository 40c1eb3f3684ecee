package desk

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Clock is a time that can be moved ahead, so that tokens, tickets and codes grow old without anybody waiting.
type Clock struct {
	base func() time.Time

	mu    sync.RWMutex
	ahead time.Duration
}

// NewClock returns a clock that shows the time of base.
func NewClock(base func() time.Time) *Clock { return &Clock{base: base} }

// Now is the time on the clock.
func (c *Clock) Now() time.Time {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.base().Add(c.ahead)
}

// Advance moves the clock ahead, or back when d is negative.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// Reset brings the clock back to the time of its base.
func (c *Clock) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead = 0
}

type clockView struct {
	Now   time.Time `json:"now"`
	Ahead string    `json:"ahead"`
}

func (c *Clock) view() clockView {
	now := c.Now()
	c.mu.RLock()
	defer c.mu.RUnlock()
	return clockView{now, c.ahead.String()}
}

// serve is the control API: GET shows, POST {"advance":"16m"} moves, DELETE resets.
func (c *Clock) serve(d *Desk) {
	d.Get("", "/_sim/clock", func(*http.Request) any { return c.view() })
	d.Delete("/_sim/clock", c.Reset)
	On(d, "POST /_sim/clock", http.StatusOK, func(in struct {
		Advance string `json:"advance"`
	}) (any, error) {
		by, err := time.ParseDuration(in.Advance)
		if err != nil {
			return nil, fmt.Errorf("advance: %w", err)
		}
		c.Advance(by)
		return c.view(), nil
	})
}
