package seeyon

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/simtest"
)

func TestTickets(t *testing.T) {
	const path, old = "/seeyon/thirdpartyController.do?ticket=", "/seeyon/login/sso?from=m3token&token="
	w := newWorld(t)
	issue := func() string {
		id, err := w.IssueTicket("lisi")
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	for _, method := range []string{"GET", "POST"} { // F106
		id := issue()
		if a := w.do(method, path+id, ""); a.Status != 200 || a.Header.Get("LoginName") != "lisi" || strings.TrimSpace(a.Body) != "lisi" {
			t.Errorf("%s: %+v", method, a)
		}
		if a := w.do(method, path+id, ""); a.Header.Get("LoginName") != "" || a.Body != "" {
			t.Errorf("%s: verified twice: %+v", method, a)
		}
	}
	id := issue()
	w.now = w.now.Add(5 * time.Minute)
	if a := w.do("GET", path+id, ""); a.Header.Get("LoginName") != "" || a.Body != "" {
		t.Errorf("stale: %+v", a)
	}
	if a := w.do("GET", old+issue(), ""); a.Status != 404 {
		t.Errorf("the old path lives in a new version: %d", a.Status)
	}

	// F108: before V70SP2.
	_ = w.Configure(func(s *Settings) {
		s.SSOPath, s.ReusableTickets, s.TicketAnswer, s.BadTicket = "old", true, "body", "error"
	})
	id = issue()
	for range 2 {
		if a := w.do("GET", old+id, ""); a.Header.Get("LoginName") != "" || strings.TrimSpace(a.Body) != "lisi" {
			t.Errorf("old: %+v", a)
		}
	}
	if a := w.do("GET", old+"forged", ""); a.Body != "error" {
		t.Errorf("forged: %+v", a)
	}
	if a := w.do("GET", path+id, ""); a.Status != 404 {
		t.Errorf("the new path lives in an old version: %d", a.Status)
	}

	_ = w.Configure(func(s *Settings) { *s = DefaultSettings(); s.MappedLogin = true })
	id, _ = w.issueTicket("lisi", "3004")
	if a := w.do("GET", path+id, ""); a.Header.Get("LoginName") != "1002" || a.Header.Get("MemberName") != "" {
		t.Errorf("mapped: %+v", a)
	}
}

func TestOpeningAnItem(t *testing.T) {
	w := newWorld(t)
	w.mustPush(receivePath, with(f{"url": "https://sso.example/SeeYon/QuoteObj/5f/714439/false?x=1", "h5url": "//sso.example/SeeYon/QuoteObj/5f/714439/true"}))
	id := w.Items()[0].ID
	if a := w.do("GET", "/seeyon/inbox", ""); a.Status != 303 || a.Header.Get("Location") != "/seeyon/login?next=%2Fseeyon%2Finbox" {
		t.Fatalf("a stranger: %+v", a)
	}
	lisi := w.browser("lisi")
	for query, prefix := range map[string]string{ // F44, F98, F105
		"":           "https://sso.example/SeeYon/QuoteObj/5f/714439/false?x=1&v5ticket=",
		"&client=h5": "https://sso.example/SeeYon/QuoteObj/5f/714439/true?v5ticket=",
	} {
		a := w.Do(lisi, "GET", "/seeyon/open?id="+id+query, "")
		ticket, ok := strings.CutPrefix(a.Header.Get("Location"), prefix)
		if a.Status != 302 || !ok {
			t.Fatalf("%q: %d %s", query, a.Status, a.Header.Get("Location"))
		}
		if v := w.do("GET", "/seeyon/thirdpartyController.do?ticket="+ticket, ""); v.Header.Get("LoginName") != "lisi" {
			t.Errorf("%q: %+v", query, v)
		}
	}
	if a := w.Do(w.browser("wangwu"), "GET", "/seeyon/open?id="+id, ""); a.Status != 404 {
		t.Errorf("somebody else's item: %d", a.Status)
	}
	w.mustPush(updatePath, with(f{"state": "2"}))
	if a := w.Do(lisi, "GET", "/seeyon/open?id="+id, ""); a.Status != 404 {
		t.Errorf("a revoked item: %d", a.Status)
	}
	a := w.Do(lisi, "GET", "/seeyon/app?code=3004&client=h5", "")
	if !strings.HasPrefix(a.Header.Get("Location"), "https://sso.example/login/714439/true?ticket=") {
		t.Errorf("tile: %+v", a)
	}
}

func TestHandshake(t *testing.T) { // SY-SSO
	w := newWorld(t)
	var shown, reply string
	app := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		shown = r.FormValue("ticket")
		_, _ = io.WriteString(rw, reply)
	}))
	defer app.Close()
	w.SetApps([]App{{Code: "7", LoginURL: app.URL + "/home", HandshakeURL: app.URL + "/check"}})
	lisi := w.browser("lisi")
	reply = "SSOLogoutError"
	if a := w.Do(lisi, "GET", "/seeyon/app?code=7", ""); a.Status != http.StatusBadGateway {
		t.Errorf("refused: %+v", a)
	}
	reply = "SSOOK"
	a := w.Do(lisi, "GET", "/seeyon/app?code=7", "")
	if a.Header.Get("Location") != app.URL+"/home?ticket="+shown || shown == "" {
		t.Errorf("confirmed: %+v", a)
	}
}

