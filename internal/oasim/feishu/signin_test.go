package feishu

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/simtest"
)

func authorizeLink(app, redirect string) string {
	return authorizePath + "?" + url.Values{"app_id": {app}, "redirect_uri": {redirect}, "state": {"s1"}}.Encode()
}

func (w *world) redeem(app, code string) simtest.Object {
	w.t.Helper()
	return w.callAs(w.token("app_access_token", app), "POST", oidcBase+"access_token", `{"grant_type":"authorization_code","code":"`+code+`"}`)
}

// The browser shows a code, a phone scans it; inside the client nobody is asked (JA, FS-SDK).
func TestSignIn(t *testing.T) {
	w := newWorld(t)
	codeOf := func(status int, header map[string][]string) string {
		t.Helper()
		u, err := url.Parse(strings.Join(header["Location"], ""))
		if err != nil || status != 302 || !strings.HasPrefix(u.String(), callback+"?") || u.Query().Get("state") != "s1" {
			t.Fatalf("%d %v", status, header)
		}
		return u.Query().Get("code")
	}
	status, _, header := w.Scan(authorizeLink("cli_crm", callback), "lina")
	code := codeOf(status, header)
	r := w.redeem("cli_crm", code)
	data := r.In("data")
	if errcode(r) != 0 || data.Text("token_type") != "Bearer" || data["expires_in"] != 7200.0 || data.Text("refresh_token") == "" {
		t.Fatalf("%v", r)
	}
	me := w.callAs(data.Text("access_token"), "GET", "/open-apis/authen/v1/user_info", "").In("data")
	if me.Text("open_id") != "ou_1" || me.Text("union_id") != "on_1" || me.Text("user_id") != "lina" || me.Text("employee_no") != "E1001" || me.Text("tenant_key") != "tenant1" {
		t.Errorf("me: %v", me)
	}
	if r := w.redeem("cli_crm", code); errcode(r) != badCode {
		t.Errorf("used twice: %v", r)
	}

	client := w.Browser()
	w.Form(client, "/login", "choose", "wangfang")
	status, _, header = w.Fetch(client, "GET", authorizeLink("cli_crm", callback), "")
	if r := w.redeem("cli_bi", codeOf(status, header)); errcode(r) != badCode {
		t.Errorf("another app's code: %v", r)
	}
	if _, _, header := w.Fetch(client, "GET", "/app?code=cli_crm", ""); header.Get("Location") != "https://sso.crm.example/home" {
		t.Errorf("tile: %v", header)
	}

	for name, link := range map[string]string{"no such app": authorizeLink("x", callback), "another address": authorizeLink("cli_crm", callback+"/x")} {
		if status, _, _ := w.Fetch(w.Browser(), "GET", link, ""); status != 400 {
			t.Errorf("%s: %d", name, status)
		}
	}
	if status, body, _ := w.Scan(authorizeLink("cli_crm", callback), "hidden"); status != 403 || !strings.Contains(body, "可用范围") {
		t.Errorf("outside the visible scope: %d", status)
	}
}

