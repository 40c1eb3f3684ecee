package wecom

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/internal/oasim/org"
	"github.com/oabridge/oabridge/internal/oasim/simtest"
)

// world is a WeCom with two companies, AA and BB, that both have somebody called lina, on a clock that only the test
// moves.
type world struct {
	*WeCom
	*simtest.Client
	t   *testing.T
	now time.Time
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
			{ID: "unpaid", Name: "无许可", IDs: map[string]string{"licence": "none"}},
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
	w.WeCom, w.Client = oa, simtest.Serve(t, oa)
	return w
}

// errcode is the errcode of an answer.
func errcode(o simtest.Object) int { return o.Int("errcode") }

// call talks to the API; the answer is always HTTP 200 with an errcode.
func (w *world) call(method, path, body string) simtest.Object {
	w.t.Helper()
	status, out := w.JSON(method, path, body)
	if status != 200 {
		w.t.Fatalf("%s %s: %d %v", method, path, status, out)
	}
	return out
}

// token fetches the token of AA's CRM.
func (w *world) token() string {
	w.t.Helper()
	r := w.call("GET", "/cgi-bin/gettoken?corpid=wwAA&corpsecret=secret-of-AA", "")
	if errcode(r) != 0 || r.Text("access_token") == "" {
		w.t.Fatalf("token: %v", r)
	}
	return r.Text("access_token")
}

func (w *world) post(path, body string) simtest.Object {
	w.t.Helper()
	return w.call("POST", path+"?access_token="+w.token(), body)
}

func (w *world) get(pathAndQuery string) simtest.Object {
	w.t.Helper()
	return w.call("GET", pathAndQuery+"&access_token="+w.token(), "")
}

func (w *world) open(person string) []inbox.Item { return w.Inbox().Of(person, inbox.Open) }

// codeIn is the code that a redirect carries, whose state must be s1.
func (w *world) codeIn(header http.Header) string {
	w.t.Helper()
	u, err := url.Parse(header.Get("Location"))
	if err != nil || u.Query().Get("state") != "s1" || u.Query().Get("code") == "" {
		w.t.Fatalf("redirect to %q (%v)", header.Get("Location"), err)
	}
	return u.Query().Get("code")
}
