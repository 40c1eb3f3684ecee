// Package exchange makes the calls of every driver: one request, one answer, proven by the vendor's kind of
// authentication, judged by the template's result mapping and by what only the vendor says, and recorded with every
// secret masked. A vendor's package says what is its own: a Vendor and an Auth.
package exchange

import (
	"context"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/tokens"
	"github.com/oabridge/oabridge/internal/rotation"
	"github.com/oabridge/oabridge/internal/scenario"
)

// Config of a Pusher.
type Config struct {
	// Vendor says what only this OA says, Auth how calls are proven.
	Vendor Vendor
	Auth   Auth
	// Endpoint is scheme, host and optional path prefix of the OA.
	Endpoint *url.URL
	// Client makes the calls; it must not follow redirects.
	Client *http.Client
	// Headers returns the common headers as they are now, or as they are to be; nil means none. Its error is shown like that of
	// Credentials.
	Headers func(rotation.Version) ([]Header, error)
	// Keys describes the Secret keys behind account and headers for Credentials; nil means none.
	Keys func(rotation.Version) []rotation.Key
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
	defaultTimeout = 60 * time.Second
	// proofOfLife is how long a call that the OA answered spares Probe a call of its own.
	proofOfLife = time.Minute
)

// Pusher implements oa.Pusher, oa.BatchPusher and oa.Inspector. It is safe for concurrent use.
type Pusher struct {
	c Config
	// tokens is nil when the account itself is the proof.
	tokens   *tokens.Cache
	rotation *rotation.Rotation[session]
	masker   atomic.Pointer[oa.Masker]
	// noBatches is until when batches are not tried, in ns since 1970, because the OA does not serve their address.
	noBatches atomic.Int64
	// lastOK is the time of the last call that the OA answered as it should, in ns since 1970; 0 after a failure.
	lastOK atomic.Int64
	// failed: the last call failed because of the OA as a whole.
	failed atomic.Bool
}

var (
	_ oa.BatchPusher = (*Pusher)(nil)
	_ oa.Inspector   = (*Pusher)(nil)
)

// New returns a Pusher.
func New(c Config) *Pusher {
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
	if c.Auth.Login != nil {
		p.tokens = tokens.New(tokens.Config{
			Fetch: func(ctx context.Context, a tokens.Account) (tokens.Token, *oa.Attempt) {
				return c.Auth.Login(ctx, p, a)
			},
			Idle: c.Auth.Idle, Scope: c.Vendor.Name + " " + c.Endpoint.String(), Store: c.Tokens, Now: c.Now, Log: c.Log,
		})
	}
	p.rotation = p.newRotation()
	return p
}

// Push implements oa.Pusher. If the OA refuses the token, exactly one new token is fetched and the request sent once
// more (F36); if that is refused as well, the class is AuthExpired.
func (p *Pusher) Push(ctx context.Context, req scenario.Request, result scenario.Result) oa.Attempt {
	began := p.c.Now()
	return p.finish(p.push(ctx, req, result), began)
}

// Probe implements oa.Pusher. A call that the OA answered within the last minute for the same account proves enough, and
// then nothing is sent. After a failure a fresh token does, which proves name, network, TLS, the OA's interface and the
// account. Otherwise, as after a start, it is the vendor's own probe beside a living token of this account, perhaps one that
// another replica or process fetched: a restart or one more replica costs no token call (F80). Without tokens it is always
// the vendor's own probe.
func (p *Pusher) Probe(ctx context.Context) oa.Attempt {
	began := p.c.Now()
	s, failure := p.session()
	if failure != nil {
		return p.finish(*failure, began)
	}
	last := p.lastOK.Load()
	recent := last != 0 && began.Sub(time.Unix(0, last)) < proofOfLife
	switch {
	case recent && (p.tokens == nil || p.tokens.Holds(s.account)):
		return oa.Attempt{}
	}
	a := p.probe(ctx, s)
	if a.Class == oa.AuthExpired {
		if other, ok := p.rotation.Fallback(ctx, s, a.Message); ok {
			a = p.probe(ctx, other)
			s = other
		}
	}
	if a.Class == oa.OK {
		p.rotation.Worked(s)
	}
	return p.finish(a, began)
}

func (p *Pusher) probe(ctx context.Context, s session) oa.Attempt {
	if p.tokens != nil {
		renew := p.failed.Load()
		if _, failure := p.tokens.Get(within(ctx, s), s.account, renew); failure != nil {
			return *failure
		}
		if renew {
			return oa.Attempt{}
		}
	}
	return p.knock(ctx, s, "", false)
}

