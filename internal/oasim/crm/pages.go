package crm

import (
	"crypto/rand"
	"embed"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/journal"
	"github.com/oabridge/oabridge/internal/oasim/page"
)

//go:embed pages/*.html
var pageFiles embed.FS

var pages = page.Load(pageFiles)

const (
	sessionCookie = "crm_session"
	sessionLife   = 8 * time.Hour
	shownToDos    = 50
	keptLogins    = 1000
)

func (c *CRM) routePages(mux *http.ServeMux) {
	mux.HandleFunc("GET /login", c.enter)
	mux.HandleFunc("GET /oidc/login", c.beginOpenID)
	mux.HandleFunc("GET /oidc/callback", c.finishOpenID)
	mux.HandleFunc("POST /logout", c.leave)
	for _, prefix := range []string{"", "/h5"} {
		mux.HandleFunc("GET "+prefix+"/home", c.homePage)
		mux.HandleFunc("GET "+prefix+"/record/{apiName}/{dataId}", c.recordPage)
	}
}

func show(w http.ResponseWriter, status int, name string, phone bool, data any) {
	pages.Write(w, status, name, page.Frame{App: "纷享 CRM", Theme: "crm", Phone: phone, Data: data})
}

// LoginAttempt is one visit to the login endpoint. Code is empty if it let the person in.
type LoginAttempt struct {
	Time    time.Time `json:"time"`
	Account string    `json:"account,omitempty"`
	Path    string    `json:"path,omitempty"`
	Code    string    `json:"code,omitempty"`
}

type loginLog struct {
	mu   sync.Mutex
	list []LoginAttempt
}

func (l *loginLog) add(a LoginAttempt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.list) >= keptLogins {
		l.list = append(l.list[:0], l.list[1:]...)
	}
	l.list = append(l.list, a)
}

// Logins returns the last attempts, oldest first.
func (c *CRM) Logins() []LoginAttempt {
	c.logins.mu.Lock()
	defer c.logins.mu.Unlock()
	return append([]LoginAttempt{}, c.logins.list...)
}

// enter takes whoever arrives at the login address, in the way that the address shows.
func (c *CRM) enter(w http.ResponseWriter, r *http.Request) {
	query, login := r.URL.Query(), c.Login()
	var (
		person  Person
		where   Destination
		refused *refusal
	)
	switch {
	case login.SharedKey != "" && query.Has("sig"):
		person, where, refused = c.verifyAddress(login, r.URL.RawQuery)
	case login.RedeemURL != "" && query.Has("code"):
		person, where, refused = c.redeem(r.Context(), login, query.Get("code"))
	default:
		person, where, refused = c.verify(r.Context(), query.Get("token"))
	}
	c.letIn(w, r, person, where, refused)
}

// letIn gives the browser a new session in the place of any old one, and sends it on to an address without the proof.
func (c *CRM) letIn(w http.ResponseWriter, r *http.Request, person Person, where Destination, refused *refusal) {
	if refused != nil {
		c.logins.add(LoginAttempt{Time: c.Now(), Code: refused.Code})
		refused.write(w, false)
		return
	}
	if old, err := r.Cookie(sessionCookie); err == nil {
		c.sessions.Take(old.Value)
	}
	journal.SetUser(r.Context(), person.Account)
	c.logins.add(LoginAttempt{Time: c.Now(), Account: person.Account, Path: where.path()})
	id := rand.Text()
	c.sessions.Put(id, person, sessionLife)
	c.setCookie(w, r, id, 0)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, where.path(), http.StatusSeeOther)
}

func (c *CRM) setCookie(w http.ResponseWriter, r *http.Request, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: sessionCookie, Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: c.overTLS(r),
	})
}

// overTLS reports whether the browser speaks TLS with the CRM, or with what stands in front of it.
func (c *CRM) overTLS(r *http.Request) bool {
	return c.secureCookie || r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https"
}

func (c *CRM) leave(w http.ResponseWriter, r *http.Request) {
	if old, err := r.Cookie(sessionCookie); err == nil {
		c.sessions.Take(old.Value)
	}
	c.setCookie(w, r, "", -1)
	http.Redirect(w, r, "/home", http.StatusSeeOther)
}

func onPhone(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/h5/") }

// visitor is the person who is logged in; anybody else is told to log in.
func (c *CRM) visitor(w http.ResponseWriter, r *http.Request) (Person, bool) {
	if cookie, err := r.Cookie(sessionCookie); err == nil {
		if p, ok := c.sessions.Get(cookie.Value); ok {
			journal.SetUser(r.Context(), p.Account)
			return p, true
		}
	}
	refuseSession.write(w, onPhone(r))
	return Person{}, false
}

type homeView struct {
	Person Person
	Prefix string
	ToDos  []Record
}

func (c *CRM) homePage(w http.ResponseWriter, r *http.Request) {
	p, ok := c.visitor(w, r)
	if !ok {
		return
	}
	v := homeView{Person: p, ToDos: c.records.open(p.Account)}
	v.ToDos = v.ToDos[:min(len(v.ToDos), shownToDos)]
	if onPhone(r) {
		v.Prefix = "/h5"
	}
	show(w, http.StatusOK, "home.html", onPhone(r), v)
}

type recordView struct {
	Person Person
	Prefix string
	Object Object
	Name   string
	Record *Record
}

func (c *CRM) recordPage(w http.ResponseWriter, r *http.Request) {
	p, ok := c.visitor(w, r)
	if !ok {
		return
	}
	v := recordView{Person: p, Object: Object{r.PathValue("apiName"), r.PathValue("dataId")}}
	v.Name = headings[v.Object.APIName]
	if rec, ok := c.records.get(v.Object); ok {
		v.Record = &rec
		v.Name = rec.ToDo.Heading
	}
	if v.Name == "" {
		v.Name = "业务记录"
	}
	if onPhone(r) {
		v.Prefix = "/h5"
	}
	show(w, http.StatusOK, "record.html", onPhone(r), v)
}
