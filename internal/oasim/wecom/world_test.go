package wecom

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

// world is a WeCom with two companies, AA and BB, that both have somebody called lina, on a clock that only the test
// moves.
type world struct {
	*WeCom
	t   *testing.T
	now time.Time
	srv *httptest.Server
}

const callback = "https://sso.crm.example/callback"

func newWorld(t *testing.T, change ...func(*Options)) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)}
	app := App{AgentID: 1000002, Secret: "secret-of-AA", Name: "CRM", HomeURL: "https://sso.crm.example/home",
		TrustedDomain: "sso.crm.example", CallbackDomain: "sso.crm.example"}
	other := app
	other.AgentID, other.Secret, other.Name = 1000003, "secret-of-another-app", "BI"
	appOfB := app
	appOfB.Secret = "secret-of-BB"
	o := Options{
		Corps: []Corp{{
			CorpID: "wwAA", Name: "AA", Apps: []App{app, other},
			Departments: org.Tree{{ID: "1", Name: "AA"}, {ID: "2", ParentID: "1", Name: "销售部", Members: []string{"lina", "wangfang"}}, {ID: "3", ParentID: "2", Name: "华东区", Members: []string{"hidden", "liuyang"}}},
		}, {CorpID: "wwBB", Name: "BB", Apps: []App{appOfB}}},
		People: []desk.Person{
			{ID: "lina", Name: "李娜", Mobile: "13800001001", Email: "lina@corp.example"},
			{ID: "wangfang", Name: "王芳"},
			{ID: "liuyang", Name: "刘洋"},
			{ID: "hidden", Name: "不可见", Mobile: "13800001009", OutOfScope: true},
			{ID: "lina-of-BB", Name: "李娜", IDs: map[string]string{"corp": "wwBB", "userid": "lina"}},
		},
		Now: func() time.Time { return w.now },
	}
	for _, c := range change {
		c(&o)
	}
	oa, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	w.WeCom, w.srv = oa, httptest.NewServer(oa)
	t.Cleanup(func() { oa.Close(); w.srv.Close() })
	return w
}

type reply map[string]any

func (r reply) code() int {
	n, _ := r["errcode"].(float64)
	return int(n)
}

func (r reply) text(field string) string {
	s, _ := r[field].(string)
	return s
}

// call talks to the API; the answer is always HTTP 200 with an errcode.
func (w *world) call(method, path, body string) reply {
	w.t.Helper()
	status, text, _ := w.fetch(http.DefaultClient, method, path, body, "application/json")
	var out reply
	if err := json.Unmarshal([]byte(text), &out); err != nil || status != 200 {
		w.t.Fatalf("%s %s: %d %s", method, path, status, text)
	}
	return out
}

func (w *world) fetch(c *http.Client, method, path, body, contentType string) (int, string, http.Header) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.srv.URL+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
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

// token fetches the token of AA's CRM.
func (w *world) token() string {
	w.t.Helper()
	r := w.call("GET", "/cgi-bin/gettoken?corpid=wwAA&corpsecret=secret-of-AA", "")
	if r.code() != 0 || r.text("access_token") == "" {
		w.t.Fatalf("token: %v", r)
	}
	return r.text("access_token")
}

func (w *world) post(path, body string) reply {
	w.t.Helper()
	return w.call("POST", path+"?access_token="+w.token(), body)
}

func (w *world) get(pathAndQuery string) reply {
	w.t.Helper()
	return w.call("GET", pathAndQuery+"&access_token="+w.token(), "")
}

func (w *world) open(person string) []inbox.Item { return w.Inbox().Of(person, inbox.Open) }

// browser goes nowhere by itself.
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
	return w.fetch(c, "POST", path, v.Encode(), "application/x-www-form-urlencoded")
}

var scanID = regexp.MustCompile(`name="id" value="([^"]+)"`)

// scan opens a page with a QR code, scans it as a person and confirms.
func (w *world) scan(page, person string) (int, string, http.Header) {
	w.t.Helper()
	c := w.browser()
	status, body, header := w.fetch(c, "GET", page, "", "")
	id := scanID.FindStringSubmatch(body)
	if id == nil {
		return status, body, header
	}
	path, _, _ := strings.Cut(page, "?")
	if status, body, header = w.form(c, path+"/scan", "id", id[1], "choose", person); status != 200 {
		return status, body, header
	}
	return w.form(c, path+"/confirm", "id", id[1], "answer", "yes")
}

// codeIn is the code that a redirect carries, whose state must be s1.
func (w *world) codeIn(header http.Header) string {
	w.t.Helper()
	u, err := url.Parse(header.Get("Location"))
	if err != nil || u.Query().Get("state") != "s1" || u.Query().Get("code") == "" {
		w.t.Fatalf("redirect to %q (%v)", header.Get("Location"), err)
	}
	return u.Query().Get("code")
}
