package seeyon

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/simtest"
)

// world is an OA with three people, on a clock that only the test moves.
type world struct {
	*Seeyon
	*simtest.Client
	t   *testing.T
	now time.Time
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
	w.Seeyon, w.Client = oa, simtest.Serve(t, oa)
	return w
}

func (w *world) do(method, path, body string, header ...string) simtest.Reply {
	w.t.Helper()
	return w.Do(w.Browser(), method, path, body, header...)
}

// token fetches one as the seed's script does.
func (w *world) token() string {
	w.t.Helper()
	a := w.do("GET", "/seeyon/rest/token/fxiaoke/p%40ss%2Fword", "", "Content-Type", "text/xml; charset=UTF-8")
	var out struct{ ID string }
	if err := json.Unmarshal([]byte(a.Body), &out); err != nil || out.ID == "" || out.ID == "-1" {
		w.t.Fatalf("token: %d %s", a.Status, a.Body)
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
	if err := json.Unmarshal([]byte(a.Body), &out); err != nil || out.Success == nil || a.Status != 200 {
		w.t.Fatalf("%s: %d %s", path, a.Status, a.Body)
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
	c := w.Browser()
	a := w.Do(c, "POST", "/seeyon/login", "choose="+login, "Content-Type", "application/x-www-form-urlencoded")
	if a.Status != http.StatusSeeOther {
		w.t.Fatalf("login: %d %s", a.Status, a.Body)
	}
	return c
}
