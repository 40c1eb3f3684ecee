// Package page gives the simulators' web pages one look: plain HTML, one inline style sheet, no scripts, nothing from
// outside.
package page

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"path"
)

//go:embed layout.html
var files embed.FS

// Set is the parsed pages of one simulator.
type Set struct{ pages map[string]*template.Template }

// Load parses every pages/*.html of an embedded file system on top of the common layout. Each file defines "title" and
// "main", and may define "top".
func Load(pages embed.FS) *Set {
	s := &Set{pages: map[string]*template.Template{}}
	names, err := fs.Glob(pages, "pages/*.html")
	if err != nil {
		panic(err)
	}
	for _, name := range names {
		s.pages[path.Base(name)] = template.Must(template.Must(template.ParseFS(files, "layout.html")).ParseFS(pages, name))
	}
	return s
}

// Frame is what the layout needs to know of every page.
type Frame struct {
	App   string // name of the system in the top bar
	Theme string // a class of layout.html; "" is blue
	Phone bool
	Data  any
}

// Write renders a page. Everything in Data is escaped.
func (s *Set) Write(w http.ResponseWriter, status int, name string, f Frame) {
	var b bytes.Buffer
	if err := s.pages[name].ExecuteTemplate(&b, "layout.html", f); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}
