package seeyon

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/tidwall/gjson"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/oa/tokens"
)

const (
	tokenPath = "/seeyon/rest/token"
	// tokenName of the header and of the query parameter that carry a token [SY-AUTH].
	tokenName = "token"
	// noToken is the id in the answer to a wrong account [SY-AUTH].
	noToken = "-1"
	// maxToken bounds a token, in characters; a UUID has 36.
	maxToken = 256
)

// login fetches a token (F36). There are two forms [SY-AUTH]: POST with a JSON body, which the vendor recommends, and
// the older GET with the password in the path, which SEED0 and SEED3 show. POST is tried first, because what is in a
// path ends up in the logs of the OA and of every proxy before it. GET follows only if the OA does not know POST, and is
// then remembered. docs/decisions/0003-seeyon-token.md has the whole story.
func (a *account) login(ctx context.Context, p *exchange.Pusher, who tokens.Account) (tokens.Token, *oa.Attempt) {
	if !a.getLogin.Load() {
		x, failure := a.askToken(ctx, p, who, http.MethodPost)
		if failure != nil {
			return tokens.Token{}, failure
		}
		if !formUnknown(x) {
			return readToken(x, p, who)
		}
	}
	x, failure := a.askToken(ctx, p, who, http.MethodGet)
	var token tokens.Token
	if failure == nil {
		token, failure = readToken(x, p, who)
	}
	a.getLogin.Store(failure == nil)
	return token, failure
}

func (a *account) askToken(ctx context.Context, p *exchange.Pusher, who tokens.Account, method string) (exchange.Answer, *oa.Attempt) {
	if method == http.MethodGet {
		return p.Ask(ctx, method, tokenPath+"/"+url.PathEscape(who.Name)+"/"+url.PathEscape(who.Secret), nil)
	}
	body, _ := json.Marshal(struct { // two strings always marshal
		UserName string `json:"userName"`
		Password string `json:"password"`
	}{who.Name, who.Secret})
	return p.Ask(ctx, method, tokenPath, body)
}

// formUnknown reports whether the OA does not know this form of the token call. A wrong password may be answered by 404
// as well, but then the body says so: {"id":"-1"} [SY-AUTH].
func formUnknown(x exchange.Answer) bool {
	unknown := []int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusUnsupportedMediaType, http.StatusNotImplemented}
	return x.Failure.Class == oa.OK && slices.Contains(unknown, x.Status) && tokenID(x.Text) != noToken
}

// readToken judges the answer to a token call. Only HTTP 200 with a proper id is a token (F40).
func readToken(x exchange.Answer, p *exchange.Pusher, who tokens.Account) (tokens.Token, *oa.Attempt) {
	id := tokenID(x.Text)
	var secrets []string
	if id != noToken {
		secrets = append(secrets, id)
	}
	fail := func(a oa.Attempt) (tokens.Token, *oa.Attempt) { return tokens.Token{}, p.Refuse(x, a, who, secrets...) }
	if x.Failure.Class != oa.OK {
		return fail(x.Failure)
	}
	if x.Status == http.StatusOK && isToken(id) {
		return tokens.Token{Value: id}, nil
	}
	rejected := x.Status == http.StatusOK && id == noToken ||
		x.Status >= 400 && x.Status < 500 && x.Status != http.StatusTooManyRequests && x.Status != http.StatusRequestTimeout
	if rejected {
		return fail(oa.Attempt{Class: oa.AuthExpired, Reason: v1alpha1.ReasonTokenRejected, Message: rejection(x.Status)})
	}
	if a, ok := p.Outage(x); ok {
		return fail(a)
	}
	return fail(exchange.Unexpected(fmt.Sprintf("the answer to the token call (%d) holds no token: %s", x.Status, exchange.CheckAddress)))
}

func rejection(status int) string {
	message := fmt.Sprintf("the OA does not accept the REST account (%d): check username and password in the credentials Secret, "+
		"and that the OA administrator granted this REST user the third-party to-do module", status)
	if status == http.StatusNotFound {
		message += "; check spec.endpoint.url too, because an address that is not the OA's answers the same"
	}
	return message
}

// tokenID reads the id out of an answer: JSON, XML or bare text, whatever its Content-Type says [SY-AUTH, SY-CTP].
func tokenID(body []byte) string {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
	switch {
	case len(body) == 0:
		return ""
	case body[0] == '{':
		return gjson.GetBytes(body, "id").String()
	case body[0] == '<':
		var answer struct {
			XMLName xml.Name `xml:"UserToken"`
			ID      string   `xml:"id"`
		}
		if xml.Unmarshal(body, &answer) != nil {
			return ""
		}
		return answer.ID
	}
	text := string(bytes.Trim(body, `"`))
	if text != noToken && !isPlainToken(text) {
		return ""
	}
	return text
}

// isToken reports whether an id can be a token: visible ASCII, which a header can carry.
func isToken(id string) bool {
	return id != "" && id != noToken && len(id) <= maxToken && !slices.ContainsFunc([]byte(id), func(c byte) bool { return c <= ' ' || c > '~' })
}

// isPlainToken tells a bare token from any other text, such as an error in words: it has digits, and nothing but hex
// digits and hyphens, as a UUID.
func isPlainToken(text string) bool {
	const shortest = 16
	return len(text) >= shortest && isToken(text) &&
		!slices.ContainsFunc([]byte(text), func(c byte) bool {
			return (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') && c != '-'
		})
}
