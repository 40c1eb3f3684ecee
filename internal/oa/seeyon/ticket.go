package seeyon

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
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
	// maxTicket bounds a ticket, in characters.
	maxTicket = 512
	// maxLoginName bounds a login name, in characters: that of an account pair.
	maxLoginName = 128
	// maxTicketAnswer bounds the body of an answer, in bytes: a login name that is URL-encoded throughout fits in.
	maxTicketAnswer = 4 << 10
	// defaultTicketTimeout bounds a verification when the configuration does not: a person waits for it.
	defaultTicketTimeout = 8 * time.Second
	// headerLoginName carries the login name [SY-SSO].
	headerLoginName = "LoginName"

	// paramV5Ticket is appended to the link of an item [SEED3, F105], paramTicket to that of the app [SY-SSO].
	paramV5Ticket = "v5ticket"
	paramTicket   = "ticket"

	// reasonTicketRejected is the reason of a ticket that the OA does not know (any more).
	reasonTicketRejected = "TicketRejected"
)

// VerifierConfig configures a Verifier.
type VerifierConfig struct {
	// Endpoint is the address of the OA, without /seeyon.
	Endpoint string
	// Client makes the calls. Redirects are never followed, whatever the client would do.
	Client *http.Client
	// Version is V70SP2 or BeforeV70SP2; it decides which address verifies (F106, F108).
	Version string
	// Timeout of one verification; 0 means 8 s.
	Timeout time.Duration
	// Headers are the common headers (F9); nil means none.
	Headers *rotation.Rotation[exchange.Headers]
}

// Verifier asks a Seeyon whose V5 ticket this is. It never caches: a ticket is good for one question [SY-SSO].
type Verifier struct {
	client  *http.Client
	base    string // all of the address but the ticket
	timeout time.Duration
	headers *rotation.Rotation[exchange.Headers]
}

// NewVerifier returns a Verifier. A wrong Endpoint shows in the first verification, as it does when the OA moves.
func NewVerifier(c VerifierConfig) *Verifier {
	client := *c.Client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	base := strings.TrimRight(c.Endpoint, "/")
	if c.Version == string(v1alpha1.SeeyonBeforeV70SP2) {
		base += "/seeyon/login/sso?from=m3token&token=" // F108 [SEED3]
	} else {
		base += "/seeyon/thirdpartyController.do?ticket=" // F106 [SEED3, SY-C3]
	}
	if c.Timeout <= 0 {
		c.Timeout = defaultTicketTimeout
	}
	if c.Headers == nil {
		c.Headers = rotation.New(rotation.Config[exchange.Headers]{Read: func(rotation.Version) (exchange.Headers, error) { return nil, nil }})
	}
	return &Verifier{client: &client, base: base, timeout: c.Timeout, headers: c.Headers}
}

// Read implements oa.LinkVerifier: the OA appends v5ticket to the link of an item (F105) and ticket to that of the app
// [SY-SSO], where v5ticket is accepted too.
func (v *Verifier) Read(l oa.Link) (oa.Proof, error) {
	names := []string{paramV5Ticket}
	if l.Home {
		names = append(names, paramTicket)
	}
	return readTicket(l, names...)
}

// Verify implements oa.LinkVerifier. Errors are *oa.VerifyError and hold no part of the ticket.
func (v *Verifier) Verify(ctx context.Context, p oa.Proof) (oa.Identity, error) {
	ticket := p.Key
	if !validTicket(ticket) {
		return oa.Identity{}, ticketRejected("the ticket is malformed; the OA was not asked")
	}
	ctx, cancel := context.WithTimeout(ctx, v.timeout)
	defer cancel()
	// A question that the OA refused was not asked: the ticket is as good as before.
	id, err := rotation.Try(ctx, v.headers, func(h exchange.Headers) (oa.Identity, error) { return v.ask(ctx, ticket, h) }, func(err error) rotation.Verdict {
		if refused, ok := errors.AsType[*oa.VerifyError](err); ok && refused.Reason == v1alpha1.ReasonTokenRejected {
			return rotation.Refused
		}
		return rotation.Accepted
	})
	if _, missing := errors.AsType[*rotation.MissingError](err); missing {
		return oa.Identity{}, ticketUnasked(v1alpha1.ReasonKeyMissing, "a header of spec.headers cannot be read; check the Secrets that it refers to")
	}
	return id, err
}

func (v *Verifier) ask(ctx context.Context, ticket string, headers exchange.Headers) (oa.Identity, error) {
	ctx, stage := exchange.Staged(ctx)
	// The ticket is the only part of the address that comes from outside, and it is one query value.
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.base+url.QueryEscape(ticket), nil)
	if err != nil {
		return oa.Identity{}, ticketUnasked(v1alpha1.ReasonNetwork, "the address of the OA is not a URL; correct spec.endpoint.url")
	}
	headers.On(req)
	resp, err := v.client.Do(req)
	if err != nil {
		return oa.Identity{}, v.ticketUnanswered(err, req.URL.Host, stage())
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := outbound.ReadBody(resp, maxTicketAnswer)
	tooLong := errors.Is(err, outbound.ErrTooLarge)
	if err != nil && !tooLong {
		return oa.Identity{}, v.ticketUnanswered(err, req.URL.Host, stage())
	}
	if err := judgeTicketStatus(resp.StatusCode); err != nil {
		return oa.Identity{}, err
	}
	if tooLong {
		return oa.Identity{}, ticketUnasked(v1alpha1.ReasonUnexpectedBody, "the answer is too long for a login name; "+notTicketVerification)
	}
	return readTicketIdentity(resp.Header.Values(headerLoginName), string(body))
}

