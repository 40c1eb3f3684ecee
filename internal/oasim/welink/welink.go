// Package welink simulates Huawei WeLink as far as a light app sees it: app tickets, to-dos, messages, contacts, the
// sign-in inside the client and in a browser, for one or several tenants.
//
// Assumptions no public source settles, each marked "derived" where it is made: a second addtask of a known task writes
// over it; how a receiver outside the visible scope is refused; which message error code means what; the body of a
// common card; the answer of the browser sign-in's token call.
package welink

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/credential"
	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/internal/oasim/org"
	"github.com/oabridge/oabridge/internal/oasim/portal"
	"github.com/oabridge/oabridge/internal/oasim/quota"
)

// Tenant is a company (team) on WeLink.
type Tenant struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Departments org.Tree `json:"departments,omitempty"` // ids are the deptCode; none: one that holds everybody
}

// App is a light app of a tenant, as the developer console shows it.
type App struct {
	ClientID     string `json:"clientId"`
	ClientSecret string `json:"clientSecret"`
	Name         string `json:"name"`
	TenantID     string `json:"tenantId,omitempty"` // default the first tenant
	HomeURL      string `json:"homeURL,omitempty"`
	// RedirectURIs are the addresses to which a sign-in in the browser may lead back.
	RedirectURIs []string `json:"redirectURIs,omitempty"`
	// Permissions that were applied for and granted (SEED2 2.2), of the Permission constants; nil is all of them. A
	// change counts for new tokens only (WL-DOC).
	Permissions []string `json:"permissions"`
	// Unpublished apps are not seen by anybody yet (SEED2 2.1).
	Unpublished bool `json:"unpublished,omitempty"`
}

// The permissions that an app may apply for (SEED2 2.2): 身份与鉴权, 通讯录, 待办通知, and messages.
const (
	Identity = "identity"
	Contacts = "contacts"
	Todo     = "todo"
	Messages = "messages"
)

// Options configures a new WeLink.
type Options struct {
	Tenants []Tenant `json:"tenants"`
	Apps    []App    `json:"apps"`
	// People are those of all tenants. ids.tenant names the tenant (default the first one), ids.userId and
	// ids.corpUserId what the interfaces call the person (default the id).
	People   []desk.Person `json:"people"`
	Settings *Settings     `json:"settings,omitempty"` // nil: DefaultSettings

	Now func() time.Time `json:"-"`
}

// WeLink is the simulated service. It serves the API, the pages for the browser and the control API under /_sim.
type WeLink struct {
	*desk.Desk
	*desk.Switches[Settings]
	box    *inbox.Box
	portal *portal.Portal
	people *desk.People
	apps   *desk.Apps[App]

	tokens *credential.Book[permit]
	codes  *credential.Book[grant]
	calls  *quota.Counter

	mu      sync.RWMutex
	tenants []Tenant
	swept   time.Time
}

// New returns a WeLink.
func New(o Options) (*WeLink, error) {
	if o.Settings == nil {
		d := DefaultSettings()
		o.Settings = &d
	}
	switches, err := desk.NewSwitches(*o.Settings, Settings.check)
	if err != nil {
		return nil, err
	}
	people, err := desk.NewPeople(o.People)
	if err != nil {
		return nil, err
	}
	if len(o.Tenants) == 0 {
		return nil, fmt.Errorf("tenants: add WeLink first, with at least one tenant") // F162
	}
	d := desk.New(desk.Options{
		App: "WeLink", English: "A simulated WeLink: to-dos, messages, contacts, sign-in by code and by QR.", Theme: "welink", Now: o.Now,
	})
	s := &WeLink{
		Desk: d, apps: desk.NewApps(func(a App) string { return a.ClientID }), Switches: switches, box: inbox.New(d.Now), people: people, tenants: o.Tenants,
		tokens: credential.NewBook[permit](d.Now, ""), codes: credential.NewBook[grant](d.Now, ""), calls: quota.New(d.Now),
	}
	for _, a := range o.Apps {
		if err := s.SetApp(a); err != nil {
			return nil, err
		}
	}
	s.portal = portal.New(portal.Options{
		Desk: d, People: people, Box: s.box, Tiles: s.tiles, Leave: s.enter,
	})
	s.routes()
	return s, nil
}

func (s *WeLink) routes() {
	mux := http.NewServeMux()
	s.routeTokens(mux)
	s.routeTodos(mux)
	s.routeMessages(mux)
	s.routeContacts(mux)
	s.routeSignIn(mux)
	s.portal.Route(mux)
	s.Mount("/", s.vendor(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.sweep()
		mux.ServeHTTP(w, r)
	}))
	s.routeControl()
}

// vendor says failures in WeLink's words.
func (s *WeLink) vendor() fault.Vendor {
	return fault.Vendor{
		Describe: describe,
		Business: func(w http.ResponseWriter, _ *http.Request, a fault.Action) {
			s.refuse(w, cmp.Or(a.Code, serverError), cmp.Or(strings.Join(a.ErrorMsgs, "; "), "系统繁忙"))
		},
		Expire: func(w http.ResponseWriter, r *http.Request) {
			s.tokens.Expire(r.Header.Get(authHeader))
			s.refuse(w, tokenExpired, "token expired")
		},
		RateLimit: func(w http.ResponseWriter, _ *http.Request, _ fault.Action) { s.refuse(w, tooOften, "over limit") },
	}
}

// SetApp adds an app or changes the one of its client id; tokens it already has keep their permissions.
func (s *WeLink) SetApp(a App) error {
	if a.ClientID == "" || a.ClientSecret == "" {
		return fmt.Errorf("an app needs a clientId and a clientSecret")
	}
	a.TenantID = cmp.Or(a.TenantID, s.tenants[0].ID)
	if _, ok := s.tenant(a.TenantID); !ok {
		return fmt.Errorf("app %s: there is no tenant %q", a.ClientID, a.TenantID)
	}
	if a.Permissions == nil {
		a.Permissions = []string{Identity, Contacts, Todo, Messages}
	}
	s.apps.Put(a)
	return nil
}

func (s *WeLink) app(clientID string) (App, bool) { return s.apps.Get(clientID) }

func (s *WeLink) tenant(id string) (Tenant, bool) {
	for _, t := range s.tenants {
		if t.ID == id {
			return t, true
		}
	}
	return Tenant{}, false
}

// tenantOf names the tenant of a person.
func (s *WeLink) tenantOf(p desk.Person) string { return cmp.Or(p.IDs["tenant"], s.tenants[0].ID) }

func userID(p desk.Person) string { return cmp.Or(p.IDs["userId"], p.ID) }

func (s *WeLink) find(tenant string, fits func(desk.Person) bool) (desk.Person, bool) {
	return s.people.Find(func(p desk.Person) bool { return fits(p) && s.tenantOf(p) == tenant })
}

// user finds somebody of a tenant by user id.
func (s *WeLink) user(tenant, id string) (desk.Person, bool) {
	return s.find(tenant, func(p desk.Person) bool { return userID(p) == id })
}

// sees says whether an app is shown to a person: it must be published, and the person in its visible scope (SEED2 2.1).
func sees(a App, p desk.Person) bool { return !a.Unpublished && !p.OutOfScope }

// ForgetTokens ends every token.
func (s *WeLink) ForgetTokens() { s.tokens.Clear() }

// Inbox is what the people see.
func (s *WeLink) Inbox() *inbox.Box { return s.box }

// People are the members of all tenants.
func (s *WeLink) People() *desk.People { return s.people }
