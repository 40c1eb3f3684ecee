// Package yunzhijia simulates Yunzhijia (云之家) as far as a third party sees it: access tokens by scope, to-dos, tickets of
// people who open a light app, and the callback with which people approve several to-dos at once.
//
// Assumptions no public source settles, each marked "derived" where it is made: the error code of a dead token; the order
// of the checks; a to-do without todoType is one to approve.
package yunzhijia

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/expiry"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/internal/oasim/portal"
	"github.com/oabridge/oabridge/internal/oasim/quota"
)

// App is a light app (轻应用).
type App struct {
	ID     string `json:"id"`
	Secret string `json:"secret"`
	Name   string `json:"name"`
	// HomeURL is where the tile of the app leads; the OA appends a ticket (SEED0 §4.4).
	HomeURL string `json:"homeURL,omitempty"`
	// SignKey signs the callback to passUrl (YZJ-TODO).
	SignKey string `json:"signKey,omitempty"`
}

// Options configures a new OA.
type Options struct {
	EID            string        `json:"eid"` // the team
	ResGroupSecret string        `json:"resGroupSecret,omitempty"`
	Apps           []App         `json:"apps"`
	People         []desk.Person `json:"people"`             // ID is the openId
	Settings       *Settings     `json:"settings,omitempty"` // nil: DefaultSettings

	Now         func() time.Time `json:"-"`
	Client      *http.Client     `json:"-"` // for callbacks
	JournalSize int              `json:"-"`
}

// Yunzhijia is one simulated team. It serves its interfaces, its pages and the control API under /_sim.
type Yunzhijia struct {
	*desk.Desk
	*desk.Switches[Settings]
	eid, resGroupSecret string
	client              *http.Client
	people              *desk.People
	box                 *inbox.Box
	tokens              *tokens
	tickets             *expiry.Map[ticket]
	calls               *quota.Counter

	mu   sync.RWMutex
	apps []App
}

const (
	maxTickets = 50_000
	// callTimeout bounds a callback.
	callTimeout = 15 * time.Second
)

// New returns an OA.
func New(o Options) (*Yunzhijia, error) {
	if o.Settings == nil {
		d := DefaultSettings()
		o.Settings = &d
	}
	if o.Client == nil {
		o.Client = &http.Client{Timeout: callTimeout}
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
		App: "云之家", English: "A simulated Yunzhijia: tokens by scope, to-dos, and tickets for light apps.",
		Theme: "yunzhijia", Now: o.Now, JournalSize: o.JournalSize,
	})
	s := &Yunzhijia{
		Desk: d, Switches: switches, eid: o.EID, resGroupSecret: o.ResGroupSecret, client: o.Client, people: people,
		box: inbox.New(d.Now), tokens: newTokens(d.Now), tickets: expiry.New[ticket](d.Now, maxTickets),
		calls: quota.New(d.Now),
	}
	if err := s.SetApps(o.Apps); err != nil {
		return nil, err
	}
	pages := portal.New(portal.Options{Desk: d, People: people, Box: s.box, Tiles: s.tiles, Leave: s.leave})
	oa := http.NewServeMux()
	s.routeTokens(oa)
	s.routeToDos(oa)
	s.routeTickets(oa)
	pages.Route(oa)
	s.Mount("/", s.vendor(), oa)
	s.box.ServeOn(d)
	s.people.ServeOn(d)
	s.ServeOn(d)
	s.routeControl()
	return s, nil
}

func (s *Yunzhijia) routeControl() {
	d := s.Desk
	d.Delete("/_sim/tokens", s.ForgetTokens)
	desk.On(d, "PUT /_sim/apps", http.StatusOK, func(in struct {
		Apps []App `json:"apps"`
	}) (any, error) {
		return map[string]int{"apps": len(in.Apps)}, s.SetApps(in.Apps)
	})
	desk.On(d, "POST /_sim/tickets", http.StatusOK, func(in struct {
		Person string `json:"person"`
		App    string `json:"app"`
	}) (any, error) {
		id, err := s.Ticket(in.Person, in.App)
		return map[string]string{"ticket": id}, err
	})
	desk.On(d, "POST /_sim/approvals", http.StatusOK, func(in struct {
		Person    string   `json:"person"`
		App       string   `json:"app"`
		SourceIDs []string `json:"sourceIds"`
	}) (any, error) {
		done, err := s.Approve(in.Person, in.App, in.SourceIDs)
		return map[string][]string{"successIds": done}, err
	})
}

// Inbox holds what the people see.
func (s *Yunzhijia) Inbox() *inbox.Box { return s.box }

// People is the directory.
func (s *Yunzhijia) People() *desk.People { return s.people }

// ForgetTokens ends every token.
func (s *Yunzhijia) ForgetTokens() { s.tokens.clear() }

// SetApps replaces the light apps.
func (s *Yunzhijia) SetApps(apps []App) error {
	for _, a := range apps {
		if a.ID == "" || a.Secret == "" {
			return fmt.Errorf("an app needs an id and a secret")
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apps = slices.Clone(apps)
	return nil
}

func (s *Yunzhijia) app(id string) (App, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	i := slices.IndexFunc(s.apps, func(a App) bool { return a.ID == id })
	if i < 0 {
		return App{}, false
	}
	return s.apps[i], true
}

func (s *Yunzhijia) tiles() []portal.Tile {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []portal.Tile
	for _, a := range s.apps {
		if a.HomeURL != "" {
			out = append(out, portal.Tile{Code: a.ID, Name: a.Name, URL: a.HomeURL})
		}
	}
	return out
}
