// Package signin holds what the sign-in modes share: asking a provider from server to server, and the shapes that accounts
// and proofs may have. Each protocol has a package of its own below this one; those of one vendor are in that vendor's
// package.
package signin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/outbound"
	"github.com/oabridge/oabridge/internal/rotation"
)

const (
	// Timeout of one question to a provider when the configuration has none: a person waits for the answer.
	Timeout = 8 * time.Second
	// maxAnswer bounds an answer, in bytes.
	maxAnswer = 64 << 10
	// maxProof bounds a ticket or a code, in characters; WeCom's codes have up to 512 bytes [SEED4, WC-GO].
	maxProof = 2048
	// maxAccount bounds an account, in characters: that of an account pair.
	maxAccount = 128
)

// Channel asks one provider from server to server. Answers are never cached.
type Channel struct {
	// Client makes the calls. Redirects are never followed.
	Client *http.Client
	// Field is where the provider's address is configured, such as spec.sso.oauth2.tokenURL.
	Field string
	// Headers go along. While a secret one is replaced, a provider that refuses the one in use is asked with the other. nil
	// means none.
	Headers *rotation.Rotation[exchange.Headers]
}

// Answer of a provider.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Get asks with a GET.
func (c Channel) Get(ctx context.Context, address string, header http.Header) (Answer, error) {
	return c.do(ctx, http.MethodGet, address, header, nil, "")
}

// PostForm asks with a form.
func (c Channel) PostForm(ctx context.Context, address string, header http.Header, form url.Values) (Answer, error) {
	return c.do(ctx, http.MethodPost, address, header, []byte(form.Encode()), "application/x-www-form-urlencoded")
}

// PostJSON asks with a JSON document, which must marshal.
func (c Channel) PostJSON(ctx context.Context, address string, header http.Header, body any) (Answer, error) {
	data, err := json.Marshal(body)
	if err != nil {
		return Answer{}, err
	}
	return c.do(ctx, http.MethodPost, address, header, data, "application/json; charset=utf-8")
}

// do returns the answer whatever its status below 500. Errors are *oa.VerifyError with the verdict Unasked; they hold
// nothing of the address but its host, because the proof is in the rest.
func (c Channel) do(ctx context.Context, method, address string, header http.Header, body []byte, contentType string) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	ask := func(more exchange.Headers) (Answer, error) {
		a, err := c.ask(ctx, method, address, more, header, body, contentType)
		if err == nil && (a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden) {
			return a, refusal(a.Status)
		}
		return a, err
	}
	var a Answer
	var err error
	if c.Headers == nil {
		a, err = ask(nil)
	} else {
		a, err = rotation.Try(ctx, c.Headers, ask, said)
	}
	if _, missing := errors.AsType[*rotation.MissingError](err); missing {
		return a, headersMissing()
	}
	if _, refused := errors.AsType[refusal](err); refused {
		return a, nil // what that means the caller knows
	}
	return a, err
}

// refusal is an answer that lets nobody in, by its status.
type refusal int

func (r refusal) Error() string { return fmt.Sprintf("the provider answers %d", int(r)) }

// said is what an error says of the headers: 403 may be about the proof as well.
func said(err error) rotation.Verdict {
	switch status, _ := errors.AsType[refusal](err); status {
	case http.StatusUnauthorized:
		return rotation.Refused
	case http.StatusForbidden:
		return rotation.Unknown
	}
	return rotation.Accepted
}

