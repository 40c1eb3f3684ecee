package feishu

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
)

// world is a Feishu on a clock that only the test moves.
type world struct {
	*Feishu
	t   *testing.T
	now time.Time
	srv *httptest.Server
}

const callback = "https://sso.crm.example/feishu/callback"

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)}
	oa, err := New(Options{
		TenantKey: "tenant1",
		Apps: []App{
			{AppID: "cli_crm", AppSecret: "secret-of-cli_crm", Name: "CRM", HomeURL: "https://sso.crm.example/home", RedirectURIs: []string{callback}, Approvals: []string{"CRM"}},
			{AppID: "cli_bi", AppSecret: "secret-of-cli_bi", Name: "BI", RedirectURIs: []string{callback}, Approvals: []string{"BI"}},
		},
		People: []desk.Person{
			{ID: "lina", Name: "李娜", Code: "E1001", Mobile: "13800001001", Email: "lina@corp.example", IDs: map[string]string{"open_id": "ou_1", "union_id": "on_1"}},
			{ID: "wangfang", Name: "王芳"}, {ID: "zhangwei", Name: "张伟"}, {ID: "hidden", Name: "不可见", Mobile: "13800001009", OutOfScope: true},
		},
		Now: func() time.Time { return w.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Feishu, w.srv = oa, httptest.NewServer(oa)
	t.Cleanup(func() { oa.Close(); w.srv.Close() })
	return w
}

type reply map[string]any

func (r reply) text(field string) string {
	s, _ := r[field].(string)
	return s
}

func (r reply) code() int {
	n, _ := r["code"].(float64)
	return int(n)
}

// in is the object under a field.
func (r reply) in(field string) reply {
	m, _ := r[field].(map[string]any)
	return m
}

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

func (w *world) json(method, path, body string, header ...string) (int, reply) {
	w.t.Helper()
	status, text, _ := w.fetch(http.DefaultClient, method, path, body, append(header, "Content-Type", "application/json")...)
	var out reply
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		w.t.Fatalf("%s %s: %d %s", method, path, status, text)
	}
	return status, out
}

// token fetches one of an app: its tenant token or its own.
func (w *world) token(kind, app string) string {
	w.t.Helper()
	_, r := w.json("POST", authBase+kind+"/internal", `{"app_id":"`+app+`","app_secret":"secret-of-`+app+`"}`)
	if r.code() != 0 || r.text(kind) == "" {
		w.t.Fatalf("token: %v", r)
	}
	return r.text(kind)
}

// call talks to the API as the CRM's app and returns the envelope; a refusal is HTTP 400 or 429.
func (w *world) call(method, path, body string) reply {
	w.t.Helper()
	return w.callAs(w.token("tenant_access_token", "cli_crm"), method, path, body)
}

func (w *world) callAs(token, method, path, body string) reply {
	w.t.Helper()
	status, r := w.json(method, path, body, "Authorization", "Bearer "+token)
	if (r.code() == 0) != (status == 200) {
		w.t.Fatalf("%s %s: %d %v", method, path, status, r)
	}
	return r
}

func (w *world) open(person string) []inbox.Item { return w.Inbox().Of(person, inbox.Open) }
func (w *world) done(person string) []inbox.Item { return w.Inbox().Of(person, inbox.Done) }

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
