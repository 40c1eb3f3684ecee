package generic

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/oabridge/oabridge/internal/oasim/simtest"
)

// Every way to prove who makes a call, the right one and the wrong ones.
func TestAuth(t *testing.T) {
	fetch := func(w *world, body, contentType string) string {
		a := w.Do(http.DefaultClient, "POST", "/token", body, "Content-Type", contentType)
		var out struct {
			AccessToken string `json:"access_token"`
			ExpiresIn   int    `json:"expires_in"`
		}
		_ = json.Unmarshal([]byte(a.Body), &out)
		if a.Status == 200 && out.ExpiresIn != 7200 {
			t.Errorf("expires_in = %d", out.ExpiresIn)
		}
		return out.AccessToken
	}
	for _, c := range []struct {
		name string
		auth Auth
		call func(*world) simtest.Reply
		want int
	}{
		{"basic", Auth{Type: "basic", User: "u", Password: "p"}, func(w *world) simtest.Reply { return w.rest("create", todo(), "Authorization", simtest.Basic("u:p")) }, 200},
		{"basic, wrong", Auth{Type: "basic", User: "u", Password: "p"}, func(w *world) simtest.Reply { return w.rest("create", todo(), "Authorization", simtest.Basic("u:x")) }, 401},
		{"static bearer", Auth{Type: "static", Password: "p", Place: "bearer"}, func(w *world) simtest.Reply { return w.rest("create", todo(), "Authorization", "Bearer p") }, 200},
		{"static header", Auth{Type: "static", Password: "p", Place: "header", Name: "X-Api-Key"}, func(w *world) simtest.Reply { return w.rest("create", todo(), "X-Api-Key", "p") }, 200},
		{"static query", Auth{Type: "static", Password: "hush", Place: "query", Name: "apikey"}, func(w *world) simtest.Reply { return w.rest("create?apikey=hush", todo()) }, 200},
		{"static, none", Auth{Type: "static", Password: "p", Place: "query", Name: "apikey"}, func(w *world) simtest.Reply { return w.rest("create", todo()) }, 401},
		{"token by JSON", Auth{Type: "token", User: "u", Password: "p", Place: "query", Name: "token", TokenPath: "/token"}, func(w *world) simtest.Reply {
			return w.rest("create?token="+fetch(w, `{"username":"u","password":"p"}`, "application/json"), todo())
		}, 200},
		{"token by client credentials", Auth{Type: "token", User: "u", Password: "p", Place: "bearer", TokenPath: "/token"}, func(w *world) simtest.Reply {
			return w.rest("create", todo(), "Authorization", "Bearer "+fetch(w, "grant_type=client_credentials&client_id=u&client_secret=p", "application/x-www-form-urlencoded"))
		}, 200},
		{"another grant", Auth{Type: "token", User: "u", Password: "p", Place: "bearer", TokenPath: "/token"}, func(w *world) simtest.Reply {
			return w.rest("create", todo(), "Authorization", "Bearer "+fetch(w, "grant_type=password&client_id=u&client_secret=p", "application/x-www-form-urlencoded"))
		}, 401},
		{"an old token", Auth{Type: "token", User: "u", Password: "p", Place: "bearer", TokenPath: "/token"}, func(w *world) simtest.Reply {
			token := fetch(w, `{"username":"u","password":"p"}`, "application/json")
			w.Clock().Advance(7201 * time.Second)
			return w.rest("create", todo(), "Authorization", "Bearer "+token)
		}, 401},
		{"a forgotten token", Auth{Type: "token", User: "u", Password: "p", Place: "bearer", TokenPath: "/token"}, func(w *world) simtest.Reply {
			token := fetch(w, `{"username":"u","password":"p"}`, "application/json")
			w.Do(http.DefaultClient, "DELETE", "/_sim/tokens", "")
			return w.rest("create", todo(), "Authorization", "Bearer "+token)
		}, 401},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, func(o *Options) { o.Auth = c.auth })
			if a := c.call(w); a.Status != c.want {
				t.Errorf("%d %s", a.Status, a.Body)
			}
			for _, e := range w.Journal().Entries("/") {
				if strings.Contains(e.Query+e.Body, "hush") || strings.Contains(e.Body, `"password":"p"`) || strings.Contains(e.Body, "client_secret=p") {
					t.Errorf("a secret is in the journal: %+v", e)
				}
			}
		})
	}
	w := newWorld(t, func(o *Options) { o.Auth = Auth{Type: "static", Password: "p", Place: "bearer"} })
	_ = w.Configure(func(s *Settings) { s.AuthFailure, s.AuthCode = "code", "40014" })
	if a := w.rest("create", todo()); a.Status != 200 || !strings.Contains(a.Body, `"code":40014`) {
		t.Errorf("as a code: %d %s", a.Status, a.Body)
	}
	if got := w.out(w.soap("createTodo", "<taskId>T1</taskId>")); !strings.Contains(got, `"code":40014`) {
		t.Errorf("as a code, SOAP: %s", got)
	}
}

