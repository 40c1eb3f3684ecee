package exchange

import (
	"net/http"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/tokens"
)

// Header is sent with every call to the OA (F9).
type Header struct {
	Name, Value string
	// Secret values are masked wherever they appear in an Attempt.
	Secret bool
}

// session is what the mounted Secrets say at the time of one call.
type session struct {
	account tokens.Account
	headers []Header
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

// session reads the account and the headers. A missing key is tried again like an expired token: the Secret can be
// completed without touching the connector.
func (p *Pusher) session() (session, *oa.Attempt) {
	var s session
	var err error
	missing := func(message string) (session, *oa.Attempt) {
		return session{}, &oa.Attempt{Class: oa.AuthExpired, Reason: v1alpha1.ReasonKeyMissing, Message: message}
	}
	if p.c.Auth.Credentials != nil {
		if s.account, err = p.c.Auth.Credentials(); err != nil {
			return missing(err.Error()) // F35
		}
	}
	if p.c.Headers != nil {
		if s.headers, err = p.c.Headers(); err != nil {
			return missing(err.Error())
		}
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
