package wecom

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/oabridge/oabridge/internal/oasim/simtest"
)

// The contact book, as far as the app may see it (F118, F171).
func TestContacts(t *testing.T) {
	w := newWorld(t)
	for _, tc := range []struct{ call, body, want string }{
		{"/cgi-bin/department/simplelist?id=2", "", `"department_id":[{"id":2,"order":1,"parentid":1},{"id":3,"order":2,"parentid":2}]`},
		{"/cgi-bin/department/list?id=3", "", `"department":[{"id":3,"name":"华东区","order":1,"parentid":2}]`},
		{"/cgi-bin/department/list?id=9", "", `"errcode":60003`},
		{"/cgi-bin/department/list?id=x", "", `"errcode":60123`},
		{"/cgi-bin/user/simplelist?department_id=3", "", `"userlist":[{"department":[3],"name":"刘洋","userid":"liuyang"}]`},
		{"/cgi-bin/user/simplelist?department_id=9", "", `"errcode":60003`},
		{"/cgi-bin/user/get?userid=lina", "", `"department":[2],"email":"lina@corp.example"`},
		{"/cgi-bin/user/get?userid=hidden", "", `"errcode":60011`},
		{"/cgi-bin/user/get?userid=nobody", "", `"errcode":60111`},
		{"/cgi-bin/user/getuserid", `{"mobile":"13800001001"}`, `"userid":"lina"`},
		{"/cgi-bin/user/getuserid", `{"mobile":"13800001009"}`, `"errcode":46004`},
		{"/cgi-bin/user/getuserid", `{"mobile":""}`, `"errcode":46004`},
		{"/cgi-bin/user/get_userid_by_email", `{"email":"LINA@corp.example"}`, `"userid":"lina"`},
	} {
		var r simtest.Object
		if tc.body == "" {
			r = w.get(tc.call)
		} else {
			r = w.post(tc.call, tc.body)
		}
		raw, err := json.Marshal(r)
		if err != nil || !strings.Contains(string(raw), tc.want) {
			t.Errorf("%s %s = %s", tc.call, tc.body, raw)
		}
	}
	token := w.call("GET", "/cgi-bin/gettoken?corpid=wwBB&corpsecret=secret-of-BB", "").Text("access_token")
	r := w.call("GET", "/cgi-bin/user/simplelist?department_id=1&access_token="+token, "")
	if raw, _ := json.Marshal(r); !strings.Contains(string(raw), `[{"department":[1],"name":"李娜","userid":"lina"}]`) {
		t.Errorf("BB has one member, called lina too: %s", raw)
	}
}

func TestControl(t *testing.T) {
	w := newWorld(t)
	for _, tc := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/", "", 200, "/_sim/corps"},
		{"GET", "/healthz", "", 200, "ok"},
		{"GET", "/_sim/corps", "", 200, `"agentId":1000002,"secret":""`},
		{"POST", "/_sim/people", `{"people":[{"id":"sunqi"}]}`, 200, `"people":1`},
		{"PUT", "/_sim/settings", `{"perMinute":5}`, 200, `"tokenSeconds":7200`},
		{"PUT", "/_sim/settings", `{"responseCodes":"some"}`, 400, "responseCodes"},
		{"PUT", "/_sim/apps", `{"corpId":"wwAA","app":{"agentId":9,"secret":"s"}}`, 200, "9"},
		{"PUT", "/_sim/apps", `{"corpId":"wwAA","app":{"agentId":9,"secret":"s","trustedDomain":"https://x"}}`, 400, "trustedDomain"},
		{"PUT", "/_sim/apps", `{"corpId":"wwZZ","app":{"agentId":9,"secret":"s"}}`, 400, "wwZZ"},
		{"POST", "/_sim/codes", `{"corpId":"wwAA","agentId":1000002,"user":"lina"}`, 200, `"code":"`},
		{"POST", "/_sim/codes", `{"corpId":"wwAA","agentId":1000002,"user":"nobody"}`, 400, "nobody"},
		{"POST", "/_sim/todos", `{"corpId":"wwAA","todo_id":"d1","title":"审批","users":["lina"]}`, 200, `"todos":1`},
		{"GET", "/_sim/items?person=lina", "", 200, `"taskId":"d1"`},
		{"DELETE", "/_sim/items", "", 204, ""},
		{"DELETE", "/_sim/tokens", "", 204, ""},
		{"DELETE", "/_sim/calls", "", 204, ""},
	} {
		status, body, _ := w.Fetch(w.Browser(), tc.method, tc.path, tc.body)
		if status != tc.status || !strings.Contains(body, tc.want) {
			t.Errorf("%s %s = %d %s", tc.method, tc.path, status, body)
		}
	}
	for _, bad := range []Options{
		{Corps: []Corp{{CorpID: ""}}}, {Corps: []Corp{{CorpID: "a"}, {CorpID: "a"}}}, {Corps: []Corp{{CorpID: "a", Apps: []App{{}}}}},
		{Settings: &Settings{}},
	} {
		if _, err := New(bad); err == nil {
			t.Errorf("%+v was accepted", bad)
		}
	}
}
