package idp

import (
	"bytes"
	"crypto/rand"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/journal"
)

// Ticket returns a fresh service ticket for a person, as a sign-in at the CAS login page would.
func (p *Provider) Ticket(person, service string) (string, error) {
	if _, ok := p.People.Get(person); !ok {
		return "", fmt.Errorf("there is no person %q", person)
	}
	ticket := "ST-" + rand.Text()
	p.tickets.Put(ticket, grant{person: person, redirect: service}, time.Duration(p.Settings().TicketSeconds)*time.Second)
	return ticket, nil
}

// registered says whether a service, without its query, is the address of a client.
func (p *Provider) registered(service string) bool {
	bare, _, _ := strings.Cut(service, "?")
	p.mu.RLock()
	defer p.mu.RUnlock()
	return slices.ContainsFunc(p.clients, func(c Client) bool {
		return slices.Contains(c.RedirectURIs, service) || slices.Contains(c.RedirectURIs, bare)
	})
}

// casLogin sends a person who is signed in back to the service with a ticket.
func (p *Provider) casLogin(w http.ResponseWriter, r *http.Request) {
	service := r.URL.Query().Get("service")
	if !p.registered(service) {
		p.Portal.Problem(w, http.StatusForbidden, "未认证授权的服务。", "This service is not registered.")
		return
	}
	person, ok := p.Portal.Visitor(w, r)
	if !ok {
		return
	}
	ticket, err := p.Ticket(person.ID, service)
	if err != nil {
		p.Portal.Problem(w, http.StatusInternalServerError, "无法生成票据。", err.Error())
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, withQuery(service, url.Values{"ticket": {ticket}}), http.StatusFound)
}

// casValidate answers for a ticket, once, and only to the service that it was made for (CAS 2.0 and 3.0).
func (p *Provider) casValidate(w http.ResponseWriter, r *http.Request, attributes bool) {
	q := r.URL.Query()
	ticket, service := q.Get("ticket"), q.Get("service")
	if ticket == "" || service == "" {
		casFailure(w, "INVALID_REQUEST", "service and ticket parameters are both required")
		return
	}
	g, ok := p.tickets.Take(ticket)
	person, known := p.People.Get(g.person)
	switch {
	case !ok || !known:
		casFailure(w, "INVALID_TICKET", "Ticket "+ticket+" not recognized")
	case g.redirect != service:
		casFailure(w, "INVALID_SERVICE", "Ticket "+ticket+" does not match the supplied service")
	default:
		journal.SetUser(r.Context(), person.ID)
		more := ""
		if attributes {
			more = casAttributes(person)
		}
		casAnswer(w, "<cas:authenticationSuccess><cas:user>"+escape(person.ID)+"</cas:user>"+more+"</cas:authenticationSuccess>")
	}
}

func casAttributes(p desk.Person) string {
	var b strings.Builder
	b.WriteString("<cas:attributes>")
	for _, a := range [][2]string{{"name", p.Name}, {"code", p.Code}, {"mobile", p.Mobile}, {"email", p.Email}} {
		if a[1] != "" {
			b.WriteString("<cas:" + a[0] + ">" + escape(a[1]) + "</cas:" + a[0] + ">")
		}
	}
	b.WriteString("</cas:attributes>")
	return b.String()
}

func casFailure(w http.ResponseWriter, code, words string) {
	casAnswer(w, `<cas:authenticationFailure code="`+code+`">`+escape(words)+"</cas:authenticationFailure>")
}

func casAnswer(w http.ResponseWriter, inner string) {
	w.Header().Set("Content-Type", "application/xml;charset=UTF-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, `<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">`+inner+"</cas:serviceResponse>")
}

func escape(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}
