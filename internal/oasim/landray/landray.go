// Package landray simulates a Landray EKP as far as a third party sees it: the to-do web service (sysNotifyTodoWebService)
// over SOAP, the same operations over REST, and an identity provider.
//
// Assumptions no public source settles, each marked "derived" where it is made: a second sendTodo of a known item writes
// over it; a target nobody answers to makes the whole call fail; key, param1 and param2 that are left out fit every value;
// what is found nowhere is "not operated"; texts of messages; the paths of the identity provider, which EKP has as an
// add-on.
package landray

import (
	"maps"
	"net/http"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/idp"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/internal/oasim/portal"
)

// Options configures a new EKP.
type Options struct {
	// Users may call the web service, name → password.
	Users map[string]string `json:"users"`
	// People: ID is the LoginName, Code the PersonNo; the other keys of an organisation element (LR-DOC §3.4: Id, DeptNo,
	// PostNo, GroupNo, Keyword, LdapDN) are in IDs.
	People  []desk.Person `json:"people"`
	Apps    []portal.Tile `json:"apps,omitempty"`
	Clients []idp.Client  `json:"clients,omitempty"`
	// BrowserURL is where a browser finds the identity provider, when that is not where servers call it.
	BrowserURL string    `json:"browserURL,omitempty"`
	Settings   *Settings `json:"settings,omitempty"` // nil: DefaultSettings

	Now         func() time.Time `json:"-"`
	JournalSize int              `json:"-"`
}

// Landray is one simulated EKP. It serves its interfaces, its pages and the control API under /_sim.
type Landray struct {
	*desk.Desk
	*desk.Switches[Settings]
	users    map[string]string
	people   *desk.People
	box      *inbox.Box
	provider *idp.Provider
}

// New returns an EKP.
func New(o Options) (*Landray, error) {
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
		App: "蓝凌 EKP", English: "A simulated Landray EKP: to-dos over SOAP and REST, and an identity provider.",
		Theme: "landray", Now: o.Now, JournalSize: o.JournalSize,
	})
	s := &Landray{Desk: d, Switches: switches, users: maps.Clone(o.Users), people: people, box: inbox.New(d.Now)}
	pages := portal.New(portal.Options{
		Desk: d, People: people, Box: s.box, Tiles: func() []portal.Tile { return o.Apps },
	})
	s.provider, err = idp.New(idp.Options{
		Desk: d, Portal: pages, People: people, Clients: o.Clients, BrowserURL: o.BrowserURL,
		Paths: idp.Paths{
			Authorize: "/oauth2/authorize", Token: "/oauth2/token", Profile: "/oauth2/userinfo", Discovery: "/.well-known/openid-configuration",
			Keys: "/oauth2/keys", Login: "/cas/login", Validate: "/cas/serviceValidate", Validate3: "/cas/p3/serviceValidate",
		},
		Profile: func(p desk.Person) map[string]any {
			return map[string]any{"sub": p.ID, "loginName": p.ID, "personNo": p.Code, "name": p.Name, "email": p.Email}
		},
		Settings: func() idp.Settings { return s.Settings().Provider },
	})
	if err != nil {
		return nil, err
	}
	ekp := http.NewServeMux()
	s.routeREST(ekp)
	s.routeSOAP(ekp)
	pages.Route(ekp)
	s.provider.Route(ekp)
	s.Mount("/", s.vendor(), ekp)
	s.box.ServeOn(d)
	s.people.ServeOn(d)
	s.ServeOn(d)
	return s, nil
}

// Inbox holds what the people see.
func (s *Landray) Inbox() *inbox.Box { return s.box }

// People is the directory.
func (s *Landray) People() *desk.People { return s.people }

// Provider is the identity provider.
func (s *Landray) Provider() *idp.Provider { return s.provider }
