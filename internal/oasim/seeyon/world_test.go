package seeyon

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// world is an OA with three people, on a clock that only the test moves.
type world struct {
	*Seeyon
	t   *testing.T
	now time.Time
	srv *httptest.Server
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)}
	oa, err := New(Options{
		RESTUsers: map[string]string{"fxiaoke": "p@ss/word"},
		Apps:      []App{{Code: "3004", Name: "纷享销客 CRM", LoginURL: "//sso.example/login/714439/false", H5LoginURL: "//sso.example/login/714439/true"}},
		People: []Person{
			{LoginName: "lisi", Name: "李四", Code: "E1002", Mobile: "13800001002", Email: "LiSi@corp.example", Password: "pw"},
			{LoginName: "wangwu", Name: "王五", Mobile: "13900000000"},
			{LoginName: "zhaoliu", Name: "赵六", Mobile: "13900000000"},
		},
		Bindings: []Binding{{RegisterCode: "3004", ThirdUserID: "1002", LoginName: "lisi"}},
		Now:      func() time.Time { return w.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Seeyon, w.srv = oa, httptest.NewServer(oa)
	t.Cleanup(w.srv.Close)
	return w
}

type answer struct {
	status int
	body   string
	header http.Header
}

func (w *world) do(method, path, body string, header ...string) answer {
	w.t.Helper()
	return w.doWith(noRedirects(nil), method, path, body, header...)
}

func noRedirects(jar http.CookieJar) *http.Client {
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (w *world) doWith(c *http.Client, method, path, body string, header ...string) answer {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.srv.URL+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := c.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{resp.StatusCode, string(b), resp.Header}
}

// token fetches one as the seed's script does.
func (w *world) token() string {
	w.t.Helper()
	a := w.do("GET", "/seeyon/rest/token/fxiaoke/p%40ss%2Fword", "", "Content-Type", "text/xml; charset=UTF-8")
	var out struct{ ID string }
	if err := json.Unmarshal([]byte(a.body), &out); err != nil || out.ID == "" || out.ID == "-1" {
		w.t.Fatalf("token: %d %s", a.status, a.body)
	}
	return out.ID
}

// push posts to a pending call with a fresh token and says whether the OA called it a success.
func (w *world) push(path, body string) (bool, []string) {
	w.t.Helper()
	a := w.do("POST", path, body, "token", w.token(), "Content-Type", "application/json")
	var out struct {
		Success   *bool
		ErrorMsgs []string
	}
	if err := json.Unmarshal([]byte(a.body), &out); err != nil || out.Success == nil || a.status != 200 {
		w.t.Fatalf("%s: %d %s", path, a.status, a.body)
	}
	return *out.Success, out.ErrorMsgs
}

// mustPush pushes something that must succeed.
func (w *world) mustPush(path, body string) {
	w.t.Helper()
	if ok, msgs := w.push(path, body); !ok {
		w.t.Fatalf("%s %s: %v", path, body, msgs)
	}
}

// browser is signed in as a person.
func (w *world) browser(login string) *http.Client {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	c := noRedirects(jar)
	a := w.doWith(c, "POST", "/seeyon/login", "choose="+login, "Content-Type", "application/x-www-form-urlencoded")
	if a.status != http.StatusSeeOther {
		w.t.Fatalf("login: %d %s", a.status, a.body)
	}
	return c
}
