package wecom

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

func authorizeLink(corp, redirect string, more ...string) string {
	q := url.Values{"appid": {corp}, "redirect_uri": {redirect}, "response_type": {"code"}, "scope": {"snsapi_base"}, "state": {"s1"}, "agentid": {"1000002"}}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return authorizePath + "?" + q.Encode()
}

func qrLink(corp, redirect string, more ...string) string {
	q := url.Values{"login_type": {"CorpApp"}, "appid": {corp}, "agentid": {"1000002"}, "redirect_uri": {redirect}, "state": {"s1"}}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return newQRPath + "?" + q.Encode()
}

// Somebody opens the app in the client and is known at once (F166, F167). The parameters of the callback survive (F177).
func TestInAppSignIn(t *testing.T) {
	w := newWorld(t)
	c := w.Browser()
	deep := callback + "?path_url=survey-engine&domain=demo"
	status, _, header := w.Fetch(c, "GET", authorizeLink("wwAA", deep), "")
	if status != 303 || !strings.HasPrefix(header.Get("Location"), "/login?next=") {
		t.Fatalf("not in the client: %d %v", status, header)
	}
	w.Form(c, "/login", "choose", "lina")
	status, _, header = w.Fetch(c, "GET", authorizeLink("wwAA", deep), "")
	if status != 302 || !strings.HasPrefix(header.Get("Location"), deep+"&code=") {
		t.Fatalf("in the client: %d %s", status, header.Get("Location"))
	}
	code := w.codeIn(header)
	if r := w.get("/cgi-bin/auth/getuserinfo?code=" + code); errcode(r) != 0 || r.Text("userid") != "lina" || r.Text("user_ticket") != "" {
		t.Errorf("who: %v", r)
	}
	if r := w.get("/cgi-bin/auth/getuserinfo?code=" + code); errcode(r) != badCode {
		t.Errorf("a code is used once: %v", r)
	}
	_, _, header = w.Fetch(c, "GET", authorizeLink("wwAA", callback, "scope", "snsapi_privateinfo"), "")
	if r := w.get("/cgi-bin/auth/getuserinfo?code=" + w.codeIn(header)); r.Text("user_ticket") == "" {
		t.Errorf("private: %v", r)
	}
	_, _, header = w.Fetch(c, "GET", authorizeLink("wwBB", callback), "")
	token := w.call("GET", "/cgi-bin/gettoken?corpid=wwBB&corpsecret=secret-of-BB", "").Text("access_token")
	r := w.call("GET", "/cgi-bin/auth/getuserinfo?access_token="+token+"&code="+w.codeIn(header), "")
	if errcode(r) != 0 || r.Text("userid") != "" || r.Text("openid") == "" {
		t.Errorf("lina of AA is a stranger to BB: %v", r)
	}
}

// The browser shows a QR code, a member scans and confirms (F168). With several companies each has its own (F189).
func TestQRSignIn(t *testing.T) {
	w := newWorld(t)
	for _, page := range []string{qrLink("wwAA", callback), strings.Replace(qrLink("wwAA", callback), newQRPath, oldQRPath, 1)} {
		status, _, header := w.Scan(page, "wangfang")
		if status != 302 {
			t.Fatalf("%s: %d", page, status)
		}
		if r := w.get("/cgi-bin/user/getuserinfo?code=" + w.codeIn(header)); r.Text("UserId") != "wangfang" {
			t.Errorf("the legacy interface: %v", r)
		}
	}
	_, _, header := w.Scan(qrLink("wwBB", callback), "lina-of-BB")
	code := w.codeIn(header)
	if r := w.get("/cgi-bin/auth/getuserinfo?code=" + code); errcode(r) != badCode {
		t.Errorf("a code of BB at AA: %v", r)
	}
	status, body, _ := w.Scan(qrLink("wwAA", callback), "lina-of-BB")
	if status != 403 || !strings.Contains(body, "您不是该企业的成员") {
		t.Errorf("another company's member: %d", status)
	}
	status, body, _ = w.Scan(qrLink("wwAA", callback), "hidden")
	if status != 403 || !strings.Contains(body, "你暂无权限登陆此应用，可联系公司管理员") { // F193
		t.Errorf("outside the visible scope: %d %s", status, body)
	}
}

// The domain of the callback must be the one that the console trusts, port included (F180), and the link complete.
func TestSignInLinksThatAreRefused(t *testing.T) {
	w := newWorld(t)
	for name, link := range map[string]string{
		"another domain":     authorizeLink("wwAA", "https://evil.example/callback"),
		"a longer domain":    authorizeLink("wwAA", "https://sso.crm.example.evil.example/"),
		"another port":       authorizeLink("wwAA", "https://sso.crm.example:8443/callback"),
		"a user in the link": authorizeLink("wwAA", "https://sso.crm.example@evil.example/"),
		"no scheme":          authorizeLink("wwAA", "sso.crm.example/callback"),
		"QR, another domain": qrLink("wwAA", "https://evil.example/callback"),
		"no such company":    authorizeLink("wwZZ", callback),
		"no such app":        authorizeLink("wwAA", callback, "agentid", "7"),
		"no response_type":   authorizeLink("wwAA", callback, "response_type", ""),
		"unknown scope":      authorizeLink("wwAA", callback, "scope", "openid"),
		"private, no app":    authorizeLink("wwAA", callback, "scope", "snsapi_privateinfo", "agentid", ""),
		"QR, login_type":     qrLink("wwAA", callback, "login_type", "ServiceApp"),
		"QR, no agentid":     qrLink("wwAA", callback, "agentid", ""),
	} {
		if status, _, header := w.Fetch(w.Browser(), "GET", link, ""); status != 400 || header.Get("Location") != "" {
			t.Errorf("%s: %d %s", name, status, header.Get("Location"))
		}
	}
	if status, _, _ := w.Fetch(w.Browser(), "GET", authorizeLink("wwAA", "https://SSO.crm.example:443/x", "agentid", ""), ""); status != 303 {
		t.Errorf("the port of the scheme, no agentid: %d", status)
	}
}

func TestCodesExpire(t *testing.T) {
	w := newWorld(t)
	code, err := w.IssueCode("wwAA", 1000002, "lina")
	if err != nil || len(code) > 512 {
		t.Fatal(code, err)
	}
	w.now = w.now.Add(5 * time.Minute)
	if r := w.get("/cgi-bin/auth/getuserinfo?code=" + code); errcode(r) != codeExpired {
		t.Errorf("after five minutes: %v", r)
	}
	if r := w.get("/cgi-bin/auth/getuserinfo?code=forged"); errcode(r) != badCode {
		t.Errorf("forged: %v", r)
	}
	code, _ = w.IssueCode("wwAA", 1000003, "lina")
	if r := w.get("/cgi-bin/auth/getuserinfo?code=" + code); errcode(r) != badCode {
		t.Errorf("another app's: %v", r)
	}
	for _, bad := range [][2]string{{"wwZZ", "lina"}, {"wwAA", "nobody"}} {
		if _, err := w.IssueCode(bad[0], 1000002, bad[1]); err == nil {
			t.Errorf("%v got a code", bad)
		}
	}
}
