package seeyon

import (
	"bytes"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/scenario"
)

const (
	checkAddress = "check that spec.endpoint.url is the OA's own address, and what is between the cluster and the OA"
	// invalidToken begins the text of an expired, wrong or missing token [SY-AUTH].
	invalidToken = "invalid token"
	// maxMessageRunes bounds what is quoted of the OA's words.
	maxMessageRunes = 512
)

// judge says what an answer to a push means. HTTP 200 alone means nothing.
func (p *Pusher) judge(x exchange, result scenario.Result) (a oa.Attempt, refused bool) {
	if tokenRefused(x) {
		return oa.Attempt{Class: oa.AuthExpired, Reason: v1alpha1.ReasonTokenRejected, Message: fmt.Sprintf(
			"the OA refuses a token that it has just issued (%d): the OA administrator must grant this REST user the third-party to-do module", x.status)}, true
	}
	if a, ok := p.outage(x); ok {
		return a, false
	}
	if x.status == http.StatusNotFound || x.status == http.StatusMethodNotAllowed {
		// Also while the OA starts, so it is tried again.
		return unexpected(fmt.Sprintf("the OA does not serve this address (%d): check spec.endpoint.url and the path in the template", x.status)), false
	}
	success := x.status >= 200 && x.status < 300
	if success && !result.Judge(x.body).Readable {
		return unexpected(fmt.Sprintf("the answer (%d) is not the JSON that the OA's REST interface sends: %s", x.status, checkAddress)), false
	}
	class, message := scenario.Classify(x.status, x.body, result)
	a = oa.Attempt{Class: oa.Class(class), Message: quote(message)}
	switch {
	case a.Class == oa.OK && !success:
		return unexpected(fmt.Sprintf("the OA answers %d: %s", x.status, checkAddress)), false
	case a.Class == oa.OK:
		a.Message = ""
	case a.Class == oa.ServerError:
		a.Reason = v1alpha1.ReasonServerError
	case a.Class == oa.AuthExpired:
		a.Reason = v1alpha1.ReasonTokenRejected
		a.Message = fmt.Sprintf("the OA forbids the call (%d): the OA administrator must grant this REST user the third-party to-do module", x.status)
	case a.Class == oa.Timeout:
		a.Reason = v1alpha1.ReasonTimeout
	}
	return a, false
}

// outage recognises answers that say something about the OA as a whole, whatever was asked.
func (p *Pusher) outage(x exchange) (oa.Attempt, bool) {
	switch {
	case x.status == http.StatusTooManyRequests:
		return oa.Attempt{Class: oa.RateLimited, RetryAfter: oa.RetryAfter(x.header, p.c.Now()),
			Message: "the OA limits the rate of calls (429): lower spec.delivery.rateLimit if this lasts"}, true
	case x.status >= 500:
		return oa.Attempt{Class: oa.ServerError, Reason: v1alpha1.ReasonServerError, RetryAfter: oa.RetryAfter(x.header, p.c.Now()),
			Message: fmt.Sprintf("the OA fails (%d %s): the OA administrator must look into its log", x.status, http.StatusText(x.status))}, true
	case x.status >= 300 && x.status < 400:
		return unexpected(fmt.Sprintf("the OA redirects (%d), perhaps to its login page, instead of answering: %s", x.status, checkAddress)), true
	case isPage(x):
		return unexpected(fmt.Sprintf("a web page came back (%d) instead of the OA's REST answer: %s", x.status, checkAddress)), true
	}
	return oa.Attempt{}, false
}

// tokenRefused: the OA answers 401 [SY-AUTH]; in front of some versions a proxy turns that into another status and only
// the text remains. The text counts at the start of the answer or of its message alone, because a business error may
// quote the title of an item.
func tokenRefused(x exchange) bool {
	if x.status == http.StatusUnauthorized {
		return true
	}
	starts := func(s string) bool {
		s = strings.TrimSpace(s)
		return len(s) >= len(invalidToken) && strings.EqualFold(s[:len(invalidToken)], invalidToken)
	}
	body := bytes.TrimSpace(x.body)
	if len(body) > 0 && body[0] == '{' {
		return starts(gjson.GetBytes(body, "message").Str) // [SY-PY]
	}
	return starts(string(body[:min(len(body), len(invalidToken)+1)]))
}

// isPage reports whether the answer is a web page: the login page, or that of a proxy in between.
func isPage(x exchange) bool {
	if media, _, _ := mime.ParseMediaType(x.header.Get("Content-Type")); media == "text/html" && !gjson.ValidBytes(x.body) {
		return true
	}
	head := strings.ToLower(string(bytes.TrimSpace(x.body[:min(len(x.body), 512)])))
	return strings.HasPrefix(head, "<!doctype html") || strings.HasPrefix(head, "<html")
}

// quote makes the OA's words fit for a status and a record: one line, bounded, without control characters.
func quote(s string) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, " "), func(r rune) bool {
		return r <= ' ' || (r >= 0x7f && r < 0xa0) || r == '\u2028' || r == '\u2029'
	}), " ")
	if runes := []rune(s); len(runes) > maxMessageRunes {
		s = string(runes[:maxMessageRunes]) + "…"
	}
	return s
}
