// Package dingtalk simulates DingTalk (钉钉) as far as an app of a company sees it: the old gateway (oapi) with its access
// token in the query and the v1.0 API with its token in a header, to-dos by unionId, work notices, contacts, and the
// sign-in inside the client and on the web.
//
// Assumptions no public source settles, each marked "derived" where it is made: a second task with a known sourceId is the
// first one again; the error codes of the to-do API. What a comment calls "from memory" is common knowledge that no
// opened source confirms.
package dingtalk

import (
	"cmp"
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

// App is an internal app of the company, as the developer console shows it.
type App struct {
	AppKey    string `json:"appKey"` // also called clientId
	AppSecret string `json:"appSecret"`
	AgentID   int64  `json:"agentId"`
	Name      string `json:"name"`
	HomeURL   string `json:"homeURL,omitempty"`
	// RedirectURIs are the addresses to which a web sign-in may lead back.
	RedirectURIs []string `json:"redirectURIs,omitempty"`
	// TrustedIPs are the addresses from which the app may call; none means any.
	TrustedIPs []string `json:"trustedIPs,omitempty"`
}

// Options configures a new DingTalk.
type Options struct {
	CorpID string `json:"corpId"`
	Apps   []App  `json:"apps"`
	// People of the company. ids.userid (default the id), ids.unionId and ids.openId (default made from the id) are what
	// the interfaces call a person; to-dos know only the unionId (DT-GO).
	People []desk.Person `json:"people"`
	// Departments have numbers as ids, the top one 1; none: one that holds everybody.
	Departments org.Tree  `json:"departments,omitempty"`
	Settings    *Settings `json:"settings,omitempty"` // nil: DefaultSettings

	Now func() time.Time `json:"-"`
}

// DingTalk is the simulated service. It serves both APIs, the pages for the browser and the control API under /_sim.
type DingTalk struct {
	*desk.Desk
	*desk.Switches[Settings]
	box    *inbox.Box
	portal *portal.Portal
	people *desk.People
	apps   *desk.Apps[App]

	corpID      string
	departments org.Tree

	tokens     *credential.Tokens
	userTokens *credential.Book[grant]
	refreshes  *credential.Book[grant]
	codes      *credential.Book[grant]
	calls      *quota.Counter
	today      *expiry.Map[bool] // notices that somebody was sent today

	mu      sync.RWMutex
	tasks   *tasks
	notices map[int64]*notice
	// noticeSeq is the task_id of the last notice.
	noticeSeq int64
}

// maxToday bounds the notices that are compared with new ones.
const maxToday = 100_000

// New returns a DingTalk.
func New(o Options) (*DingTalk, error) {
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
	for _, d := range o.Departments {
		if number(d.ID) <= 0 {
			return nil, fmt.Errorf("department id %q is not a number", d.ID)
		}
	}
	d := desk.New(desk.Options{
		App: "钉钉", English: "A simulated DingTalk: to-dos, work notices, contacts, in-app and web sign-in.", Theme: "dingtalk", Now: o.Now,
	})
	s := &DingTalk{
		Desk: d, apps: desk.NewApps(func(a App) string { return a.AppKey }), Switches: switches, box: inbox.New(d.Now), people: people, corpID: cmp.Or(o.CorpID, "ding1"), departments: o.Departments,
		tokens: credential.NewTokens(d.Now, ""), userTokens: credential.NewBook[grant](d.Now, ""), refreshes: credential.NewBook[grant](d.Now, ""),
		codes: credential.NewBook[grant](d.Now, ""), calls: quota.New(d.Now), today: expiry.New[bool](d.Now, maxToday),
		tasks: newTasks(), notices: map[int64]*notice{},
	}
	for _, a := range o.Apps {
		if err := s.SetApp(a); err != nil {
			return nil, err
		}
	}
	s.box.OnReset(s.tasks.reset)
	s.portal = portal.New(portal.Options{
		Desk: d, People: people, Box: s.box, Tiles: s.tiles, Leave: s.enter,
	})
	s.routes()
	return s, nil
}

func (s *DingTalk) routes() {
	mux := http.NewServeMux()
	s.routeTokens(mux)
	s.routeTodos(mux)
	s.routeNotices(mux)
	s.routeContacts(mux)
	s.routeSignIn(mux)
	s.portal.Route(mux)
	s.Mount("/", s.vendor(), mux)
	s.routeControl()
}

// vendor says failures in the words of the API that was called.
func (s *DingTalk) vendor() fault.Vendor {
	return fault.Vendor{
		Describe: s.describe,
		Business: func(w http.ResponseWriter, r *http.Request, a fault.Action) {
			text := strings.Join(a.ErrorMsgs, "; ")
			if isNew(r) {
				refuseNew(w, cmp.Or(a.Status, http.StatusBadRequest), cmp.Or(a.Code, "systemError"), cmp.Or(text, "系统错误"))
				return
			}
			code, err := strconv.Atoi(a.Code)
			if err != nil {
				code = busy
			}
			s.refuse(w, code, text)
		},
		Expire: func(w http.ResponseWriter, r *http.Request) {
			if isNew(r) {
				s.tokens.Expire(r.Header.Get(tokenHeader))
				s.refuseToken(w)
				return
			}
			s.tokens.Expire(r.URL.Query().Get("access_token"))
			s.refuse(w, tokenExpired, "")
		},
		RateLimit: func(w http.ResponseWriter, r *http.Request, _ fault.Action) { s.refuseQuota(w, r) },
	}
}

// isNew says whether a request is for the v1.0 API.
func isNew(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/v1.0/") }

// SetApp adds an app or changes the one of its key.
func (s *DingTalk) SetApp(a App) error {
	if a.AppKey == "" || a.AppSecret == "" || a.AgentID <= 0 {
		return fmt.Errorf("an app needs an appKey, an appSecret and an agentId")
	}
	for _, ip := range a.TrustedIPs {
		if _, err := netip.ParseAddr(ip); err != nil {
			return fmt.Errorf("app %s: trustedIPs: %w", a.AppKey, err)
		}
	}
	s.apps.Put(a)
	return nil
}

func (s *DingTalk) app(key string) (App, bool) { return s.apps.Get(key) }

// The three names of a person.
func userID(p desk.Person) string  { return cmp.Or(p.IDs["userid"], p.ID) }
func unionID(p desk.Person) string { return cmp.Or(p.IDs["unionId"], "union-"+p.ID) }
func openID(p desk.Person) string  { return cmp.Or(p.IDs["openId"], "open-"+p.ID) }

func (s *DingTalk) user(id string) (desk.Person, bool) {
	return s.people.Find(func(p desk.Person) bool { return userID(p) == id })
}

func (s *DingTalk) union(id string) (desk.Person, bool) {
	return s.people.Find(func(p desk.Person) bool { return unionID(p) == id })
}

// number is the number in an id, or 0.
func number(id string) int64 {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// ForgetTokens ends every token of an app.
func (s *DingTalk) ForgetTokens() { s.tokens.Clear() }

// Inbox is what the people see.
func (s *DingTalk) Inbox() *inbox.Box { return s.box }

// People are the members of the company.
func (s *DingTalk) People() *desk.People { return s.people }
