package exchange

import (
	"bytes"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/scenario"
)

const (
	// CheckAddress is the next step when something else than the OA's interface answers.
	CheckAddress = "check that spec.endpoint.url is the OA's own address, and what is between the cluster and the OA"
	// maxMessageRunes bounds what is quoted of the OA's words.
	maxMessageRunes = 512
)

// judge says what an answer to a push means. HTTP 200 alone means nothing.
func (p *Pusher) judge(x Answer, result scenario.Result) (a oa.Attempt, refused bool) {
	vendor := &p.c.Vendor
	verdict := result.Judge(x.Text)
	if p.refused(x, verdict) {
		return oa.Attempt{Class: oa.AuthExpired, Reason: v1alpha1.ReasonTokenRejected, Message: Quote(p.refusal(x, verdict))}, p.tokens != nil
	}
	if vendor.Before != nil {
		if a, ok := vendor.Before(x, result); ok {
			return a, false
		}
	}
	if e, ok := vendor.Errors.Lookup(vendor.code(x, verdict)); ok && e.Class != "" && (!verdict.OK || x.Status >= 400) {
		a := e.attempt(Quote(fmt.Sprintf("the OA answers %s", said(vendor.code(x, verdict), verdict.Message))))
		a.RetryAfter = p.retryAfter(x)
		return a, false
	}
	if a, ok := p.outage(x, result); ok {
		return a, false
	}
	if x.Status == http.StatusNotFound || x.Status == http.StatusMethodNotAllowed {
		// Also while the OA starts, so it is tried again.
		return Unexpected(fmt.Sprintf("the OA does not serve this address (%d): check spec.endpoint.url and the path in the template", x.Status)), false
	}
	success := x.Status >= 200 && x.Status < 300
	if success && !verdict.Readable {
		return Unexpected(fmt.Sprintf("the answer (%d) is not the %s that the OA's interface sends: %s", x.Status, result.Format(), CheckAddress)), false
	}
	class, message := scenario.Classify(x.Status, x.Text, result)
	a = oa.Attempt{Class: oa.Class(class), Message: Quote(message)}
	switch {
	case a.Class == oa.OK && !success:
		return Unexpected(fmt.Sprintf("the OA answers %d: %s", x.Status, CheckAddress)), false
	case a.Class == oa.OK:
		a.Message = ""
		if vendor.Check != nil {
			a = vendor.Check(x)
			a.Message = Quote(a.Message)
		}
	case a.Class == oa.ServerError:
		a.Reason = v1alpha1.ReasonServerError
	case a.Class == oa.AuthExpired:
		a.Reason = v1alpha1.ReasonTokenRejected
		a.Message = fmt.Sprintf("the OA forbids the call (%d): %s", x.Status, p.grant())
	case a.Class == oa.Timeout:
		a.Reason = v1alpha1.ReasonTimeout
	}
	return a, false
}

// retryAfter is for how long the OA wants no further call; 0 when it does not say.
func (p *Pusher) retryAfter(x Answer) time.Duration {
	return oa.RetryAfter(x.Headers, p.c.Vendor.RetryAfter, p.c.Now())
}

// refused reports whether the OA does not accept the proof of the call.
func (p *Pusher) refused(x Answer, v scenario.Verdict) bool {
	if p.c.Vendor.Refused != nil {
		return p.c.Vendor.Refused(x, v)
	}
	if x.Status == http.StatusUnauthorized {
		return true
	}
	e, ok := p.c.Vendor.Errors.Lookup(p.c.Vendor.code(x, v))
	return ok && e.TokenLost && (!v.OK || x.Status >= 400)
}

// said puts a code and a message of the OA together.
func said(code, message string) string {
	if message == "" {
		return code
	}
	return code + " (" + message + ")"
}

func (p *Pusher) refusal(x Answer, v scenario.Verdict) string {
	what := fmt.Sprint(x.Status)
	if code := p.c.Vendor.code(x, v); code != "" && x.Status != http.StatusUnauthorized {
		what = said(code, v.Message)
	}
	if p.tokens == nil {
		return fmt.Sprintf("the OA does not accept the account (%s): check the keys in the Secret of spec.credentialsSecretRef and the connector's headers", what)
	}
	return fmt.Sprintf("the OA refuses a token that it has just issued (%s): %s", what, p.grant())
}

func (p *Pusher) grant() string {
	if p.c.Vendor.Grant == "" {
		return "the OA administrator must permit this account to use the interface"
	}
	return "the OA administrator " + p.c.Vendor.Grant
}

// outage recognises answers that say something about the OA as a whole, whatever was asked. A SOAP fault is none: it comes
// with 500 and may be about the item.
func (p *Pusher) outage(x Answer, result scenario.Result) (oa.Attempt, bool) {
	switch {
	case x.Status == http.StatusTooManyRequests:
		return oa.Attempt{Class: oa.RateLimited, RetryAfter: p.retryAfter(x),
			Message: "the OA limits the rate of calls (429): lower spec.delivery.rateLimit if this lasts"}, true
	case x.Status >= 500 && result.XMLJSONField != "" && result.Judge(x.Text).Fault != "":
		return oa.Attempt{}, false
	case x.Status >= 500:
		return oa.Attempt{Class: oa.ServerError, Reason: v1alpha1.ReasonServerError, RetryAfter: p.retryAfter(x),
			Message: fmt.Sprintf("the OA fails (%d %s): the OA administrator must look into its log", x.Status, http.StatusText(x.Status))}, true
	case x.Status >= 300 && x.Status < 400:
		return Unexpected(fmt.Sprintf("the OA redirects (%d), perhaps to its login page, instead of answering: %s", x.Status, CheckAddress)), true
	case isPage(x):
		return Unexpected(fmt.Sprintf("a web page came back (%d) instead of the OA's answer: %s", x.Status, CheckAddress)), true
	}
	return oa.Attempt{}, false
}

// Outage is what an answer says about the OA as a whole, for logins; ok is false when it says nothing.
func (p *Pusher) Outage(x Answer) (a oa.Attempt, ok bool) { return p.outage(x, scenario.Result{}) }

// Unexpected is the failure of an OA that answers something else than its interface does.
func Unexpected(message string) oa.Attempt {
	return oa.Attempt{Class: oa.ServerError, Reason: v1alpha1.ReasonUnexpectedBody, Message: message}
}

// isPage reports whether the answer is a web page: the login page, or that of a proxy in between.
func isPage(x Answer) bool {
	if media, _, _ := mime.ParseMediaType(x.Headers.Get("Content-Type")); media == "text/html" && !gjson.ValidBytes(x.Text) {
		return true
	}
	head := strings.ToLower(string(bytes.TrimSpace(x.Text[:min(len(x.Text), 512)])))
	return strings.HasPrefix(head, "<!doctype html") || strings.HasPrefix(head, "<html")
}

// Quote makes the OA's words fit for a status and a record: one line, bounded, without control characters.
func Quote(s string) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, " "), func(r rune) bool {
		return r <= ' ' || (r >= 0x7f && r < 0xa0) || r == '\u2028' || r == '\u2029'
	}), " ")
	if runes := []rune(s); len(runes) > maxMessageRunes {
		s = string(runes[:maxMessageRunes]) + "…"
	}
	return s
}
