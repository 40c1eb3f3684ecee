package dingtalk

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/simtest"
)

const listTop = "/topapi/v2/department/listsubid"

func TestTokens(t *testing.T) { // DT-GO, DT-SDK
	w := newWorld(t)
	status, r := w.JSON("GET", "/gettoken?appkey=crm&appsecret=secret-of-crm", "")
	if status != 200 || errcode(r) != 0 || r["expires_in"] != 7200.0 || r.Text("access_token") != w.token() {
		t.Errorf("the two APIs share a token: %d %v", status, r)
	}
	for query, want := range map[string]int{"": badParameter, "appkey=crm&appsecret=wrong": badSecret, "appkey=no&appsecret=x": badSecret} {
		if _, r := w.JSON("GET", "/gettoken?"+query, ""); errcode(r) != want {
			t.Errorf("%s: %v", query, r)
		}
	}
	_, r = w.JSON("GET", "/gettoken", "")
	if r.Text("errmsg") != "缺少参数 corpid or appkey" {
		t.Errorf("%v", r)
	}
	status, r = w.JSON("POST", "/v1.0/oauth2/accessToken", `{"appKey":"crm","appSecret":"wrong"}`)
	if status != 400 || r.Text("code") != "invalidClientIdOrSecret" || r.Text("requestid") == "" {
		t.Errorf("%d %v", status, r)
	}
	for _, e := range w.Journal().Entries("/") {
		if strings.Contains(fmt.Sprint(e), "secret-of-crm") {
			t.Errorf("the journal knows the secret: %+v", e)
		}
	}
}

func TestTokenDeath(t *testing.T) {
	w := newWorld(t)
	token := w.token()
	old := func(token string) simtest.Object {
		_, r := w.JSON("POST", listTop+"?access_token="+token, `{"dept_id":1}`)
		return r
	}
	v1 := func(token string) (int, simtest.Object) {
		return w.JSON("GET", "/v1.0/todo/users/uLina/tasks/x", "", tokenHeader, token)
	}
	w.now = w.now.Add(7199 * time.Second)
	if r := old(token); errcode(r) != 0 {
		t.Fatalf("alive: %v", r)
	}
	w.now = w.now.Add(time.Second)
	for given, want := range map[string]int{token: tokenExpired, "made-up": badToken, "": badToken} {
		if r := old(given); errcode(r) != want {
			t.Errorf("old, %q: %v", given, r)
		}
		if status, r := v1(given); status != 401 || r.Text("code") != "InvalidAuthentication" {
			t.Errorf("v1.0, %q: %d %v", given, status, r)
		}
	}
	if err := w.Configure(func(s *Settings) { s.TokenError, s.BadTokenStatus = "88", 400 }); err != nil {
		t.Fatal(err)
	}
	if r := old(token); errcode(r) != 88 || r.Text("sub_code") != "42001" || r.Text("errmsg") != "ding talk error[subcode=42001,submsg=access_token已过期]" {
		t.Errorf("88: %v", r)
	}
	if status, _ := v1(token); status != 400 {
		t.Errorf("v1.0: %d", status)
	}
	token = w.token()
	if _, err := w.Faults().Add(fault.Rule{Times: 1, Match: fault.Match{Path: "/v1.0/todo"}, Action: fault.Action{Kind: fault.ExpireToken}}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if status, _ := v1(token); status != 400 {
			t.Errorf("scripted: %d", status)
		}
	}
	token = w.token()
	w.ForgetTokens()
	if r := old(token); r.Text("sub_code") != "40014" {
		t.Errorf("forgotten: %v", r)
	}
}

func TestWhoMayCall(t *testing.T) {
	w := newWorld(t)
	app, _ := w.app("crm")
	app.TrustedIPs = []string{"10.0.0.8"}
	if err := w.SetApp(app); err != nil {
		t.Fatal(err)
	}
	if r := w.old(listTop, `{"dept_id":1}`); errcode(r) != untrustedIP || !strings.Contains(r.Text("errmsg"), "127.0.0.1") {
		t.Errorf("%v", r)
	}
	if status, r := w.v1("GET", "/v1.0/todo/users/uLina/tasks/x", ""); status != 403 || !strings.Contains(r.Text("code"), "IpNotInWhiteList") {
		t.Errorf("%d %v", status, r)
	}
	app.TrustedIPs = nil
	_ = w.SetApp(app)
	if err := w.Configure(func(s *Settings) { s.PerSecond = 1 }); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{0, tooOften} {
		if r := w.old(listTop, `{"dept_id":1}`); errcode(r) != want {
			t.Errorf("call %d: %v", i, r)
		}
	}
	w.now = w.now.Add(time.Second)
	if r := w.old(listTop, `{"dept_id":1}`); errcode(r) != 0 {
		t.Errorf("a second later: %v", r)
	}
	token := w.token()
	for _, tc := range []struct {
		action fault.Action
		old    int
		status int
		v1     string
	}{
		{fault.Action{Kind: fault.RateLimit}, tooOften, 403, "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"},
		{fault.Action{Kind: fault.Business}, busy, 400, "systemError"},
		{fault.Action{Kind: fault.Business, Code: "40078", Status: 409}, badCode, 409, "40078"},
	} {
		w.Faults().Clear()
		if _, err := w.Faults().Add(fault.Rule{Action: tc.action}); err != nil {
			t.Fatal(err)
		}
		if _, r := w.JSON("POST", listTop+"?access_token="+token, "{}"); errcode(r) != tc.old {
			t.Errorf("%+v: %v", tc.action, r)
		}
		if status, r := w.JSON("GET", "/v1.0/todo/users/uLina/tasks/x", "", tokenHeader, token); status != tc.status || r.Text("code") != tc.v1 {
			t.Errorf("%+v: %d %v", tc.action, status, r)
		}
	}
	for _, bad := range []App{{}, {AppKey: "x", AppSecret: "s", AgentID: 1, TrustedIPs: []string{"10.0.0.8;10.0.0.9"}}} {
		if err := w.SetApp(bad); err == nil {
			t.Errorf("%+v was accepted", bad)
		}
	}
}
