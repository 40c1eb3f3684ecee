// Package seeyon talks to a Seeyon (致远) A8/V5: it pushes third-party pending items and checks sign-in tickets. A key in
// brackets such as [SY-AUTH] names the source of a wire fact: the vendor's page or a public client.
package seeyon

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tidwall/gjson"

	"github.com/oabridge/oabridge/internal/oa/dictionary"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/oa/tokens"
	"github.com/oabridge/oabridge/internal/rotation"
	"github.com/oabridge/oabridge/internal/scenario"
)

// Placement is where a call carries its token (F37).
type Placement string

// The placements.
const (
	InHeader Placement = "Header" // token: <id>
	InQuery  Placement = "Query"  // ?token=<id>
)

// Config of a pusher.
type Config struct {
	exchange.Config
	// Credentials returns the REST account as it is now. Its error is shown to people: it names the missing key and holds
	// no value.
	Credentials tokens.Source
	// Placement of the token; default InHeader.
	Placement Placement
	// IdleTimeout is how long a token lives without a call; default 15 min [SY-AUTH].
	IdleTimeout time.Duration
}

const (
	defaultIdleTimeout = 15 * time.Minute
	// invalidToken begins the text of an expired, wrong or missing token [SY-AUTH].
	invalidToken = "invalid token"
	grant        = "must grant this REST user the third-party to-do module"
)

// account of the REST interface.
type account struct {
	credentials tokens.Source
	// getLogin is set once the OA turned out to know only the old form of the token call.
	getLogin atomic.Bool
}

// NewPusher returns a pusher. Seeyon documents no call that only reads and needs no further right, so its probe is a fresh
// token.
func NewPusher(c Config) *exchange.Pusher {
	if c.IdleTimeout <= 0 {
		c.IdleTimeout = defaultIdleTimeout
	}
	a := &account{credentials: c.Credentials}
	// A token lives as long as it is used [SY-AUTH].
	c.Auth = exchange.Auth{Credentials: a.read, Login: a.login, Idle: c.IdleTimeout, Place: inHeader}
	if c.Placement == InQuery {
		place := exchange.InQuery(tokenName)
		c.Auth.Place = func(m *exchange.Message, a tokens.Account, token string) error {
			m.Header.Del(tokenName)
			return place(m, a, token)
		}
	}
	c.Vendor = exchange.Vendor{
		Name: "Seeyon", Errors: exchange.Errors{Book: dictionary.Of("Seeyon")}, Grant: grant,
		Refused: func(x exchange.Answer, _ scenario.Verdict) bool { return tokenRefused(x) },
	}
	return exchange.New(c.Config)
}

func inHeader(m *exchange.Message, _ tokens.Account, token string) error {
	m.Header.Set(tokenName, token)
	return nil
}

func (a *account) read(v rotation.Version) (tokens.Account, error) {
	who, err := a.credentials(v)
	if err != nil {
		return tokens.Account{}, err
	}
	if who.Name == "" || who.Secret == "" { // F35
		return tokens.Account{}, errors.New("username or password is empty: put both keys into the Secret in spec.credentialsSecretRef")
	}
	return who, nil
}

// tokenRefused: the OA answers 401 [SY-AUTH]; in front of some versions a proxy turns that into another status and only
// the text remains. The text counts at the start of the answer or of its message alone, because a business error may
// quote the title of an item.
func tokenRefused(x exchange.Answer) bool {
	if x.Status == http.StatusUnauthorized {
		return true
	}
	starts := func(s string) bool {
		s = strings.TrimSpace(s)
		return len(s) >= len(invalidToken) && strings.EqualFold(s[:len(invalidToken)], invalidToken)
	}
	body := bytes.TrimSpace(x.Text)
	if len(body) > 0 && body[0] == '{' {
		return starts(gjson.GetBytes(body, "message").Str) // [SY-PY]
	}
	return starts(string(body[:min(len(body), len(invalidToken)+1)]))
}
