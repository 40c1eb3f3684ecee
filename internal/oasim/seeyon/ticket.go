package seeyon

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/oabridge/oabridge/internal/oasim/journal"
)

// ticket vouches for one person who is on the way to one app.
type ticket struct{ login, registerCode string }

// IssueTicket returns a fresh ticket for a person.
func (s *Seeyon) IssueTicket(login string) (string, error) { return s.issueTicket(login, "") }

func (s *Seeyon) issueTicket(login, registerCode string) (string, error) {
	if _, ok := s.directory.person(login); !ok {
		return "", fmt.Errorf("there is no person %q", login)
	}
	id := rand.Text()
	s.tickets.Put(id, ticket{login, registerCode}, s.Settings().ticketLife())
	return id, nil
}

// routeTickets serves the verification of tickets: by GET, and by POST with the ticket in the query (SY-C3).
func (s *Seeyon) routeTickets(mux *http.ServeMux) {
	mux.HandleFunc("/seeyon/thirdpartyController.do", func(w http.ResponseWriter, r *http.Request) {
		if s.Settings().SSOPath == "old" {
			http.NotFound(w, r)
			return
		}
		s.verify(w, r, r.FormValue("ticket"))
	})
	mux.HandleFunc("/seeyon/login/sso", func(w http.ResponseWriter, r *http.Request) {
		if s.Settings().SSOPath == "new" || r.FormValue("from") != "m3token" {
			http.NotFound(w, r)
			return
		}
		s.verify(w, r, r.FormValue("token"))
	})
}

// verify answers with the login name of a ticket, in the header LoginName (SY-SSO) or the body (SY-NB), and spends the
// ticket.
func (s *Seeyon) verify(w http.ResponseWriter, r *http.Request, id string) {
	settings := s.Settings()
	get := s.tickets.Take
	if settings.ReusableTickets {
		get = s.tickets.Get
	}
	t, ok := get(id)
	p, known := s.directory.person(t.login)
	w.Header().Set("Content-Type", "text/html;charset=UTF-8")
	w.Header().Set("Cache-Control", "no-store")
	if !ok || !known {
		if settings.BadTicket == "error" {
			_, _ = io.WriteString(w, "error")
		}
		return
	}
	journal.SetUser(r.Context(), p.LoginName)
	name, mapped := "", false
	if settings.MappedLogin {
		name, mapped = s.directory.mapped(t.registerCode, p.LoginName)
	}
	if !mapped {
		name = p.LoginName
	}
	name = headerSafe(name)
	if settings.TicketAnswer != "body" {
		w.Header().Set("LoginName", name)
		if !mapped {
			w.Header().Set("MemberId", headerSafe(p.Code))
			w.Header().Set("MemberName", headerSafe(p.Name))
		}
	}
	if settings.TicketAnswer != "header" {
		_, _ = io.WriteString(w, name+"\r\n")
	}
}

// headerSafe leaves plain names alone and URL-encodes those that a header cannot carry.
func headerSafe(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return url.QueryEscape(s)
	}
	return s
}
