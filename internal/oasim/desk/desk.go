// Package desk is what every simulator has besides its wire format: a script of faults, a journal of requests, a clock
// that can be moved, and a control API with an index page over them. A simulator embeds a Desk, mounts its wire
// handlers and adds what is its own to the control API.
package desk

import (
	"embed"
	"net/http"
	"sync"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/journal"
	"github.com/oabridge/oabridge/internal/oasim/page"
)

//go:embed pages/*.html
var pageFiles embed.FS

var pages = page.Load(pageFiles)

// defaultJournal is how many requests are remembered.
const defaultJournal = 5000

// Options names a simulator.
type Options struct {
	App     string // name of the simulated system, for the top bar of its pages
	English string // one sentence: what is simulated
	Theme   string // colours of the pages, see package page

	Now         func() time.Time         // default time.Now
	JournalSize int                      // default 5000 requests
	MaskPath    func(path string) string // hides the secrets that a path may hold
}

// Desk is the common part of one simulator. It serves everything that was mounted on it.
type Desk struct {
	Options
	clock   *Clock
	faults  fault.Set
	journal *journal.Journal
	mux     *http.ServeMux

	mu    sync.RWMutex
	links []link
}

// link is a line of the index page.
type link struct {
	Title, Path string
	JSON        bool
}

// New returns a desk that serves the index page, /healthz and, under /_sim, faults, journal and clock.
func New(o Options) *Desk {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.JournalSize <= 0 {
		o.JournalSize = defaultJournal
	}
	if o.MaskPath == nil {
		o.MaskPath = func(path string) string { return path }
	}
	d := &Desk{Options: o, clock: NewClock(o.Now), mux: http.NewServeMux()}
	d.journal = journal.New(o.JournalSize, d.Now, o.MaskPath)
	d.mux.HandleFunc("GET /{$}", d.index)
	d.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	d.mux.Handle("/_sim/faults", &d.faults)
	d.mux.Handle("/_sim/journal", d.journal)
	d.links = []link{
		{"故障 Faults", "/_sim/faults", true}, {"请求日志 Journal", "/_sim/journal", true}, {"时钟 Clock", "/_sim/clock", true},
	}
	d.clock.serve(d)
	return d
}

// ServeHTTP serves the simulator.
func (d *Desk) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.mux.ServeHTTP(w, r) }

// Mount serves a wire handler under a prefix; what comes in is journaled and may be struck by a fault.
func (d *Desk) Mount(prefix string, v fault.Vendor, wire http.Handler) {
	d.mux.Handle(prefix, d.journal.Middleware(d.faults.Middleware(v, wire)))
}

// Now is the simulator's time.
func (d *Desk) Now() time.Time { return d.clock.Now() }

// Clock moves the simulator's time.
func (d *Desk) Clock() *Clock { return d.clock }

// Faults is the script of failures.
func (d *Desk) Faults() *fault.Set { return &d.faults }

// Journal is the log of requests.
func (d *Desk) Journal() *journal.Journal { return d.journal }

// Close lets go of the requests that faults hold back.
func (d *Desk) Close() { d.faults.Clear() }

// Show renders one of a simulator's pages under its name and in its colours.
func (d *Desk) Show(w http.ResponseWriter, set *page.Set, status int, name string, phone bool, data any) {
	set.Write(w, status, name, page.Frame{App: d.App, Theme: d.Theme, Phone: phone, Data: data})
}

// Page puts a page of the simulator at the top of the index.
func (d *Desk) Page(title, path string) { d.addLink(link{title, path, false}) }

func (d *Desk) addLink(l link) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.links = append(d.links, l)
}

func (d *Desk) index(w http.ResponseWriter, _ *http.Request) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	d.Show(w, pages, http.StatusOK, "index.html", false, struct {
		App, English string
		Links        []link
	}{d.App, d.English, d.links})
}
