package fxiaoke

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/oabridge/oabridge/internal/outbound"
)

// Kind of a failed call.
type Kind string

// The kinds. All but Rejected and Misconfigured may go away by themselves.
const (
	Network     Kind = "Network"
	Timeout     Kind = "Timeout"
	ServerError Kind = "ServerError"
	RateLimited Kind = "RateLimited"
	// TokenRefused: the CRM refused a fresh token too.
	TokenRefused Kind = "TokenRefused"
	// Rejected: the CRM understood the call and will not do it.
	Rejected Kind = "Rejected"
	// Misconfigured: somebody has to change the connector or its Secret.
	Misconfigured Kind = "Misconfigured"
	BadAnswer     Kind = "BadAnswer"
)

// Error is why a call failed. It holds nothing secret.
type Error struct {
	Kind Kind
	// Code is the CRM's errorCode, 0 when there was none.
	Code int
	// Message says what happened and what to do, without random parts.
	Message string
	// RetryAfter is how long a repeat cannot help; 0 when that is not known.
	RetryAfter time.Duration
}

func (e *Error) Error() string { return e.Message }

func asError(err error) (*Error, bool) { return errors.AsType[*Error](err) }

func misconfigured(message string) *Error { return &Error{Kind: Misconfigured, Message: message} }

// The error codes that are told apart [FX-NEW, FX-NET §9.7].
const (
	codeBusy         = -1
	codeSystemError  = -2
	codeTokenExpired = 20016
	codeCallLimit    = 14001
	codeDailyLimit   = 30002
	codeNoQuota      = 30003
	codePerSecond    = 30004
	codeTimeout      = 50009
)

// interfaceWindow is the span in which an interface may be called 100 times [FX-NEW §9.7].
const interfaceWindow = 20 * time.Second

// dailyLimitPause is how long to wait once the calls of the day are used up. The quota comes back at 0:00 [FX-NEW §9.7], by
// a clock that is not documented; asking once an hour finds it.
const dailyLimitPause = time.Hour

// refusals say what to do about codes that stay until somebody acts [FX-NEW, FX-NET §9.7].
var refusals = map[int]string{
	10006: "the CRM misses a parameter of the app, or it is malformed: check appId, appSecret and permanentCode in the Secret of spec.source.crm.credentialsSecretRef",
	15003: "the app may not use this interface: grant it in the CRM's app settings",
	20006: "the CRM does not know this appId or appSecret: correct them in the Secret of spec.source.crm.credentialsSecretRef",
	20012: "the CRM does not know one of the openUserIds: check spec.source.crm.openUserID and spec.source.crm.roles",
	20014: "the app may not see that person's data: check spec.source.crm.openUserID and the app's visible range",
	20015: "the permanentCode is wrong: copy it again into the Secret of spec.source.crm.credentialsSecretRef",
	20017: "the CRM does not find the enterprise: check spec.source.crm.corpID",
	20020: "the app has no right to that enterprise: check spec.source.crm.corpID",
	20021: "the app is disabled: enable it in the CRM",
	20022: "the enterprise has not authorised the app: authorise it in the CRM",
	30027: "the CRM does not know one of the employees: check spec.source.crm.openUserID and spec.source.crm.roles",
}

// codeError is what an errorCode means. The CRM's own words are only quoted, and only for a code that is not known.
func (conn *connection) codeError(code int, words string) *Error {
	e := &Error{Kind: Rejected, Code: code}
	switch code {
	case codeBusy, codeSystemError, codeTimeout:
		e.Kind, e.Message = ServerError, "the CRM is busy or failed inside: it is asked again"
	case codeTokenExpired:
		e.Kind, e.Message = TokenRefused, "the CRM refuses a fresh token: check spec.source.crm.corpID, and that nobody resets the app's tokens"
	case codeCallLimit, codePerSecond:
		e.Kind, e.RetryAfter, e.Message = RateLimited, interfaceWindow, "the CRM limits its calls: it is asked again a little later"
	case codeDailyLimit:
		e.Kind, e.RetryAfter, e.Message = RateLimited, dailyLimitPause, "the CRM's calls of the day are used up: buy a larger package, or wait for 0:00"
	case codeNoQuota:
		e.Kind, e.RetryAfter, e.Message = RateLimited, dailyLimitPause, "the enterprise has bought no calls of the CRM's open interface: buy a package in the CRM"
	default:
		message, known := refusals[code]
		if !known {
			message = "the CRM refuses the call: " + quote(words)
		}
		e.Message = message
	}
	e.Message += fmt.Sprintf(" (errorCode %d)", code)
	return e
}

// maxQuote bounds the words of the CRM in an error, in characters.
const maxQuote = 200

func quote(words string) string {
	words = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(words, "�"))
	if r := []rune(words); len(r) > maxQuote {
		words = string(r[:maxQuote]) + "…"
	}
	return fmt.Sprintf("%q", words)
}

// networkError says why there was no answer. The error's own text is never used: it holds random parts such as ports.
func (conn *connection) networkError(err error) *Error {
	t, isNet := errors.AsType[net.Error](err)
	egress, denied := errors.AsType[*outbound.EgressError](err)
	_, unresolved := errors.AsType[*net.DNSError](err)
	switch {
	case denied:
		return misconfigured(fmt.Sprintf("the CRM's address %s is refused by the egress policy (%s): list it in spec.source.crm.allowedCIDRs if it is meant", egress.Addr, egress.Cause))
	case errors.Is(err, context.Canceled):
		return &Error{Kind: Network, Message: "the call was cancelled before the CRM answered"}
	case errors.Is(err, context.DeadlineExceeded), isNet && t.Timeout():
		return &Error{Kind: Timeout, Message: fmt.Sprintf("the CRM at %s did not answer in time: check that it is reachable from the cluster", conn.host)}
	case unresolved:
		return &Error{Kind: Network, Message: fmt.Sprintf("the name of %s does not resolve: check spec.source.crm.url and the cluster's DNS", conn.host)}
	case errors.Is(err, syscall.ECONNREFUSED):
		return &Error{Kind: Network, Message: fmt.Sprintf("%s refuses the connection: check spec.source.crm.url and that nothing blocks the way", conn.host)}
	}
	return &Error{Kind: Network, Message: fmt.Sprintf("the connection to %s failed: check spec.source.crm.url and the network between the cluster and the CRM", conn.host)}
}

func (conn *connection) readError(err error, limit int64) *Error {
	if errors.Is(err, outbound.ErrTooLarge) {
		return &Error{Kind: Rejected, Message: fmt.Sprintf("the CRM's answer has more than %d KiB and is not read", limit>>10)}
	}
	return conn.networkError(err)
}

// statusError is about an HTTP status other than 200, which the open interface itself never sends: something in between
// answered.
func (conn *connection) statusError(resp *http.Response) *Error {
	e := &Error{Kind: BadAnswer, Message: fmt.Sprintf("%s answered HTTP %d, which the open interface never does: check spec.source.crm.url", conn.host, resp.StatusCode)}
	switch {
	case resp.StatusCode == http.StatusTooManyRequests:
		e.Kind, e.RetryAfter = RateLimited, interfaceWindow
	case resp.StatusCode >= http.StatusInternalServerError:
		e.Kind = ServerError
	}
	return e
}