// click opens lina's to-do and returns the link with whatever proof the settings ask for.
func (w *world) click(c *http.Client) *url.URL {
	w.t.Helper()
	w.rest("create", todo())
	w.Do(c, "POST", "/login", "choose=lina", "Content-Type", "application/x-www-form-urlencoded")
	a := w.Do(c, "GET", "/open?id=i1", "")
	u, err := url.Parse(a.Header.Get("Location"))
	if err != nil || u.Host != "sso.example" {
		w.t.Fatalf("%d %s", a.Status, a.Header.Get("Location"))
	}
	return u
}

func TestLinks(t *testing.T) {
	w := newWorld(t)
	c := w.Browser()
	use := func(link string) url.Values {
		t.Helper()
		_ = w.Configure(func(s *Settings) { s.Link = link })
		return w.click(c).Query()
	}
	if q := use(linkPlain); len(q) != 0 {
		t.Errorf("plain: %v", q)
	}
	// The seed's algorithm (F47); the value is from sha1sum.
	if q := use(linkSHA1); q.Get("loginid") != "lina" || q.Get("stamp") != "1634128095994" || q.Get("token") != "03c05432bad0f216ca6c9d35eff11fa3b332a4db" {
		t.Errorf("sha1: %v", q)
	}
	q := use(linkHMAC)
	mac := hmac.New(sha256.New, []byte(linkSecret))
	mac.Write([]byte("v1\nsso.example\n/T1\nlina\n1634128095994\n" + q.Get("nonce")))
	if q.Get("token") != hex.EncodeToString(mac.Sum(nil)) || len(q.Get("nonce")) < 16 {
		t.Errorf("hmac: %v", q)
	}
	token, err := jwt.ParseSigned(use(linkJWT).Get("ticket"), []jose.SignatureAlgorithm{jose.HS256})
	if err != nil {
		t.Fatal(err)
	}
	var claims jwt.Claims
	if err := token.Claims([]byte(linkSecret), &claims); err != nil || claims.Subject != "lina" || claims.ID == "" {
		t.Errorf("jwt: %+v %v", claims, err)
	}
	if err := claims.Validate(jwt.Expected{Issuer: "https://oa.example", AnyAudience: jwt.Audience{"https://sso.example"}, Time: w.Now()}); err != nil {
		t.Errorf("jwt: %v", err)
	}
	w.sign.Secret = "short"
	if a := w.Do(c, "GET", "/open?id=i1", ""); a.Status != 502 {
		t.Errorf("a short secret: %d", a.Status)
	}
	if a := w.Do(c, "POST", "/_sim/links", `{"person":"nobody","link":"https://x.example"}`); a.Status != 400 {
		t.Errorf("nobody's link: %d", a.Status)
	}
}

// The other side asks whose a ticket is (F110): once, in time, and with its own token if one was agreed on.
func TestTickets(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Sign.Parameter, o.Sign.TicketToken = "st", "agreed" })
	_ = w.Configure(func(s *Settings) { s.Link = linkTicket })
	c := w.Browser()
	ticket := w.click(c).Query().Get("st")
	ask := func(ticket string) simtest.Reply {
		return w.Do(c, "GET", "/sso/verify?st="+ticket, "", "Authorization", "Bearer agreed")
	}
	if a := w.Do(c, "GET", "/sso/verify?st="+ticket, ""); a.Status != 401 {
		t.Errorf("without the token: %d", a.Status)
	}
	if a := ask(ticket); strings.TrimSpace(a.Body) != `{"code":0,"data":{"account":"lina"}}` {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if a := ask(ticket); a.Status != 403 {
		t.Errorf("twice: %d", a.Status)
	}
	_ = w.Configure(func(s *Settings) { s.TicketAnswer, s.BadTicket = "text", "empty" })
	if a := w.Do(c, "POST", "/sso/verify", "st="+w.ticket("lina"), "Content-Type", "application/x-www-form-urlencoded", "Authorization", "Bearer agreed"); a.Body != "lina" {
		t.Errorf("text: %d %q", a.Status, a.Body)
	}
	old := w.ticket("lina")
	w.Clock().Advance(301 * time.Second)
	if a := ask(old); a.Status != 200 || a.Body != "" {
		t.Errorf("old: %d %q", a.Status, a.Body)
	}
}

func TestProviderIsThere(t *testing.T) {
	w := newWorld(t)
	c := w.Browser()
	if a := w.Do(c, "GET", "/.well-known/openid-configuration", ""); !strings.Contains(a.Body, w.URL()+"/oauth2/authorize") {
		t.Errorf("discovery: %s", a.Body)
	}
	w.click(c)
	if a := w.Do(c, "GET", "/cas/login?service=https%3A%2F%2Fsso.example%2Fcallback", ""); !strings.Contains(a.Header.Get("Location"), "ticket=ST-") {
		t.Errorf("CAS: %d %s", a.Status, a.Header.Get("Location"))
	}
	if a := w.Do(c, "GET", "/app?code=crm", ""); a.Header.Get("Location") != "https://sso.example/home" {
		t.Errorf("app: %d", a.Status)
	}
}
