// Package journal remembers the requests that a simulator received, in order, so that a test can ask what was really
// sent. It is bounded, and it never keeps a password or a whole token.
package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// MaxBody bounds a request body; larger requests are answered with 413.
	MaxBody = 8 << 20
	// keptBody bounds what is remembered of a body.
	keptBody = 4 << 10
)

// Entry is one request. Status is 0 until the answer is complete, and stays 0 if the connection was cut.
type Entry struct {
	Seq     int64             `json:"seq"`
	Time    time.Time         `json:"time"`
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Query   string            `json:"query,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    string            `json:"body,omitempty"`
	Status  int               `json:"status"`
	User    string            `json:"user,omitempty"`
	Fault   string            `json:"fault,omitempty"`
}

// Journal is a ring of entries.
type Journal struct {
	now  func() time.Time
	mask func(path string) string

	mu   sync.Mutex
	seq  int64
	ring []*Entry
}

// New returns a journal of the last size requests. mask hides the secrets that a path may hold.
func New(size int, now func() time.Time, mask func(string) string) *Journal {
	return &Journal{now: now, mask: mask, ring: make([]*Entry, size)}
}

// keptHeaders are the headers worth remembering; the secret ones are cut short.
var keptHeaders = []string{
	"Accept", "Content-Type", "Soapaction", "Token", "Authorization", "X-Wlk-Authorization", "X-Acs-Dingtalk-Access-Token",
	"User-Agent", "Referer", "X-From", "Traceparent", "X-Forwarded-For", "X-Forwarded-Proto",
}

var secretHeaders = map[string]bool{
	"Token": true, "Authorization": true, "X-Wlk-Authorization": true, "X-Acs-Dingtalk-Access-Token": true,
}

type entryKey struct{}

type tracked struct {
	journal *Journal
	entry   *Entry
}

// Middleware records every request that next serves. It reads the whole (bounded) body first.
func (j *Journal) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
		e := j.begin(r, body)
		rec := &recorder{ResponseWriter: w}
		done := false
		defer func() {
			if done {
				j.update(e, func(e *Entry) { e.Status = rec.code() })
			}
		}()
		if err != nil {
			code := http.StatusBadRequest
			if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
				code = http.StatusRequestEntityTooLarge
			}
			http.Error(rec, http.StatusText(code), code)
			done = true
			return
		}
		r = r.WithContext(context.WithValue(r.Context(), entryKey{}, tracked{j, e}))
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(rec, r)
		done = true
	})
}

// SetUser notes on whose behalf the request of this context came.
func SetUser(ctx context.Context, user string) {
	if t, ok := ctx.Value(entryKey{}).(tracked); ok {
		t.journal.update(t.entry, func(e *Entry) { e.User = user })
	}
}

// SetFault notes which scripted fault struck the request of this context.
func SetFault(ctx context.Context, rule string) {
	if t, ok := ctx.Value(entryKey{}).(tracked); ok {
		t.journal.update(t.entry, func(e *Entry) { e.Fault = rule })
	}
}

// Entries returns copies of the remembered requests whose path starts with prefix, oldest first.
func (j *Journal) Entries(prefix string) []Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := []Entry{}
	for i := range j.ring {
		e := j.ring[(int(j.seq)+i)%len(j.ring)]
		if e != nil && strings.HasPrefix(e.Path, prefix) {
			out = append(out, *e)
		}
	}
	return out
}

// Clear forgets every request.
func (j *Journal) Clear() {
	j.mu.Lock()
	defer j.mu.Unlock()
	clear(j.ring)
}

// ServeHTTP is the control API: GET ?path=prefix&since=seq lists, DELETE forgets.
func (j *Journal) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
		since, _ := strconv.ParseInt(r.FormValue("since"), 10, 64)
		all := j.Entries(r.FormValue("path"))
		for len(all) > 0 && all[0].Seq <= since {
			all = all[1:]
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"entries": all})
	case http.MethodDelete:
		j.Clear()
		w.WriteHeader(http.StatusNoContent)
	default:
		http.Error(w, "use GET or DELETE", http.StatusMethodNotAllowed)
	}
}

func (j *Journal) begin(r *http.Request, body []byte) *Entry {
	e := &Entry{
		Time: j.now(), Method: r.Method, Path: j.mask(r.URL.EscapedPath()), Query: maskQuery(r.URL.RawQuery),
		Headers: map[string]string{}, Body: maskBody(body),
	}
	for _, h := range keptHeaders {
		v := r.Header.Get(h)
		if secretHeaders[h] {
			v = fingerprint(v)
		}
		if v != "" {
			e.Headers[h] = v
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.seq++
	e.Seq = j.seq
	j.ring[int(j.seq-1)%len(j.ring)] = e
	return e
}

func (j *Journal) update(e *Entry, change func(*Entry)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	change(e)
}

// recorder remembers the status code that was written.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(code int) {
	if r.status == 0 {
		r.status = code
	}
	r.ResponseWriter.WriteHeader(code)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *recorder) code() int {
	if r.status == 0 {
		return http.StatusOK
	}
	return r.status
}