func TestPagesEscape(t *testing.T) {
	w := newWorld(t)
	w.mustPush(receivePath, with(f{"title": `<script>alert(1)</script> "引号" & 合同`, "senderName": `<b>张三`}))
	a := w.Do(w.browser("lisi"), "GET", "/seeyon/inbox", "")
	if strings.Contains(a.Body, "<script") || strings.Contains(a.Body, "<b>张三") || !strings.Contains(a.Body, "&lt;script&gt;alert(1)") {
		t.Errorf("page = %s", a.Body)
	}
	if csp := a.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") {
		t.Errorf("CSP = %q", csp)
	}
}

func TestLogin(t *testing.T) {
	w := newWorld(t)
	form := func(v url.Values) simtest.Reply {
		return w.do("POST", "/seeyon/login", v.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	}
	if a := form(url.Values{"login": {"lisi"}, "password": {"pw"}}); a.Status != 303 || !strings.Contains(a.Header.Get("Set-Cookie"), "HttpOnly") {
		t.Errorf("right password: %+v", a)
	}
	for _, v := range []url.Values{{"login": {"lisi"}, "password": {"no"}}, {"login": {"wangwu"}, "password": {""}}, {"choose": {"nobody"}}} {
		if a := form(v); a.Status != 401 {
			t.Errorf("%v: %d", v, a.Status)
		}
	}
}

func TestControl(t *testing.T) {
	w := newWorld(t)
	for _, tc := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/healthz", "", 200, "ok"},
		{"GET", "/", "", 200, "/_sim/items"},
		{"POST", "/_sim/people", `{"people":[{"loginName":"sunqi","name":"孙七"}],"bindings":[{"thirdUserId":"1007","loginName":"sunqi"}]}`, 200, ""},
		{"POST", "/_sim/people", `{"bindings":[{"thirdUserId":"1","loginName":"nobody"}]}`, 400, "nobody"},
		{"GET", "/_sim/people", "", 200, `"thirdUserId":"1007"`},
		{"PUT", "/_sim/settings", `{"ssoPath":"both"}`, 200, `"wrongPassword":401`},
		{"PUT", "/_sim/settings", `{"ssoPath":"sideways"}`, 400, "sideways"},
		{"PUT", "/_sim/settings", `{"sssoPath":"old"}`, 400, "sssoPath"},
		{"GET", "/_sim/settings", "", 200, `"ssoPath":"both"`},
		{"POST", "/_sim/tickets", `{"login":"sunqi"}`, 200, `"ticket":"`},
		{"POST", "/_sim/tickets", `{"login":"nobody"}`, 400, ""},
		{"PUT", "/_sim/passwords", `{"user":"fxiaoke","password":"new"}`, 200, ""},
		{"PUT", "/_sim/apps", `{"apps":[{"code":"3004","name":"CRM"}]}`, 200, ""},
		{"GET", "/_sim/faults", "", 200, `{"rules":[]}`},
		{"GET", "/_sim/stats", "", 200, `"distinct":0`},
		{"GET", "/_sim/items?state=0", "", 200, `{"items":[]}`},
		{"DELETE", "/_sim/tokens", "", 204, ""},
		{"DELETE", "/_sim/items", "", 204, ""},
	} {
		if a := w.do(tc.method, tc.path, tc.body); a.Status != tc.status || !strings.Contains(a.Body, tc.want) {
			t.Errorf("%s %s = %d %s", tc.method, tc.path, a.Status, a.Body)
		}
	}
	if a := w.do("GET", "/_sim/people", ""); !json.Valid([]byte(a.Body)) || strings.Contains(a.Body, `"password"`) {
		t.Errorf("people = %s", a.Body)
	}
}