func (c Channel) ask(ctx context.Context, method, address string, more exchange.Headers, header http.Header, body []byte, contentType string) (Answer, error) {
	ctx, stage := staged(ctx)
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return Answer{}, Unasked(v1alpha1.ReasonNetwork, "%s is not a URL; correct it", c.Field)
	}
	more.On(req)
	for name, values := range header {
		req.Header[name] = values
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	client := *c.Client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(req)
	if err != nil {
		return Answer{}, c.unanswered(err, req.URL.Host, stage())
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := outbound.ReadBody(resp, maxAnswer)
	switch {
	case errors.Is(err, outbound.ErrTooLarge):
		return Answer{}, Unasked(v1alpha1.ReasonUnexpectedBody, "the answer of %s is too long; check %s", req.URL.Host, c.Field)
	case err != nil:
		return Answer{}, c.unanswered(err, req.URL.Host, stage())
	case resp.StatusCode >= 500:
		return Answer{}, Unasked(v1alpha1.ReasonServerError, "%s answered %d", req.URL.Host, resp.StatusCode)
	}
	return Answer{Status: resp.StatusCode, Header: resp.Header, Body: data}, nil
}

// unanswered says why there was no answer, as for a push, with the field that is meant here.
func (c Channel) unanswered(err error, host string, stage oa.Stage) error {
	a := oa.NetworkFailure(err, host, stage, oa.Patience{Limit: Timeout})
	if a.Reason == "" { // the person went away
		a.Reason = v1alpha1.ReasonNetwork
	}
	return Unasked(a.Reason, "%s", strings.ReplaceAll(a.Message, "spec.endpoint.url", c.Field))
}

// staged follows how far an exchange gets.
func staged(ctx context.Context) (context.Context, func() oa.Stage) {
	var connected, written atomic.Bool
	trace := &httptrace.ClientTrace{
		GotConn:      func(httptrace.GotConnInfo) { connected.Store(true) },
		WroteRequest: func(info httptrace.WroteRequestInfo) { written.Store(info.Err == nil) },
	}
	return httptrace.WithClientTrace(ctx, trace), func() oa.Stage {
		switch {
		case written.Load():
			return oa.StageAnswer
		case connected.Load():
			return oa.StageSend
		}
		return oa.StageConnect
	}
}

// Unasked is the error of a question that was not answered.
func Unasked(reason, format string, args ...any) error {
	return &oa.VerifyError{Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// Rejected is the error of a proof that the provider, or the mode itself, does not accept.
func Rejected(reason, format string, args ...any) error {
	return &oa.VerifyError{Verdict: oa.Rejected, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// SetUp is the error of a provider that refuses this app or this gateway, whoever clicks.
func SetUp(reason, format string, args ...any) error {
	return &oa.VerifyError{Verdict: oa.SetUp, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// Unexpected is the error of an answer that is none.
func Unexpected(what, field string) error {
	return Unasked(v1alpha1.ReasonUnexpectedBody, "%s; something else answers there: check %s", what, field)
}

// OneProof reads the one proof of a query.
func OneProof(query url.Values, name string) (oa.Proof, error) {
	value, err := oa.One(query, name)
	if err != nil {
		return oa.Proof{}, err
	}
	if !Visible(value, maxProof) {
		return oa.Proof{}, Rejected("Malformed", "the parameter %s is no proof of any OA; nobody was asked", name)
	}
	return oa.Proof{Key: value}, nil
}

// Returned reads the code with which a provider sent the browser back, or its refusal.
func Returned(query url.Values, name string) (oa.Proof, error) {
	if len(query["error"]) > 0 {
		return oa.Proof{}, &oa.VerifyError{Verdict: oa.Declined, Reason: "Declined", Message: "the provider sent the browser back with an error" + known(query.Get("error"))}
	}
	return OneProof(query, name)
}

// known names an error of RFC 6749 or OpenID Connect; another one could be anything.
func known(code string) string {
	switch code {
	case "access_denied", "invalid_request", "invalid_scope", "unauthorized_client", "server_error", "temporarily_unavailable",
		"unsupported_response_type", "login_required", "consent_required", "interaction_required":
		return " (" + code + ")"
	}
	return ""
}

// Visible reports whether s is 1 to limit visible ASCII characters.
func Visible(s string, limit int) bool {
	return s != "" && len(s) <= limit && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// Account checks an account as a provider names it: printable, of a bounded length, and not with a space at an end, which
// another reader may drop.
func Account(s string) (oa.Identity, bool) {
	good := s != "" && utf8.ValidString(s) && utf8.RuneCountInString(s) <= maxAccount && s == strings.TrimSpace(s) &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == '<' || r == '>' })
	if !good {
		return oa.Identity{}, false
	}
	return oa.Identity{Account: s}, true
}

// WithQuery adds parameters to an address that may have some already.
func WithQuery(address string, more url.Values) (string, error) {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
		return "", errors.New("not an absolute http or https URL")
	}
	q := u.Query()
	for name, values := range more {
		q[name] = values
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}
