package welink

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/internal/oasim/org"
)

// world is a WeLink with two tenants, on a clock that only the test moves.
type world struct {
	*WeLink
	t   *testing.T
	now time.Time
	srv *httptest.Server
}

const callback = "https://sso.crm.example/welink/callback"

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)}
	oa, err := New(Options{
		Tenants: []Tenant{{ID: "T-A", Name: "团队A", Departments: org.Tree{
			{ID: "1", ParentID: "0", Name: "团队A", Members: []string{"lina"}},
			{ID: "2", ParentID: "1", Name: "销售部", NameEN: "Sales", Members: []string{"wangfang", "hidden", "liuyang"}},
		}}, {ID: "T-B", Name: "团队B"}},
		Apps: []App{
			{ClientID: "crm", ClientSecret: "secret-of-crm", Name: "CRM", HomeURL: "https://sso.crm.example/home?x=1", RedirectURIs: []string{callback}},
			{ClientID: "crm-b", ClientSecret: "secret-of-crm-b", Name: "CRM", TenantID: "T-B", RedirectURIs: []string{callback}},
		},
		People: []desk.Person{
			{ID: "lina", Name: "李娜", Code: "E1001", Mobile: "13800001001", Email: "lina@corp.example"},
			{ID: "wangfang", Name: "王芳"}, {ID: "liuyang", Name: "刘洋"},
			{ID: "hidden", Name: "不可见", Mobile: "13800001009", OutOfScope: true},
			{ID: "lina-b", Name: "李娜", IDs: map[string]string{"tenant": "T-B", "userId": "lina"}},
		},
		Now: func() time.Time { return w.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.WeLink, w.srv = oa, httptest.NewServer(oa)
	t.Cleanup(func() { oa.Close(); w.srv.Close() })
	return w
}

type reply map[string]any

func (r reply) text(field string) string {
	s, _ := r[field].(string)
	return s
}

func (r reply) code() string { return r.text("code") }

func (w *world) fetch(c *http.Client, method, path, body string, header ...string) (int, string, http.Header) {
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
	return resp.StatusCode, string(b), resp.Header
}

// callAs talks to the API with a token; the answer is HTTP 200 with a code.
func (w *world) callAs(token, method, path, body string) reply {
	w.t.Helper()
	status, text, _ := w.fetch(http.DefaultClient, method, path, body, "Content-Type", "application/json", "x-wlk-Authorization", token)
	var out reply
	if err := json.Unmarshal([]byte(text), &out); err != nil || status != 200 {
		w.t.Fatalf("%s %s: %d %s", method, path, status, text)
	}
	return out
}

func (w *world) ticket(client string) string {
	w.t.Helper()
	r := w.callAs("", "POST", "/api/auth/v2/tickets", `{"client_id":"`+client+`","client_secret":"secret-of-`+client+`"}`)
	if r.code() != "0" || r.text("access_token") == "" {
		w.t.Fatalf("ticket: %v", r)
	}
	return r.text("access_token")
}

func (w *world) call(method, path, body string) reply {
	w.t.Helper()
	return w.callAs(w.ticket("crm"), method, path, body)
}

func (w *world) open(person string) []inbox.Item { return w.Inbox().Of(person, inbox.Open) }

func (w *world) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (w *world) form(c *http.Client, path string, pairs ...string) (int, string, http.Header) {
	w.t.Helper()
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return w.fetch(c, "POST", path, v.Encode(), "Content-Type", "application/x-www-form-urlencoded")
}

var scanID = regexp.MustCompile(`name="id" value="([^"]+)"`)

// scan opens a page with a QR code, scans it as a person and confirms.
func (w *world) scan(page, person string) (int, string, http.Header) {
	w.t.Helper()
	c := w.browser()
	status, body, header := w.fetch(c, "GET", page, "")
	id := scanID.FindStringSubmatch(body)
	if id == nil {
		return status, body, header
	}
	path, _, _ := strings.Cut(page, "?")
	w.form(c, path+"/scan", "id", id[1], "choose", person)
	return w.form(c, path+"/confirm", "id", id[1], "answer", "yes")
}
