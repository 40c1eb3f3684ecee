package dingtalk

import (
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/internal/oasim/org"
	"github.com/oabridge/oabridge/internal/oasim/simtest"
)

// world is a DingTalk on a clock that only the test moves.
type world struct {
	*DingTalk
	*simtest.Client
	t   *testing.T
	now time.Time
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
	w.DingTalk, w.Client = oa, simtest.Serve(t, oa)
	return w
}

// errcode is the errcode of an answer.
func errcode(o simtest.Object) int { return o.Int("errcode") }

func (w *world) token() string {
	w.t.Helper()
	status, r := w.JSON("POST", "/v1.0/oauth2/accessToken", `{"appKey":"crm","appSecret":"secret-of-crm"}`)
	if status != 200 || r.Text("accessToken") == "" {
		w.t.Fatalf("token: %d %v", status, r)
	}
	return r.Text("accessToken")
}

// v1 calls the v1.0 API.
func (w *world) v1(method, path, body string) (int, simtest.Object) {
	w.t.Helper()
	return w.JSON(method, path, body, tokenHeader, w.token())
}

// old calls the old gateway, which always answers HTTP 200.
func (w *world) old(path, body string) simtest.Object {
	w.t.Helper()
	status, r := w.JSON("POST", path+"?access_token="+w.token(), body)
	if status != 200 {
		w.t.Fatalf("%s: %d %v", path, status, r)
	}
	return r
}

func (w *world) open(person string) []inbox.Item { return w.Inbox().Of(person, inbox.Open) }

func (w *world) done(person string) []inbox.Item { return w.Inbox().Of(person, inbox.Done) }
