// Package generic talks to an OA that has no package of its own: the connector says how calls are proven, and the
// templates say everything else.
package generic

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/oa/tokens"
	"github.com/oabridge/oabridge/internal/rotation"
	"github.com/oabridge/oabridge/internal/scenario"
)

// Name of the type.
const Name = "Generic"

// Config of a pusher.
type Config struct {
	exchange.Config
	// Account returns username and password, Token the fixed token, as they are now.
	Account tokens.Source
	Token   func(rotation.Version) (string, error)
	// Authentication is None, Basic, Static, Token or ClientCredentials.
	Authentication string
	// Placement of a token is Bearer, Header or Query; Parameter is the name of the header or query parameter.
	Placement, Parameter string
	// Request asks for a token, with Authentication Token and ClientCredentials.
	Request TokenRequest
	// ProbePath is asked when there is no token to ask for.
	ProbePath string
}

// TokenRequest is the call that fetches a token.
type TokenRequest struct {
	Path, UsernameField, PasswordField, TokenName, LifeName string
	Life                                                    time.Duration
}

// NewPusher returns a pusher.
func NewPusher(c Config) (*exchange.Pusher, error) {
	auth, err := c.auth()
	if err != nil {
		return nil, err
	}
	c.Auth = auth
	c.Vendor = exchange.Vendor{Name: Name, Knock: scenario.Request{Method: http.MethodGet, Path: c.ProbePath}}
	return exchange.New(c.Config), nil
}

func (c Config) auth() (exchange.Auth, error) {
	switch c.Authentication {
	case "None":
		return exchange.Auth{}, nil
	case "Basic":
		return exchange.Auth{Credentials: c.Account, Place: exchange.Basic()}, nil
	case "Static":
		place := c.place()
		return exchange.Auth{
			Credentials: func(v rotation.Version) (tokens.Account, error) {
				token, err := c.Token(v)
				return tokens.Account{Name: "token", Secret: token}, err
			},
			Place: func(m *exchange.Message, a tokens.Account, _ string) error { return place(m, a, a.Secret) },
		}, nil
	case "Token", "ClientCredentials":
		call := exchange.TokenCall{
			Method: http.MethodPost, Path: c.Request.Path,
			TokenName: c.Request.TokenName, LifeName: c.Request.LifeName, Life: c.Request.Life,
			Account: "the keys username and password in the Secret of spec.credentialsSecretRef",
		}
		if c.Authentication == "ClientCredentials" {
			call.Form = func(a tokens.Account) url.Values {
				return url.Values{"grant_type": {"client_credentials"}, "client_id": {a.Name}, "client_secret": {a.Secret}}
			}
		} else {
			call.Body = func(a tokens.Account) any {
				return map[string]string{c.Request.UsernameField: a.Name, c.Request.PasswordField: a.Secret}
			}
		}
		return exchange.Auth{Credentials: c.Account, Place: c.place(), Login: call.Login}, nil
	}
	return exchange.Auth{}, fmt.Errorf("spec.generic.authentication.type: there is no %q: use a program of the operator's version", c.Authentication)
}

func (c Config) place() exchange.Proof {
	switch c.Placement {
	case "Header":
		return exchange.InHeader(c.Parameter, "")
	case "Query":
		return exchange.InQuery(c.Parameter)
	}
	return exchange.Bearer()
}
