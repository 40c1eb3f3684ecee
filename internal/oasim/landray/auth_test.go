package landray

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/oabridge/oabridge/internal/oasim/simtest"
	"github.com/oabridge/oabridge/internal/oasim/soap"
)

// A SOAP call names its user in the header of LR-SOAP, plain or prefixed, or by HTTP Basic.
func TestSOAPUsers(t *testing.T) {
	const prefixed = `<tns:RequestSOAPHeader xmlns:tns="http://sys.webservice.client"><tns:user>crm</tns:user><tns:password>%s</tns:password></tns:RequestSOAPHeader>`
	const hashed = "33e1b232a4e6fa0028a6670753749a17" // MD5 of s3cret
	for _, c := range []struct {
		name, header string
		change       func(*Settings)
		ok           bool
	}{
		{"plain", rightHeader, nil, true},
		{"prefixed", strings.Replace(prefixed, "%s", "s3cret", 1), nil, true},
		{"MD5", strings.Replace(prefixed, "%s", hashed, 1), nil, true},
		{"MD5 in capitals", strings.Replace(prefixed, "%s", strings.ToUpper(hashed), 1), nil, true},
		{"only MD5, plain given", rightHeader, func(s *Settings) { s.Password = "md5" }, false},
		{"only plain, MD5 given", strings.Replace(prefixed, "%s", hashed, 1), func(s *Settings) { s.Password = "plain" }, false},
		{"wrong password", strings.Replace(prefixed, "%s", "wrong", 1), nil, false},
		{"another namespace", strings.Replace(rightHeader, "sys.webservice.client", "example.org", 1), nil, false},
		{"none", "", nil, false},
		{"none is needed", "", func(s *Settings) { s.Auth = "none" }, true},
		{"only Basic", rightHeader, func(s *Settings) { s.Auth = "basic" }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			if c.change != nil {
				_ = w.Configure(c.change)
			}
			a := w.soap(soap11, c.header, "sendTodo", sending())
			if ok := a.Status == 200; ok != c.ok || !ok && !strings.Contains(a.Body, "<faultcode>soap:Client</faultcode>") {
				t.Errorf("%d %s", a.Status, a.Body)
			}
			_ = w.Configure(func(s *Settings) { s.AuthFailure = "401" })
			if a := w.soap(soap11, c.header, "sendTodo", sending()); a.Status == 401 == c.ok {
				t.Errorf("as a status: %d", a.Status)
			}
			for _, e := range w.Journal().Entries(servicePath) {
				if strings.Contains(e.Body, "s3cret") || strings.Contains(strings.ToLower(e.Body), hashed) {
					t.Errorf("the password is in the journal: %s", e.Body)
				}
			}
		})
	}
}

func TestRESTUsers(t *testing.T) { // LR-REST
	w := newWorld(t)
	for user, want := range map[string]int{"crm:s3cret": 200, "crm:wrong": 401, "nobody:s3cret": 401, "": 401} {
		if a := w.Do(http.DefaultClient, "POST", restPath+"sendTodo", text(sending()), "Authorization", simtest.Basic(user)); a.Status != want {
			t.Errorf("%s: %d", user, a.Status)
		}
	}
	_ = w.Configure(func(s *Settings) { s.Auth = "header" })
	if a := w.Do(http.DefaultClient, "POST", restPath+"sendTodo", text(sending()), "Authorization", simtest.Basic("crm:s3cret")); a.Status != 401 {
		t.Errorf("only the SOAP header: %d", a.Status)
	}
}

func TestSOAPFaultsAndWSDL(t *testing.T) {
	w := newWorld(t)
	for name, a := range map[string]simtest.Reply{
		"no such operation": w.soap(soap11, rightHeader, "explode", sending()),
		"no SOAP":           w.soap("urn:x", rightHeader, "sendTodo", sending()),
		"a document type": w.Do(http.DefaultClient, "POST", servicePath, `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`,
			"Content-Type", "text/xml"),
	} {
		if a.Status != 500 || !strings.Contains(a.Body, "faultstring") {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	_ = w.Configure(func(s *Settings) { s.GBK = true })
	a := w.soap(soap11, rightHeader, "sendTodo", sending("targets", `{"LoginName":"nobody"}`))
	if r := w.returned(a); r.Message != "找不到人员：LoginName=nobody" || strings.Contains(a.Body, "找不到") {
		t.Errorf("GBK: %+v", r)
	}
	a = w.Do(http.DefaultClient, "GET", servicePath+"?wsdl", "")
	root, err := soap.Parse([]byte(a.Body))
	if err != nil || root.Name != "definitions" || !strings.Contains(a.Body, w.URL()+servicePath) {
		t.Fatalf("WSDL: %v %.200s", err, a.Body)
	}
	for operation := range contexts {
		if !strings.Contains(a.Body, `<wsdl:operation name="`+operation+`">`) {
			t.Errorf("%s is not in the WSDL", operation)
		}
	}
}

// People of EKP sign in to the CRM through its identity provider, and open the to-do by its own link.
func TestPortalAndProvider(t *testing.T) {
	w := newWorld(t)
	w.rest("sendTodo", sending())
	c := w.Browser()
	w.Do(c, "POST", "/login", "choose=lina", "Content-Type", "application/x-www-form-urlencoded")
	for path, want := range map[string]string{
		"/open?id=i1": "https://sso.example/pc/T1", "/open?id=i1&client=h5": "https://sso.example/h5/T1", "/app?code=crm": "https://sso.example/home",
	} {
		if a := w.Do(c, "GET", path, ""); a.Header.Get("Location") != want {
			t.Errorf("%s: %d %s", path, a.Status, a.Header.Get("Location"))
		}
	}
	back := url.QueryEscape("https://sso.example/callback")
	a := w.Do(c, "GET", "/oauth2/authorize?response_type=code&client_id=crm&scope=openid&state=S&redirect_uri="+back, "")
	to, err := url.Parse(a.Header.Get("Location"))
	if err != nil || to.Query().Get("code") == "" {
		t.Fatalf("authorize: %d %s", a.Status, to)
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {to.Query().Get("code")}, "client_id": {"crm"}, "client_secret": {"s"}, "redirect_uri": {"https://sso.example/callback"}}
	if a := w.Do(c, "POST", "/oauth2/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded"); !strings.Contains(a.Body, "id_token") {
		t.Errorf("token: %s", a.Body)
	}
	if a := w.Do(c, "GET", "/cas/login?service="+back, ""); !strings.Contains(a.Header.Get("Location"), "ticket=ST-") {
		t.Errorf("CAS: %s", a.Header.Get("Location"))
	}
}

func TestSettings(t *testing.T) {
	for name, change := range map[string]func(*Settings){
		"auth": func(s *Settings) { s.Auth = "x" }, "password": func(s *Settings) { s.Password = "" }, "failure": func(s *Settings) { s.AuthFailure = "403" },
		"state": func(s *Settings) { s.UnknownState = 3 }, "prefix": func(s *Settings) { s.Prefix = "" }, "provider": func(s *Settings) { s.Provider.CodeSeconds = 0 },
	} {
		s := DefaultSettings()
		change(&s)
		if _, err := New(Options{Settings: &s}); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
