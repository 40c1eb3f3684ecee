package feishu

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/fault"
)

const lookUp = "/open-apis/contact/v3/users/batch_get_id?user_id_type=user_id"

// The same token is given while more than 30 minutes of it are left; then a new one, and the old one lives on (FS-SDK).
func TestTenantToken(t *testing.T) {
	w := newWorld(t)
	first := w.token("tenant_access_token", "cli_crm")
	if !strings.HasPrefix(first, "t-") {
		t.Errorf("token %.4s…", first)
	}
	w.now = w.now.Add(89 * time.Minute)
	_, r := w.JSON("POST", authBase+"tenant_access_token/internal", `{"app_id":"cli_crm","app_secret":"secret-of-cli_crm"}`)
	if r.Text("tenant_access_token") != first || r["expire"] != 1860.0 || r.Text("msg") != "ok" {
		t.Errorf("with 31 minutes left: %v", r)
	}
	w.now = w.now.Add(time.Minute)
	if w.token("tenant_access_token", "cli_crm") == first {
		t.Error("with 30 minutes left: the old one")
	}
	if r := w.callAs(first, "POST", lookUp, `{"emails":["lina@corp.example"]}`); errcode(r) != 0 {
		t.Errorf("the old one: %v", r)
	}
	w.now = w.now.Add(30 * time.Minute)
	for given, want := range map[string]int{
		first: badToken, "t-forged": badToken, "forged": tokenFormat, w.token("app_access_token", "cli_crm"): tokenFormat,
	} {
		if r := w.callAs(given, "POST", lookUp, "{}"); errcode(r) != want {
			t.Errorf("%.4s…: %v, want %d", given, r, want)
		}
	}
	if _, r := w.JSON("POST", lookUp, "{}"); errcode(r) != tokenMissing {
		t.Errorf("no header: %v", r)
	}
	for body, want := range map[string]int{`{"app_id":"cli_crm","app_secret":"x"}`: badSecret, `{"app_id":"x"}`: badSecret, "[": badBody} {
		if status, r := w.JSON("POST", authBase+"tenant_access_token/internal", body); errcode(r) != want || status != 400 {
			t.Errorf("%s: %d %v", body, status, r)
		}
	}
	for _, e := range w.Journal().Entries("/") {
		if strings.Contains(fmt.Sprint(e), "secret-of") || strings.Contains(fmt.Sprint(e), first) {
			t.Errorf("the journal knows too much: %+v", e)
		}
	}
}

func TestWhoMayCall(t *testing.T) {
	w := newWorld(t)
	token := w.token("tenant_access_token", "cli_crm")
	app, _ := w.app("cli_crm")
	app.Permissions = []string{Messages}
	if err := w.SetApp(app); err != nil {
		t.Fatal(err)
	}
	r := w.callAs(token, "POST", lookUp, "{}")
	if violations := fmt.Sprint(r.In("error")["permission_violations"]); errcode(r) != noPermission || !strings.Contains(violations, "subject:contact") {
		t.Errorf("%v", r)
	}
	app.Disabled = true
	_ = w.SetApp(app)
	if r := w.callAs(token, "POST", lookUp, "{}"); errcode(r) != appDisabled {
		t.Errorf("disabled: %v", r)
	}
	if _, r := w.JSON("POST", authBase+"tenant_access_token/internal", `{"app_id":"cli_crm","app_secret":"secret-of-cli_crm"}`); errcode(r) != appDisabled {
		t.Errorf("disabled: %v", r)
	}
	app.Disabled, app.Permissions = false, nil
	_ = w.SetApp(app)
	w.ForgetTokens()
	if r := w.callAs(token, "POST", lookUp, "{}"); errcode(r) != badToken {
		t.Errorf("forgotten: %v", r)
	}
	token = w.token("tenant_access_token", "cli_crm")
	for _, tc := range []struct {
		action fault.Action
		want   int
	}{
		{fault.Action{Kind: fault.RateLimit}, tooOften}, {fault.Action{Kind: fault.Business}, internalError},
		{fault.Action{Kind: fault.Business, Code: "1390015", ErrorMsgs: []string{"approval is not active"}}, 1390015},
		{fault.Action{Kind: fault.ExpireToken}, badToken},
	} {
		w.Faults().Clear()
		if _, err := w.Faults().Add(fault.Rule{Action: tc.action}); err != nil {
			t.Fatal(err)
		}
		if r := w.callAs(token, "POST", lookUp, "{}"); errcode(r) != tc.want {
			t.Errorf("%+v: %v", tc.action, r)
		}
	}
	w.Faults().Clear()
	if err := w.Configure(func(s *Settings) { s.ErrorStatus = 200 }); err != nil {
		t.Fatal(err)
	}
	if status, r := w.JSON("POST", lookUp, "{}", "Authorization", "Bearer "+token); status != 200 || errcode(r) != badToken {
		t.Errorf("the scripted death is a real one, here with HTTP 200: %d %v", status, r)
	}
	if err := w.Configure(func(s *Settings) { s.ErrorStatus = 500 }); err == nil {
		t.Error("a wrong status was accepted")
	}
	if err := w.SetApp(App{}); err == nil {
		t.Error("an app without an id was accepted")
	}
}

func TestLookUp(t *testing.T) { // FS-SDK
	w := newWorld(t)
	r := w.call("POST", lookUp, `{"emails":["LINA@corp.example","x@corp.example"],"mobiles":["+8613800001001","13800001009"]}`)
	var found []string
	list, _ := r.In("data")["user_list"].([]any)
	for _, one := range list {
		m, _ := one.(map[string]any)
		found = append(found, fmt.Sprint(m["user_id"]))
	}
	if got := strings.Join(found, " "); got != "lina <nil> lina <nil>" { // F118: whoever does not see the app has no id
		t.Errorf("%s in %v", got, r)
	}
	for _, wrong := range []string{"{}", "[", `{"mobiles":["` + strings.Repeat(`1","`, 50) + `1"]}`} {
		if r := w.call("POST", lookUp, wrong); errcode(r) != badBody {
			t.Errorf("%.20s: %v", wrong, r)
		}
	}
	if r := w.call("POST", "/open-apis/contact/v3/users/batch_get_id", `{"emails":["lina@corp.example"]}`); !strings.Contains(fmt.Sprint(r), "user_id:ou_1") {
		t.Errorf("the default is the open_id: %v", r)
	}
}
