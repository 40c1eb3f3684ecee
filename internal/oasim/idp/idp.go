// Package idp is the identity provider inside a simulated OA: OAuth 2.0 with the code flow and PKCE, OpenID Connect on top
// of it, and CAS 2 and 3. The paths and the shape of the profile differ from OA to OA; the protocols are the public ones.
package idp

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/expiry"
	"github.com/oabridge/oabridge/internal/oasim/portal"
)

// Client is an application that may send people here. RedirectURIs are compared whole; for CAS they are the services, and
// a service may carry a query of its own.
type Client struct {
	ID           string   `json:"id"`
	Secret       string   `json:"secret"`
	Name         string   `json:"name,omitempty"`
	RedirectURIs []string `json:"redirectURIs"`
}

// Paths says where the endpoints are. An empty one is not served.
type Paths struct {
	Authorize, Token, Profile string // OAuth 2.0
	Discovery, Keys           string // OpenID Connect
	Login, Validate           string // CAS 2; CAS 3 is at Validate3
	Validate3                 string
}

// Options configures a provider.
type Options struct {
	Desk    *desk.Desk
	Portal  *portal.Portal
	People  *desk.People
	Clients []Client
	Paths   Paths
	// Profile is what the profile endpoint says of a person.
	Profile func(desk.Person) map[string]any
	// BrowserURL is where a browser finds the provider, when that is not where servers call it; only the authorize endpoint
	// is there.
	BrowserURL string
	// Settings are read anew at every request.
	Settings func() Settings
}

// Settings switches how the provider behaves.
type Settings struct {
	CodeSeconds   int `json:"codeSeconds"`   // life of an unused code
	TicketSeconds int `json:"ticketSeconds"` // life of an unused CAS ticket
	TokenSeconds  int `json:"tokenSeconds"`  // life of an access token and of an id token
	// FormTokens answers the token call as a form instead of JSON, as old CAS servers do.
	FormTokens bool `json:"formTokens,omitempty"`
	// IDToken spoils every id token: "" (right), "wrongNonce", "wrongAudience", "wrongIssuer", "expired", "notYet",
	// "otherKey" or "unsigned".
	IDToken string `json:"idToken,omitempty"`
	// BrokenState sends people back with a state that nobody asked for.
	BrokenState bool `json:"brokenState,omitempty"`
}

// DefaultSettings is a provider without faults: codes of five minutes, tickets of ten seconds, tokens of one hour.
func DefaultSettings() Settings {
	return Settings{CodeSeconds: 300, TicketSeconds: 10, TokenSeconds: 3600}
}

var idTokens = []string{"", "wrongNonce", "wrongAudience", "wrongIssuer", "expired", "notYet", "otherKey", "unsigned"}

// Check refuses settings that cannot be.
func (s Settings) Check() error {
	if s.CodeSeconds <= 0 || s.TicketSeconds <= 0 || s.TokenSeconds <= 0 {
		return fmt.Errorf("codeSeconds, ticketSeconds and tokenSeconds must be positive")
	}
	if !slices.Contains(idTokens, s.IDToken) {
		return fmt.Errorf("idToken: %q is not one of %q", s.IDToken, idTokens)
	}
	return nil
}

func (s Settings) tokenLife() time.Duration { return time.Duration(s.TokenSeconds) * time.Second }

const maxGrants = 50_000

// grant is what a code, a ticket or a token stands for.
type grant struct {
	person, client, redirect string
	nonce, challenge, scope  string
}

// Provider is the provider of one simulator.
type Provider struct {
	Options
	codes   *expiry.Map[grant]
	spent   *expiry.Map[string] // code → access token made from it
	access  *expiry.Map[grant]
	refresh *expiry.Map[grant]
	tickets *expiry.Map[grant]

	mu      sync.RWMutex
	clients []Client
	keys    []key // the newest first
}

