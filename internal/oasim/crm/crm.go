// Package crm simulates the CRM: it makes up to-dos, sends them as events the way docs/reference/events.md describes,
// knows what must come of them, lets people in who bring a signed login token, and has the open interface of Fxiaoke
// (vendor facts §9; source keys such as FX-NEW): tokens, the data of objects, messages of the service account, callbacks.
package crm

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/expiry"
	"github.com/oabridge/oabridge/internal/oasim/fault"
)

// Login says whose word the CRM takes for who comes. docs/reference/login-token.md has the four ways; each is open when what
// it needs is there.
type Login struct {
	JWKSURL string `json:"jwksURL"`
	Issuer  string `json:"issuer"`
	// Audience is the CRM's own login address: where tokens, signed addresses and codes arrive.
	Audience     string `json:"audience"`
	EnterpriseID string `json:"enterpriseID,omitempty"` // when set, the claim "ei" must be it
	// Others are further issuers that are believed in the same way, each with keys of its own.
	Others []Issuer `json:"others,omitempty"`
	// SharedKey proves signed addresses, and the CRM itself where it redeems a code.
	SharedKey string `json:"sharedKey,omitempty"`
	// RedeemURL of the issuer redeems one-time codes.
	RedeemURL string `json:"redeemURL,omitempty"`
	// OpenID is the CRM as a client of the issuer as an OpenID Provider. Its logins begin at /oidc/login.
	OpenID OpenIDClient `json:"openID,omitzero"`
}

// OpenIDClient is what a client of an OpenID Provider has.
type OpenIDClient struct {
	ID     string `json:"id"`
	Secret string `json:"secret,omitempty"`
	// RedirectURL is the address of /oidc/callback, as it is registered.
	RedirectURL string `json:"redirectURL"`
}

// Issuer is one more issuer of login tokens.
type Issuer struct {
	JWKSURL string `json:"jwksURL"`
	Issuer  string `json:"issuer"`
}

// of is the login as one of its issuers has it. An unknown issuer gets the first one's, and fails there.
func (l Login) of(issuer string) Login {
	for _, other := range l.Others {
		if other.Issuer == issuer {
			l.Issuer, l.JWKSURL = other.Issuer, other.JWKSURL
		}
	}
	return l
}

// Options configures a new CRM.
type Options struct {
	Login  Login    `json:"login"`
	People []Person `json:"people,omitempty"` // default: the sender and 20 people
	// App is who may use the open interface; default: DefaultApp.
	App *App `json:"app,omitempty"`
	// CAFile and InsecureSkipVerify are for fetching the keys over TLS.
	CAFile             string `json:"caFile,omitempty"`
	InsecureSkipVerify bool   `json:"insecureSkipVerify,omitempty"`
	// SecureCookie marks the session cookie Secure even when the request came over plain HTTP.
	SecureCookie bool `json:"secureCookie,omitempty"`

	Now         func() time.Time `json:"-"`
	Client      *http.Client     `json:"-"` // for the keys
	JournalSize int              `json:"-"` // default 2000 requests
}

// CRM is one simulated CRM. It serves its pages, the login, the open interface under /cgi and the control API under /_sim.
type CRM struct {
	*desk.Desk
	secureCookie bool
	app          App
	login        *desk.Switches[Login]

	mu     sync.RWMutex
	people map[string]Person
	order  []string

	keys     keySets
	client   *http.Client
	flows    *expiry.Map[flow]
	spent    *expiry.Map[struct{}]
	sessions *expiry.Map[Person]
	records  *records
	runs     *runs
	logins   *loginLog
	tokens   *tokenDesk
	objects  *objectStore
	messages *messages
}

const (
	maxSpent    = 100_000
	maxSessions = 10_000
)

// New returns a CRM. Close ends its runs.
func New(o Options) (*CRM, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.People == nil {
		o.People = append([]Person{Sender()}, People(20)...)
	}
	if o.App == nil {
		app := DefaultApp()
		o.App = &app
	}
	if o.Client == nil {
		config, err := tlsConfig(o)
		if err != nil {
			return nil, err
		}
		tr := http.DefaultTransport.(*http.Transport).Clone()
		tr.TLSClientConfig = config
		o.Client = &http.Client{Timeout: 10 * time.Second, Transport: tr}
	}
	d := desk.New(desk.Options{
		App: "纷享 CRM", English: "A simulated CRM: it sends to-do events and takes signed logins.", Theme: "crm",
		Now: o.Now, JournalSize: cmp.Or(o.JournalSize, 2000),
	})
	login, err := desk.NewSwitches(o.Login, func(Login) error { return nil })
	if err != nil {
		return nil, err
	}
	c := &CRM{
		Desk: d, secureCookie: o.SecureCookie, app: *o.App, login: login, people: map[string]Person{},
		keys:     keySets{client: o.Client, now: d.Now, sets: map[string]*keySet{}},
		client:   o.Client,
		flows:    expiry.New[flow](d.Now, maxFlows),
		spent:    expiry.New[struct{}](d.Now, maxSpent),
		sessions: expiry.New[Person](d.Now, maxSessions),
		records:  newRecords(), runs: newRuns(d.Now), logins: &loginLog{},
		tokens: newTokenDesk(d.Now), objects: newObjects(), messages: newMessages(d.Now),
	}
	for _, p := range o.People {
		if err := c.AddPerson(p); err != nil {
			return nil, err
		}
	}
	pages := http.NewServeMux()
	c.routePages(pages)
	c.Mount("/", fault.Vendor{}, pages)
	c.Handle("/cgi/", c.routeOpen().ServeHTTP)
	c.routeControl()
	return c, nil
}

func tlsConfig(o Options) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: o.InsecureSkipVerify} //nolint:gosec // asked for
	if o.CAFile == "" {
		return config, nil
	}
	pem, err := os.ReadFile(o.CAFile)
	if err != nil {
		return nil, fmt.Errorf("caFile: %w", err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("caFile: no certificate in %s", o.CAFile)
	}
	return config, nil
}

// Close ends the runs that are still going.
func (c *CRM) Close() {
	c.runs.close()
	c.Desk.Close()
}

// AddPerson adds a person, or replaces the one with that account.
func (c *CRM) AddPerson(p Person) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.Account == "" {
		return fmt.Errorf("a person needs an account")
	}
	if _, known := c.people[p.Account]; !known {
		if len(c.people) >= maxPeople {
			return fmt.Errorf("more than %d people", maxPeople)
		}
		c.order = append(c.order, p.Account)
	}
	c.people[p.Account] = p
	return nil
}

// People lists everybody, in the order they were added.
func (c *CRM) People() []Person {
	c.mu.RLock()
	defer c.mu.RUnlock()
	out := make([]Person, len(c.order))
	for i, a := range c.order {
		out[i] = c.people[a]
	}
	return out
}

func (c *CRM) person(account string) (Person, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	p, ok := c.people[account]
	return p, ok
}

// Login returns whose tokens are believed.
func (c *CRM) Login() Login { return c.login.Settings() }

// App is who may use the open interface.
func (c *CRM) App() App { return c.app }

// OpenStats counts the calls of the open interface.
func (c *CRM) OpenStats() OpenStats { return c.tokens.snapshot() }
