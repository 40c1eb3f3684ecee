// Package seeyon talks to a Seeyon (致远) A8/V5: it pushes third-party pending items and checks sign-in tickets. A key in
// brackets such as [SY-AUTH] names the source of a wire fact: the vendor's page or a public client.
package seeyon

import (
	"context"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/tokens"
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
	// Tokens shares the token with other processes; nil keeps it in this one.
	Tokens tokens.Store
	// Pace is waited for before each further exchange within one PushBatch, so that a rate limit holds; nil means none.
	Pace func(context.Context) error
	// Log of what is no matter of one item; the zero Logger is silent.
	Log logr.Logger
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
	tokens *tokens.Cache
	// getLogin is set once the OA turned out to know only the old form of the token call.
	getLogin atomic.Bool
	masker   atomic.Pointer[oa.Masker]
	// noBatches is until when batches are not tried, in ns since 1970, because the OA does not serve their address.
	noBatches atomic.Int64
	// lastOK is the time of the last call that the OA answered as it should, in ns since 1970; 0 after a failure.
	lastOK atomic.Int64
}

var (
	_ oa.BatchPusher = (*Pusher)(nil)
	_ oa.Inspector   = (*Pusher)(nil)
)

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
	p.tokens = tokens.New(tokens.Config{
		// A token lives as long as it is used [SY-AUTH].
		Fetch: p.login, Idle: c.IdleTimeout, Scope: "Seeyon " + c.Endpoint.String(), Store: c.Tokens, Now: c.Now, Log: c.Log,
	})
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
		if last != 0 && began.Sub(time.Unix(0, last)) < proofOfLife && p.tokens.Holds(s.account()) {
			return oa.Attempt{}
		}
		_, failure = p.tokens.Get(ctx, s.account(), true)
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

// push sends one request.
func (p *Pusher) push(ctx context.Context, req scenario.Request, result scenario.Result) oa.Attempt {
	a := p.exchanged(ctx, req, func(x exchange) (oa.Attempt, bool) { return p.judge(x, result) }).attempt
	a.Accepted = a.Class == oa.OK && (req.Confirm || a.Status == http.StatusAccepted)
	return a
}

// answered is an exchange that was judged.
type answered struct {
	exchange
	// attempt is masked by masker; the exchange is not. masker is nil when the request was not sent.
	attempt oa.Attempt
	masker  *oa.Masker
}

// exchanged makes one exchange with a token, and a second one with a new token if the OA refused the first.
func (p *Pusher) exchanged(ctx context.Context, req scenario.Request, judge func(exchange) (a oa.Attempt, refused bool)) answered {
	s, failure := p.session()
	if failure != nil {
		return answered{attempt: *failure}
	}
	var x answered
	for range 2 {
		token, failure := p.tokens.Get(ctx, s.account(), false)
		if failure != nil {
			return answered{attempt: *failure}
		}
		var refused bool
		if x, refused = p.send(ctx, s, token, req, judge); !refused {
			break
		}
		p.tokens.Drop(token)
	}
	return x
}

// send makes one exchange with a token and judges the answer. refused is true when the OA does not accept the token.
func (p *Pusher) send(ctx context.Context, s session, token string, req scenario.Request, judge func(exchange) (oa.Attempt, bool)) (_ answered, refused bool) {
	began := p.c.Now()
	u, err := p.address(req.Path)
	if err != nil {
		return answered{attempt: oa.Attempt{Class: oa.Internal, Message: err.Error()}}, false
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
	a := x.failure
	if a.Class == oa.OK {
		a, refused = judge(x)
	}
	if a.Class == oa.OK || a.Class == oa.BusinessCode {
		p.tokens.Used(s.account(), token, began)
	}
	masker := p.maskerFor(s.secrets(token))
	return answered{x, x.record(a, masker), masker}, refused
}
