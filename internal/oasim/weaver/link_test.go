package weaver

import (
	"net/url"
	"strings"
	"testing"
)

// The seed's example: secret, loginid and stamp give this token (F47, appendix A1).
func TestSeedVector(t *testing.T) {
	if got := sign("d73ec6289574d272c9cc2df5ff70488b", "0001", "1634128095994"); got != "68ec2e6c1206a4a25be4dbd0aab845d0c68a0479" {
		t.Errorf("token = %s", got)
	}
}

// A person clicks a to-do and is sent to its link with the signed proof (F47); the clock stands at the seed's stamp.
func TestClickSignsTheLink(t *testing.T) {
	w := newWorld(t)
	w.push("ReceiveRequestInfoByJson", item("pcurl", "/pc/T1?to=a#b", "appurl", "https://elsewhere.example/T1"))
	w.push("ReceiveRequestInfoByJson", item("syscode", "plain", "pcurl", "https://plain.example/T1"))
	c := w.Browser()
	w.Do(c, "POST", "/login", "choose=0001", "Content-Type", "application/x-www-form-urlencoded")
	const proof = "loginid=0001&stamp=1634128095994&token=68ec2e6c1206a4a25be4dbd0aab845d0c68a0479"
	for path, want := range map[string]string{
		"/open?id=i1":           "https://sso.example/pc/T1?to=a&" + proof + "#b",
		"/open?id=i1&client=h5": "https://elsewhere.example/T1?" + proof,
		"/open?id=i2":           "https://plain.example/T1",
		"/app?code=fxiaoke":     "https://sso.example/home?" + proof,
	} {
		if a := w.Do(c, "GET", path, ""); a.Header.Get("Location") != want {
			t.Errorf("%s: %d %s", path, a.Status, a.Header.Get("Location"))
		}
	}
	a := w.Do(c, "POST", "/_sim/links", `{"person":"0001","system":"fxiaoke","link":"https://x.example"}`)
	if !strings.Contains(strings.ReplaceAll(a.Body, `\u0026`, "&"), "https://x.example?"+proof) {
		t.Errorf("control: %s", a.Body)
	}
	for _, bad := range [][2]string{{"nobody", "fxiaoke"}, {"0001", "plain"}, {"0001", "nobody"}} {
		if _, err := w.SignedLink(bad[0], bad[1], "https://x.example"); err == nil {
			t.Errorf("%v got a link", bad)
		}
	}
	if a := w.Do(c, "GET", "/_sim/systems", ""); strings.Contains(a.Body, secret) || !strings.Contains(a.Body, "fxiaoke") {
		t.Errorf("systems: %s", a.Body)
	}
}

// The authentication provider (F46): the paths are those of Apereo servers (CAS-OA).
func TestProviderPaths(t *testing.T) {
	w := newWorld(t)
	c := w.Browser()
	w.Do(c, "POST", "/login", "choose=0001", "Content-Type", "application/x-www-form-urlencoded")
	back := "https://sso.example/callback"
	a := w.Do(c, "GET", "/sso/oauth2.0/authorize?response_type=code&client_id=crm&state=S&redirect_uri="+url.QueryEscape(back), "")
	to, err := url.Parse(a.Header.Get("Location"))
	if err != nil || !strings.HasPrefix(to.String(), back+"?code=OC-") || to.Query().Get("state") != "S" {
		t.Fatalf("authorize: %d %s", a.Status, to)
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {to.Query().Get("code")}, "client_id": {"crm"}, "client_secret": {"s"}, "redirect_uri": {back}}
	a = w.Do(c, "POST", "/sso/oauth2.0/accessToken", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	_, token, _ := strings.Cut(a.Body, `"access_token":"`)
	token, _, _ = strings.Cut(token, `"`)
	if a := w.Do(c, "GET", "/sso/oauth2.0/profile?access_token="+token, ""); !strings.Contains(a.Body, `"id":"0001"`) {
		t.Errorf("profile: %s", a.Body)
	}
	a = w.Do(c, "GET", "/sso/login?service="+url.QueryEscape(back), "")
	to, _ = url.Parse(a.Header.Get("Location"))
	a = w.Do(c, "GET", "/sso/serviceValidate?service="+url.QueryEscape(back)+"&ticket="+to.Query().Get("ticket"), "")
	if !strings.Contains(a.Body, "<cas:user>0001</cas:user>") {
		t.Errorf("CAS: %s", a.Body)
	}
	for _, e := range w.Journal().Entries("/sso/") {
		if strings.Contains(e.Body+e.Query, token) || strings.Contains(e.Body, "client_secret=s") || strings.Contains(e.Query, to.Query().Get("ticket")) {
			t.Errorf("a secret is in the journal: %+v", e)
		}
	}
}

func TestSettings(t *testing.T) {
	for name, change := range map[string]func(*Settings){
		"account": func(s *Settings) { s.Account = "id" }, "form": func(s *Settings) { s.SOAPForm = "x" },
		"prefix": func(s *Settings) { s.SOAPPrefix = "" }, "provider": func(s *Settings) { s.Provider.IDToken = "x" },
	} {
		s := DefaultSettings()
		change(&s)
		if _, err := New(Options{Settings: &s}); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
