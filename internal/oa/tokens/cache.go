// Package tokens keeps the token with which a driver calls an OA: one refresh at a time, early, shared by the replicas of
// a dispatcher and kept over their restarts, and dropped as soon as the OA refuses it.
package tokens

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/sync/singleflight"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oa"
)

// Token is what an OA issues.
type Token struct {
	Value string
	// Life is how long it lives from now on, however it is used; 0 when only idling ends it.
	Life time.Duration
}

// Config of a Cache.
type Config struct {
	// Fetch gets a new token from the OA; it bounds itself. The failure holds no secret.
	Fetch func(context.Context, Account) (Token, *oa.Attempt)
	// Idle is how long a token lives without a call; 0 when idling does not end it.
	Idle time.Duration
	// Scope tells OAs apart, such as type and endpoint: a stored token of another scope is not used.
	Scope string
	// Store shares the token; nil keeps it in this process alone.
	Store Store
	// Now is the clock; default time.Now.
	Now func() time.Time
	// Log hears when the Store fails, and nothing else; the zero Logger is silent.
	Log logr.Logger
}

// staleRetry is the pause after a failed attempt to replace a token that is still good.
const staleRetry = 30 * time.Second

// Cache holds the one token of a driver. It is safe for concurrent use.
type Cache struct {
	c Config
	// me tells the processes apart that share a Store.
	me      string
	flights singleflight.Group

	mu    sync.Mutex
	token held
	owner [sha256.Size]byte
	// refused is the last token that the OA refused: whoever else holds it, it is not taken over.
	refused string
	// pause ends the wait after a failed early refresh.
	pause time.Time
	// noted is the last use that the Store was told of.
	noted     time.Time
	noting    bool
	storeDown bool
}

// New returns a Cache.
func New(c Config) *Cache {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Cache{c: c, me: rand.Text()}
}

// flown is what a flight ends with.
type flown struct {
	token   string
	failure *oa.Attempt
	// asked is true when this process has asked the OA itself.
	asked bool
}

// Get returns a token for the account. Concurrent callers share one refresh; each waits no longer than its own context,
// and the refresh goes on for the others. renew asks the OA even if the token at hand still seems to live.
func (c *Cache) Get(ctx context.Context, a Account, renew bool) (string, *oa.Attempt) {
	id := a.Digest()
	token, state := c.look(id)
	for {
		if !renew && state == fresh {
			return token, nil
		}
		background := !renew && state == stale
		if background && !c.dueEarly() {
			return token, nil
		}
		done := c.flights.DoChan(string(id[:]), func() (any, error) {
			// A flight may have ended between the look above and this one.
			if token, state := c.look(id); state == fresh && !renew {
				return flown{token: token}, nil
			}
			return c.fly(context.WithoutCancel(ctx), a, renew), nil
		})
		if background {
			return token, nil
		}
		select {
		case r := <-done:
			f, ok := r.Val.(flown)
			if !ok {
				return "", &oa.Attempt{Class: oa.Internal, Message: fmt.Sprintf("the token could not be fetched: %v", r.Err)}
			}
			if renew && !f.asked {
				continue // the flight of somebody who did not need to know
			}
			return f.token, f.failure
		case <-ctx.Done():
			return "", gaveUp(ctx)
		}
	}
}

func gaveUp(ctx context.Context) *oa.Attempt {
	if ctx.Err() == context.Canceled {
		return &oa.Attempt{Class: oa.Network, Message: "the call was cancelled before the OA issued a token"}
	}
	return &oa.Attempt{Class: oa.Timeout, Reason: v1alpha1.ReasonTimeout,
		Message: "the OA did not issue a token in time: check that the OA is healthy, or raise spec.delivery.timeout"}
}

// Holds reports whether there is a living token of the account.
func (c *Cache) Holds(a Account) bool {
	_, state := c.look(a.Digest())
	return state != dead
}

// Used notes that the OA accepted the token for a call that began at the given time.
func (c *Cache) Used(a Account, token string, began time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token.Value != token || !began.After(c.token.LastUse) {
		return
	}
	c.token.LastUse = began
	// The others need to know, but not of each call.
	if c.c.Store != nil && c.c.Idle > 0 && !c.noting && began.Sub(c.noted) >= c.c.Idle/noteParts {
		c.noting, c.noted = true, began
		go c.note(a, token, began)
	}
}

// Drop forgets a token that the OA refused. Many calls may have been refused with one token: only the first one drops
// it, so they all share the next.
func (c *Cache) Drop(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refused = token
	if c.token.Value == token {
		c.token = held{}
	}
}

// look returns the token at hand if it is the account's.
func (c *Cache) look(id [sha256.Size]byte) (string, freshness) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.owner != id {
		return "", dead
	}
	return c.token.Value, c.token.at(c.c.Now(), c.c.Idle)
}

// dueEarly reports whether it is time to try to replace a token that is still good.
func (c *Cache) dueEarly() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.c.Now().Before(c.pause)
}

// ask gets a new token from the OA.
func (c *Cache) ask(ctx context.Context, a Account) (held, *oa.Attempt) {
	began := c.c.Now()
	t, failure := c.c.Fetch(ctx, a)
	if failure != nil {
		c.mu.Lock()
		c.pause = c.c.Now().Add(staleRetry)
		c.mu.Unlock()
		return held{}, failure
	}
	h := held{Value: t.Value, Issued: began, LastUse: began, Life: t.Life}
	c.take(a, h)
	return h, nil
}

// take makes a token the one at hand.
func (c *Cache) take(a Account, h held) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token, c.owner, c.noted, c.pause = h, a.Digest(), h.LastUse, time.Time{}
}
