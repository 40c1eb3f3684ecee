package seeyon

import (
	"crypto/rand"
	"crypto/subtle"
	"embed"
	"net/http"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/journal"
	"github.com/oabridge/oabridge/internal/oasim/page"
)

//go:embed pages/*.html
var pageFiles embed.FS

var pages = page.Load(pageFiles)

const (
	sessionCookie = "JSESSIONID"
	sessionLife   = 8 * time.Hour
	// shownItems bounds the length of a list on a page.
	shownItems = 200
)

func (s *Seeyon) routePages(mux *http.ServeMux) {
	mux.HandleFunc("GET /seeyon/{$}", s.inboxPage)
	mux.HandleFunc("GET /seeyon/login", func(w http.ResponseWriter, _ *http.Request) { s.loginPage(w, http.StatusOK, "") })
	mux.HandleFunc("POST /seeyon/login", s.login)
	mux.HandleFunc("POST /seeyon/logout", s.logout)
	mux.HandleFunc("GET /seeyon/inbox", s.inboxPage)
	mux.HandleFunc("GET /seeyon/open", s.open)
	mux.HandleFunc("GET /seeyon/app", s.openApp)
}

func (s *Seeyon) show(w http.ResponseWriter, status int, name string, phone bool, data any) {
	s.Show(w, pages, status, name, phone, data)
}

func (s *Seeyon) problem(w http.ResponseWriter, status int, chinese, english string) {
	s.show(w, status, "problem.html", false, struct{ Chinese, English string }{chinese, english})
}

func (s *Seeyon) loginPage(w http.ResponseWriter, status int, wrong string) {
	people := s.People()
	s.show(w, status, "login.html", false, struct {
		Wrong  string
		People []Person
	}{wrong, people[:min(len(people), shownItems)]})
}

// login signs a person in: chosen from the list, or by name and password.
func (s *Seeyon) login(w http.ResponseWriter, r *http.Request) {
	p, ok := s.directory.person(r.PostFormValue("choose"))
	if !ok {
		p, ok = s.directory.person(r.PostFormValue("login"))
		password := r.PostFormValue("password")
		ok = ok && p.Password != "" && subtle.ConstantTimeCompare([]byte(p.Password), []byte(password)) == 1
	}
	if !ok {
		s.loginPage(w, http.StatusUnauthorized, "登录名或密码不正确 Wrong login name or password")
		return
	}
	id := rand.Text()
	s.sessions.Put(id, p.LoginName, sessionLife)
	http.SetCookie(w, &http.Cookie{
		Name: sessionCookie, Value: id, Path: "/seeyon", HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	http.Redirect(w, r, "/seeyon/inbox", http.StatusSeeOther)
}

func (s *Seeyon) logout(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(sessionCookie); err == nil {
		s.sessions.Take(c.Value)
	}
	http.Redirect(w, r, "/seeyon/login", http.StatusSeeOther)
}

// visitor is the person who is signed in; nobody is sent to the login page.
func (s *Seeyon) visitor(w http.ResponseWriter, r *http.Request) (Person, bool) {
	if c, err := r.Cookie(sessionCookie); err == nil {
		if login, ok := s.sessions.Get(c.Value); ok {
			if p, ok := s.directory.person(login); ok {
				journal.SetUser(r.Context(), login)
				return p, true
			}
		}
	}
	http.Redirect(w, r, "/seeyon/login", http.StatusSeeOther)
	return Person{}, false
}

func onPhone(r *http.Request) bool { return r.FormValue("client") == "h5" }

type inboxView struct {
	Person           Person
	Apps             []App
	Client, Tab      string
	DoneTab          bool
	Open, Done, More int
	Items            []inboxRow
}

type inboxRow struct {
	Item
	AppName string
}

func (s *Seeyon) inboxPage(w http.ResponseWriter, r *http.Request) {
	p, ok := s.visitor(w, r)
	if !ok {
		return
	}
	open, done := s.Inbox(p.LoginName), s.Done(p.LoginName)
	v := inboxView{Person: p, Client: "pc", Tab: "todo", Open: len(open), Done: len(done)}
	if onPhone(r) {
		v.Client = "h5"
	}
	items := open
	if r.FormValue("tab") == "done" {
		v.Tab, v.DoneTab, items = "done", true, done
	}
	v.More = max(0, len(items)-shownItems)
	for _, item := range items[:len(items)-v.More] {
		app, _ := s.app(item.RegisterCode)
		v.Items = append(v.Items, inboxRow{item, app.Name})
	}
	s.mu.RLock()
	for _, a := range s.apps {
		if a.LoginURL != "" || a.H5LoginURL != "" {
			v.Apps = append(v.Apps, a)
		}
	}
	s.mu.RUnlock()
	s.show(w, http.StatusOK, "inbox.html", onPhone(r), v)
}
