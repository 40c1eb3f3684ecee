package tokens

import (
	"context"
	"errors"
	"time"
)

const (
	// lease is how long a process that fetches a token keeps the others waiting. A token call that takes longer costs a
	// second one; a process that died with the lease costs the others this wait.
	lease = 10 * time.Second
	// poll is how often the others look whether the token is there.
	poll = 200 * time.Millisecond
	// storeTimeout bounds one call to the Store.
	storeTimeout = 2 * time.Second
	// maxRaces bounds how often a process loses the race for the lease before it asks the OA without it.
	maxRaces = 16
	// noteParts: a use is told to the Store when the last one that it knows is older than this part of the idle life.
	noteParts = 4
)

// fly makes a new token the one at hand: that of another process, or one of its own. renew wants the OA's own word at
// once, so it neither takes over a token nor waits for a lease.
func (c *Cache) fly(ctx context.Context, a Account, renew bool) flown {
	s, err := newSealer(a, c.c.Scope)
	var e entry
	var revision uint64
	shared := c.c.Store != nil && err == nil
	if shared && !renew {
		if e, revision, shared = c.obtain(ctx, s); shared && e.Owner != c.me {
			c.take(a, e.Token)
			return flown{token: e.Token.Value}
		}
	}
	h, failure := c.ask(ctx, a)
	if shared && renew && failure == nil {
		e, revision, err = c.load(ctx, s)
		shared = err == nil
	}
	if shared && (failure == nil || !renew) {
		e.Owner, e.Until = "", time.Time{}
		if failure == nil {
			e.Token = h
		}
		_, _ = c.save(ctx, s, e, revision) // if somebody else was faster, there is a token as well
	}
	return flown{h.Value, failure, true}
}

// obtain reads the entry until it either holds a token that can be taken over, or this process owns the lease (Owner is
// then its own). It returns false when the OA must be asked without either: the Store fails, or another process holds the
// lease for too long.
func (c *Cache) obtain(ctx context.Context, s *sealer) (entry, uint64, bool) {
	var waited time.Duration
	for races := 0; races < maxRaces; {
		e, revision, err := c.load(ctx, s)
		if err != nil {
			return entry{}, 0, false
		}
		leased := e.Owner != "" && e.Owner != c.me && c.c.Now().Before(e.Until)
		state := e.Token.at(c.c.Now(), c.c.Idle)
		if e.Token.Value != c.lastRefused() && (state == fresh || state == stale && leased) {
			e.Owner = ""
			return e, revision, true
		}
		if leased {
			// The other one's clock may be wrong, so the wait is counted here.
			if waited >= lease || !sleep(ctx, poll) {
				return entry{}, 0, false
			}
			waited += poll
			continue
		}
		e.Owner, e.Until = c.me, c.c.Now().Add(lease)
		revision, err = c.save(ctx, s, e, revision)
		switch {
		case err == nil:
			return e, revision, true
		case !errors.Is(err, ErrConflict):
			return entry{}, 0, false
		}
		races++
	}
	return entry{}, 0, false
}

// note tells the Store of the last use, so that a token that one replica uses does not seem idle to another, nor to this
// one after a restart.
func (c *Cache) note(a Account, token string, used time.Time) {
	ctx := context.Background()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.noting = false
	}()
	s, err := newSealer(a, c.c.Scope)
	if err != nil {
		return
	}
	e, revision, err := c.load(ctx, s)
	if err != nil || e.Token.Value != token || !used.After(e.Token.LastUse) {
		return
	}
	e.Token.LastUse = used
	_, _ = c.save(ctx, s, e, revision) // the next use is noted too
}

// load returns the entry, an empty one when there is none or when it was not sealed for this account.
func (c *Cache) load(ctx context.Context, s *sealer) (entry, uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	sealed, revision, err := c.c.Store.Load(ctx)
	c.storeAnswered(err)
	if err != nil {
		return entry{}, 0, err
	}
	e, err := s.open(sealed)
	if err != nil {
		e = entry{}
	}
	return e, revision, nil
}

func (c *Cache) save(ctx context.Context, s *sealer, e entry, revision uint64) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	revision, err := c.c.Store.Save(ctx, s.seal(e), revision)
	if !errors.Is(err, ErrConflict) {
		c.storeAnswered(err)
	}
	return revision, err
}

// storeAnswered logs when the Store begins and ends to fail.
func (c *Cache) storeAnswered(err error) {
	c.mu.Lock()
	before := c.storeDown
	c.storeDown = err != nil
	c.mu.Unlock()
	switch {
	case err != nil && !before:
		c.c.Log.Error(err, "the store of shared tokens fails; this process uses a token of its own", "scope", c.c.Scope)
	case err == nil && before:
		c.c.Log.Info("the store of shared tokens answers again", "scope", c.c.Scope)
	}
}

func (c *Cache) lastRefused() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.refused
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
