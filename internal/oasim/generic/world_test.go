package generic

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/idp"
	"github.com/oabridge/oabridge/internal/oasim/portal"
	"github.com/oabridge/oabridge/internal/oasim/soap"
)

const linkSecret = "0123456789abcdef0123456789abcdef"

// world is an OA with three people.
type world struct {
	*Generic
	t   *testing.T
	url string
}

func newWorld(t *testing.T, change ...func(*Options)) *world {
	t.Helper()
	o := Options{
		People: []desk.Person{
			{ID: "lina", Name: "李娜", Code: "E1001", Mobile: "13800001001", Email: "LiNa@corp.example"}, {ID: "wangfang", Name: "王芳"}, {ID: "gone", OutOfScope: true},
		},
		Apps:    []portal.Tile{{Code: "crm", Name: "CRM", URL: "https://sso.example/home"}},
		Clients: []idp.Client{{ID: "crm", Secret: "s", RedirectURIs: []string{"https://sso.example/callback"}}},
		Sign:    Sign{Secret: linkSecret, Issuer: "https://oa.example", Audience: "https://sso.example"},
		Now:     func() time.Time { return time.UnixMilli(1634128095994) },
	}
	for _, f := range change {
		f(&o)
	}
	oa, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(oa)
	t.Cleanup(srv.Close)
	t.Cleanup(oa.Close)
	return &world{oa, t, srv.URL}
}

type reply struct {
	status int
	body   string
	header http.Header
}

func (w *world) do(c *http.Client, method, path, body string, header ...string) reply {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "user" {
			user, password, _ := strings.Cut(header[i+1], ":")
			req.SetBasicAuth(user, password)
			continue
		}
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
	return reply{resp.StatusCode, string(b), resp.Header}
}

const restPath = "/rest/transmit/fxiaoke/"

func (w *world) rest(action, body string, header ...string) reply {
	w.t.Helper()
	return w.do(http.DefaultClient, "POST", restPath+action, body, append([]string{"Content-Type", "application/json"}, header...)...)
}

func (w *world) soap(element, inner string) reply {
	w.t.Helper()
	return w.do(http.DefaultClient, "POST", "/services/TodoService", `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:t="http://oa.example.com/todo">`+
		`<s:Body><t:`+element+`>`+inner+`</t:`+element+`></s:Body></s:Envelope>`, "Content-Type", "text/xml")
}

func (w *world) out(a reply) string {
	w.t.Helper()
	root, err := soap.Parse([]byte(a.body))
	if err != nil || a.status != 200 {
		w.t.Fatalf("%d %v %s", a.status, err, a.body)
	}
	return root.Child("Body").Children[0].Value("out")
}

func todo(change ...any) string {
	doc := map[string]any{
		"taskId": "T1", "receiver": "lina", "title": "张伟 的 报价单", "content": "提交人:张伟", "sender": "张伟", "url": "https://sso.example/T1", "h5url": "https://sso.example/h5/T1",
	}
	for i := 0; i+1 < len(change); i += 2 {
		doc[fmt.Sprint(change[i])] = change[i+1]
		if change[i+1] == nil {
			delete(doc, fmt.Sprint(change[i]))
		}
	}
	b, err := json.Marshal(doc)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}
