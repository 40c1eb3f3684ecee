package dingtalk

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/simtest"
)

// A page that is opened in the client gets a code for whoever opened it, which works once (DT-GO).
func TestInAppSignIn(t *testing.T) {
	w := newWorld(t)
	w.create("T1", "uLina")
	lina := w.Browser()
	w.Form(lina, "/login", "choose", "lina")
	for path, prefix := range map[string]string{
		"/app?code=crm": "https://sso.crm.example/home?code=", "/open?id=i1&client=h5": "https://sso.crm.example/h5/1?code=",
	} {
		_, _, header := w.Fetch(lina, "GET", path, "")
		code, ok := strings.CutPrefix(header.Get("Location"), prefix)
		if !ok {
			t.Fatalf("%s leads to %v", path, header)
		}
		r := w.old("/topapi/v2/user/getuserinfo", `{"code":"`+code+`"}`)
		if r.In("result").Text("userid") != "lina" || r.In("result").Text("unionid") != "uLina" {
			t.Errorf("%s: %v", path, r)
		}
		if r := w.old("/topapi/v2/user/getuserinfo", `{"code":"`+code+`"}`); errcode(r) != badCode {
			t.Errorf("used twice: %v", r)
		}
	}
	late, _ := w.IssueCode("crm", "lina")
	foreign, _ := w.IssueCode("bi", "lina")
	if r := w.old("/topapi/v2/user/getuserinfo", `{"code":"`+foreign+`"}`); errcode(r) != badCode {
		t.Errorf("another app: %v", r)
	}
	w.now = w.now.Add(5 * time.Minute)
	if r := w.old("/topapi/v2/user/getuserinfo", `{"code":"`+late+`"}`); errcode(r) != badCode {
		t.Errorf("late: %v", r)
	}
	for _, bad := range [][2]string{{"crm", "hidden"}, {"crm", "nobody"}, {"nothing", "lina"}} {
		if _, err := w.IssueCode(bad[0], bad[1]); err == nil {
			t.Errorf("%v got a code", bad)
		}
	}
}

func authorizeLink(change ...string) string {
	q := url.Values{"response_type": {"code"}, "client_id": {"crm"}, "scope": {"openid corpid"}, "redirect_uri": {callback}, "prompt": {"consent"}, "state": {"s1"}}
	for i := 0; i+1 < len(change); i += 2 {
		q.Set(change[i], change[i+1])
	}
	return "/oauth2/challenge.htm?" + q.Encode()
}

// The browser shows a code, a phone scans it, the app learns the unionId (JA).
func TestWebSignIn(t *testing.T) {
	w := newWorld(t)
	codeOf := func(page string) string {
		t.Helper()
		status, body, header := w.Scan(page, "lina")
		u, err := url.Parse(header.Get("Location"))
		if err != nil || status != 302 || u.Query().Get("state") != "s1" || u.Query().Get("code") != u.Query().Get("authCode") {
			t.Fatalf("%d %s %s", status, header.Get("Location"), body)
		}
		return u.Query().Get("code")
	}
	redeem := func(client, field, value, grantType string) (int, simtest.Object) {
		t.Helper()
		return w.JSON("POST", "/v1.0/oauth2/userAccessToken", `{"clientId":"`+client+`","clientSecret":"secret-of-`+client+`","`+field+`":"`+value+`","grantType":"`+grantType+`"}`)
	}
	code := codeOf(authorizeLink())
	status, r := redeem("crm", "code", code, "authorization_code")
	if status != 200 || r["expireIn"] != 7200.0 || r.Text("corpId") != "ding1" {
		t.Fatalf("%d %v", status, r)
	}
	status, me := w.JSON("GET", "/v1.0/contact/users/me", "", tokenHeader, r.Text("accessToken"))
	if status != 200 || me.Text("unionId") != "uLina" || me.Text("openId") != "oLina" || me.Text("nick") != "李娜" {
		t.Errorf("me: %d %v", status, me)
	}
	if status, _ := w.JSON("GET", "/v1.0/contact/users/me", "", tokenHeader, w.token()); status != 401 {
		t.Errorf("an app's token is nobody's: %d", status)
	}
	for _, want := range []int{200, 400} { // a refresh token works once
		if status, again := redeem("crm", "refreshToken", r.Text("refreshToken"), "refresh_token"); status != want || again.Text("accessToken") == r.Text("accessToken") {
			t.Errorf("refresh: %d %v", status, again)
		}
	}
	late := codeOf(strings.Replace(authorizeLink("scope", "openid"), "challenge.htm", "auth", 1))
	w.now = w.now.Add(5 * time.Minute)
	inApp, _ := w.IssueCode("crm", "lina")
	for _, tc := range []struct{ name, client, code, grant, want string }{
		{"used twice", "crm", code, "authorization_code", "invalidParameter.authCode.notFound"},
		{"late", "crm", late, "authorization_code", "invalidParameter.authCode.notFound"},
		{"another app's", "bi", codeOf(authorizeLink()), "authorization_code", "invalidParameter.authCode.notFound"},
		{"a code of the client", "crm", inApp, "authorization_code", "invalidParameter.authCode.notFound"},
		{"grant type", "crm", "x", "password", "invalidParameter.grantType"},
		{"client", "nobody", "x", "authorization_code", "invalidClientIdOrSecret"},
	} {
		if status, r := redeem(tc.client, "code", tc.code, tc.grant); status != 400 || r.Text("code") != tc.want {
			t.Errorf("%s: %d %v", tc.name, status, r)
		}
	}
	client := w.Browser()
	w.Form(client, "/login", "choose", "wangfang")
	if status, _, header := w.Fetch(client, "GET", authorizeLink(), ""); status != 302 || !strings.HasPrefix(header.Get("Location"), callback+"?authCode=") {
		t.Errorf("inside the client: %d %v", status, header)
	}
	if status, body, _ := w.Scan(authorizeLink(), "hidden"); status != 403 || !strings.Contains(body, "可见范围") {
		t.Errorf("outside the visible scope: %d", status)
	}
	for name, link := range map[string]string{
		"no such app": authorizeLink("client_id", "x"), "another address": authorizeLink("redirect_uri", callback+"/x"),
		"response_type": authorizeLink("response_type", "token"), "scope": authorizeLink("scope", "corpid"), "prompt": authorizeLink("prompt", ""),
	} {
		if status, _, _ := w.Fetch(w.Browser(), "GET", link, ""); status != 400 {
			t.Errorf("%s: %d", name, status)
		}
	}
	if err := w.Configure(func(s *Settings) { s.WebCode, s.CodeParam = "authCode", "" }); err != nil {
		t.Fatal(err)
	}
	if _, _, header := w.Scan(authorizeLink(), "lina"); strings.Contains(header.Get("Location"), "&code=") || !strings.Contains(header.Get("Location"), "authCode=") {
		t.Errorf("authCode only: %s", header.Get("Location"))
	}
}

