// Package wecom simulates WeCom (企业微信) as far as an app of a company sees it: access tokens, app messages and
// template cards, the contact book, web authorization inside the client and the QR login of web pages, for one or
// several companies.
//
// Assumptions no public source settles, each marked "derived" where it is made: which calls ask for the trusted IP; the
// code of a used response_code; how a code that was issued for another app is refused. What a comment calls "from
// memory" is common knowledge that no opened source confirms.
package wecom

import (
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/credential"
	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/expiry"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/internal/oasim/org"
	"github.com/oabridge/oabridge/internal/oasim/portal"
	"github.com/oabridge/oabridge/internal/oasim/quota"
)

// Corp is a company with its apps and its departments.
type Corp struct {
	CorpID string `json:"corpId"`
	Name   string `json:"name"`
	Apps   []App  `json:"apps"`
	// Departments have numbers as ids, the top one 1; none: one that holds everybody.
	Departments org.Tree `json:"departments,omitempty"`
}

// App is an app that the company made, as the admin console shows it.
type App struct {
	AgentID int    `json:"agentId"`
	Secret  string `json:"secret"`
	Name    string `json:"name"`
	HomeURL string `json:"homeURL,omitempty"` // 工作台应用主页
	// TrustedDomain is the domain of web authorization and JS-SDK, CallbackDomain that of WeCom login; both without
	// http(s):// and with the port, if there is one (SEED4).
	TrustedDomain  string `json:"trustedDomain,omitempty"`
	CallbackDomain string `json:"callbackDomain,omitempty"`
	// TrustedIPs are separated by ";" (SEED4); none trusts every caller (derived).
	TrustedIPs string `json:"trustedIPs,omitempty"`
}

// Options configures a new WeCom.
type Options struct {
	Corps []Corp `json:"corps"`
	// People are those of all companies. ids.corp names the company (default the first one), ids.userid the ID in its
	// contact book, which is neither the WeChat id nor the nickname (SEED4; default the id). ids.licence "none" marks a
	// member without the licence for the app's interfaces.
	People   []desk.Person `json:"people"`
	Settings *Settings     `json:"settings,omitempty"` // nil: DefaultSettings

	Now    func() time.Time `json:"-"`
	Client *http.Client     `json:"-"` // for the check of domains
}

// WeCom is the simulated service. It serves the API, the pages for the browser and the control API under /_sim.
type WeCom struct {
	*desk.Desk
	*desk.Switches[Settings]
	box    *inbox.Box
	portal *portal.Portal
	people *desk.People
	client *http.Client

	tokens *credential.Tokens
	codes  *credential.Book[grant]
	cards  *credential.Book[sent] // by response_code
	calls  *quota.Counter

	mu    sync.RWMutex
	corps []Corp
	// before holds the trusted IPs of apps whose new ones do not count yet.
	before map[string]oldIPs
	// repeats are fingerprints of messages that shall not be sent twice.
	repeats *expiry.Map[bool]
}

type oldIPs struct {
	list  string
	until time.Time
}

// maxRepeats bounds the fingerprints.
const maxRepeats = 50_000

// New returns a WeCom.
func New(o Options) (*WeCom, error) {
	if o.Settings == nil {
		d := DefaultSettings()
		o.Settings = &d
	}
	if o.Client == nil {
		o.Client = &http.Client{Timeout: 15 * time.Second}
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
		App: "企业微信", English: "A simulated WeCom: messages and cards, the contact book, in-app and QR sign-in.", Theme: "wecom", Now: o.Now,
	})
	s := &WeCom{
		Desk: d, Switches: switches, box: inbox.New(d.Now), people: people, client: o.Client, tokens: credential.NewTokens(d.Now, ""),
		codes: credential.NewBook[grant](d.Now, ""), cards: credential.NewBook[sent](d.Now, ""), calls: quota.New(d.Now),
		before: map[string]oldIPs{}, repeats: expiry.New[bool](d.Now, maxRepeats),
	}
	for _, c := range o.Corps {
		if _, taken := s.corp(c.CorpID); c.CorpID == "" || taken {
			return nil, fmt.Errorf("corp %q: every company needs a corpId of its own", c.CorpID)
		}
		for _, a := range c.Apps {
			if err := a.check(); err != nil {
				return nil, fmt.Errorf("corp %q, app %d: %w", c.CorpID, a.AgentID, err)
			}
		}
		for _, d := range c.Departments {
			if number(d.ID) <= 0 {
				return nil, fmt.Errorf("corp %q: department id %q is not a number", c.CorpID, d.ID)
			}
		}
		s.corps = append(s.corps, c)
	}
	s.portal = portal.New(portal.Options{Desk: d, People: people, Box: s.box, Tiles: s.tiles})
	s.routes()
	return s, nil
}

