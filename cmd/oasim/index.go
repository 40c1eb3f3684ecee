package main

import (
	"cmp"
	"embed"
	"net"
	"net/http"

	"github.com/oabridge/oabridge/internal/oasim/page"
)

//go:embed pages/*.html
var pageFiles embed.FS

var pages = page.Load(pageFiles)

// index is the page that lists the simulators.
type index struct {
	entries []entry
	urls    map[string]string // where a browser finds them, by name
}

type entry struct {
	Name, Title string
	addr        net.Addr
}

type row struct{ Name, Title, URL string }

func (i index) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/healthz" {
		_, _ = w.Write([]byte("ok\n"))
		return
	}
	if r.URL.Path != "/" {
		http.NotFound(w, r)
		return
	}
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	var rows []row
	for _, e := range i.entries {
		_, port, _ := net.SplitHostPort(e.addr.String())
		rows = append(rows, row{e.Name, e.Title, cmp.Or(i.urls[e.Name], "http://"+net.JoinHostPort(host, port)+"/")})
	}
	pages.Write(w, http.StatusOK, "index.html", page.Frame{App: "OA Bridge", Theme: "generic", Data: rows})
}