// New returns a provider and adds clients, codes, tickets and keys to the control API.
func New(o Options) (*Provider, error) {
	p := &Provider{
		Options: o, clients: o.Clients,
		codes: expiry.New[grant](o.Desk.Now, maxGrants), spent: expiry.New[string](o.Desk.Now, maxGrants),
		access: expiry.New[grant](o.Desk.Now, maxGrants), refresh: expiry.New[grant](o.Desk.Now, maxGrants),
		tickets: expiry.New[grant](o.Desk.Now, maxGrants),
	}
	if err := p.rotate(); err != nil {
		return nil, err
	}
	p.routeControl()
	return p, nil
}

// Route serves the endpoints that have a path.
func (p *Provider) Route(mux *http.ServeMux) {
	serve := func(method, path string, h http.HandlerFunc) {
		if path != "" {
			mux.HandleFunc(method+path, h)
		}
	}
	serve("GET ", p.Paths.Authorize, p.authorize)
	serve("POST ", p.Paths.Token, p.token)
	serve("", p.Paths.Profile, p.profile)
	serve("GET ", p.Paths.Discovery, p.discovery)
	serve("GET ", p.Paths.Keys, p.publishKeys)
	serve("GET ", p.Paths.Login, p.casLogin)
	serve("GET ", p.Paths.Validate, func(w http.ResponseWriter, r *http.Request) { p.casValidate(w, r, false) })
	serve("GET ", p.Paths.Validate3, func(w http.ResponseWriter, r *http.Request) { p.casValidate(w, r, true) })
}

// SetClients replaces the registered applications.
func (p *Provider) SetClients(clients []Client) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clients = slices.Clone(clients)
}

func (p *Provider) client(id string) (Client, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	i := slices.IndexFunc(p.clients, func(c Client) bool { return c.ID == id })
	if i < 0 {
		return Client{}, false
	}
	return p.clients[i], true
}

// Code returns a fresh authorization code for a person, as a sign-in at the authorize endpoint would.
func (p *Provider) Code(person, client, redirect, nonce, challenge string) (string, error) {
	if _, ok := p.People.Get(person); !ok {
		return "", fmt.Errorf("there is no person %q", person)
	}
	if _, ok := p.client(client); !ok {
		return "", fmt.Errorf("there is no client %q", client)
	}
	return p.issueCode(grant{person: person, client: client, redirect: redirect, nonce: nonce, challenge: challenge, scope: "openid"}), nil
}

func (p *Provider) issueCode(g grant) string {
	code := "OC-" + rand.Text()
	p.codes.Put(code, g, time.Duration(p.Settings().CodeSeconds)*time.Second)
	return code
}

func (p *Provider) routeControl() {
	desk.On(p.Desk, "PUT /_sim/clients", http.StatusOK, func(in struct {
		Clients []Client `json:"clients"`
	}) (any, error) {
		p.SetClients(in.Clients)
		return map[string]int{"clients": len(in.Clients)}, nil
	})
	desk.On(p.Desk, "POST /_sim/codes", http.StatusOK, func(in struct {
		Person        string `json:"person"`
		Client        string `json:"client"`
		RedirectURI   string `json:"redirectURI"`
		Nonce         string `json:"nonce"`
		CodeChallenge string `json:"codeChallenge"`
	}) (any, error) {
		code, err := p.Code(in.Person, in.Client, in.RedirectURI, in.Nonce, in.CodeChallenge)
		return map[string]string{"code": code}, err
	})
	desk.On(p.Desk, "POST /_sim/tickets", http.StatusOK, func(in struct {
		Person  string `json:"person"`
		Service string `json:"service"`
	}) (any, error) {
		ticket, err := p.Ticket(in.Person, in.Service)
		return map[string]string{"ticket": ticket}, err
	})
	p.Desk.Handle("POST /_sim/keys", func(w http.ResponseWriter, _ *http.Request) {
		if err := p.rotate(); err != nil {
			desk.Reply(w, http.StatusInternalServerError, map[string]string{"error": err.Error()})
			return
		}
		desk.Reply(w, http.StatusOK, p.published())
	})
}

// base is the address of the provider, as it was called.
func base(r *http.Request) string {
	scheme := cmp.Or(r.Header.Get("X-Forwarded-Proto"), "http")
	if r.TLS != nil {
		scheme = "https"
	}
	return (&url.URL{Scheme: scheme, Host: r.Host}).String()
}
