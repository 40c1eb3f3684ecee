package drivers

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/mounted"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/oa/seeyon"
	"github.com/oabridge/oabridge/internal/rotation"
	"github.com/oabridge/oabridge/internal/signin"
	"github.com/oabridge/oabridge/internal/signin/callback"
	"github.com/oabridge/oabridge/internal/signin/cas"
	"github.com/oabridge/oabridge/internal/signin/jwt"
	"github.com/oabridge/oabridge/internal/signin/link"
	"github.com/oabridge/oabridge/internal/signin/oauth2"
	"github.com/oabridge/oabridge/internal/signin/oidc"
)

// modes by the name in spec.sso.mode.
var modes = map[v1alpha1.SSOMode]func(config) (oa.SignIn, error){
	v1alpha1.SSOV5Ticket:     v5Ticket,
	v1alpha1.SSOPortalTicket: portalTicket,
	v1alpha1.SSOSignedLink:   signedLink,
	v1alpha1.SSOJWT:          jwtLink,
	v1alpha1.SSOCallback:     authCall,
	v1alpha1.SSOApp:          appSignIn,
	v1alpha1.SSOOIDC:         openID,
	v1alpha1.SSOOAuth2:       plainOAuth2,
	v1alpha1.SSOCAS:          casServer,
}

// NewSignIn returns the sign-in mode of a bundle. Secrets are read when a click needs them, so that rotation needs no new
// one.
func NewSignIn(b *bundle.Bundle, secretsDir string, now func() time.Time) (oa.SignIn, error) {
	mode, ok := modes[v1alpha1.SSOMode(b.SSO.Mode)]
	if !ok {
		return oa.SignIn{}, fmt.Errorf("spec.sso.mode: this program knows no mode %q, only %v: use a program of the operator's version",
			b.SSO.Mode, slices.Sorted(maps.Keys(modes)))
	}
	c, _, err := prepare(b, secretsDir, now)
	if err != nil {
		return oa.SignIn{}, err
	}
	return mode(c)
}

func v5Ticket(c config) (oa.SignIn, error) {
	v, headers, err := seeyonVerifier(c)
	return oa.SignIn{Link: v, Rotators: []oa.Rotator{headers}}, err
}

func portalTicket(c config) (oa.SignIn, error) {
	v, headers, err := seeyonVerifier(c)
	return oa.SignIn{Link: seeyon.Portal{Verifier: v}, Rotators: []oa.Rotator{headers}}, err
}

func signedLink(c config) (oa.SignIn, error) {
	own := c.bundle.SSO.SignedLink
	if own == nil {
		return oa.SignIn{}, missingMode("signedLink")
	}
	return oa.SignIn{Link: link.New(link.Config{
		Algorithm: own.Algorithm, MaxSkew: c.bundle.SSO.MaxSkew.Std(), Now: c.now,
		Secrets: func() ([]string, error) { return c.secrets.rotatedSSO(v1alpha1.KeyLink, link.MinSecret) },
	})}, nil
}

func jwtLink(c config) (oa.SignIn, error) {
	own := c.bundle.SSO.JWT
	if own == nil {
		return oa.SignIn{}, missingMode("jwt")
	}
	return oa.SignIn{Link: jwt.New(jwt.Config{
		Parameter: own.Parameter, Issuer: own.Issuer, Audience: own.Audience, EnterpriseID: c.bundle.EnterpriseID,
		Algorithm: own.Algorithm, AccountClaim: own.AccountClaim, MaxSkew: c.bundle.SSO.MaxSkew.Std(), Now: c.now,
		Keys: func() (jose.JSONWebKeySet, error) { return c.secrets.jwtKeys(v1alpha1.JWTAlgorithm(own.Algorithm)) },
	})}, nil
}

func authCall(c config) (oa.SignIn, error) {
	own := c.bundle.SSO.Callback
	if own == nil {
		return oa.SignIn{}, missingMode("callback")
	}
	headers := c.showing(c.bearer, func(v rotation.Version) []rotation.Key {
		return append(c.headerKeys(v), c.secrets.key(bundle.SlotSSO, v1alpha1.KeyToken, v))
	})
	return oa.SignIn{Rotators: []oa.Rotator{headers}, Link: callback.New(callback.Config{
		Channel:   signin.Channel{Client: c.client, Field: "spec.sso.callback.url", Headers: headers},
		Parameter: own.Parameter, URL: own.URL, Method: own.Method, AccountPath: own.AccountPath,
	})}, nil
}

func openID(c config) (oa.SignIn, error) {
	own := c.bundle.SSO.OIDC
	if own == nil {
		return oa.SignIn{}, missingMode("oidc")
	}
	secret, headers := c.clientSecret(), c.shown()
	return single("oidc", oidc.New(oidc.Config{
		Client: c.client, Headers: headers, IssuerURL: own.IssuerURL, ClientID: own.ClientID, Scopes: own.Scopes, AccountClaim: own.AccountClaim,
		ClientSecret: secret, Now: c.now,
	}), secret, headers), nil
}

