// Package generic simulates an OA that nobody has heard of: its calls, REST and SOAP, the names of its fields and the form
// of its answers are configuration, as a customer's interface document would say it (SEED0 §2.2). It proves who clicked
// in every generic way: OpenID Connect, OAuth2, CAS, a callback, signed links and JWTs.
package generic

import (
	"fmt"
	"net/http"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/expiry"
	"github.com/oabridge/oabridge/internal/oasim/idp"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/internal/oasim/portal"
	"github.com/oabridge/oabridge/internal/oasim/quota"
)

// Options configures a new OA.
type Options struct {
	Name    string        `json:"name,omitempty"` // default 通用 OA
	People  []desk.Person `json:"people"`
	Apps    []portal.Tile `json:"apps,omitempty"`
	Clients []idp.Client  `json:"clients,omitempty"`
	// BrowserURL is where a browser finds the identity provider, when that is not where servers call it.
	BrowserURL string    `json:"browserURL,omitempty"`
	Auth       Auth      `json:"auth"`
	Sign       Sign      `json:"sign"`
	Shape      *Shape    `json:"shape,omitempty"`    // nil: DefaultShape
	Settings   *Settings `json:"settings,omitempty"` // nil: DefaultSettings

	Now         func() time.Time `json:"-"`
	JournalSize int              `json:"-"`
}

// Generic is one simulated OA. It serves its interfaces, its pages and the control API under /_sim.
type Generic struct {
	*desk.Desk
	*desk.Switches[Settings]
	auth     Auth
	sign     Sign
	shape    Shape
	people   *desk.People
	box      *inbox.Box
	provider *idp.Provider
	tokens   *expiry.Map[struct{}]
	tickets  *expiry.Map[string]
	calls    *quota.Counter
}

const (
	maxTokens  = 10_000
	maxTickets = 50_000
)

// New returns an OA.
func New(o Options) (*Generic, error) {
	if o.Name == "" {
		o.Name = "通用 OA"
	}
	if o.Settings == nil {
		d := DefaultSettings()
		o.Settings = &d
	}
	if o.Shape == nil {
		d := DefaultShape()
		o.Shape = &d
	}
	if err := o.Shape.check(); err != nil {
		return nil, err
	}
	if err := o.Auth.check(); err != nil {
		return nil, err
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
		App: o.Name, English: "An OA of your own: REST and SOAP calls of a configured shape, and every generic way to sign in.",
		Theme: "generic", Now: o.Now, JournalSize: o.JournalSize,
	})
	s := &Generic{
		Desk: d, Switches: switches, auth: o.Auth, sign: o.Sign, shape: *o.Shape, people: people, box: inbox.New(d.Now),
		tokens: expiry.New[struct{}](d.Now, maxTokens), tickets: expiry.New[string](d.Now, maxTickets), calls: quota.New(d.Now),
	}
	pages := portal.New(portal.Options{
		Desk: d, People: people, Box: s.box, Tiles: func() []portal.Tile { return o.Apps }, Leave: s.leave,
	})
	s.provider, err = idp.New(idp.Options{
		Desk: d, Portal: pages, People: people, Clients: o.Clients, BrowserURL: o.BrowserURL,
		Paths: idp.Paths{
			Authorize: "/oauth2/authorize", Token: "/oauth2/token", Profile: "/oauth2/userinfo", Discovery: "/.well-known/openid-configuration",
			Keys: "/oauth2/keys", Login: "/cas/login", Validate: "/cas/serviceValidate", Validate3: "/cas/p3/serviceValidate",
		},
		Profile: func(p desk.Person) map[string]any {
			return map[string]any{"sub": p.ID, "name": p.Name, "code": p.Code, "phone_number": p.Mobile, "email": p.Email}
		},
		Settings: func() idp.Settings { return s.Settings().Provider },
	})
	if err != nil {
		return nil, err
	}
	oa := http.NewServeMux()
	s.routeREST(oa)
	s.routeSOAP(oa)
	s.routeAuth(oa)
	s.routeTickets(oa)
	pages.Route(oa)
	s.provider.Route(oa)
	s.Mount("/", s.vendor(), oa)
	s.box.ServeOn(d)
	s.people.ServeOn(d)
	s.ServeOn(d)
	s.routeControl()
	return s, nil
}

func (s *Generic) routeControl() {
	s.Get("接口 Shape", "/_sim/shape", func(*http.Request) any { return s.shape })
	s.Delete("/_sim/tokens", s.tokens.Clear)
	desk.On(s.Desk, "POST /_sim/links", http.StatusOK, func(in struct {
		Person string `json:"person"`
		Link   string `json:"link"`
	}) (any, error) {
		p, ok := s.people.Get(in.Person)
		if !ok {
			return nil, fmt.Errorf("there is no person %q", in.Person)
		}
		link, err := s.prove(p, in.Link)
		return map[string]string{"link": link}, err
	})
}

// Inbox holds what the people see.
func (s *Generic) Inbox() *inbox.Box { return s.box }

// People is the directory.
func (s *Generic) People() *desk.People { return s.people }

// Provider is the identity provider.
func (s *Generic) Provider() *idp.Provider { return s.provider }
