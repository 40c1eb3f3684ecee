// Package weaver simulates a Weaver e-cology OA as far as a third party sees it: the unified to-do centre (统一待办中心,
// OFS) over REST and over SOAP, links that carry a signed proof of who clicked, and the OAuth2 and CAS provider.
//
// Assumptions no public source settles, each marked "derived" where it is made: a batch is answered with a list of the
// results; an older receivets is ignored with a success; deleting an item that is not there is a success; the texts of
// messages.
package weaver

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/idp"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/internal/oasim/portal"
)

// System is a registered external system (异构系统).
type System struct {
	Code string `json:"code"` // syscode
	Name string `json:"name"`
	// PCPrefix and AppPrefix complete relative links (WV-BLOG).
	PCPrefix  string `json:"pcPrefix,omitempty"`
	AppPrefix string `json:"appPrefix,omitempty"`
	// Secret signs the links of this system's items (SEED0, scheme 2); empty: links go out as they came.
	Secret string `json:"secret,omitempty"`
	// HomeURL and H5HomeURL are where the tile of the system leads.
	HomeURL   string `json:"homeURL,omitempty"`
	H5HomeURL string `json:"h5HomeURL,omitempty"`
	// AllowedIPs, when given, are the only addresses that may call for this system (WV-BLOG: the OA side restricts by
	// network).
	AllowedIPs []netip.Prefix `json:"allowedIPs,omitempty"`
}

// Options configures a new OA.
type Options struct {
	Systems  []System      `json:"systems"`
	People   []desk.Person `json:"people"`
	Clients  []idp.Client  `json:"clients,omitempty"`  // of the OAuth2 and CAS provider
	Settings *Settings     `json:"settings,omitempty"` // nil: DefaultSettings

	Now         func() time.Time `json:"-"`
	JournalSize int              `json:"-"`
}

// Weaver is one simulated OA. It serves its interfaces, its pages and the control API under /_sim.
type Weaver struct {
	*desk.Desk
	*desk.Switches[Settings]
	people   *desk.People
	box      *inbox.Box
	provider *idp.Provider

	mu      sync.RWMutex
	systems []System
}

// New returns an OA.
func New(o Options) (*Weaver, error) {
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
		App: "泛微协同", English: "A simulated Weaver e-cology: to-do centre over REST and SOAP, signed links, OAuth2 and CAS.",
		Theme: "weaver", Now: o.Now, JournalSize: o.JournalSize,
	})
	s := &Weaver{Desk: d, Switches: switches, people: people, box: inbox.New(d.Now)}
	if err := s.SetSystems(o.Systems); err != nil {
		return nil, err
	}
	pages := portal.New(portal.Options{Desk: d, People: people, Box: s.box, Tiles: s.tiles, Leave: s.leave})
	s.provider, err = idp.New(idp.Options{
		Desk: d, Portal: pages, People: people, Clients: o.Clients, Profile: profile,
		// The paths of Apereo servers under /sso (CAS-OA); that e-cology has them is from memory.
		Paths: idp.Paths{
			Authorize: "/sso/oauth2.0/authorize", Token: "/sso/oauth2.0/accessToken", Profile: "/sso/oauth2.0/profile",
			Login: "/sso/login", Validate: "/sso/serviceValidate", Validate3: "/sso/p3/serviceValidate",
		},
		Settings: func() idp.Settings { return s.Settings().Provider },
	})
	if err != nil {
		return nil, err
	}
	s.route(pages)
	return s, nil
}

func (s *Weaver) route(pages *portal.Portal) {
	oa := http.NewServeMux()
	s.routeREST(oa)
	s.routeSOAP(oa)
	pages.Route(oa)
	s.provider.Route(oa)
	s.Mount("/", s.vendor(), oa)
	s.box.ServeOn(s.Desk)
	s.people.ServeOn(s.Desk)
	s.ServeOn(s.Desk)
	s.routeControl()
}

func (s *Weaver) routeControl() {
	s.Get("异构系统 Systems", "/_sim/systems", func(*http.Request) any {
		systems := s.systemList()
		for i := range systems {
			systems[i].Secret = ""
		}
		return map[string]any{"systems": systems}
	})
	desk.On(s.Desk, "PUT /_sim/systems", http.StatusOK, func(in struct {
		Systems []System `json:"systems"`
	}) (any, error) {
		return map[string]int{"systems": len(in.Systems)}, s.SetSystems(in.Systems)
	})
	desk.On(s.Desk, "POST /_sim/links", http.StatusOK, func(in struct {
		Person string `json:"person"`
		System string `json:"system"`
		Link   string `json:"link"`
	}) (any, error) {
		link, err := s.SignedLink(in.Person, in.System, in.Link)
		return map[string]string{"link": link}, err
	})
}

// Inbox holds what the people see.
func (s *Weaver) Inbox() *inbox.Box { return s.box }

// People is the directory.
func (s *Weaver) People() *desk.People { return s.people }

// Provider is the OAuth2 and CAS provider.
func (s *Weaver) Provider() *idp.Provider { return s.provider }

// SetSystems replaces the registered external systems.
func (s *Weaver) SetSystems(systems []System) error {
	for _, sys := range systems {
		if sys.Code == "" {
			return fmt.Errorf("a system needs a code")
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.systems = slices.Clone(systems)
	return nil
}

func (s *Weaver) systemList() []System {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.systems)
}

func (s *Weaver) system(code string) (System, bool) {
	for _, sys := range s.systemList() {
		if sys.Code == code {
			return sys, true
		}
	}
	return System{}, false
}

func (s *Weaver) tiles() []portal.Tile {
	var out []portal.Tile
	for _, sys := range s.systemList() {
		if sys.HomeURL != "" || sys.H5HomeURL != "" {
			out = append(out, portal.Tile{Code: sys.Code, Name: sys.Name, URL: sys.HomeURL, H5URL: sys.H5HomeURL})
		}
	}
	return out
}

// profile is the body of the OAuth2 profile call; its outer shape is that of Apereo servers (from memory).
func profile(p desk.Person) map[string]any {
	return map[string]any{"id": p.ID, "attributes": map[string]any{
		"loginid": p.ID, "lastname": p.Name, "workcode": p.Code, "mobile": p.Mobile, "email": p.Email,
	}}
}
