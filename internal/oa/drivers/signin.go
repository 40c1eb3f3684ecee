package drivers

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/mounted"
	"github.com/oabridge/oabridge/internal/oa"
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
	v, err := seeyonVerifier(c)
	return oa.SignIn{Link: v}, err
}

func portalTicket(c config) (oa.SignIn, error) {
	v, err := seeyonVerifier(c)
	return oa.SignIn{Link: seeyon.Portal{Verifier: v}}, err
}

func signedLink(c config) (oa.SignIn, error) {
	own := c.bundle.SSO.SignedLink
	if own == nil {
		return oa.SignIn{}, missingMode("signedLink")
	}
	return oa.SignIn{Link: link.New(link.Config{
		Algorithm: own.Algorithm, MaxSkew: c.bundle.SSO.MaxSkew.Std(), Now: c.now,
		Secrets: func() ([]string, error) { return c.secrets.rotatedSSO(v1alpha1.KeyLink) },
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
	token := c.ssoSecret(v1alpha1.KeyToken, true)
	return oa.SignIn{Rotators: []oa.Rotator{token}, Link: callback.New(callback.Config{
		Channel: c.channel("spec.sso.callback.url"), Parameter: own.Parameter, URL: own.URL, Method: own.Method, AccountPath: own.AccountPath,
		Token: token,
	})}, nil
}

func openID(c config) (oa.SignIn, error) {
	own := c.bundle.SSO.OIDC
	if own == nil {
		return oa.SignIn{}, missingMode("oidc")
	}
	secret := c.ssoSecret(v1alpha1.KeyClientSecret, false)
	return single("oidc", oidc.New(oidc.Config{
		Client: c.client, IssuerURL: own.IssuerURL, ClientID: own.ClientID, Scopes: own.Scopes, AccountClaim: own.AccountClaim,
		ClientSecret: secret, Now: c.now,
	}), secret), nil
}

func plainOAuth2(c config) (oa.SignIn, error) {
	own := c.bundle.SSO.OAuth2
	if own == nil {
		return oa.SignIn{}, missingMode("oauth2")
	}
	secret := c.ssoSecret(v1alpha1.KeyClientSecret, false)
	return single("oauth2", oauth2.New(oauth2.Config{
		Channel: c.channel("spec.sso.oauth2.userInfoURL"), AuthorizeURL: own.AuthorizeURL, TokenURL: own.TokenURL, UserInfoURL: own.UserInfoURL,
		ClientID: own.ClientID, ClientSecret: secret, Scopes: own.Scopes, PKCE: own.PKCE, SecretInForm: own.SecretInForm,
		TokenInQuery: own.TokenInQuery, AccountPath: own.AccountPath,
	}), secret), nil
}

func casServer(c config) (oa.SignIn, error) {
	own := c.bundle.SSO.CAS
	if own == nil {
		return oa.SignIn{}, missingMode("cas")
	}
	return single("cas", cas.New(cas.Config{
		Channel: c.channel("spec.sso.cas.url"), URL: own.URL, Version: own.Version, Attribute: own.Attribute,
	})), nil
}

// single is a mode with one provider. Its name is in the address of the return.
func single(name string, v oa.RedirectVerifier, rotators ...oa.Rotator) oa.SignIn {
	return oa.SignIn{Providers: []oa.Provider{{Name: name, Title: name, Verifier: v}}, Rotators: rotators}
}

// missingMode is the error of a bundle without the block of its mode.
func missingMode(block string) error {
	return fmt.Errorf("spec.sso.%s is missing: the sign-in mode needs it", block)
}

// channel asks with the client and the headers of the connector.
func (c config) channel(field string) signin.Channel {
	return signin.Channel{Client: c.client, Field: field, Headers: func() (http.Header, error) {
		list, err := c.headers(rotation.Current)
		headers := http.Header{}
		for _, h := range list {
			headers.Add(h.Name, h.Value)
		}
		return headers, err
	}}
}

// ssoSecret is what the gateway shows to the OA's own server. It may be optional, because an interface may trust the network.
func (c config) ssoSecret(key string, optional bool) *rotation.Secret {
	return rotation.NewSecret(func(v rotation.Version) (string, error) {
		if optional {
			value, err := c.secrets.versioned(bundle.SlotSSO, key, v)
			if errors.Is(err, mounted.ErrMissing) {
				return "", nil
			}
			return value, err
		}
		return c.secrets.sso(key, v)
	}, func(v rotation.Version) []rotation.Key {
		return []rotation.Key{c.secrets.key(bundle.SlotSSO, key, v)}
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

// rotatedSSO returns the value of a key, and the next one while it is being replaced.
func (s secrets) rotatedSSO(key string) ([]string, error) {
	next, missing := s.files.read(bundle.SlotSSO, key+v1alpha1.SuffixNext) // before the current one, whose place it takes
	current, err := s.sso(key, rotation.Current)
	if err != nil {
		return nil, err
	}
	values := []string{current}
	if missing == nil && next != "" {
		values = append(values, next)
	}
	return values, nil
}

func (s secrets) jwtKeys(algorithm v1alpha1.JWTAlgorithm) (jose.JSONWebKeySet, error) {
	if algorithm == v1alpha1.AlgorithmHS256 {
		keys, err := s.rotatedSSO(v1alpha1.KeyShared)
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