func (p *Pusher) finish(a oa.Attempt, began time.Time) oa.Attempt {
	now := p.c.Now()
	a.Latency = now.Sub(began)
	if a.TargetDown() {
		p.lastOK.Store(0)
		p.failed.Store(true)
	} else if a.Class == oa.OK || a.Class == oa.BusinessCode || a.Class == oa.ReceiverUnknown {
		p.lastOK.Store(now.UnixNano())
		p.failed.Store(false)
	}
	return a
}

// push sends one request.
func (p *Pusher) push(ctx context.Context, req scenario.Request, result scenario.Result) oa.Attempt {
	req, failure := p.Resolve(ctx, req)
	if failure != nil {
		return *failure
	}
	x := p.exchanged(ctx, req, func(x Answer) (oa.Attempt, bool) { return p.judge(x, result) })
	if x.attempt.Class == oa.BusinessCode && req.Without != nil && p.c.Vendor.Spent != nil && p.c.Vendor.Spent(x.Answer) {
		return p.without(ctx, req, result, x)
	}
	a := x.attempt
	if a.Class == oa.OK {
		a.Captured = captured(req, x.Text)
	}
	a.Accepted = a.Class == oa.OK && (req.Confirm || a.Status == http.StatusAccepted)
	return a
}

// answered is an exchange that was judged.
type answered struct {
	Answer
	// attempt is masked by masker; the exchange is not. masker is nil when the request was not sent.
	attempt oa.Attempt
	masker  *oa.Masker
}

// exchanged makes one exchange with a token, and a second one with a new token if the OA refused the first. While the account is
// replaced, the other account has its turn when the OA refuses the one in use.
func (p *Pusher) exchanged(ctx context.Context, req scenario.Request, judge func(Answer) (a oa.Attempt, refused bool)) answered {
	s, failure := p.session()
	if failure != nil {
		return answered{attempt: *failure}
	}
	x, refused := p.exchangedAs(ctx, s, req, judge)
	if !refused {
		return x
	}
	// Nobody acted on a call that was refused, so it may go out again with another account.
	first := x
	for range rotation.MaxFallbacks {
		var ok bool
		if s, ok = p.rotation.Fallback(ctx, s, x.attempt.Message); !ok {
			break
		}
		if x, refused = p.exchangedAs(ctx, s, req, judge); !refused {
			return x
		}
	}
	return first
}

// exchangedAs does it with one session. refused is true when the OA does not accept that.
func (p *Pusher) exchangedAs(ctx context.Context, s session, req scenario.Request, judge func(Answer) (oa.Attempt, bool)) (x answered, refused bool) {
	for range 2 {
		token := ""
		if p.tokens != nil {
			var failure *oa.Attempt
			if token, failure = p.tokens.Get(within(ctx, s), s.account, false); failure != nil {
				return answered{attempt: *failure}, failure.Class == oa.AuthExpired
			}
		}
		if x, refused = p.send(ctx, s, token, req, judge); !refused {
			break
		}
		p.tokens.Drop(token)
		if !p.rotation.Present(s) {
			break // no login with what is not in the Secret any more
		}
	}
	if verdict(x.attempt) == rotation.Accepted && x.masker != nil {
		p.rotation.Worked(s)
	}
	return x, x.attempt.Class == oa.AuthExpired
}

// send makes one exchange with a token and judges the answer. refused is true when the OA does not accept the token.
func (p *Pusher) send(ctx context.Context, s session, token string, req scenario.Request, judge func(Answer) (oa.Attempt, bool)) (_ answered, refused bool) {
	began := p.c.Now()
	fail := func(err error) (answered, bool) {
		return answered{attempt: oa.Attempt{Class: oa.Internal, Message: err.Error()}}, false
	}
	u, err := p.Address(req.Path)
	if err != nil {
		return fail(err)
	}
	m := Message{Method: req.Method, URL: u, Header: p.header(s, req.Header), Body: req.Body}
	if p.c.Vendor.Prepare != nil {
		if err := p.c.Vendor.Prepare(&m); err != nil {
			return fail(err)
		}
	}
	if p.c.Auth.Place != nil && (token != "" || p.tokens == nil) {
		if err := p.c.Auth.Place(&m, s.account, token); err != nil {
			return fail(err)
		}
	}
	x := p.Do(ctx, m)
	a := x.Failure
	if a.Class == oa.OK {
		a, refused = judge(x)
	}
	if p.tokens != nil && (a.Class == oa.OK || a.Class == oa.BusinessCode || a.Class == oa.ReceiverUnknown) {
		p.tokens.Used(s.account, token, began)
	}
	masker := p.maskerFor(s.secrets(token))
	return answered{x, x.Record(p.c.Vendor.tidied(a), masker), masker}, refused
}
