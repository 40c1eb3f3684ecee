package welink

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/simtest"
)

// A page that is opened in the client gets a code for whoever opened it, which works once and for two minutes (WL-DOC).
func TestInAppSignIn(t *testing.T) {
	w := newWorld(t)
	w.call("POST", addV3, task("detailsUrl", "https://sso.crm.example/h5/1#top"))
	lina := w.Browser()
	w.Form(lina, "/login", "choose", "lina")
	for path, prefix := range map[string]string{
		"/app?code=crm":         "https://sso.crm.example/home?x=1&code=",
		"/open?id=i1":           "https://sso.crm.example/pc/1?code=",
		"/open?id=i1&client=h5": "https://sso.crm.example/h5/1?code=",
	} {
		_, _, header := w.Fetch(lina, "GET", path, "")
		u, err := url.Parse(header.Get("Location"))
		if err != nil || !strings.HasPrefix(u.String(), prefix) {
			t.Fatalf("%s leads to %v", path, header)
		}
		code := u.Query().Get("code")
		for _, version := range []string{"v2", "v1"} {
			r := w.call("GET", "/api/auth/"+version+"/userid?code="+code, "")
			switch {
			case version == "v2" && (errcode(r) != "0" || r.Text("userId") != "lina" || r.Text("tenantId") != "T-A"):
				t.Errorf("%s: %v", path, r)
			case version == "v1" && errcode(r) != badCode:
				t.Errorf("used twice: %v", r)
			}
		}
	}
	// The client's script has a code for the person whose page it is, and for nobody else.
	_, text, _ := w.Fetch(lina, "GET", scriptPath, "")
	_, rest, _ := strings.Cut(text, `"crm":"`)
	code, _, _ := strings.Cut(rest, `"`)
	if r := w.call("GET", "/api/auth/v2/userid?code="+code, ""); errcode(r) != "0" || r.Text("userId") != "lina" {
		t.Errorf("the script's code: %v in %s", r, text)
	}
	if _, text, _ := w.Fetch(w.Browser(), "GET", scriptPath, ""); !strings.Contains(text, "HWH5") || strings.Contains(text, `"crm"`) {
		t.Errorf("the script for a stranger: %s", text)
	}
	code, err := w.IssueCode("crm", "lina")
	if err != nil {
		t.Fatal(err)
	}
	if r := w.callAs(w.ticket("crm-b"), "GET", "/api/auth/v2/userid?code="+code, ""); errcode(r) != badCode {
		t.Errorf("another app: %v", r)
	}
	code, _ = w.IssueCode("crm", "lina")
	w.now = w.now.Add(2 * time.Minute)
	if r := w.call("GET", "/api/auth/v2/userid?code="+code, ""); errcode(r) != codeExpired {
		t.Errorf("late: %v", r)
	}
	for _, bad := range [][2]string{{"crm", "hidden"}, {"crm", "lina-b"}, {"crm", "nobody"}, {"nothing", "lina"}} {
		if _, err := w.IssueCode(bad[0], bad[1]); err == nil {
			t.Errorf("%v got a code", bad)
		}
	}
	_ = w.Configure(func(s *Settings) { s.CodeParam = "" })
	if _, _, header := w.Fetch(lina, "GET", "/app?code=crm", ""); header.Get("Location") != "https://sso.crm.example/home?x=1" {
		t.Errorf("without a code: %v", header)
	}
}

func authorizeLink(client, redirect string) string {
	return authorizePath + "?" + url.Values{"client_id": {client}, "response_type": {"code"}, "redirect_uri": {redirect}, "scope": {"backendlogin"}, "state": {"s1"}}.Encode()
}

