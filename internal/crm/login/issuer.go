// Package login hands a person whom an OA vouched for over to the CRM: a signed, short-lived, one-time JWT in a redirect
// to the CRM's login address. The wire format is described in docs/reference/login-token.md.
package login

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// TokenParameter is the query parameter in which the CRM's login address takes the token.
const TokenParameter = "token"

// jtiBytes is the length of a token's id: 128 random bits.
const jtiBytes = 16

// Pages of a Target.
const (
	PageRecord = "record"
	PageHome   = "home"
)

// Clients of a Target. The seed's isApp chooses: true is h5, false is pc (F44).
const (
	ClientPC = "pc"
	ClientH5 = "h5"
)

// Target is the page on which the person wants to land.
type Target struct {
	// Page is PageRecord or PageHome.
	Page string `json:"page"`
	// APIName and DataID name the record; empty for PageHome.
	APIName string `json:"apiName,omitempty"`
	DataID  string `json:"dataId,omitempty"`
	// Client is ClientPC or ClientH5.
	Client string `json:"client"`
}

// OAIdentity is who the person is in the OA.
type OAIdentity struct {
	// Type of the OA, e.g. Seeyon.
	Type string `json:"type"`
	// Account is the OA's login name.
	Account string `json:"account"`
}

// Person is somebody whom the OA vouched for.
type Person struct {
	// CRMAccount is the token's subject.
	CRMAccount string
	// EnterpriseID is the CRM enterprise ("ei").
	EnterpriseID string
	Target       Target
	OA           OAIdentity
	// TraceID connects the token with the gateway's log.
	TraceID string
}

// claims is the payload of a token.
type claims struct {
	jwt.Claims
	// Audience is always a list on the wire.
	Audience []string `json:"aud"`

	EI     string     `json:"ei"`
	Target Target     `json:"target"`
	OA     OAIdentity `json:"oa"`
	Trace  string     `json:"tid"`
}

// Config of an Issuer.
type Config struct {
	// GatewayURL is the public address of the gateway, the token's issuer.
	GatewayURL string
	// LoginURL of the CRM takes the token. It is the token's audience.
	LoginURL string
	// Lifetime of a token.
	Lifetime time.Duration
	Keys     *KeyRing
	Now      func() time.Time
}

// Issuer signs login tokens.
type Issuer struct {
	config   Config
	loginURL url.URL
}

// ErrNoKey is returned by Redirect before the key ring got its first key.
var ErrNoKey = errors.New("no signing key")

// NewIssuer checks the addresses. LoginURL must be absolute http or https, without user info, query and fragment, so that
// a token can go nowhere else.
func NewIssuer(c Config) (*Issuer, error) {
	u, err := url.Parse(c.LoginURL)
	switch {
	case err != nil:
		return nil, errors.New("sso.loginURL is not a URL; correct spec.sso.crmLogin.url")
	case u.Scheme != "https" && u.Scheme != "http", u.Hostname() == "", u.User != nil,
		u.RawQuery != "" || u.ForceQuery, u.Fragment != "":
		return nil, errors.New("sso.loginURL must be an absolute http or https URL without user info, query and fragment; " +
			"correct spec.sso.crmLogin.url")
	case c.GatewayURL == "":
		return nil, errors.New("sso.url is empty; set spec.sso.host")
	case c.Lifetime <= 0:
		return nil, errors.New("sso.loginLifetime must be positive; correct spec.sso.crmLogin.lifetime")
	}
	return &Issuer{config: c, loginURL: *u}, nil
}

// Redirect returns the address that logs p in: LoginURL?token=<JWT>. The address is a credential: it belongs into the
// Location of one answer and nowhere else.
func (i *Issuer) Redirect(p Person) (string, error) {
	token, err := i.sign(p)
	if err != nil {
		return "", err
	}
	u := i.loginURL
	u.RawQuery = url.Values{TokenParameter: {token}}.Encode()
	return u.String(), nil
}

func (i *Issuer) sign(p Person) (string, error) {
	key := i.config.Keys.signing()
	if key == nil {
		return "", ErrNoKey
	}
	options := (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", key.id)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: key.alg, Key: key.private}, options)
	if err != nil {
		return "", fmt.Errorf("signer of key %s: %w", key.id, err)
	}
	id := make([]byte, jtiBytes)
	_, _ = rand.Read(id) // never fails
	now := i.config.Now()
	registered := jwt.Claims{
		Issuer:    i.config.GatewayURL,
		Subject:   p.CRMAccount,
		ID:        base64.RawURLEncoding.EncodeToString(id),
		IssuedAt:  jwt.NewNumericDate(now),
		NotBefore: jwt.NewNumericDate(now),
		Expiry:    jwt.NewNumericDate(now.Add(i.config.Lifetime)),
	}
	payload := claims{
		Claims: registered, Audience: []string{i.config.LoginURL},
		EI: p.EnterpriseID, Target: p.Target, OA: p.OA, Trace: p.TraceID,
	}
	token, err := jwt.Signed(signer).Claims(payload).Serialize()
	if err != nil {
		return "", fmt.Errorf("sign with key %s: %w", key.id, err)
	}
	return token, nil
}
