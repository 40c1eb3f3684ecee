// Package oidc signs people in at an OpenID Provider.
package oidc

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/rotation"
	"github.com/oabridge/oabridge/internal/signin"
	plain "github.com/oabridge/oabridge/internal/signin/oauth2"
)

// Config of a Verifier.
type Config struct {
	Client *http.Client
	// Headers go to the issuer, and to the token endpoint wherever it is, as the client's secret does; nil means none.
	Headers      *rotation.Rotation[exchange.Headers]
	IssuerURL    string
	ClientID     string
	ClientSecret *rotation.Secret
	Scopes       []string
	// AccountClaim of the ID token that holds the account.
	AccountClaim string
	Now          func() time.Time
}

const (
	// rediscover is how long a provider's document is believed.
	rediscover = time.Hour
	fieldURL   = "spec.sso.oidc.issuerURL"
)

// algorithms that an ID token may be signed with: none that needs a shared secret, and not "none".
var algorithms = []string{oidc.RS256, oidc.ES256, oidc.PS256, oidc.RS384, oidc.ES384, oidc.RS512, oidc.ES512, oidc.EdDSA}

// Verifier implements oa.RedirectVerifier.
type Verifier struct {
	c      Config
	client *http.Client

	mu         sync.Mutex
	found      *discovered
	discovered time.Time
}

// discovered is a provider and what its document says beside the addresses.
type discovered struct {
	*oidc.Provider
	keys         oidc.KeySet
	secretInForm bool
	namesItself  bool // iss is in every answer (RFC 9207)
}

// New returns a Verifier. The provider is asked when the first person comes.
func New(c Config) *Verifier {
	client := *c.Client
	client.Timeout = signin.Timeout
	return &Verifier{c: c, client: &client}
}

// provider asks for the provider's document, now and then.
func (v *Verifier) provider(ctx context.Context) (*discovered, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.found != nil && v.c.Now().Sub(v.discovered) < rediscover {
		return v.found, nil
	}
	client := signin.Showing(v.client, v.c.Headers, v.c.IssuerURL)
	within := context.WithoutCancel(ctx)
	p, err := oidc.NewProvider(oidc.ClientContext(within, client), v.c.IssuerURL)
	if err != nil {
		if v.found != nil {
			return v.found, nil // the old document is better than none
		}
		if unasked, ok := errors.AsType[*oa.VerifyError](err); ok {
			return nil, unasked
		}
		return nil, signin.Unasked("UnexpectedAnswer", "the provider's document /.well-known/openid-configuration cannot be read, or names another issuer: check %s", fieldURL)
	}
	var document struct {
		Methods     []string `json:"token_endpoint_auth_methods_supported"`
		NamesItself bool     `json:"authorization_response_iss_parameter_supported"`
		Keys        string   `json:"jwks_uri"`
	}
	if err := p.Claims(&document); err != nil {
		return nil, signin.Unexpected("the provider's document is not as it should be", fieldURL)
	}
	// They are fetched later, with the same client but not within this context.
	keys := oidc.NewRemoteKeySet(oidc.ClientContext(within, keysOnly(client)), document.Keys)
	v.found = &discovered{Provider: p, keys: keys, namesItself: document.NamesItself,
		secretInForm: len(document.Methods) > 0 && !slices.Contains(document.Methods, "client_secret_basic")}
	v.discovered = v.c.Now()
	return v.found, nil
}

func (v *Verifier) oauth(p *discovered, f oa.Flow, secret string) *oauth2.Config {
	endpoint := p.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInHeader // never tried both ways: a code is good once
	if p.secretInForm {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	return &oauth2.Config{
		ClientID: v.c.ClientID, ClientSecret: secret, RedirectURL: f.RedirectURI, Endpoint: endpoint,
		Scopes: append([]string{oidc.ScopeOpenID}, v.c.Scopes...),
	}
}

// Begin implements oa.RedirectVerifier.
func (v *Verifier) Begin(ctx context.Context, f oa.Flow) (oa.Step, error) {
	p, err := v.provider(ctx)
	if err != nil {
		return oa.Step{}, err
	}
	return oa.Step{URL: v.oauth(p, f, "").AuthCodeURL(f.State, oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.CodeVerifier))}, nil
}

// Read implements oa.RedirectVerifier. An answer of another provider is refused (mix-up, RFC 9207).
func (v *Verifier) Read(query url.Values, _ oa.Flow) (oa.Proof, error) {
	if issuers := query["iss"]; len(issuers) > 1 || len(issuers) == 1 && issuers[0] != v.c.IssuerURL {
		return oa.Proof{}, signin.Rejected("OtherProvider", "the answer names another issuer than %s", fieldURL)
	}
	v.mu.Lock()
	missing := v.found != nil && v.found.namesItself && len(query["iss"]) == 0
	v.mu.Unlock()
	if missing {
		return oa.Proof{}, signin.Rejected("OtherProvider", "the answer does not name its issuer, as this provider's answers do")
	}
	return signin.Returned(query, "code")
}

// Verify implements oa.RedirectVerifier.
func (v *Verifier) Verify(ctx context.Context, proof oa.Proof, f oa.Flow) (oa.Identity, error) {
	p, err := v.provider(ctx)
	if err != nil {
		return oa.Identity{}, err
	}
	client := signin.Showing(v.client, v.c.Headers, p.Endpoint().TokenURL)
	token, err := plain.Exchange(ctx, v.c.ClientSecret, fieldURL, func(secret string) (*oauth2.Token, error) {
		return v.oauth(p, f, secret).Exchange(context.WithValue(ctx, oauth2.HTTPClient, client), proof.Key, oauth2.VerifierOption(f.CodeVerifier))
	})
	if err != nil {
		return oa.Identity{}, err
	}
	raw, _ := token.Extra("id_token").(string)
	if raw == "" {
		return oa.Identity{}, signin.Unexpected("the answer of the token endpoint has no id_token", fieldURL)
	}
	keys := &keySet{KeySet: p.keys}
	id, err := oidc.NewVerifier(v.c.IssuerURL, keys, &oidc.Config{ClientID: v.c.ClientID, SupportedSigningAlgs: algorithms, Now: v.c.Now}).Verify(ctx, raw)
	if err != nil && keys.unread != nil {
		return oa.Identity{}, keys.unread
	}
	if err != nil {
		return oa.Identity{}, signin.Rejected("BadToken", "the ID token is not good: signature, issuer, audience or time")
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(f.Nonce)) != 1 {
		return oa.Identity{}, signin.Rejected("OtherNonce", "the ID token was made for another sign-in")
	}
	return v.account(id)
}

func (v *Verifier) account(token *oidc.IDToken) (oa.Identity, error) {
	var claims map[string]any
	if err := token.Claims(&claims); err != nil {
		return oa.Identity{}, signin.Unexpected("the claims of the ID token cannot be read", fieldURL)
	}
	// A token for several clients must say that it was issued to us.
	if azp, there := claims["azp"]; there && azp != v.c.ClientID || !there && len(token.Audience) > 1 {
		return oa.Identity{}, signin.Rejected("OtherAudience", "the ID token was issued to another client")
	}
	account, _ := claims[v.c.AccountClaim].(string)
	id, good := signin.Account(account)
	if !good {
		return oa.Identity{}, signin.Unexpected("the ID token's claim "+v.c.AccountClaim+" is no account", "spec.sso.oidc.accountClaim")
	}
	return id, nil
}