func TestUserTokens(t *testing.T) {
	w := newWorld(t)
	issue := func() string {
		code, err := w.IssueCode("cli_crm", "lina")
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	late := issue()
	data := w.redeem("cli_crm", issue()).In("data")
	app := w.token("app_access_token", "cli_crm")
	refresh := func(token string) simtest.Object {
		return w.callAs(app, "POST", oidcBase+"refresh_access_token", `{"grant_type":"refresh_token","refresh_token":"`+token+`"}`)
	}
	second := refresh(data.Text("refresh_token")).In("data")
	if second.Text("access_token") == "" || second.Text("access_token") == data.Text("access_token") {
		t.Errorf("refreshed: %v", second)
	}
	for token, want := range map[string]int{data.Text("refresh_token"): refreshUsed, "ur-forged": badRefresh} {
		if r := refresh(token); errcode(r) != want {
			t.Errorf("%v, want %d", r, want)
		}
	}
	w.now = w.now.Add(5 * time.Minute)
	for _, tc := range []struct {
		body string
		code int
	}{
		{`{"grant_type":"authorization_code","code":"` + late + `"}`, codeExpired}, {`{"grant_type":"authorization_code","code":"forged"}`, badCode},
		{`{"grant_type":"password","code":"x"}`, badBody}, {"[", badBody},
	} {
		if r := w.callAs(app, "POST", oidcBase+"access_token", tc.body); errcode(r) != tc.code {
			t.Errorf("%s: %v", tc.body, r)
		}
	}
	for _, body := range []string{"[", `{"grant_type":"x","refresh_token":"y"}`} {
		if r := w.callAs(app, "POST", oidcBase+"refresh_access_token", body); errcode(r) != badBody {
			t.Errorf("%s: %v", body, r)
		}
	}
	w.now = w.now.Add(2 * time.Hour)
	for token, want := range map[string]int{data.Text("access_token"): userTokenExpired, "u-forged": badUserToken} {
		if r := w.callAs(token, "GET", "/open-apis/authen/v1/user_info", ""); errcode(r) != want {
			t.Errorf("%v, want %d", r, want)
		}
	}
	if r := w.callAs(app, "POST", oidcBase+"access_token", "{}"); errcode(r) != badAppToken {
		t.Errorf("the app's own token has died too: %v", r)
	}
	w.now = w.now.Add(31 * 24 * time.Hour)
	app = w.token("app_access_token", "cli_crm")
	if r := refresh(second.Text("refresh_token")); errcode(r) != badRefresh && errcode(r) != refreshExpired {
		t.Errorf("a month later: %v", r)
	}
	for _, path := range []string{oidcBase + "access_token", oidcBase + "refresh_access_token"} {
		if _, r := w.JSON("POST", path, "{}"); errcode(r) != tokenMissing {
			t.Errorf("%s: %v", path, r)
		}
	}
	if _, r := w.JSON("GET", "/open-apis/authen/v1/user_info", ""); errcode(r) != tokenMissing {
		t.Errorf("no token: %v", r)
	}
	for _, bad := range [][2]string{{"cli_crm", "hidden"}, {"cli_crm", "nobody"}, {"x", "lina"}} {
		if _, err := w.IssueCode(bad[0], bad[1]); err == nil {
			t.Errorf("%v got a code", bad)
		}
	}
}

func TestControl(t *testing.T) {
	w := newWorld(t)
	w.call("POST", instances, approval(1, nil, todo("k1", "lina", "PENDING", 1)))
	for _, tc := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/", "", 200, "/_sim/instances"},
		{"GET", "/_sim/instances", "", 200, `"instance_id":"Q-1"`},
		{"GET", "/_sim/apps", "", 200, `"appSecret":""`},
		{"PUT", "/_sim/apps", `{"appId":"new","appSecret":"s"}`, 200, `"new"`},
		{"PUT", "/_sim/apps", `{}`, 400, "appId"},
		{"POST", "/_sim/codes", `{"appId":"cli_crm","person":"lina"}`, 200, `"code":"`},
		{"POST", "/_sim/codes", `{"appId":"cli_crm","person":"hidden"}`, 400, "hidden"},
		{"PUT", "/_sim/settings", `{"cardDays":0}`, 400, "cardDays"},
		{"PUT", "/_sim/settings", `{"approvalsPerSecond":-1}`, 400, "negative"},
		{"DELETE", "/_sim/items", "", 204, ""},
		{"GET", "/_sim/instances", "", 200, `"instances":[]`},
		{"DELETE", "/_sim/tokens", "", 204, ""},
	} {
		status, body, _ := w.Fetch(w.Browser(), tc.method, tc.path, tc.body)
		if status != tc.status || !strings.Contains(body, tc.want) {
			t.Errorf("%s %s = %d %s", tc.method, tc.path, status, body)
		}
	}
}