// check refuses what the admin console does not save: a domain with a scheme (SEED4), a list of IPs with another
// separator.
func (a App) check() error {
	if a.AgentID <= 0 || a.Secret == "" {
		return fmt.Errorf("an app needs an agentId and a secret")
	}
	for field, domain := range map[string]string{"trustedDomain": a.TrustedDomain, "callbackDomain": a.CallbackDomain} {
		if strings.Contains(domain, "/") {
			return fmt.Errorf("%s: %q must be a domain without http(s):// and without a path", field, domain)
		}
	}
	for ip := range strings.SplitSeq(a.TrustedIPs, ";") {
		if _, err := netip.ParseAddr(ip); err != nil && a.TrustedIPs != "" {
			return fmt.Errorf("trustedIPs: %q is not an IP address; separate several with \";\"", ip)
		}
	}
	return nil
}

func (s *WeCom) routes() {
	mux := http.NewServeMux()
	s.routeTokens(mux)
	s.routeMessages(mux)
	s.routeContacts(mux)
	s.routeSignIn(mux)
	s.portal.Route(mux)
	s.Mount("/", s.vendor(), mux)
	s.routeControl()
}

// vendor says failures in WeCom's words.
func (s *WeCom) vendor() fault.Vendor {
	return fault.Vendor{
		Describe: s.describe,
		Business: func(w http.ResponseWriter, r *http.Request, a fault.Action) {
			code, err := strconv.Atoi(a.Code)
			if err != nil {
				code = busy
			}
			s.refuse(w, r, code, strings.Join(a.ErrorMsgs, "; "))
		},
		Expire: func(w http.ResponseWriter, r *http.Request) {
			s.tokens.Expire(r.FormValue("access_token"))
			s.refuse(w, r, tokenExpired, "")
		},
		RateLimit: func(w http.ResponseWriter, r *http.Request, _ fault.Action) { s.refuse(w, r, tooOften, "") },
	}
}

// account is an app of a company, and the key of its tokens.
type account struct {
	corp Corp
	app  App
}

func (a account) key() string { return fmt.Sprintf("%s/%d", a.corp.CorpID, a.app.AgentID) }

func (s *WeCom) corp(id string) (Corp, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, c := range s.corps {
		if c.CorpID == id {
			return c, true
		}
	}
	return Corp{}, false
}

// account finds an app of a company; fits chooses it.
func (s *WeCom) account(corpID string, fits func(App) bool) (account, bool) {
	c, ok := s.corp(corpID)
	if !ok {
		return account{}, false
	}
	for _, a := range c.Apps {
		if fits(a) {
			return account{c, a}, true
		}
	}
	return account{corp: c}, false
}

func (s *WeCom) accountByKey(key string) (account, bool) {
	corpID, agent, _ := strings.Cut(key, "/")
	return s.account(corpID, func(a App) bool { return strconv.Itoa(a.AgentID) == agent })
}

// SetApp changes an app in the admin console, or adds it. Trusted IPs count after Settings.TrustedIPDelaySeconds.
func (s *WeCom) SetApp(corpID string, app App) error {
	if err := app.check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.corps {
		c := &s.corps[i]
		if c.CorpID != corpID {
			continue
		}
		apps := append([]App{}, c.Apps...)
		for j, old := range apps {
			if old.AgentID == app.AgentID {
				if old.TrustedIPs != app.TrustedIPs {
					delay := time.Duration(s.Settings().TrustedIPDelaySeconds) * time.Second
					s.before[account{*c, app}.key()] = oldIPs{old.TrustedIPs, s.Now().Add(delay)}
				}
				apps[j] = app
				c.Apps = apps
				return nil
			}
		}
		c.Apps = append(apps, app)
		return nil
	}
	return fmt.Errorf("there is no corp %q", corpID)
}

// ForgetTokens ends every token before its time, as WeCom says that it may.
func (s *WeCom) ForgetTokens() { s.tokens.Clear() }

// Inbox is what the members see.
func (s *WeCom) Inbox() *inbox.Box { return s.box }

// People are the members of all companies.
func (s *WeCom) People() *desk.People { return s.people }
