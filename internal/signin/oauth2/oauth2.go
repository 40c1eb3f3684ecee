// Package oauth2 signs people in at an OAuth 2.0 server with an address that says whose access token it is (F46).
package oauth2

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/tidwall/gjson"
	"golang.org/x/oauth2"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/rotation"
	"github.com/oabridge/oabridge/internal/signin"
)

// Config of a Verifier.
type Config struct {
	// Channel asks UserInfoURL, and its client the token endpoint, with the same headers.
	Channel                             signin.Channel
	AuthorizeURL, TokenURL, UserInfoURL string
	ClientID                            string
	ClientSecret                        *rotation.Secret
	// SecretInForm sends the client's secret in the form of the token request, otherwise as HTTP Basic.
	SecretInForm bool
	Scopes       []string
	PKCE         bool
	// TokenInQuery sends the access token to UserInfoURL in the query, as CAS-style servers want it [CAS-OA], otherwise as
	// Bearer.
	TokenInQuery bool
	// AccountPath of the account in the answer of UserInfoURL.
	AccountPath string
}

// Verifier implements oa.RedirectVerifier.
type Verifier struct{ c Config }

// New returns a Verifier.
func New(c Config) *Verifier { return &Verifier{c} }

func (v *Verifier) client(f oa.Flow, secret string) *oauth2.Config {
	style := oauth2.AuthStyleInHeader // never tried both ways: a code is good once
	if v.c.SecretInForm {
		style = oauth2.AuthStyleInParams
	}
	return &oauth2.Config{
		ClientID: v.c.ClientID, ClientSecret: secret, RedirectURL: f.RedirectURI, Scopes: v.c.Scopes,
		Endpoint: oauth2.Endpoint{AuthURL: v.c.AuthorizeURL, TokenURL: v.c.TokenURL, AuthStyle: style},
	}
}

// Begin implements oa.RedirectVerifier.
func (v *Verifier) Begin(_ context.Context, f oa.Flow) (oa.Step, error) {
	var options []oauth2.AuthCodeOption
	if v.c.PKCE {
		options = append(options, oauth2.S256ChallengeOption(f.CodeVerifier))
	}
	return oa.Step{URL: v.client(f, "").AuthCodeURL(f.State, options...)}, nil
}

// Read implements oa.RedirectVerifier.
func (v *Verifier) Read(query url.Values, _ oa.Flow) (oa.Proof, error) {
	return signin.Returned(query, "code")
}

// Verify implements oa.RedirectVerifier.
func (v *Verifier) Verify(ctx context.Context, p oa.Proof, f oa.Flow) (oa.Identity, error) {
	var options []oauth2.AuthCodeOption
	if v.c.PKCE {
		options = append(options, oauth2.VerifierOption(f.CodeVerifier))
	}
	client := signin.Showing(v.c.Channel.Client, v.c.Channel.Headers, v.c.TokenURL)
	token, err := Exchange(ctx, v.c.ClientSecret, "spec.sso.oauth2.tokenURL", func(secret string) (*oauth2.Token, error) {
		return v.client(f, secret).Exchange(context.WithValue(ctx, oauth2.HTTPClient, client), p.Key, options...)
	})
	if err != nil {
		return oa.Identity{}, err
	}
	address, header := v.c.UserInfoURL, http.Header{"Accept": {"application/json"}}
	if v.c.TokenInQuery {
		if address, err = signin.WithQuery(address, url.Values{"access_token": {token.AccessToken}}); err != nil {
			return oa.Identity{}, signin.Unexpected("the address is "+err.Error(), v.c.Channel.Field)
		}
	} else {
		header.Set("Authorization", "Bearer "+token.AccessToken)
	}
	a, err := v.c.Channel.Get(ctx, address, header)
	if err != nil {
		return oa.Identity{}, err
	}
	if a.Status != http.StatusOK || !gjson.ValidBytes(a.Body) {
		return oa.Identity{}, signin.Unexpected("the answer to the question whose token it is was not JSON with 200", v.c.Channel.Field)
	}
	found := gjson.GetBytes(a.Body, v.c.AccountPath)
	id, good := signin.Account(found.String())
	if !good || found.Type != gjson.String && found.Type != gjson.Number {
		return oa.Identity{}, signin.Unexpected("there is no account at spec.sso.oauth2.accountPath", v.c.Channel.Field)
	}
	return id, nil
}

// reasonClient is about the gateway, not about the code: a provider that refuses the client leaves the code as it is.
const reasonClient = "ClientRejected"

// Exchange exchanges a code with the client's secret. While that is replaced, the other one has its turn when the provider
// refuses the one in use. field is named in errors.
func Exchange(ctx context.Context, secret *rotation.Secret, field string, call func(secret string) (*oauth2.Token, error)) (*oauth2.Token, error) {
	token, err := rotation.Try(ctx, secret, func(s rotation.Text) (*oauth2.Token, error) {
		token, err := call(strings.TrimSpace(string(s)))
		if err != nil {
			return nil, exchangeError(err, field)
		}
		return token, nil
	}, func(err error) rotation.Verdict {
		if refused, ok := errors.AsType[*oa.VerifyError](err); ok && refused.Reason == reasonClient {
			return rotation.Refused
		}
		return rotation.Accepted
	})
	if missing, ok := errors.AsType[*rotation.MissingError](err); ok {
		return nil, signin.Unasked("KeyMissing", "%v", missing)
	}
	return token, err
}

// exchangeError says why a code was not exchanged. The library's own text is not used: it quotes the answer.
func exchangeError(err error, field string) error {
	if unasked, ok := errors.AsType[*oa.VerifyError](err); ok {
		return unasked
	}
	refused, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		return signin.Unasked("NetworkError", "the token endpoint did not answer with a token: check %s and the network", field)
	}
	status := 0
	if refused.Response != nil {
		status = refused.Response.StatusCode
	}
	switch {
	case refused.ErrorCode == "invalid_grant":
		return signin.Rejected("CodeRejected", "the provider does not know the code: it expired or was used before")
	case refused.ErrorCode == "invalid_client", refused.ErrorCode == "unauthorized_client", status == http.StatusUnauthorized:
		return signin.SetUp(reasonClient, "the provider does not accept the gateway as a client: check clientID, and client-secret in the Secret of spec.sso.secretRef")
	case status >= 500:
		return signin.Unasked("ServerError", "the token endpoint answered %d", status)
	}
	return signin.Unasked("UnexpectedAnswer", "the token endpoint answered %d: check %s", status, field)
}
