package seeyon

import (
	"cmp"
	"context"
	"crypto/subtle"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/internal/oasim/portal"
)

// routePages serves the pages under /seeyon.
func (s *Seeyon) routePages(mux *http.ServeMux) {
	pages := portal.New(portal.Options{
		Desk: s.Desk, People: s.directory, Box: pageBox{s}, Prefix: "/seeyon", Tiles: s.tiles, Leave: s.leave,
	})
	pages.Route(mux)
	mux.Handle("GET /seeyon/{$}", http.RedirectHandler("/seeyon/inbox", http.StatusSeeOther))
}

func (s *Seeyon) tiles() []portal.Tile {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []portal.Tile
	for _, a := range s.apps {
		if a.LoginURL != "" || a.H5LoginURL != "" {
			out = append(out, portal.Tile{Code: a.Code, Name: a.Name, URL: a.LoginURL, H5URL: a.H5LoginURL})
		}
	}
	return out
}

// leave adds a fresh ticket: v5ticket to the address of an item (V5 authentication, SEED3), and to that of an app, after
// the handshake of the portal authentication if the app has one (SY-SSO).
func (s *Seeyon) leave(r *http.Request, t portal.Trip) (string, error) {
	code, param, check := "", "v5ticket", ""
	if t.Tile != nil {
		app, _ := s.app(t.Tile.Code)
		code, param, check = app.Code, cmp.Or(app.TicketParam, "ticket"), app.HandshakeURL
	} else {
		code, _ = t.Item.Fields["registerCode"].(string)
	}
	id, err := s.issueTicket(t.Person.ID, code)
	if err == nil && check != "" {
		if err = s.handshake(r.Context(), portal.WithParam(s.complete(check), param, id)); err != nil {
			err = fmt.Errorf("the app did not confirm the sign-in: %w", err)
		}
	}
	return portal.WithParam(s.complete(t.Link), param, id), err
}

// handshake shows the app the ticket, server to server; the app must answer SSOOK, in the body or, as older versions
// did, as the name of a header (SY-SSO, SY-CTP).
func (s *Seeyon) handshake(ctx context.Context, link string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return fmt.Errorf("it cannot be reached")
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if err != nil {
		return err
	}
	if _, inHeader := resp.Header[http.CanonicalHeaderKey("SSOOK")]; inHeader || strings.Contains(string(body), "SSOOK") {
		return nil
	}
	return fmt.Errorf("HTTP %d without SSOOK", resp.StatusCode)
}

// complete gives a protocol-relative link its scheme (SEED0 registers links that start with "//").
func (s *Seeyon) complete(link string) string {
	if strings.HasPrefix(link, "//") {
		return s.Settings().LinkScheme + ":" + link
	}
	return link
}

// All lists everybody as the pages want them.
func (d *directory) All() []desk.Person {
	d.mu.RLock()
	defer d.mu.RUnlock()
	out := make([]desk.Person, len(d.order))
	for i, login := range d.order {
		out[i] = d.people[login].page()
	}
	return out
}

// Get returns the person of a login name.
func (d *directory) Get(login string) (desk.Person, bool) {
	p, ok := d.person(login)
	return p.page(), ok
}

// Check returns the person of a login name if the password is theirs.
func (d *directory) Check(login, password string) (desk.Person, bool) {
	p, ok := d.person(login)
	return p.page(), ok && p.Password != "" && subtle.ConstantTimeCompare([]byte(p.Password), []byte(password)) == 1
}

func (p Person) page() desk.Person {
	return desk.Person{ID: p.LoginName, Name: p.Name, Code: p.Code, Mobile: p.Mobile, Email: p.Email}
}

// pageBox shows the items as the pages want them.
type pageBox struct{ *Seeyon }

func (b pageBox) Of(login string, state inbox.State) []inbox.Item {
	items := b.Inbox(login)
	if state == inbox.Done {
		items = b.Done(login)
	}
	out := make([]inbox.Item, len(items))
	for i, item := range items {
		out[i] = b.page(item)
	}
	return out
}

func (b pageBox) ByID(id string) (inbox.Item, bool) {
	item, ok := b.inbox.byID(id)
	return b.page(item), ok
}

func (b pageBox) page(item Item) inbox.Item {
	app, _ := b.app(item.RegisterCode)
	created, _ := time.Parse("2006-01-02 15:04:05"[:min(len(item.CreationDate), 19)], item.CreationDate) // checked when it came
	state := map[string]inbox.State{StateOpen: inbox.Open, StateDone: inbox.Done, StateRevoked: inbox.Gone}[item.State]
	return inbox.Item{ID: item.ID, Person: item.LoginName, Created: created, Content: inbox.Content{
		TaskID: item.TaskID, Kind: inbox.ToDo, Title: item.Title, Text: app.Name, Sender: item.SenderName, URL: item.URL, MobileURL: item.H5URL,
		State: state, Fields: map[string]any{"registerCode": item.RegisterCode},
	}}
}
