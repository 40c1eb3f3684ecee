// Package seeyon talks to a Seeyon (致远) A8/V5: it pushes third-party pending items and checks sign-in tickets. A key in
// brackets such as [SY-AUTH] names the source of a wire fact: the vendor's page or a public client.
package seeyon

import (
	"context"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/scenario"
)

// Placement is where a call carries its token (F37).
type Placement string

// The placements.
const (
	InHeader Placement = "Header" // token: <id>
	InQuery  Placement = "Query"  // ?token=<id>
)

// Header is sent with every call to the OA (F9).
type Header struct {
	Name, Value string
	// Secret values are masked wherever they appear in an Attempt.
	Secret bool
}

// Config of a Pusher.
type Config struct {
	// Endpoint is scheme, host and optional path prefix of the OA.
	Endpoint *url.URL
	// Client makes the calls; it must not follow redirects.
	Client *http.Client
	// Credentials returns the REST account as it is now. It is asked before every call, so that a rotated Secret counts
	// at once. Its error is shown to people: it names the missing key and holds no value.
	Credentials func() (username, password string, err error)
	// Headers returns the common headers as they are now; nil means none. Its error is shown like that of Credentials.
	Headers func() ([]Header, error)
	// Placement of the token; default InHeader.
	Placement Placement
	// IdleTimeout is how long a token lives without a call; default 15 min [SY-AUTH].
	IdleTimeout time.Duration
	// Timeout bounds one exchange with the OA, from the name's resolution to the last byte of the answer; default 60 s
	// (F39).
	Timeout time.Duration
	// Now is the clock; default time.Now.
	Now func() time.Time
	// UserAgent of the calls; default "oabridge".
	UserAgent string
}

const (
	defaultIdleTimeout = 15 * time.Minute
	defaultTimeout     = 60 * time.Second
	// proofOfLife is how long a call that the OA answered spares Probe a call of its own.
	proofOfLife = time.Minute
)

// Pusher implements oa.Pusher for Seeyon. It is safe for concurrent use.
type Pusher struct {
	c      Config
	tokens tokenCache
	// getLogin is set once the OA turned out to know only the old form of the token call.
	getLogin atomic.Bool
	masker   atomic.Pointer[oa.Masker]
	// lastOK is the time of the last call that the OA answered as it should, in ns since 1970; 0 after a failure.
	lastOK atomic.Int64
}

var _ oa.Pusher = (*Pusher)(nil)

// NewPusher returns a Pusher.
func NewPusher(c Config) *Pusher {
	if c.IdleTimeout <= 0 {
		c.IdleTimeout = defaultIdleTimeout
	}
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.UserAgent == "" {
		c.UserAgent = "oabridge"
	}
	p := &Pusher{c: c}
	p.tokens = tokenCache{fetch: p.login, now: c.Now, life: c.IdleTimeout - idleMargin(c.IdleTimeout)}
	return p
}

// Push implements oa.Pusher. If the OA refuses the token, exactly one new token is fetched and the request sent once
// more (F36); if that is refused as well, the class is AuthExpired.
func (p *Pusher) Push(ctx context.Context, req scenario.Request, result scenario.Result) oa.Attempt {
	began := p.c.Now()
	a := p.push(ctx, req, result)
	return p.finish(a, began)
}

// Probe implements oa.Pusher. Seeyon documents no call that only reads and needs no further right, so the probe is a
// fresh token: it proves name, network, TLS, the REST layer and the account. A call that the OA answered within the last
// minute for the same account proves as much, and then nothing is sent.
func (p *Pusher) Probe(ctx context.Context) oa.Attempt {
	began := p.c.Now()
	s, failure := p.session()
	if failure == nil {
		last := p.lastOK.Load()
		if last != 0 && began.Sub(time.Unix(0, last)) < proofOfLife && p.tokens.cached(s.id()) != "" {
			return oa.Attempt{}
		}
		_, failure = p.tokens.get(ctx, s, true)
	}
	if failure != nil {
		return p.finish(*failure, began)
	}
	return p.finish(oa.Attempt{}, began)
}

func (p *Pusher) finish(a oa.Attempt, began time.Time) oa.Attempt {
	now := p.c.Now()
	a.Latency = now.Sub(began)
	if a.TargetDown() {
		p.lastOK.Store(0)
	} else if a.Class == oa.OK || a.Class == oa.BusinessCode {
		p.lastOK.Store(now.UnixNano())
	}
	return a
}

func (p *Pusher) push(ctx context.Context, req scenario.Request, result scenario.Result) oa.Attempt {
	s, failure := p.session()
	if failure != nil {
		return *failure
	}
	var a oa.Attempt
	for range 2 {
		token, failure := p.tokens.get(ctx, s, false)
		if failure != nil {
			return *failure
		}
		var refused bool
		if a, refused = p.send(ctx, s, token, req, result); !refused {
			return a
		}
		p.tokens.drop(token)
	}
	return a
}

// send makes one exchange with a token and judges the answer. refused is true when the OA does not accept the token.
func (p *Pusher) send(ctx context.Context, s session, token string, req scenario.Request, result scenario.Result) (a oa.Attempt, refused bool) {
	began := p.c.Now()
	u, err := p.address(req.Path)
	if err != nil {
		return oa.Attempt{Class: oa.Internal, Message: err.Error()}, false
	}
	header := p.header(s, req.Header)
	header.Del(tokenName)
	if p.c.Placement == InQuery {
		if u.RawQuery != "" {
			u.RawQuery += "&"
		}
		u.RawQuery += tokenName + "=" + url.QueryEscape(token)
	} else {
		header.Set(tokenName, token)
	}
	x := p.exchange(ctx, req.Method, u, header, req.Body)
	a = x.failure
	if a.Class == oa.OK {
		a, refused = p.judge(x, result)
	}
	if a.Class == oa.OK || a.Class == oa.BusinessCode {
		p.tokens.used(token, began)
	}
	return x.record(a, p.maskerFor(s.secrets(token))), refused
}
