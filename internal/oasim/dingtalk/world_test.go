package dingtalk

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

// world is a DingTalk on a clock that only the test moves.
type world struct {
	*DingTalk
	t   *testing.T
	now time.Time
	srv *httptest.Server
}

const callback = "https://sso.crm.example/dingtalk/callback"

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)}
	oa, err := New(Options{
		CorpID: "ding1",
		Apps: []App{
			{AppKey: "crm", AppSecret: "secret-of-crm", AgentID: 7, Name: "CRM", HomeURL: "https://sso.crm.example/home", RedirectURIs: []string{callback}},
			{AppKey: "bi", AppSecret: "secret-of-bi", AgentID: 8, Name: "BI", RedirectURIs: []string{callback}},
		},
		People: []desk.Person{
			{ID: "lina", Name: "李娜", Mobile: "13800001001", IDs: map[string]string{"unionId": "uLina", "openId": "oLina"}},
			{ID: "wangfang", Name: "王芳"}, {ID: "zhangwei", Name: "张伟"}, {ID: "hidden", Name: "不可见", Mobile: "13800001009", OutOfScope: true},
		},
		Departments: org.Tree{{ID: "1", Name: "公司", Members: []string{"zhangwei"}}, {ID: "2", ParentID: "1", Name: "销售部", Members: []string{"lina", "wangfang", "hidden"}}},
		Now:         func() time.Time { return w.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.DingTalk, w.srv = oa, httptest.NewServer(oa)
	t.Cleanup(func() { oa.Close(); w.srv.Close() })
	return w
}

type reply map[string]any

func (r reply) text(field string) string {
	s, _ := r[field].(string)
	return s
}

func (r reply) code() int {
	n, _ := r["errcode"].(float64)
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

func (w *world) token() string {
	w.t.Helper()
	status, r := w.json("POST", "/v1.0/oauth2/accessToken", `{"appKey":"crm","appSecret":"secret-of-crm"}`)
	if status != 200 || r.text("accessToken") == "" {
		w.t.Fatalf("token: %d %v", status, r)
	}
	return r.text("accessToken")
}

// v1 calls the v1.0 API.
func (w *world) v1(method, path, body string) (int, reply) {
	w.t.Helper()
	return w.json(method, path, body, tokenHeader, w.token())
}

// old calls the old gateway, which always answers HTTP 200.
func (w *world) old(path, body string) reply {
	w.t.Helper()
	status, r := w.json("POST", path+"?access_token="+w.token(), body)
	if status != 200 {
		w.t.Fatalf("%s: %d %v", path, status, r)
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
