package feishu

import (
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/internal/oasim/simtest"
)

// world is a Feishu on a clock that only the test moves.
type world struct {
	*Feishu
	*simtest.Client
	t   *testing.T
	now time.Time
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
	w.Feishu, w.Client = oa, simtest.Serve(t, oa)
	return w
}

// errcode is the code of an answer.
func errcode(o simtest.Object) int { return o.Int("code") }

// token fetches one of an app: its tenant token or its own.
func (w *world) token(kind, app string) string {
	w.t.Helper()
	_, r := w.JSON("POST", authBase+kind+"/internal", `{"app_id":"`+app+`","app_secret":"secret-of-`+app+`"}`)
	if errcode(r) != 0 || r.Text(kind) == "" {
		w.t.Fatalf("token: %v", r)
	}
	return r.Text(kind)
}

// call talks to the API as the CRM's app and returns the envelope; a refusal is HTTP 400 or 429.
func (w *world) call(method, path, body string) simtest.Object {
	w.t.Helper()
	return w.callAs(w.token("tenant_access_token", "cli_crm"), method, path, body)
}

func (w *world) callAs(token, method, path, body string) simtest.Object {
	w.t.Helper()
	status, r := w.JSON(method, path, body, "Authorization", "Bearer "+token)
	if (errcode(r) == 0) != (status == 200) {
		w.t.Fatalf("%s %s: %d %v", method, path, status, r)
	}
	return r
}

func (w *world) open(person string) []inbox.Item { return w.Inbox().Of(person, inbox.Open) }

func (w *world) done(person string) []inbox.Item { return w.Inbox().Of(person, inbox.Done) }