func plainOAuth2(c config) (oa.SignIn, error) {
	own := c.bundle.SSO.OAuth2
	if own == nil {
		return oa.SignIn{}, missingMode("oauth2")
	}
	secret, headers := c.clientSecret(), c.shown()
	return single("oauth2", oauth2.New(oauth2.Config{
		Channel: signin.Channel{Client: c.client, Field: "spec.sso.oauth2.userInfoURL", Headers: headers}, AuthorizeURL: own.AuthorizeURL, TokenURL: own.TokenURL, UserInfoURL: own.UserInfoURL,
		ClientID: own.ClientID, ClientSecret: secret, Scopes: own.Scopes, PKCE: own.PKCE, SecretInForm: own.SecretInForm,
		TokenInQuery: own.TokenInQuery, AccountPath: own.AccountPath,
	}), secret, headers), nil
}

func casServer(c config) (oa.SignIn, error) {
	own := c.bundle.SSO.CAS
	if own == nil {
		return oa.SignIn{}, missingMode("cas")
	}
	headers := c.shown()
	return single("cas", cas.New(cas.Config{
		Channel: signin.Channel{Client: c.client, Field: "spec.sso.cas.url", Headers: headers}, URL: own.URL, Version: own.Version, Attribute: own.Attribute,
	}), headers), nil
}

// single is a mode with one provider. Its name is in the address of the return.
func single(name string, v oa.RedirectVerifier, rotators ...oa.Rotator) oa.SignIn {
	return oa.SignIn{Providers: []oa.Provider{{Name: name, Title: name, Verifier: v}}, Rotators: rotators}
}

// missingMode is the error of a bundle without the block of its mode.
func missingMode(block string) error {
	return fmt.Errorf("spec.sso.%s is missing: the sign-in mode needs it", block)
}

// shown are the headers of the connector, as questions to the OA show them.
func (c config) shown() *rotation.Rotation[exchange.Headers] {
	return c.showing(c.headers, c.headerKeys)
}

// showing is what questions to the OA show. Nothing but a question proves it.
func (c config) showing(read func(rotation.Version) ([]exchange.Header, error), keys func(rotation.Version) []rotation.Key) *rotation.Rotation[exchange.Headers] {
	return rotation.New(rotation.Config[exchange.Headers]{Keys: keys, Now: c.now, Read: func(v rotation.Version) (exchange.Headers, error) {
		h, err := read(v)
		return h, err
	}})
}

// bearer are the headers of the connector with the gateway's token for the interface, in the place of one of the same name.
// There may be none, because an interface may trust the network.
func (c config) bearer(v rotation.Version) ([]exchange.Header, error) {
	list, err := c.headers(v)
	if err != nil {
		return nil, err
	}
	token, err := c.secrets.versioned(bundle.SlotSSO, v1alpha1.KeyToken, v)
	if errors.Is(err, mounted.ErrMissing) || err == nil && strings.TrimSpace(token) == "" {
		return list, nil
	}
	const name = "Authorization"
	list = slices.DeleteFunc(list, func(h exchange.Header) bool { return http.CanonicalHeaderKey(h.Name) == name })
	return append(list, exchange.Header{Name: name, Value: "Bearer " + strings.TrimSpace(token), Secret: true}), err
}

// clientSecret is what the gateway shows to the token endpoint of the OA.
func (c config) clientSecret() *rotation.Secret {
	return rotation.NewSecret(func(v rotation.Version) (string, error) { return c.secrets.sso(v1alpha1.KeyClientSecret, v) },
		func(v rotation.Version) []rotation.Key {
			return []rotation.Key{c.secrets.key(bundle.SlotSSO, v1alpha1.KeyClientSecret, v)}
		})
}

// sso returns a value of the Secret for sign-in.
func (s secrets) sso(key string, version rotation.Version) (string, error) {
	v, err := s.versioned(bundle.SlotSSO, key, version)
	if err != nil || v == "" {
		return "", fmt.Errorf("the key %s is missing: put it into the Secret in spec.sso.secretRef", key)
	}
	return v, nil
}

// rotatedSSO returns the value of a key, and the next one while it is being replaced. One that is too short to be a secret
// harms nobody: it is not used.
func (s secrets) rotatedSSO(key string, least int) ([]string, error) {
	next, missing := s.files.read(bundle.SlotSSO, key+v1alpha1.SuffixNext) // before the current one, whose place it takes
	current, err := s.sso(key, rotation.Current)
	if err != nil {
		return nil, err
	}
	values := []string{current}
	if missing == nil && len(next) >= least {
		values = append(values, next)
	}
	return values, nil
}

func (s secrets) jwtKeys(algorithm v1alpha1.JWTAlgorithm) (jose.JSONWebKeySet, error) {
	if algorithm == v1alpha1.AlgorithmHS256 {
		keys, err := s.rotatedSSO(v1alpha1.KeyShared, jwt.MinSharedKey)
		if err != nil {
			return jose.JSONWebKeySet{}, err
		}
		return jwt.SharedKeys(keys...)
	}
	text, err := s.sso(v1alpha1.KeyJWKS, rotation.Current)
	if err != nil {
		return jose.JSONWebKeySet{}, err
	}
	return jwt.ParseKeys([]byte(text))
}
