// Package feishu simulates Feishu (飞书, abroad Lark) as far as an app of a company sees it: tenant tokens, third-party
// approvals with their versions, messages and cards, tasks, the look-up of people, and the sign-in on the web and inside
// the client.
//
// Assumptions no public source settles, each marked "derived" where it is made: the error codes of the approval API; what
// an approval does with people who do not exist or do not see the app. What a comment calls "from memory" is common
// knowledge that no opened source confirms.
package feishu

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/credential"
	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/expiry"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/internal/oasim/portal"
	"github.com/oabridge/oabridge/internal/oasim/quota"
)

// App is an app of the company, as the developer console shows it.
type App struct {
	AppID     string `json:"appId"`
	AppSecret string `json:"appSecret"`
	Name      string `json:"name"`
	HomeURL   string `json:"homeURL,omitempty"`
	// RedirectURIs are the addresses to which a sign-in may lead back.
	RedirectURIs []string `json:"redirectURIs,omitempty"`
	// Permissions that were granted, of the Permission constants; nil is all of them.
	Permissions []string `json:"permissions"`
	// Disabled apps get no token that works.
	Disabled bool `json:"disabled,omitempty"`
	// Approvals are codes of third-party approvals that exist from the start.
	Approvals []string `json:"approvals,omitempty"`
}

// The permissions that an app may have, one for each group of interfaces.
const (
	Approval = "approval"
	Messages = "im"
	Tasks    = "task"
	Contacts = "contact"
)

// Options configures a new Feishu.
type Options struct {
	TenantKey string `json:"tenantKey"`
	Apps      []App  `json:"apps"`
	// People of the company. ids.user_id (default the id), ids.open_id and ids.union_id (default made from the id) are
	// what the interfaces call a person.
	People   []desk.Person `json:"people"`
	Settings *Settings     `json:"settings,omitempty"` // nil: DefaultSettings

	Now func() time.Time `json:"-"`
}

// Feishu is the simulated service. It serves the API, the pages for the browser and the control API under /_sim.
type Feishu struct {
	*desk.Desk
	*desk.Switches[Settings]
	box    *inbox.Box
	portal *portal.Portal
	people *desk.People
	apps   *desk.Apps[App]

	tenantKey    string
	tenantTokens *credential.Tokens
	appTokens    *credential.Tokens
	userTokens   *credential.Book[grant]
	refreshes    *credential.Book[grant]
	codes        *credential.Book[grant]
	spent        *expiry.Map[bool] // refresh tokens that were used
	calls        *quota.Counter
	sent         *expiry.Map[string] // uuid or client_token → what was made

	mu        sync.Mutex
	approvals map[string]string // approval code → app id
	instances map[string]*instance
	tasks     map[string]*task
}

// The bounds of what the simulator remembers.
const (
	maxSpent     = 10_000
	maxSent      = 50_000
	maxInstances = 200_000
)

// New returns a Feishu.
func New(o Options) (*Feishu, error) {
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
	d := desk.New(desk.Options{
		App: "飞书", English: "A simulated Feishu: third-party approvals, messages, tasks, in-app and web sign-in.", Theme: "feishu", Now: o.Now,
	})
	s := &Feishu{
		Desk: d, apps: desk.NewApps(func(a App) string { return a.AppID }), Switches: switches, box: inbox.New(d.Now), people: people, tenantKey: cmp.Or(o.TenantKey, "tenant1"),
		tenantTokens: credential.NewTokens(d.Now, "t-"), appTokens: credential.NewTokens(d.Now, "a-"),
		userTokens: credential.NewBook[grant](d.Now, "u-"), refreshes: credential.NewBook[grant](d.Now, "ur-"),
		codes: credential.NewBook[grant](d.Now, ""), spent: expiry.New[bool](d.Now, maxSpent), calls: quota.New(d.Now),
		sent: expiry.New[string](d.Now, maxSent), approvals: map[string]string{},
	}
	s.forget()
	s.box.OnReset(s.forget)
	for _, a := range o.Apps {
		if err := s.SetApp(a); err != nil {
			return nil, err
		}
	}
	s.portal = portal.New(portal.Options{Desk: d, People: people, Box: s.box, Tiles: s.tiles})
	s.routes()
	return s, nil
}

// forget drops what is known beside the inbox.
func (s *Feishu) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.instances, s.tasks = map[string]*instance{}, map[string]*task{}
	s.sent.Clear()
}

func (s *Feishu) routes() {
	mux := http.NewServeMux()
	s.routeTokens(mux)
	s.routeApprovals(mux)
	s.routeMessages(mux)
	s.routeTasks(mux)
	s.routeContacts(mux)
	s.routeSignIn(mux)
	s.portal.Route(mux)
	s.Mount("/", s.vendor(), mux)
	s.routeControl()
}

// vendor says failures in Feishu's words.
func (s *Feishu) vendor() fault.Vendor {
	return fault.Vendor{
		Describe: s.describe,
		Business: func(w http.ResponseWriter, _ *http.Request, a fault.Action) {
			code, err := strconv.Atoi(a.Code)
			if err != nil {
				code = internalError
			}
			s.refuse(w, code, strings.Join(a.ErrorMsgs, "; "))
		},
		Expire: func(w http.ResponseWriter, r *http.Request) {
			token := bearer(r)
			s.tenantTokens.Expire(token)
			s.appTokens.Expire(token)
			s.userTokens.Expire(token)
			s.refuse(w, badToken, "")
		},
		RateLimit: func(w http.ResponseWriter, _ *http.Request, _ fault.Action) { s.refuseQuota(w) },
	}
}

// SetApp adds an app or changes the one of its id.
func (s *Feishu) SetApp(a App) error {
	if a.AppID == "" || a.AppSecret == "" {
		return fmt.Errorf("an app needs an appId and an appSecret")
	}
	if a.Permissions == nil {
		a.Permissions = []string{Approval, Messages, Tasks, Contacts}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, code := range a.Approvals {
		s.approvals[code] = a.AppID
	}
	s.apps.Put(a)
	return nil
}

func (s *Feishu) app(id string) (App, bool) { return s.apps.Get(id) }

// The three names of a person.
func userID(p desk.Person) string  { return cmp.Or(p.IDs["user_id"], p.ID) }
func openID(p desk.Person) string  { return cmp.Or(p.IDs["open_id"], "ou_"+p.ID) }
func unionID(p desk.Person) string { return cmp.Or(p.IDs["union_id"], "on_"+p.ID) }

// find looks up a person by one kind of id; no kind is the open_id.
func (s *Feishu) find(kind, id string) (desk.Person, bool) {
	return s.people.Find(func(p desk.Person) bool { return id != "" && idOf(p, kind) == id })
}

func idOf(p desk.Person, kind string) string {
	switch kind {
	case "", "open_id":
		return openID(p)
	case "user_id":
		return userID(p)
	case "union_id":
		return unionID(p)
	case "email":
		return p.Email
	}
	return ""
}

// ForgetTokens ends every token.
func (s *Feishu) ForgetTokens() {
	s.tenantTokens.Clear()
	s.appTokens.Clear()
	s.userTokens.Clear()
}

// Inbox is what the people see.
func (s *Feishu) Inbox() *inbox.Box { return s.box }

// People are the members of the company.
func (s *Feishu) People() *desk.People { return s.people }
