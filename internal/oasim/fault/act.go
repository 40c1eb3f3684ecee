package fault

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/journal"
)

// Vendor tells how one simulator's wire format expresses the failures that differ from vendor to vendor. A nil
// function makes its kind a no-op, but for two: without Swallow the request is served as usual, and the simulator asks
// Swallows before it stores something; without RateLimit the answer is a plain 429.
type Vendor struct {
	Describe  func(r *http.Request, body []byte) []Subject
	Business  func(w http.ResponseWriter, r *http.Request, a Action)
	Swallow   func(w http.ResponseWriter, r *http.Request)
	Expire    func(w http.ResponseWriter, r *http.Request)
	RateLimit func(w http.ResponseWriter, r *http.Request, a Action)
}

const htmlPage = "<!DOCTYPE html><html><head><title>登录 Sign in</title></head>" +
	"<body><h1>请先登录</h1><p>Please sign in.</p></body></html>"

// Middleware applies the script before (or, with After, instead of the answer of) next.
func (s *Set) Middleware(v Vendor, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rule := s.pick(r.Method, r.URL.Path, func() []Subject { return describe(v, r) })
		if rule == nil {
			next.ServeHTTP(w, r)
			return
		}
		journal.SetFault(r.Context(), rule.ID)
		if rule.Action.After {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			next.ServeHTTP(discard{http.Header{}}, r)
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		rule.act(v, w, r, next)
	})
}

type swallowKey struct{}

// Swallows says that the request of this context shall be answered as a success and have no effect.
func Swallows(ctx context.Context) bool { return ctx.Value(swallowKey{}) != nil }

func describe(v Vendor, r *http.Request) []Subject {
	if v.Describe == nil {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil {
		return nil
	}
	return v.Describe(r, body)
}

func (a *armed) act(v Vendor, w http.ResponseWriter, r *http.Request, next http.Handler) {
	if a.Action.DelayMillis > 0 && !a.wait(r, time.Duration(a.Action.DelayMillis)*time.Millisecond) {
		panic(http.ErrAbortHandler)
	}
	switch {
	case a.Action.Kind == Hang:
		a.wait(r, 0)
		panic(http.ErrAbortHandler)
	case a.Action.Kind == Close:
		panic(http.ErrAbortHandler)
	case a.Action.Kind == Status:
		answer(w, a.Action.Status, "text/plain; charset=utf-8", a.Action)
	case a.Action.Kind == HTML:
		page := a.Action
		if page.Body == "" {
			page.Body = htmlPage
		}
		answer(w, max(page.Status, http.StatusOK), "text/html; charset=utf-8", page)
	case a.Action.Kind == Business && v.Business != nil:
		v.Business(w, r, a.Action)
	case a.Action.Kind == Swallow && v.Swallow != nil:
		v.Swallow(w, r)
	case a.Action.Kind == Swallow:
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), swallowKey{}, true)))
	case a.Action.Kind == RateLimit && v.RateLimit != nil:
		v.RateLimit(w, r, a.Action)
	case a.Action.Kind == RateLimit:
		answer(w, http.StatusTooManyRequests, "text/plain; charset=utf-8", a.Action)
	case a.Action.Kind == ExpireToken && v.Expire != nil:
		v.Expire(w, r)
	case !a.Action.After:
		next.ServeHTTP(w, r)
	}
}

// wait lasts for d (0: for ever) and says whether the client is still there; removing the rule ends it early.
func (a *armed) wait(r *http.Request, d time.Duration) bool {
	var over <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		over = t.C
	}
	select {
	case <-over:
	case <-a.gone:
	case <-r.Context().Done():
		return false
	}
	return true
}

func answer(w http.ResponseWriter, status int, contentType string, a Action) {
	w.Header().Set("Content-Type", contentType)
	if a.RetryAfter != "" {
		w.Header().Set("Retry-After", a.RetryAfter)
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, a.Body)
}

// discard is where an answer goes that nobody shall see.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}
