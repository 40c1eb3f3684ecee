package welink

import (
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/internal/oasim/org"
	"github.com/oabridge/oabridge/internal/oasim/simtest"
)

// world is a WeLink with two tenants, on a clock that only the test moves.
type world struct {
	*WeLink
	*simtest.Client
	t   *testing.T
	now time.Time
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
	w.WeLink, w.Client = oa, simtest.Serve(t, oa)
	return w
}

// errcode is the code of an answer.
func errcode(o simtest.Object) string { return o.Text("code") }

// callAs talks to the API with a token; the answer is HTTP 200 with a code.
func (w *world) callAs(token, method, path, body string) simtest.Object {
	w.t.Helper()
	status, out := w.JSON(method, path, body, "x-wlk-Authorization", token)
	if status != 200 {
		w.t.Fatalf("%s %s: %d %v", method, path, status, out)
	}
	return out
}

func (w *world) ticket(client string) string {
	w.t.Helper()
	r := w.callAs("", "POST", "/api/auth/v2/tickets", `{"client_id":"`+client+`","client_secret":"secret-of-`+client+`"}`)
	if errcode(r) != "0" || r.Text("access_token") == "" {
		w.t.Fatalf("ticket: %v", r)
	}
	return r.Text("access_token")
}

func (w *world) call(method, path, body string) simtest.Object {
	w.t.Helper()
	return w.callAs(w.ticket("crm"), method, path, body)
}

func (w *world) open(person string) []inbox.Item { return w.Inbox().Of(person, inbox.Open) }
