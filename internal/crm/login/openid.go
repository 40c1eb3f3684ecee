package login

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// Addresses of the gateway as an OpenID Provider. Its keys are at the same address as ever.
const (
	DiscoveryPath = "/.well-known/openid-configuration"
	authorizePath = "/sso/oidc/authorize"
	tokenPath     = "/sso/oidc/token"
	jwksPath      = "/.well-known/jwks.json"
)

const (
	// requestLife is how long the CRM's request for a sign-in is good: the person may have to sign in at the OA first.
	requestLife = 10 * time.Minute
	// codeLife is how long the CRM may take to exchange a code.
	codeLife = time.Minute
)

// Client is the CRM.
type Client struct {
	ID           string
	RedirectURIs []string
	// Public clients have no secret.
	Public bool
	// Secret returns the secrets that are good now: the current one, and the next while it is being replaced.
	Secret func() ([]string, error)
}

// Sealer encrypts what travels through the browser.
type Sealer interface {
	Seal(v any) (string, error)
	Open(text string, v any) error
}

// OpenIDProvider is an Issuer at which the CRM signs people in with OpenID Connect: code flow with PKCE, nothing else. A
// click in the OA sends the browser to LoginURL?iss=… (initiate_login_uri), the CRM sends it to the gateway, which knows it
// by a sealed session, and so back with a code. The protocol is zitadel/oidc's.
type OpenIDProvider struct {
	config   Config
	loginURL url.URL
	vault    Vault
	sealer   Sealer
	resume   string // address below the gateway to which a request is sent
	provider http.Handler
	document []byte
}

