package fault

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// start serves "ok" behind the script; the body of a request is its title.
func start(t *testing.T, s *Set) (*httptest.Server, *atomic.Int32) {
	t.Helper()
	served := new(atomic.Int32)
	v := Vendor{
		Describe: func(_ *http.Request, body []byte) []Subject { return []Subject{{TaskID: "T1", Title: string(body)}} },
		Business: func(w http.ResponseWriter, r *http.Request, a Action) {
			body, _ := io.ReadAll(r.Body)
			_, _ = io.WriteString(w, "business:"+a.Code+":"+strings.Join(a.ErrorMsgs, ",")+":"+string(body))
		},
		Expire: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
	}
	srv := httptest.NewServer(s.Middleware(v, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if Swallows(r.Context()) {
			_, _ = io.WriteString(w, "swallowed")
			return
		}
		served.Add(1)
		_, _ = io.Copy(w, r.Body)
	})))
	t.Cleanup(srv.Close)
	t.Cleanup(s.Clear)
	return srv, served
}

func post(ctx context.Context, t *testing.T, url, body string) (int, string, http.Header, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, "POST", url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), resp.Header, err
}

func TestAnswers(t *testing.T) {
	for _, tc := range []struct {
		name   string
		action Action
		status int
		body   string
		served int32
	}{
		{"status", Action{Kind: Status, Status: 503, Body: "busy", RetryAfter: "7"}, 503, "busy", 0},
		{"delay", Action{Kind: Delay, DelayMillis: 1}, 200, "hello", 1},
		{"html", Action{Kind: HTML}, 200, htmlPage, 0},
		{"html with a status", Action{Kind: HTML, Status: 502, Body: "<p>"}, 502, "<p>", 0},
		{"business", Action{Kind: Business, Code: "7", ErrorMsgs: []string{"a", "b"}}, 200, "business:7:a,b:hello", 0},
		{"business after the work", Action{Kind: Business, After: true}, 200, "business:::hello", 1},
		{"rate limit", Action{Kind: RateLimit, RetryAfter: "3"}, 429, "", 0},
		{"swallow", Action{Kind: Swallow}, 200, "swallowed", 0},
		{"expired token", Action{Kind: ExpireToken}, 401, "", 0},
		{"answer lost after the work", Action{Kind: Status, Status: 500, After: true}, 500, "", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var s Set
			srv, served := start(t, &s)
			if _, err := s.Add(Rule{Times: 1, Action: tc.action}); err != nil {
				t.Fatal(err)
			}
			status, body, header, err := post(t.Context(), t, srv.URL, "hello")
			if err != nil || status != tc.status || body != tc.body || served.Load() != tc.served {
				t.Fatalf("got %d %q served %d, %v", status, body, served.Load(), err)
			}
			if header.Get("Retry-After") != tc.action.RetryAfter {
				t.Errorf("Retry-After = %q", header.Get("Retry-After"))
			}
			if status, body, _, _ = post(t.Context(), t, srv.URL, "again"); status != 200 || body != "again" {
				t.Errorf("after its times the rule still acts: %d %q", status, body)
			}
		})
	}
}

func TestClose(t *testing.T) {
	var s Set
	srv, _ := start(t, &s)
	_, _ = s.Add(Rule{Action: Action{Kind: Close}})
	if _, _, _, err := post(t.Context(), t, srv.URL, ""); err == nil {
		t.Fatal("the connection was not closed")
	}
}

func TestHangEndsWithTheClientOrTheRule(t *testing.T) {
	var s Set
	srv, served := start(t, &s)
	_, _ = s.Add(Rule{Action: Action{Kind: Hang}})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, _, _, err := post(ctx, t, srv.URL, ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("err = %v", err)
	}
	done := make(chan error, 1)
	go func() {
		_, _, _, err := post(t.Context(), t, srv.URL, "")
		done <- err
	}()
	for s.List()[0].Used < 2 {
		runtime.Gosched()
	}
	s.Clear()
	if err := <-done; err == nil || served.Load() != 0 {
		t.Fatalf("a hanging request was served (%d), %v", served.Load(), err)
	}
}

func TestMatch(t *testing.T) {
	rule := Rule{Match: Match{Method: "post", Path: "/a/", TaskID: "T1", Title: "永久失败"}, Action: Action{Kind: Status, Status: 500}}
	for _, tc := range []struct {
		path, title string
		want        int
	}{
		{"/a/x", "「永久失败」合同", 500},
		{"/a/x", "合同", 200},
		{"/b", "永久失败", 200},
	} {
		var s Set
		srv, _ := start(t, &s)
		_, _ = s.Add(rule)
		if got, body, _, err := post(t.Context(), t, srv.URL+tc.path, tc.title); got != tc.want || err != nil {
			t.Errorf("%s %q = %d %q %v", tc.path, tc.title, got, body, err)
		} else if got == 200 && body != tc.title {
			t.Errorf("the body was lost on the way: %q", body)
		}
	}
}

func TestControl(t *testing.T) {
	var s Set
	call := func(method, target, body string) (int, string) {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(method, target, strings.NewReader(body)))
		return w.Code, strings.TrimSpace(w.Body.String())
	}
	for _, tc := range []struct {
		method, target, body string
		status               int
		want                 string
	}{
		{"GET", "/", "", 200, `{"rules":[]}`},
		{"POST", "/", `{"times":2,"action":{"kind":"close"}}`, 201, `{"id":"f1","match":{},"times":2,"action":{"kind":"close"},"used":0}`},
		{"POST", "/", `{"action":{"kind":"explode"}}`, 400, ""},
		{"POST", "/", `{"action":{"kind":"status","status":99}}`, 400, ""},
		{"POST", "/", `{"match":{"title":"("},"action":{"kind":"close"}}`, 400, ""},
		{"POST", "/", `{"mach":{},"action":{"kind":"close"}}`, 400, ""},
		{"PUT", "/", `{"rules":[{"action":{"kind":"bad"}}]}`, 400, ""},
		{"PUT", "/", `{"rules":[{"id":"x","match":{"path":"/p"},"action":{"kind":"hang"}}]}`, 200, `{"rules":[{"id":"x","match":{"path":"/p"},"action":{"kind":"hang"},"used":0}]}`},
		{"POST", "/", `{"id":"x","action":{"kind":"close"}}`, 400, ""},
		{"DELETE", "/?id=y", "", 400, ""},
		{"DELETE", "/?id=x", "", 204, ""},
		{"DELETE", "/", "", 204, ""},
		{"PATCH", "/", "", 405, ""},
	} {
		if code, body := call(tc.method, tc.target, tc.body); code != tc.status || (tc.want != "" && body != tc.want) {
			t.Errorf("%s %s %s = %d %s", tc.method, tc.target, tc.body, code, body)
		}
	}
}
