// Package portal has the web pages of a simulated OA that a person sees: signing in, the inbox, opening an item or an
// app, and confirming on the phone that a browser may sign in (QR login).
package portal

import (
	"crypto/rand"
	"embed"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/expiry"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/internal/oasim/journal"
	"github.com/oabridge/oabridge/internal/oasim/page"
)

//go:embed pages/*.html
var pageFiles embed.FS

var pages = page.Load(pageFiles)

const (
	sessionCookie = "oa_session"
	sessionLife   = 8 * time.Hour
	maxSessions   = 10_000
	// shownItems bounds the length of a list on a page.
	shownItems = 200
)

// Tile is an app on the first page.
type Tile struct {
	Code  string `json:"code"`
	Name  string `json:"name"`
	URL   string `json:"url"`             // where it leads on the PC
	H5URL string `json:"h5URL,omitempty"` // and on a phone; default URL
}

// Trip is a person on the way out of the OA to an item or an app.
type Trip struct {
	Person desk.Person
	Link   string
	Phone  bool
	Item   *inbox.Item // nil: an app
	Tile   *Tile       // nil: an item
}

// People are those who may sign in; *desk.People are some.
type People interface {
	All() []desk.Person
	Get(id string) (desk.Person, bool)
	Check(id, password string) (desk.Person, bool)
}

// Box is what they see; *inbox.Box is one.
type Box interface {
	Of(person string, state inbox.State) []inbox.Item
	ByID(id string) (inbox.Item, bool)
}

// Options configures the pages.
type Options struct {
	Desk   *desk.Desk
	People People
	Box    Box
	// Prefix of all pages, such as "/ekp"; "" puts them at the root.
	Prefix string
	Tiles  func() []Tile
	// Leave completes the link of a trip with whatever the OA adds to prove who comes; nil leaves it as it is.
	Leave func(r *http.Request, t Trip) (string, error)
}

// Portal is the pages of one simulator.
type Portal struct {
	Options
	sessions *expiry.Map[string]
	scans    *expiry.Map[scan]
}

// New returns the pages and lists them on the index.
func New(o Options) *Portal {
	if o.Tiles == nil {
		o.Tiles = func() []Tile { return nil }
	}
	p := &Portal{
		Options: o, sessions: expiry.New[string](o.Desk.Now, maxSessions), scans: expiry.New[scan](o.Desk.Now, maxScans),
	}
	o.Desk.Page("待办与已办 Inbox: sign in as a person and open an item", o.Prefix+"/inbox")
	return p
}

// Route serves the pages.
func (p *Portal) Route(mux *http.ServeMux) {
	mux.HandleFunc("GET "+p.Prefix+"/login", func(w http.ResponseWriter, r *http.Request) {
		p.loginPage(w, http.StatusOK, "", r.FormValue("next"))
	})
	mux.HandleFunc("POST "+p.Prefix+"/login", p.login)
	mux.HandleFunc("POST "+p.Prefix+"/logout", p.logout)
	mux.HandleFunc("GET "+p.Prefix+"/inbox", p.inboxPage)
	mux.HandleFunc("GET "+p.Prefix+"/open", p.open)
	mux.HandleFunc("GET "+p.Prefix+"/app", p.openApp)
}

// Problem tells a person in both languages why something cannot be done.
func (p *Portal) Problem(w http.ResponseWriter, status int, chinese, english string) {
	p.show(w, status, "problem.html", false, struct{ Prefix, Chinese, English string }{p.Prefix, chinese, english})
}

func (p *Portal) show(w http.ResponseWriter, status int, name string, phone bool, data any) {
	p.Desk.Show(w, pages, status, name, phone, data)
}

func (p *Portal) loginPage(w http.ResponseWriter, status int, wrong, next string) {
	people := p.People.All()
	p.show(w, status, "login.html", false, struct {
		Prefix, Wrong, Next string
		People              []desk.Person
	}{p.Prefix, wrong, local(next), people[:min(len(people), shownItems)]})
}

// local lets through only addresses of the simulator itself.
func local(next string) string {
	if strings.HasPrefix(next, "/") && !strings.HasPrefix(next, "//") && !strings.Contains(next, `\`) {
		return next
	}
	return ""
}

// login signs a person in: chosen from the list, or by id and password.
func (p *Portal) login(w http.ResponseWriter, r *http.Request) {
	person, ok := p.People.Get(r.PostFormValue("choose"))
	if !ok {
		person, ok = p.People.Check(r.PostFormValue("login"), r.PostFormValue("password"))
	}
	if !ok {
		p.loginPage(w, http.StatusUnauthorized, "登录名或密码不正确 Wrong login name or password", r.PostFormValue("next"))
		return
	}
	id := rand.Text()
	p.sessions.Put(id, person.ID, sessionLife)
	http.SetCookie(w, &http.Cookie{
		Name: sessionCookie, Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	next := local(r.PostFormValue("next"))
	if next == "" {
		next = p.Prefix + "/inbox"
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
}

func (p *Portal) logout(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(sessionCookie); err == nil {
		p.sessions.Take(c.Value)
	}
	http.Redirect(w, r, p.Prefix+"/login", http.StatusSeeOther)
}

// Known is the person who is signed in, if anybody is.
func (p *Portal) Known(r *http.Request) (desk.Person, bool) {
	c, err := r.Cookie(sessionCookie)
	if err != nil {
		return desk.Person{}, false
	}
	id, ok := p.sessions.Get(c.Value)
	if !ok {
		return desk.Person{}, false
	}
	person, ok := p.People.Get(id)
	if ok {
		journal.SetUser(r.Context(), id)
	}
	return person, ok
}

// Visitor is the person who is signed in; anybody else is sent to the login page and comes back afterwards.
func (p *Portal) Visitor(w http.ResponseWriter, r *http.Request) (desk.Person, bool) {
	if person, ok := p.Known(r); ok {
		return person, true
	}
	to := p.Prefix + "/login"
	if r.Method == http.MethodGet {
		to += "?next=" + url.QueryEscape(r.URL.RequestURI())
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return desk.Person{}, false
}