// NewOpenIDProvider checks the addresses. resume is the path at which the gateway recognises people; it takes the request
// in its query.
func NewOpenIDProvider(c Config, keys *KeyRing, client Client, vault Vault, sealer Sealer, resume string) (*OpenIDProvider, error) {
	u, err := c.check()
	if err != nil {
		return nil, err
	}
	p := &OpenIDProvider{config: c, loginURL: u, vault: vault, sealer: sealer, resume: resume}
	options := []op.Option{
		op.WithCustomAuthEndpoint(op.NewEndpoint(authorizePath)),
		op.WithCustomTokenEndpoint(op.NewEndpoint(tokenPath)),
		op.WithCrypto(opaque{}),
		op.WithCORSOptions(nil),
	}
	if strings.HasPrefix(c.GatewayURL, "http:") {
		options = append(options, op.WithAllowInsecure()) // on trial, without TLS
	}
	provider, err := op.NewProvider(&op.Config{CodeMethodS256: true, AuthMethodPost: true},
		&opStorage{provider: p, keys: keys, client: client}, op.StaticIssuer(c.GatewayURL), options...)
	if err != nil {
		return nil, errors.New("the OpenID Provider cannot be set up: check spec.sso.host and spec.sso.crmLogin.openID")
	}
	p.provider = provider
	p.document, err = json.Marshal(map[string]any{
		"issuer": c.GatewayURL, "authorization_endpoint": c.GatewayURL + authorizePath, "token_endpoint": c.GatewayURL + tokenPath,
		"jwks_uri": c.GatewayURL + jwksPath, "response_types_supported": []string{"code"}, "response_modes_supported": []string{"query"},
		"grant_types_supported": []string{"authorization_code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"ES256", "RS256"}, "scopes_supported": []string{"openid"},
		"token_endpoint_auth_methods_supported": authMethods(client), "code_challenge_methods_supported": []string{"S256"},
		"claims_supported": []string{"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "ei", "target", "oa", "tid"},
	})
	return p, err
}

func authMethods(c Client) []string {
	if c.Public {
		return []string{"none"}
	}
	return []string{"client_secret_basic", "client_secret_post"}
}

// session is what recognises a browser in which a person was verified a moment ago.
type session struct {
	Person Person    `json:"person"`
	ID     string    `json:"id"`
	Until  time.Time `json:"until"`
}

// HandOff implements Issuer. Without a request of the CRM it makes the CRM ask for one.
func (p *OpenIDProvider) HandOff(_ context.Context, person Person, resume string) (HandOff, error) {
	if resume != "" {
		location, err := p.done(resume, person)
		return HandOff{URL: location}, err
	}
	sealed, err := p.sealer.Seal(session{Person: person, ID: opaqueText(), Until: p.config.Now().Add(p.config.Lifetime)})
	if err != nil {
		return HandOff{}, err
	}
	u := p.loginURL
	u.RawQuery = url.Values{"iss": {p.config.GatewayURL}}.Encode()
	return HandOff{URL: u.String(), Session: sealed, SessionLife: p.config.Lifetime}, nil
}

// Resume implements Resumer.
func (p *OpenIDProvider) Resume(ctx context.Context, request, sealed string) (location, crmAccount string, err error) {
	var s session
	if p.sealer.Open(sealed, &s) != nil || s.ID == "" || !p.config.Now().Before(s.Until) {
		return "", "", nil //nolint:nilerr // a session that cannot be opened is none
	}
	first, err := p.vault.Once(ctx, "session|"+s.ID, requestLife)
	if err != nil || !first {
		return "", "", err
	}
	location, err = p.done(request, s.Person)
	return location, s.Person.CRMAccount, err
}

// done completes the CRM's request with a person. The provider goes on from there.
func (p *OpenIDProvider) done(sealed string, person Person) (string, error) {
	var r request
	if err := p.open(sealed, &r); err != nil || r.Person != nil {
		return "", errors.New("the CRM's request for a sign-in is not good (any more)")
	}
	r.Person, r.At = &person, p.config.Now()
	again, err := p.sealer.Seal(r)
	if err != nil {
		return "", err
	}
	return p.config.GatewayURL + authorizePath + "/callback?" + url.Values{"id": {again}}.Encode(), nil
}

// open reads a request that is not too old.
func (p *OpenIDProvider) open(sealed string, r *request) error {
	if err := p.sealer.Open(sealed, r); err != nil {
		return err
	}
	if r.ID == "" || p.config.Now().Sub(r.Asked) >= requestLife {
		return errors.New("too old")
	}
	return nil
}

// Serves implements Endpoints.
func (p *OpenIDProvider) Serves(path string) bool {
	switch path {
	case DiscoveryPath, authorizePath, authorizePath + "/callback", tokenPath:
		return true
	}
	return false
}

// maxTokenRequest bounds a token request, in bytes.
const maxTokenRequest = 16 << 10

// ServeHTTP implements Endpoints.
func (p *OpenIDProvider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == DiscoveryPath {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "public, max-age=300")
		_, _ = w.Write(p.document)
		return
	}
	// The library takes parameters from wherever they are, and the last of two (RFC 6749, 3.1 forbids both).
	query, err := url.ParseQuery(r.URL.RawQuery)
	switch {
	case r.URL.Path == tokenPath && r.Method != http.MethodPost, r.URL.Path != tokenPath && r.Method != http.MethodGet:
		refuse(w, http.StatusMethodNotAllowed, "invalid_request", "the token endpoint takes POST, the others GET")
		return
	case r.URL.Path == tokenPath && r.URL.RawQuery != "", err != nil, repeated(query):
		refuse(w, http.StatusBadRequest, "invalid_request", "a parameter is where it must not be, or there twice")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxTokenRequest)
	p.provider.ServeHTTP(w, r)
}

// repeated reports whether a parameter is there more than once.
func repeated(query url.Values) bool {
	for _, values := range query {
		if len(values) > 1 {
			return true
		}
	}
	return false
}

// request is the CRM's request for a sign-in, as it travels. Person is set when it is done.
type request struct {
	ID          string    `json:"id"`
	Asked       time.Time `json:"asked"`
	ClientID    string    `json:"client"`
	RedirectURI string    `json:"redirect"`
	State       string    `json:"state"`
	Nonce       string    `json:"nonce"`
	Challenge   string    `json:"challenge"`
	Person      *Person   `json:"person,omitempty"`
	At          time.Time `json:"at,omitzero"`

	sealed string
}

// The rest implements op.AuthRequest.

func (r *request) GetID() string          { return r.sealed }
func (r *request) GetACR() string         { return "" }
func (r *request) GetAMR() []string       { return nil }
func (r *request) GetAudience() []string  { return []string{r.ClientID} }
func (r *request) GetAuthTime() time.Time { return r.At }
func (r *request) GetClientID() string    { return r.ClientID }
func (r *request) GetNonce() string       { return r.Nonce }
func (r *request) GetRedirectURI() string { return r.RedirectURI }
func (r *request) GetScopes() []string    { return []string{oidc.ScopeOpenID} }
func (r *request) GetState() string       { return r.State }
func (r *request) Done() bool             { return r.Person != nil }

func (r *request) GetCodeChallenge() *oidc.CodeChallenge {
	return &oidc.CodeChallenge{Challenge: r.Challenge, Method: oidc.CodeChallengeMethodS256}
}

func (r *request) GetResponseType() oidc.ResponseType { return oidc.ResponseTypeCode }
func (r *request) GetResponseMode() oidc.ResponseMode { return oidc.ResponseModeQuery }

func (r *request) GetSubject() string {
	if r.Person == nil {
		return ""
	}
	return r.Person.CRMAccount
}