// The browser shows a code, a phone scans it, and each tenant lets in only its own people (F161, F164).
func TestBrowserSignIn(t *testing.T) {
	w := newWorld(t)
	codeOf := func(client, person string) string {
		t.Helper()
		status, body, header := w.Scan(authorizeLink(client, callback), person)
		u, err := url.Parse(header.Get("Location"))
		if err != nil || status != 302 || u.Query().Get("state") != "s1" {
			t.Fatalf("%s %s: %d %s", client, person, status, body)
		}
		return u.Query().Get("code")
	}
	redeem := func(client, code, grantType string) (int, simtest.Object) {
		t.Helper()
		form := url.Values{"grant_type": {grantType}, "client_id": {client}, "client_secret": {"secret-of-" + client}, "code": {code}, "redirect_uri": {callback}}
		status, body, _ := w.Fetch(w.Browser(), "POST", webTokenPath, form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
		var r simtest.Object
		if err := json.Unmarshal([]byte(body), &r); err != nil {
			t.Fatal(body)
		}
		return status, r
	}
	code := codeOf("crm-b", "lina-b")
	if status, r := redeem("crm-b", code, "authorization_code"); status != 200 || errcode(r) != webSuccess || r.Text("userId") != "lina" || r.Text("tenantId") != "T-B" {
		t.Errorf("%d %v", status, r)
	}
	late := codeOf("crm", "lina")
	w.now = w.now.Add(5 * time.Minute)
	for _, tc := range []struct{ name, client, code, grant, want string }{
		{"used twice", "crm-b", code, "authorization_code", webBadCode},
		{"late", "crm", late, "authorization_code", webCodeExpired},
		{"another app's", "crm-b", codeOf("crm", "lina"), "authorization_code", webBadCode},
		{"forged", "crm", "forged", "authorization_code", webBadCode},
		{"grant type", "crm", "x", "password", webGrantType},
		{"client", "nobody", "x", "authorization_code", webBadClient},
	} {
		if status, r := redeem(tc.client, tc.code, tc.grant); status != 400 || errcode(r) != tc.want {
			t.Errorf("%s: %d %v", tc.name, status, r)
		}
	}
	code = codeOf("crm", "lina")
	body := `{"grant_type":"authorization_code","client_id":"crm","client_secret":"secret-of-crm","code":"` + code + `"}`
	if status, text, _ := w.Fetch(w.Browser(), "POST", webTokenPath, body, "Content-Type", "application/json"); status != 200 || !strings.Contains(text, `"userId":"lina"`) {
		t.Errorf("JSON: %d %s", status, text)
	}
	if r := w.call("GET", "/api/auth/v2/userid?code="+codeOf("crm", "lina"), ""); errcode(r) != badCode {
		t.Errorf("a browser's code is none of the client: %v", r)
	}
	for _, person := range []string{"hidden", "lina-b"} {
		if status, body, _ := w.Scan(authorizeLink("crm", callback), person); status != 403 || !strings.Contains(body, "可见范围") {
			t.Errorf("%s: %d", person, status)
		}
	}
	for name, link := range map[string]string{
		"no such app": authorizeLink("nobody", callback), "another address": authorizeLink("crm", callback+"/x"),
		"no scope": strings.Replace(authorizeLink("crm", callback), "backendlogin", "", 1),
	} {
		if status, _, _ := w.Fetch(w.Browser(), "GET", link, ""); status != 400 {
			t.Errorf("%s: %d", name, status)
		}
	}
	app, _ := w.app("crm")
	app.Unpublished = true // F117
	_ = w.SetApp(app)
	if status, _, _ := w.Fetch(w.Browser(), "GET", authorizeLink("crm", callback), ""); status != 400 {
		t.Errorf("unpublished: %d", status)
	}
	if r := w.call("POST", addV3, task()); errcode(r) != createFailed {
		t.Errorf("a to-do of an unpublished app: %v", r)
	}
}

func TestContacts(t *testing.T) { // WL-DOC, WL-GO
	w := newWorld(t)
	for _, tc := range []struct{ method, path, body, want string }{
		{"GET", someone, "", `"corpUserId":"E1001","deptCode":"1","isActivated":1,"message":"OK","mobileNumber":"+86-13800001001"`},
		{"POST", "/api/contact/v2/user/detail", `{"mobileNumber":"+86-13800001001"}`, `"userId":"lina"`},
		{"POST", "/api/contact/v1/user/detail", `{"corpUserId":"E1001"}`, `"userId":"lina"`},
		{"POST", "/api/contact/v1/user/detail", `{}`, `"code":"47012"`},
		{"POST", "/api/contact/v1/user/detail", `[`, `"code":"47012"`},
		{"GET", "/api/contact/v1/users?userId=hidden", "", `"code":"47012"`}, // F118
		{"GET", "/api/contact/v1/user/users?deptCode=2&pageNo=2&pageSize=1", "", `"pageNo":2,"pageSize":1,"pages":2,"total":2`},
		{"GET", "/api/contact/v2/user/list?deptCode=2", "", `"userNameCn":"王芳"`},
		{"GET", "/api/contact/v1/user/simplelist?deptCode=9", "", `"code":"47012"`},
		{"GET", "/api/contact/v2/departments/list?deptCode=0&recursiveflag=1&offset=1&limit=100", "", `{"deptCode":"2","deptLevel":2,"deptNameCn":"销售部","deptNameEn":"Sales","fatherCode":"1","orderNo":2}],"limit":100,"message":"OK","offset":1,"totalCount":2`},
		{"GET", "/api/contact/v2/departments/list?deptCode=0&recursiveflag=0", "", `"totalCount":1`},
	} {
		raw, err := json.Marshal(w.call(tc.method, tc.path, tc.body))
		if err != nil || !strings.Contains(string(raw), tc.want) {
			t.Errorf("%s %s = %s", tc.path, tc.body, raw)
		}
	}
	raw, _ := json.Marshal(w.callAs(w.ticket("crm-b"), "GET", "/api/contact/v1/user/users?deptCode=1", ""))
	if !strings.Contains(string(raw), `"total":1`) || strings.Contains(string(raw), "mobileNumber") {
		t.Errorf("tenant B: one person, and nothing that is empty: %s", raw)
	}
}

func TestControl(t *testing.T) {
	w := newWorld(t)
	for _, tc := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/", "", 200, "/_sim/apps"},
		{"GET", "/_sim/apps", "", 200, `"clientSecret":""`},
		{"PUT", "/_sim/apps", `{"clientId":"new","clientSecret":"s","name":"x"}`, 200, `"new"`},
		{"PUT", "/_sim/apps", `{"clientId":"new","clientSecret":"s","tenantId":"T-Z"}`, 400, "T-Z"},
		{"PUT", "/_sim/apps", `{}`, 400, "clientId"},
		{"POST", "/_sim/codes", `{"clientId":"crm","person":"lina"}`, 200, `"code":"`},
		{"POST", "/_sim/codes", `{"clientId":"crm","person":"hidden"}`, 400, "hidden"},
		{"PUT", "/_sim/settings", `{"knownTask":"maybe"}`, 400, "knownTask"},
		{"PUT", "/_sim/settings", `{"errorField":"why"}`, 400, "errorField"},
		{"PUT", "/_sim/settings", `{"tokenSeconds":0}`, 400, "positive"},
		{"POST", "/_sim/clock", `{"advance":"2h"}`, 200, `"ahead":"2h0m0s"`},
		{"GET", "/_sim/stats", "", 200, `"distinct":0`},
		{"DELETE", "/_sim/tokens", "", 204, ""},
	} {
		status, body, _ := w.Fetch(w.Browser(), tc.method, tc.path, tc.body)
		if status != tc.status || !strings.Contains(body, tc.want) {
			t.Errorf("%s %s = %d %s", tc.method, tc.path, status, body)
		}
	}
	if _, err := New(Options{}); err == nil || !strings.Contains(err.Error(), "add WeLink first") { // F162
		t.Errorf("without a tenant: %v", err)
	}
}
