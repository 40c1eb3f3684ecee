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
func (p *Pusher) login(ctx context.Context, a tokens.Account) (tokens.Token, *oa.Attempt) {
	// The common headers go along; the account is that of the token, whatever the Secret says by now.
	s, failure := p.session()
	if failure != nil {
		return tokens.Token{}, failure
	}
	s.username, s.password = a.Name, a.Secret
	if !p.getLogin.Load() {
		x := p.askToken(ctx, s, http.MethodPost)
		if !formUnknown(x) {
			return p.readToken(x, s)
		}
	}
	token, failure := p.readToken(p.askToken(ctx, s, http.MethodGet), s)
	p.getLogin.Store(failure == nil)
	return token, failure
}

func (p *Pusher) askToken(ctx context.Context, s session, method string) exchange {
	path, body := tokenPath, []byte(nil)
	if method == http.MethodGet {
		path += "/" + url.PathEscape(s.username) + "/" + url.PathEscape(s.password)
	} else {
		body, _ = json.Marshal(struct { // two strings always marshal
			UserName string `json:"userName"`
			Password string `json:"password"`
		}{s.username, s.password})
	}
	u, err := p.address(path)
	if err != nil {
		return exchange{method: method, url: p.c.Endpoint, failure: oa.Attempt{Class: oa.Internal, Message: err.Error()}}
	}
	header := p.header(s, nil)
	header.Del(tokenName)
	return p.exchange(ctx, method, u, header, body)
}

// formUnknown reports whether the OA does not know this form of the token call. A wrong password may be answered by 404
// as well, but then the body says so: {"id":"-1"} [SY-AUTH].
func formUnknown(x exchange) bool {
	unknown := []int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusUnsupportedMediaType, http.StatusNotImplemented}
	return x.failure.Class == oa.OK && slices.Contains(unknown, x.status) && tokenID(x.body) != noToken
}

// readToken judges the answer to a token call. Only HTTP 200 with a proper id is a token (F40).
func (p *Pusher) readToken(x exchange, s session) (tokens.Token, *oa.Attempt) {
	id := tokenID(x.body)
	masker := p.maskerFor(s.secrets(""))
	if id != noToken {
		masker = oa.NewMasker(s.secrets(id)...)
	}
	fail := func(a oa.Attempt) (tokens.Token, *oa.Attempt) {
		a = x.record(a, masker)
		return tokens.Token{}, &a
	}
	if x.failure.Class != oa.OK {
		return fail(x.failure)
	}
	if x.status == http.StatusOK && isToken(id) {
		return tokens.Token{Value: id}, nil
	}
	rejected := x.status == http.StatusOK && id == noToken ||
		x.status >= 400 && x.status < 500 && x.status != http.StatusTooManyRequests && x.status != http.StatusRequestTimeout
	if rejected {
		return fail(oa.Attempt{Class: oa.AuthExpired, Reason: v1alpha1.ReasonTokenRejected, Message: rejection(x.status)})
	}
	if a, ok := p.outage(x); ok {
		return fail(a)
	}
	return fail(unexpected(fmt.Sprintf("the answer to the token call (%d) holds no token: %s", x.status, checkAddress)))
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