func TestContacts(t *testing.T) { // DT-GO
	w := newWorld(t)
	for _, tc := range []struct{ path, body, want string }{
		{"/topapi/v2/user/getbymobile", `{"mobile":"13800001001"}`, `"result":{"userid":"lina"}`},
		{"/topapi/v2/user/getbymobile", `{"mobile":"13800001009"}`, `"errcode":60121`},
		{"/topapi/v2/user/get", `{"userid":"lina"}`, `"dept_id_list":[2],"email":"","job_number":"","mobile":"13800001001","name":"李娜","unionid":"uLina"`},
		{"/topapi/v2/user/get", `{"userid":"hidden"}`, `"errcode":50002`}, // F118
		{"/topapi/v2/user/get", `{"userid":"nobody"}`, `"errcode":60121`},
		{"/topapi/v2/user/get", `{}`, `"errcode":33012`},
		{"/topapi/user/getbyunionid", `{"unionid":"uLina"}`, `"userid":"lina"`},
		{"/topapi/user/getbyunionid", `{"unionid":"lina"}`, `"errcode":60121`},
		{"/topapi/v2/department/listsub", `{}`, `"result":[{"dept_id":2,"name":"销售部","parent_id":1}]`},
		{"/topapi/v2/department/listsubid", `{"dept_id":1}`, `"dept_id_list":[2]`},
		{"/topapi/v2/department/listsubid", `{"dept_id":9}`, `"errcode":60003`},
		{"/topapi/user/listid", `{"dept_id":2}`, `"userid_list":["lina","wangfang"]`},
		{"/topapi/v2/user/list", `{"dept_id":2,"size":1}`, `"next_cursor":1`},
		{"/topapi/v2/user/list", `{"dept_id":2,"size":1,"cursor":1}`, `"has_more":false`},
		{"/topapi/v2/user/list", `{"dept_id":2}`, `"errcode":40035`},
		{"/topapi/v2/user/list", `[`, `"errcode":40035`},
	} {
		raw, err := json.Marshal(w.old(tc.path, tc.body))
		if err != nil || !strings.Contains(string(raw), tc.want) {
			t.Errorf("%s %s = %s", tc.path, tc.body, raw)
		}
	}
}

func TestControl(t *testing.T) {
	w := newWorld(t)
	w.create("T1", "uLina")
	for _, tc := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/", "", 200, "/_sim/tasks"},
		{"GET", "/_sim/tasks", "", 200, `"sourceId":"T1"`},
		{"GET", "/_sim/apps", "", 200, `"appSecret":""`},
		{"PUT", "/_sim/apps", `{"appKey":"new","appSecret":"s","agentId":9}`, 200, `"new"`},
		{"PUT", "/_sim/apps", `{}`, 400, "appKey"},
		{"POST", "/_sim/codes", `{"appKey":"crm","person":"lina"}`, 200, `"code":"`},
		{"POST", "/_sim/codes", `{"appKey":"crm","person":"hidden"}`, 400, "hidden"},
		{"PUT", "/_sim/settings", `{"webCode":"x"}`, 400, "webCode"},
		{"PUT", "/_sim/settings", `{"perSecond":-1}`, 400, "perSecond"},
		{"DELETE", "/_sim/items", "", 204, ""},
		{"GET", "/_sim/tasks", "", 200, `"tasks":[]`},
		{"DELETE", "/_sim/tokens", "", 204, ""},
	} {
		status, body, _ := w.Fetch(w.Browser(), tc.method, tc.path, tc.body)
		if status != tc.status || !strings.Contains(body, tc.want) {
			t.Errorf("%s %s = %d %s", tc.method, tc.path, status, body)
		}
	}
	if raw, err := json.Marshal(w.tree()); err != nil || !strings.Contains(string(raw), "销售部") {
		t.Error(err)
	}
}
