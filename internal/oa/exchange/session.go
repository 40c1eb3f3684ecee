package exchange

import (
	"context"
	"net/http"
	"slices"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/tokens"
	"github.com/oabridge/oabridge/internal/rotation"
)

// Header is sent with every call to the OA (F9).
type Header struct {
	Name, Value string
	// Secret values are masked wherever they appear in an Attempt.
	Secret bool
}

// Headers are what a question shows to the OA that needs no account, such as whose ticket this is.
type Headers []Header

// Equal implements rotation.Value.
func (h Headers) Equal(o Headers) bool { return slices.Equal(h, o) }

// On puts the headers on a request.
func (h Headers) On(r *http.Request) {
	for _, c := range h {
		r.Header.Add(c.Name, c.Value)
	}
}

// session is what a call shows to the OA.
type session struct {
	account tokens.Account
	headers []Header
}

// Equal implements rotation.Value.
func (s session) Equal(o session) bool {
	return s.account == o.account && slices.Equal(s.headers, o.headers)
}

// stranger is a session that shows nothing secret.
func (s session) stranger() session {
	return session{headers: slices.DeleteFunc(slices.Clone(s.headers), func(h Header) bool { return h.Secret })}
}

// secrets lists what must not be seen in an Attempt.
func (s session) secrets(token string) []string {
	list := make([]string, 0, 3+len(s.headers))
	list = append(list, s.account.Secret, token)
	if s.account.Secret != "" {
		list = append(list, BasicSecret(s.account))
	}
	for _, h := range s.headers {
		if h.Secret {
			list = append(list, h.Value)
		}
	}
	return list
}

// read returns what the mounted Secrets say now.
func (p *Pusher) read(v rotation.Version) (s session, err error) {
	if p.c.Auth.Credentials != nil {
		if s.account, err = p.c.Auth.Credentials(v); err != nil {
			return s, err // F35
		}
	}
	if p.c.Headers != nil {
		s.headers, err = p.c.Headers(v)
	}
	return s, err
}

// session is what the next call shows. A missing key is tried again like an expired token: the Secret can be completed
// without touching the connector.
func (p *Pusher) session() (session, *oa.Attempt) {
	s, err := p.rotation.Use()
	if err != nil {
		return session{}, &oa.Attempt{Class: oa.AuthExpired, Reason: v1alpha1.ReasonKeyMissing, Message: err.Error()}
	}
	return s, nil
}

// header merges the common headers (F9), those of the call, which win, and what is left to say.
func (p *Pusher) header(s session, call http.Header) http.Header {
	h := make(http.Header, len(s.headers)+len(call)+4)
	for _, c := range s.headers {
		h.Add(c.Name, c.Value)
	}
	for name, values := range call {
		h[http.CanonicalHeaderKey(name)] = values
	}
	p.defaultHeader(h)
	return h
}

// maskerFor returns a Masker for the secrets, the last one if they are the same.
func (p *Pusher) maskerFor(secrets []string) *oa.Masker {
	if m := p.masker.Load(); m.Knows(secrets...) {
		return m
	}
	m := oa.NewMasker(secrets...)
	p.masker.Store(m)
	return m
}

// sessionKey is where a context holds the session that a token is fetched for.
type sessionKey struct{}

func within(ctx context.Context, s session) context.Context {
	return context.WithValue(ctx, sessionKey{}, s)
}
