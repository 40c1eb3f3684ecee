package wecom

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/fault"
)

func TestGetToken(t *testing.T) { // WC-GO, F170
	w := newWorld(t)
	for _, tc := range []struct {
		query string
		code  int
	}{
		{"corpid=wwAA&corpsecret=secret-of-AA", 0},
		{"corpid=wwZZ&corpsecret=secret-of-AA", badCorp},
		{"corpid=wwAA&corpsecret=wrong", badSecret},
		{"corpid=wwBB&corpsecret=secret-of-AA", badSecret},
		{"", badCorp},
	} {
		if r := w.call("GET", "/cgi-bin/gettoken?"+tc.query, ""); errcode(r) != tc.code {
			t.Errorf("%s: %v", tc.query, r)
		}
	}
	first := w.token()
	w.now = w.now.Add(7199 * time.Second)
	if r := w.call("GET", "/cgi-bin/gettoken?corpid=wwAA&corpsecret=secret-of-AA", ""); r.Text("access_token") != first || r["expires_in"] != 1.0 {
		t.Errorf("while it is valid the token stays the same: %v", r)
	}
	if r := w.call("GET", "/cgi-bin/gettoken?corpid=wwAA&corpsecret=secret-of-another-app", ""); r.Text("access_token") == first {
		t.Error("two apps share a token")
	}
	for _, e := range w.Journal().Entries("/cgi-bin/gettoken") {
		if strings.Contains(fmt.Sprint(e), "secret-of-AA") {
			t.Errorf("the journal knows the secret: %+v", e)
		}
	}
}

func TestTokenDeath(t *testing.T) {
	w := newWorld(t)
	ask := func(token string) int {
		return errcode(w.call("GET", "/cgi-bin/user/get?userid=lina&access_token="+token, ""))
	}
	token := w.token()
	w.now = w.now.Add(7199 * time.Second)
	if code := ask(token); code != 0 {
		t.Fatalf("alive: %d", code)
	}
	w.now = w.now.Add(time.Second)
	if code := ask(token); code != tokenExpired {
		t.Errorf("after 7200 s: %d", code)
	}
	token = w.token()
	w.ForgetTokens() // WeCom may end tokens before their time
	for given, want := range map[string]int{token: badToken, "made-up": badToken, "": tokenMissing} {
		if code := ask(given); code != want {
			t.Errorf("%q: %d, want %d", given, code, want)
		}
	}
	token = w.token()
	if _, err := w.Faults().Add(fault.Rule{Times: 1, Action: fault.Action{Kind: fault.ExpireToken}}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the scripted death is a real one
		if code := ask(token); code != tokenExpired {
			t.Errorf("scripted: %d", code)
		}
	}
}

// Trusted IPs are separated by ";" (F183); anybody else is told which address to add (F193), and a change takes a minute.
func TestTrustedIPs(t *testing.T) {
	w := newWorld(t)
	a, _ := w.account("wwAA", func(a App) bool { return a.AgentID == 1000002 })
	app := a.app
	app.TrustedIPs = "10.0.0.8;10.0.0.9"
	if err := w.SetApp("wwAA", app); err != nil {
		t.Fatal(err)
	}
	if r := w.get("/cgi-bin/user/get?userid=lina"); errcode(r) != 0 {
		t.Errorf("the change counts at once: %v", r)
	}
	w.now = w.now.Add(time.Minute)
	r := w.get("/cgi-bin/user/get?userid=lina")
	if msg := r.Text("errmsg"); errcode(r) != untrustedIP || !strings.HasPrefix(msg, "not allow to access from your ip, hint: [") ||
		!strings.Contains(msg, "from ip: 127.0.0.1") || !strings.HasSuffix(msg, "e=60020") {
		t.Errorf("untrusted: %v", r)
	}
	app.TrustedIPs = "10.0.0.8;127.0.0.1"
	_ = w.SetApp("wwAA", app)
	w.now = w.now.Add(time.Minute)
	if r := w.get("/cgi-bin/user/get?userid=lina"); errcode(r) != 0 {
		t.Errorf("trusted: %v", r)
	}
	for _, bad := range []App{ // what the console does not save: F179, F183
		{AgentID: 1, Secret: "s", TrustedDomain: "https://sso.crm.example"},
		{AgentID: 1, Secret: "s", CallbackDomain: "http://sso.crm.example"},
		{AgentID: 1, Secret: "s", TrustedIPs: "10.0.0.8,10.0.0.9"},
		{AgentID: 1},
	} {
		if err := w.SetApp("wwAA", bad); err == nil {
			t.Errorf("%+v was saved", bad)
		}
	}
}

func TestRateLimits(t *testing.T) { // WC-90454
	w := newWorld(t)
	if err := w.Configure(func(s *Settings) { s.PerMinute = 3 }); err != nil {
		t.Fatal(err)
	}
	get := func() int { return errcode(w.get("/cgi-bin/user/get?userid=lina")) }
	for i := range 3 {
		if code := get(); code != 0 {
			t.Fatalf("call %d: %d", i, code)
		}
	}
	if code := get(); code != tooOften {
		t.Errorf("a fourth call: %d", code)
	}
	if r := w.get("/cgi-bin/department/list?id="); errcode(r) != 0 {
		t.Errorf("another interface: %v", r)
	}
	w.now = w.now.Add(time.Minute)
	if code := get(); code != 0 {
		t.Errorf("after the block: %d", code)
	}
	_ = w.Configure(func(s *Settings) { s.PerMinute, s.IPPerMinute = 0, 1 })
	_ = get()
	if code := get(); code != tooOften {
		t.Errorf("too often from one address: %d", code)
	}
	if err := w.Configure(func(s *Settings) { s.PerHour = -1 }); err == nil {
		t.Error("a negative limit was accepted")
	}
}
