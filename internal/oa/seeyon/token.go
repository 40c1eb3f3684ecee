package seeyon

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oa"
)

// maxIdleMargin bounds how much earlier than the OA a token is considered dead.
const maxIdleMargin = 30 * time.Second

// idleMargin covers the way of a call to the OA and clocks that run differently.
func idleMargin(idle time.Duration) time.Duration { return min(idle/10, maxIdleMargin) }

// tokenCache holds the one token of a Pusher. A token lives as long as it is used [SY-AUTH], so it is replaced when it
// was idle for too long, when the OA refused it, and when the account has changed (F36).
type tokenCache struct {
	// fetch gets a new token from the OA.
	fetch func(context.Context, session) (string, *oa.Attempt)
	now   func() time.Time
	// life is how long a token may be idle.
	life time.Duration

	flights singleflight.Group

	mu      sync.Mutex
	value   string
	owner   [sha256.Size]byte
	lastUse time.Time
}

// fetched is what a flight ends with.
type fetched struct {
	token   string
	failure *oa.Attempt
}

// get returns a token for the session's account. Concurrent callers share one fetch; each waits no longer than its own
// context, and the fetch goes on for the others. renew asks the OA even if the token at hand still seems to live.
func (c *tokenCache) get(ctx context.Context, s session, renew bool) (string, *oa.Attempt) {
	id := s.id()
	if token := c.cached(id); token != "" && !renew {
		return token, nil
	}
	done := c.flights.DoChan(string(id[:]), func() (any, error) {
		// A flight may have ended between the look above and this one.
		if token := c.cached(id); token != "" && !renew {
			return fetched{token: token}, nil
		}
		began := c.now()
		token, failure := c.fetch(context.WithoutCancel(ctx), s)
		if failure == nil {
			c.mu.Lock()
			c.value, c.owner, c.lastUse = token, id, began
			c.mu.Unlock()
		}
		return fetched{token, failure}, nil
	})
	select {
	case r := <-done:
		f, ok := r.Val.(fetched)
		if !ok {
			return "", &oa.Attempt{Class: oa.Internal, Message: fmt.Sprintf("the token could not be fetched: %v", r.Err)}
		}
		return f.token, f.failure
	case <-ctx.Done():
		if ctx.Err() == context.Canceled {
			return "", &oa.Attempt{Class: oa.Network, Message: "the call was cancelled before the OA issued a token"}
		}
		return "", &oa.Attempt{Class: oa.Timeout, Reason: v1alpha1.ReasonTimeout,
			Message: "the OA did not issue a token in time: check that the OA is healthy, or raise spec.delivery.timeout"}
	}
}

// cached returns the token if it is the account's and should still live.
func (c *tokenCache) cached(id [sha256.Size]byte) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.owner != id || c.now().Sub(c.lastUse) >= c.life {
		return ""
	}
	return c.value
}

// used notes that the OA accepted the token for a call that began at the given time.
func (c *tokenCache) used(token string, began time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.value == token && began.After(c.lastUse) {
		c.lastUse = began
	}
}

// drop forgets a token that the OA refused. Many calls may have been refused with one token: only the first one drops
// it, so they all share the next.
func (c *tokenCache) drop(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.value == token {
		c.value = ""
	}
}
