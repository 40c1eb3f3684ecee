package seeyon

import (
	"net/http"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/tokens"
)

// session is what the mounted Secrets say at the time of one call.
type session struct {
	username, password string
	headers            []Header
}

func (s session) account() tokens.Account {
	return tokens.Account{Name: s.username, Secret: s.password}
}

// secrets lists what must not be seen in an Attempt.
func (s session) secrets(token string) []string {
	list := make([]string, 0, 2+len(s.headers))
	list = append(list, s.password, token)
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
	if s.username, s.password, err = p.c.Credentials(); err != nil {
		return missing(err.Error())
	}
	if s.username == "" || s.password == "" {
		return missing("username or password is empty: put both keys into the Secret in spec.credentialsSecretRef") // F35
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
	for _, d := range [...][2]string{
		{"Content-Type", "application/json;charset=UTF-8"},
		{"Accept", "application/json"},
		{"User-Agent", p.c.UserAgent},
	} {
		if h.Get(d[0]) == "" {
			h.Set(d[0], d[1])
		}
	}
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
