// Package login hands a person whom an OA vouched for over to the CRM. An issuer is one way to do that: a signed JWT, a
// signed URL, a one-time code, or the gateway as an OpenID Provider. The wire formats are described in
// docs/reference/login-token.md.
package login

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"
)

// Issuer vouches for people towards the CRM.
type Issuer interface {
	// HandOff returns where the browser of a person goes. resume is the CRM's own request for a sign-in, if there is one (see
	// Resumer).
	HandOff(ctx context.Context, p Person, resume string) (HandOff, error)
}

// HandOff is the way into the CRM. URL and Session are credentials: they belong into one answer and nowhere else.
type HandOff struct {
	URL string
	// Session is set when the CRM will ask the gateway who the person is: it recognises the browser for SessionLife.
	Session     string
	SessionLife time.Duration
}

// Endpoints is an Issuer that the CRM, or the browser on its behalf, asks.
type Endpoints interface {
	Issuer
	// Serves reports whether a path is one of the issuer's.
	Serves(path string) bool
	http.Handler
}

// Resumer is an Issuer to which the CRM sends the browser to be recognised.
type Resumer interface {
	Issuer
	// Resume answers the CRM's request with the person of a session, once. The location is empty when the session is none (any
	// more): the person has to sign in.
	Resume(ctx context.Context, request, session string) (location, crmAccount string, err error)
}

// Vault keeps values for all replicas of a gateway.
type Vault interface {
	// Once reports whether this is the first use of a name within life.
	Once(ctx context.Context, name string, life time.Duration) (bool, error)
	// Keep keeps a value until it is taken or life is over.
	Keep(ctx context.Context, name string, value []byte, life time.Duration) error
	// Take returns a kept value once; nil when there is none.
	Take(ctx context.Context, name string) ([]byte, error)
}

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
	// Path is the CRM's page for PageHome, with its query: never a scheme or a host. Empty means the CRM's own home page.
	Path string `json:"path,omitempty"`
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
	CRMAccount string `json:"sub"`
	// EnterpriseID is the CRM enterprise ("ei").
	EnterpriseID string     `json:"ei"`
	Target       Target     `json:"target"`
	OA           OAIdentity `json:"oa"`
	// TraceID connects the token with the gateway's log.
	TraceID string `json:"tid"`
}

// Config is what every issuer is made from.
type Config struct {
	// GatewayURL is the public address of the gateway, the issuer of tokens.
	GatewayURL string
	// LoginURL of the CRM takes the person. It is the audience of tokens.
	LoginURL string
	// Lifetime of a token, URL or code.
	Lifetime time.Duration
	Now      func() time.Time
}

// check returns the parsed login address. It must be absolute http or https, without user info, query and fragment, so that
// a token can go nowhere else.
func (c Config) check() (url.URL, error) {
	u, err := url.Parse(c.LoginURL)
	switch {
	case err != nil:
		return url.URL{}, errors.New("sso.loginURL is not a URL; correct spec.sso.crmLogin.url")
	case u.Scheme != "https" && u.Scheme != "http", u.Hostname() == "", u.User != nil,
		u.RawQuery != "" || u.ForceQuery, u.Fragment != "":
		return url.URL{}, errors.New("sso.loginURL must be an absolute http or https URL without user info, query and fragment; " +
			"correct spec.sso.crmLogin.url")
	case c.GatewayURL == "":
		return url.URL{}, errors.New("sso.url is empty; set spec.sso.host")
	case c.Lifetime <= 0:
		return url.URL{}, errors.New("sso.loginLifetime must be positive; correct spec.sso.crmLogin.lifetime")
	}
	return *u, nil
}
