package report

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"
)

// MaxWait bounds how long a request may wait for a change.
const MaxWait = 60 * time.Second

// Publisher holds the current report of a process and serves it.
type Publisher struct {
	mu      sync.Mutex
	body    []byte
	etag    string
	changed chan struct{}
}

// NewPublisher returns a Publisher with a first report.
func NewPublisher(first Report) *Publisher {
	p := &Publisher{changed: make(chan struct{})}
	p.Publish(first)
	return p
}

// Publish replaces the report and wakes those who wait, if it differs from the last one.
func (p *Publisher) Publish(r Report) {
	body, err := json.Marshal(r)
	if err != nil {
		panic("report: a Report is always JSON: " + err.Error())
	}
	sum := sha256.Sum256(body)
	etag := `"` + hex.EncodeToString(sum[:8]) + `"`

	p.mu.Lock()
	defer p.mu.Unlock()
	if etag == p.etag {
		return
	}
	p.body, p.etag = body, etag
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *Publisher) current() (body []byte, etag string, changed <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.body, p.etag, p.changed
}

// ServeHTTP answers the report; with ?wait=DURATION and If-None-Match it waits for another one first.
func (p *Publisher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, etag, changed := p.current()
	if wait, err := time.ParseDuration(r.URL.Query().Get("wait")); err == nil && wait > 0 && etag == r.Header.Get("If-None-Match") {
		timer := time.NewTimer(min(wait, MaxWait))
		defer timer.Stop()
		select {
		case <-changed:
			body, etag, _ = p.current()
		case <-timer.C:
		case <-r.Context().Done():
			return
		}
	}
	w.Header().Set("ETag", etag)
	w.Header().Set("Cache-Control", "no-store")
	if strings.TrimSpace(r.Header.Get("If-None-Match")) == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}
