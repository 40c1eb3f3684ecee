// Package seeyon simulates a Seeyon A8/V5 OA as far as a third party sees it: REST tokens, third-party pending items
// (待办), third-party messages (消息), one-time sign-in tickets, and the web pages from which a person opens an item.
//
// Assumptions no public source settles, each marked "derived" where it is made: a second receive of a known item
// updates it in place; an update without a receiver reaches the item of every receiver; errorMsgs holds plain strings;
// several valid items of a list are stored although another one is refused.
package seeyon

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/expiry"
)

// App is a registered third-party application (应用注册).
type App struct {
	Code string `json:"code"` // registerCode, a numeric string such as "3004" (SEED0)
	Name string `json:"name"`
	// LoginURL and H5LoginURL are where the tile of the app leads, on the PC and on a phone.
	LoginURL   string `json:"loginURL,omitempty"`
	H5LoginURL string `json:"h5LoginURL,omitempty"`
	// HandshakeURL, when set, is called by the OA's server with the ticket before the browser goes there; it must
	// answer SSOOK (portal authentication, SY-SSO).
	HandshakeURL string `json:"handshakeURL,omitempty"`
	// TicketParam names the query parameter of the tile's ticket; default "ticket" (SY-SSO).
	TicketParam string `json:"ticketParam,omitempty"`
}

// Options configures a new OA.
type Options struct {
	// RESTUsers are the accounts that may fetch a token, name → password (SY-AUTH).
	RESTUsers map[string]string `json:"restUsers"`
	Apps      []App             `json:"apps"`
	People    []Person          `json:"people"`
	Bindings  []Binding         `json:"bindings"`
	Settings  *Settings         `json:"settings,omitempty"` // nil: DefaultSettings

	Now         func() time.Time `json:"-"`
	Client      *http.Client     `json:"-"` // for handshakes
	JournalSize int              `json:"-"` // default 5000 requests
}

// Seeyon is one simulated OA. It serves its API, its pages and the control API under /_sim.
type Seeyon struct {
	*desk.Desk
	*desk.Switches[Settings]
	client *http.Client

	mu   sync.RWMutex
	apps []App
	rest map[string]string

	directory *directory
	inbox     *itemBox
	messages  *messages
	tokens    *expiry.Map[tokenOwner]
	tickets   *expiry.Map[ticket]
}

// The bounds of what the simulator remembers.
const (
	maxTokens  = 10_000
	maxTickets = 50_000
)

// New returns an OA.
func New(o Options) (*Seeyon, error) {
	if o.Client == nil {
		o.Client = &http.Client{Timeout: 15 * time.Second}
	}
	if o.Settings == nil {
		d := DefaultSettings()
		o.Settings = &d
	}
	switches, err := desk.NewSwitches(*o.Settings, Settings.check)
	if err != nil {
		return nil, err
	}
	d := desk.New(desk.Options{
		App: "致远协同", English: "A simulated Seeyon OA: pending API, tickets and an inbox to look at.",
		Now: o.Now, JournalSize: o.JournalSize, MaskPath: maskPath,
	})
	s := &Seeyon{
		Desk: d, Switches: switches, client: o.Client, rest: map[string]string{},
		directory: newDirectory(), inbox: newInbox(d.Now), messages: newMessages(d.Now),
		tokens:  expiry.New[tokenOwner](d.Now, maxTokens),
		tickets: expiry.New[ticket](d.Now, maxTickets),
	}
	for _, a := range o.Apps {
		if a.Code == "" {
			return nil, fmt.Errorf("an app needs a code")
		}
		s.apps = append(s.apps, a)
	}
	for user, password := range o.RESTUsers {
		s.SetPassword(user, password)
	}
	for _, p := range o.People {
		if err := s.AddPerson(p); err != nil {
			return nil, err
		}
	}
	for _, b := range o.Bindings {
		if err := s.Bind(b); err != nil {
			return nil, err
		}
	}
	s.route()
	return s, nil
}

func (s *Seeyon) route() {
	oa := http.NewServeMux()
	s.routeTokens(oa)
	s.routePending(oa)
	s.routeMessages(oa)
	s.routeTickets(oa)
	s.routePages(oa)
	s.Mount("/seeyon/", s.vendor(), oa)
	s.routeControl()
}

// SetPassword sets the password of a REST user; tokens it already fetched stay valid.
func (s *Seeyon) SetPassword(user, password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rest[user] = password
}

// Items returns every item the OA ever took, oldest first.
func (s *Seeyon) Items() []Item { return s.inbox.all() }

// Inbox returns the open items of a person, newest first.
func (s *Seeyon) Inbox(login string) []Item { return s.inbox.of(login, StateOpen) }

// Done returns the finished items of a person, newest first.
func (s *Seeyon) Done(login string) []Item { return s.inbox.of(login, StateDone) }

// Stats counts what the OA holds and what was written to it.
func (s *Seeyon) Stats() Stats { return s.inbox.stats() }

// Messages returns every message the OA ever took, oldest first.
func (s *Seeyon) Messages() []Message { return s.messages.all() }

// Reset forgets every item and message.
func (s *Seeyon) Reset() {
	s.inbox.reset()
	s.messages.reset()
}

// ForgetTokens ends every token, as a restart of the OA does.
func (s *Seeyon) ForgetTokens() { s.tokens.Clear() }

func (s *Seeyon) app(code string) (App, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, a := range s.apps {
		if a.Code == code {
			return a, true
		}
	}
	return App{}, false
}