const notTicketVerification = "something other than the OA's ticket verification answers there; check spec.endpoint.url and spec.seeyon.version"

// judgeTicketStatus: only 200 answers the question. An OA that has no such address, redirects or fails was not asked.
func judgeTicketStatus(status int) error {
	switch {
	case status == http.StatusOK:
		return nil
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return &oa.VerifyError{Verdict: oa.SetUp, Reason: v1alpha1.ReasonTokenRejected, Message: fmt.Sprintf(
			"the OA does not let the gateway ask about tickets (%d): check spec.headers, and that the OA and what stands before it permit the cluster's addresses", status)}
	case status >= 500:
		return ticketUnasked(v1alpha1.ReasonServerError, fmt.Sprintf("the OA answered %d", status))
	default:
		return ticketUnasked(v1alpha1.ReasonUnexpectedBody, fmt.Sprintf("the OA answered %d; %s", status, notTicketVerification))
	}
}

// readTicketIdentity finds the login name in the header LoginName [SY-SSO] and in the body [SY-NB]. Those that are there must
// say the same, or nobody is let in.
func readTicketIdentity(headers []string, body string) (oa.Identity, error) {
	name := ""
	for i, h := range headers {
		decoded, err := loginName(h)
		if err != nil {
			return oa.Identity{}, err
		}
		if i > 0 && decoded != name {
			return oa.Identity{}, ticketUnasked(v1alpha1.ReasonUnexpectedBody, "the answer has two different headers LoginName; nobody is let in")
		}
		name = decoded
	}
	fromBody := strings.TrimSpace(strings.NewReplacer("\r", "", "\n", "").Replace(body))
	switch {
	case name == "" && fromBody == "":
		return oa.Identity{}, ticketRejected("the OA does not know the ticket: it expired or was used before")
	case name == "" && strings.HasPrefix(fromBody, "<"):
		return oa.Identity{}, ticketUnasked(v1alpha1.ReasonUnexpectedBody, "the answer is a page instead of a login name; "+notTicketVerification)
	case name == "" && strings.Contains(strings.ToLower(fromBody), "error"): // [SY-NB, SY-CTP]
		return oa.Identity{}, ticketRejected("the OA answered error: the ticket expired or was used before")
	case fromBody == "":
		return oa.Identity{Account: name}, nil
	}
	decoded, err := loginName(fromBody)
	switch {
	case name == "" && err != nil:
		return oa.Identity{}, err
	case name != "" && decoded != name:
		return oa.Identity{}, ticketUnasked(v1alpha1.ReasonUnexpectedBody, "header and body of the answer disagree about the login name; nobody is let in")
	}
	return oa.Identity{Account: decoded}, nil
}

// loginName decodes a name. Only a value with a percent sign is URL-encoded: a plus sign alone could be itself or a
// space, and guessing could name somebody else.
func loginName(raw string) (string, error) {
	name := strings.TrimSpace(raw)
	if strings.Contains(name, "%") {
		decoded, err := url.QueryUnescape(name)
		if err != nil {
			return "", ticketUnasked(v1alpha1.ReasonUnexpectedBody, "the login name in the answer is not URL-encoded as it should be")
		}
		name = strings.TrimSpace(decoded)
	} else if strings.Contains(name, "+") {
		return "", ticketUnasked(v1alpha1.ReasonUnexpectedBody, "the login name in the answer holds a bare plus sign, which may mean a space; nobody is let in")
	}
	if !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxLoginName ||
		strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == '<' || r == '>' }) {
		return "", ticketUnasked(v1alpha1.ReasonUnexpectedBody, "the answer is not a login name; "+notTicketVerification)
	}
	return name, nil
}

// readTicket finds the one ticket under several names.
func readTicket(l oa.Link, names ...string) (oa.Proof, error) {
	found := url.Values{}
	for _, name := range names {
		found[names[0]] = append(found[names[0]], l.Query[name]...)
	}
	ticket, err := oa.One(found, names[0])
	if err != nil {
		return oa.Proof{}, err
	}
	if !validTicket(ticket) {
		return oa.Proof{}, ticketRejected("the ticket is malformed; the OA was not asked")
	}
	return oa.Proof{Key: ticket}, nil
}

// validTicket reports whether a value may be a ticket: 1 to 512 visible ASCII characters.
func validTicket(ticket string) bool {
	if ticket == "" || len(ticket) > maxTicket {
		return false
	}
	for i := range len(ticket) {
		if c := ticket[i]; c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

// ticketUnanswered says why there was no answer, as for a push. The error itself is not quoted: it holds the address, and
// so the ticket.
func (v *Verifier) ticketUnanswered(err error, host string, stage oa.Stage) error {
	a := oa.NetworkFailure(err, host, stage, oa.Patience{Limit: v.timeout})
	if a.Reason == "" { // the person went away
		a.Reason = v1alpha1.ReasonNetwork
	}
	return ticketUnasked(a.Reason, a.Message)
}

func ticketRejected(message string) error {
	return &oa.VerifyError{Verdict: oa.Rejected, Reason: reasonTicketRejected, Message: message}
}

func ticketUnasked(reason, message string) error {
	return &oa.VerifyError{Reason: reason, Message: message}
}
