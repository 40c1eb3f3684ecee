package fxiaoke

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/tidwall/gjson"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"
)

const (
	pathToken = "/cgi/corpAccessToken/get/V2"
	// refreshMargin is how long before its end a token is replaced. The CRM issues a new one in the last 600 s of 7200,
	// and both are valid then; before that a repeat returns the same token [FX-NEW §9.2].
	refreshMargin = 10 * time.Minute
	// expiryMargin covers the way of a call to the CRM and clocks that run differently.
	expiryMargin = 30 * time.Second
	// longestLife bounds what the CRM may say about a token's life [FX-NEW §9.2].
	longestLife = 2 * time.Hour
	// tokenPace and tokenBurst keep the token calls below 10 in a minute [SEED1, FX-NEW §9.2], whatever goes wrong.
	tokenPace  = 8 * time.Second
	tokenBurst = 2
)

// grant is a token and what belongs to it.
type grant struct {
	token, corpID       string
	refreshAt, expiryAt time.Time
}

// tokenCache holds the one token of a connection. There is never more than one token call at a time [FX-NEW §9.2].
type tokenCache struct {
	now     func() time.Time
	fetch   func(context.Context, credentials) (grant, error)
	flights singleflight.Group
	pace    *rate.Limiter

	mu    sync.Mutex
	owner [sha256.Size]byte
	grant grant
}

func newTokenCache(now func() time.Time, fetch func(context.Context, credentials) (grant, error)) *tokenCache {
	return &tokenCache{now: now, fetch: fetch, pace: rate.NewLimiter(rate.Every(tokenPace), tokenBurst)}
}

// get returns a token for the credentials. Close to its end the old one is still returned while a new one is fetched; each
// caller waits no longer than its own context, and the fetch goes on for the others.
func (c *tokenCache) get(ctx context.Context, keys credentials) (grant, error) {
	id := keys.id()
	g, early := c.cached(id)
	if g.token != "" && !early {
		return g, nil
	}
	done := c.flights.DoChan(string(id[:]), func() (any, error) {
		// A flight may have ended between the look above and this one.
		if g, early := c.cached(id); g.token != "" && !early {
			return g, nil
		}
		if !c.pace.AllowN(c.now(), 1) {
			return grant{}, &Error{Kind: RateLimited, RetryAfter: tokenPace,
				Message: "the CRM was asked for tokens too often in the last minute: the call waits; see the failures before this one"}
		}
		flight, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
		defer cancel()
		g, err := c.fetch(flight, keys)
		if err == nil {
			c.mu.Lock()
			c.owner, c.grant = id, g
			c.mu.Unlock()
		}
		return g, err
	})
	if g.token != "" {
		return g, nil
	}
	select {
	case r := <-done:
		if r.Err != nil {
			return grant{}, r.Err
		}
		return r.Val.(grant), nil
	case <-ctx.Done():
		return grant{}, &Error{Kind: Timeout, Message: "the CRM did not issue a token in time: check that its open interface answers"}
	}
}

// cached returns the token if it is the credentials' and still lives, and whether it is time for the next one.
func (c *tokenCache) cached(id [sha256.Size]byte) (g grant, early bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if c.owner != id || !now.Before(c.grant.expiryAt) {
		return grant{}, false
	}
	return c.grant, !now.Before(c.grant.refreshAt)
}

// drop forgets a token that the CRM refused. Many calls may have been refused with one token: only the first one drops
// it, so they all share the next.
func (c *tokenCache) drop(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.grant.token == token {
		c.grant = grant{}
	}
}

// fetchToken asks the CRM for a token [SEED1, FX-NEW §9.2].
func (conn *connection) fetchToken(ctx context.Context, keys credentials) (grant, error) {
	began := conn.tokens.now()
	answer, err := conn.exchange(ctx, pathToken, map[string]string{
		"appId": keys.appID, "appSecret": keys.appSecret, "permanentCode": keys.permanentCode,
	}, maxAnswer, keys.mask(""))
	if err != nil {
		return grant{}, err
	}
	found := gjson.GetManyBytes(answer, "corpAccessToken", "corpId", "expiresIn")
	g := grant{token: found[0].String(), corpID: found[1].String()}
	switch want := conn.config.CorpID; {
	case g.token == "":
		return grant{}, &Error{Kind: BadAnswer, Message: conn.host + " answered the request for a token without one: check spec.source.crm.url"}
	case g.corpID == "":
		g.corpID = want
	case want != "" && want != g.corpID:
		return grant{}, &Error{Kind: Misconfigured, Message: "the credentials belong to another enterprise than spec.source.crm.corpID: correct one of them"}
	}
	life := min(time.Duration(max(found[2].Int(), 0))*time.Second, longestLife)
	// A token with less left than the margins (somebody else fetched it long ago) is used for half of that.
	g.expiryAt = began.Add(life - min(expiryMargin, life/2))
	g.refreshAt = began.Add(life - min(refreshMargin, life/2))
	return g, nil
}
