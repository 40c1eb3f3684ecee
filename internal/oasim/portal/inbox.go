package portal

import (
	"net/http"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
)

func onPhone(r *http.Request) bool { return r.FormValue("client") == "h5" }

type inboxView struct {
	Prefix           string
	Person           desk.Person
	Tiles            []Tile
	Client, Tab      string
	DoneTab          bool
	Open, Done, More int
	Items            []inbox.Item
}

func (p *Portal) inboxPage(w http.ResponseWriter, r *http.Request) {
	person, ok := p.Visitor(w, r)
	if !ok {
		return
	}
	open, done := p.Box.Of(person.ID, inbox.Open), p.Box.Of(person.ID, inbox.Done)
	v := inboxView{
		Prefix: p.Prefix, Person: person, Tiles: p.Tiles(), Client: "pc", Tab: "todo", Open: len(open), Done: len(done),
	}
	if onPhone(r) {
		v.Client = "h5"
	}
	items := open
	if r.FormValue("tab") == "done" {
		v.Tab, v.DoneTab, items = "done", true, done
	}
	v.More = max(0, len(items)-shownItems)
	v.Items = items[:len(items)-v.More]
	p.show(w, http.StatusOK, "inbox.html", onPhone(r), v)
}

// open sends the browser to an item's own address.
func (p *Portal) open(w http.ResponseWriter, r *http.Request) {
	person, ok := p.Visitor(w, r)
	if !ok {
		return
	}
	item, ok := p.Box.ByID(r.FormValue("id"))
	if !ok || item.Person != person.ID || item.State == inbox.Gone {
		p.Problem(w, http.StatusNotFound, "该事项不存在或已被撤销。", "This item does not exist or was revoked.")
		return
	}
	p.leave(w, r, Trip{Person: person, Link: pick(r, item.URL, item.MobileURL), Phone: onPhone(r), Item: &item})
}

// openApp sends the browser to an app.
func (p *Portal) openApp(w http.ResponseWriter, r *http.Request) {
	person, ok := p.Visitor(w, r)
	if !ok {
		return
	}
	for _, tile := range p.Tiles() {
		if tile.Code == r.FormValue("code") {
			p.leave(w, r, Trip{Person: person, Link: pick(r, tile.URL, tile.H5URL), Phone: onPhone(r), Tile: &tile})
			return
		}
	}
	p.Problem(w, http.StatusNotFound, "没有这个应用。", "There is no such app.")
}

func (p *Portal) leave(w http.ResponseWriter, r *http.Request, t Trip) {
	if t.Link == "" {
		p.Problem(w, http.StatusNotFound, "没有可以打开的链接。", "There is no link to open.")
		return
	}
	link := t.Link
	if p.Leave != nil {
		var err error
		if link, err = p.Leave(r, t); err != nil {
			p.Problem(w, http.StatusBadGateway, "无法打开。", "It cannot be opened: "+err.Error())
			return
		}
	}
	w.Header().Set("Location", link)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusFound)
}

// pick chooses the link of the client, or the only one there is.
func pick(r *http.Request, pc, h5 string) string {
	if onPhone(r) && h5 != "" || pc == "" {
		return h5
	}
	return pc
}
