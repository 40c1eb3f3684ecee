package conformance

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"

	"github.com/oabridge/oabridge/internal/dispatch/lookup"
	"github.com/oabridge/oabridge/internal/report"
	"github.com/oabridge/oabridge/test/canary"
)

// parrot is an OA that can be made to fail in the worst way: each answer repeats the whole request, as debug pages of
// application servers do.
type parrot struct {
	http.Handler

	repeats atomic.Bool
	heard   canary.Book
}

// telling are names of headers and parameters whose values are secrets that the OA itself issued.
var telling = regexp.MustCompile(`(?i)token|auth|secret|ticket`)

// least is the length of a secret: shorter values of such headers are words.
const least = 12

func (p *parrot) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, values := range []map[string][]string{r.Header, r.URL.Query()} {
		for name, list := range values {
			for _, value := range list {
				_, bare, found := strings.Cut(value, " ") // Bearer, Basic
				if !found {
					bare = value
				}
				if telling.MatchString(name) && len(bare) >= least {
					p.heard.Note("the "+name+" "+bare[:4], bare)
				}
			}
		}
	}
	if !p.repeats.Load() {
		p.Handler.ServeHTTP(w, r)
		return
	}
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("X-Debug", r.URL.String())
	w.WriteHeader(http.StatusInternalServerError)
	_, _ = fmt.Fprintf(w, "%s %s\n%v\n%s\n%s\n", r.Method, r.URL, r.Header, r.URL.RawQuery, body)
	_ = r.Header.Write(w)
	if text, err := url.QueryUnescape(string(body)); err == nil {
		_, _ = io.WriteString(w, text)
	}
}

// repeatedSecrets: an OA that repeats what it was sent, at the push and at the sign-in of the connector, gives no secret away:
// what is logged, kept, shown and traced has none. // TM-22
func repeatedSecrets(r *run) {
	r.parrot.repeats.Store(true)
	r.send(r.todo("created", 1))
	r.recorded(r.task, "the push failed", func(found []lookup.Record) bool { return len(found) > 0 })
	r.stop(r.T)
	r.start(r.T) // without a token
	r.until(r.T, "the OA is out of order", func(x report.Report) bool { return x.OA != nil && x.OA.State == "False" })
	r.discreet()
	r.parrot.repeats.Store(false)
	r.settled(r.task, 1)
	r.only(r.task)
	r.discreet()
}

// discreet looks for secrets in everything that is logged, kept, shown or traced.
func (r *run) discreet() {
	r.Helper()
	book := &r.parrot.heard
	for name, value := range map[string]string{"the secret": secret, "the wrong secret": wrongSecret, "the token of events": eventToken, "the token of peers": peerToken} {
		book.Note(name, value)
	}
	write := func(place, text string) {
		if text == "" {
			r.Errorf("%s is empty: there is nothing to search", place)
		}
		_, _ = io.WriteString(book.Writer(place), text)
	}
	for part, paths := range map[string][]string{"local": {"/records?limit=1000", "/dead"}, "admin": {"/report", "/metrics"}} {
		for _, path := range paths {
			req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, r.url(part)+path, nil)
			if err != nil {
				r.Fatal(err)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				r.Fatal(err)
			}
			text, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if err != nil || resp.StatusCode != http.StatusOK {
				r.Fatalf("%s: %d %v", path, resp.StatusCode, err)
			}
			write(path, string(text))
		}
	}
	write("the log", r.logs.text())
	write("the collector", r.collector.Raw())
	var store bytes.Buffer
	if err := filepath.WalkDir(filepath.Join(r.dir, "store"), func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil //nolint:nilerr // files come and go while the dispatcher runs
		}
		if text, err := os.ReadFile(path); err == nil {
			store.Write(text)
		}
		return nil
	}); err != nil {
		r.Fatal(err)
	}
	write("the store", store.String())
	for _, found := range book.Found() {
		r.Error(found)
	}
}
