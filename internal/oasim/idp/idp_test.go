package idp

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/internal/oasim/portal"
)

const back = "https://sso.example/callback"

type world struct {
	*Provider
	t        *testing.T
	settings Settings
	url      string
	client   *http.Client
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, settings: DefaultSettings()}
	d := desk.New(desk.Options{App: "模拟OA"})
	people, err := desk.NewPeople([]desk.Person{{ID: "lina", Name: "李娜 <&>", Code: "E1001"}})
	if err != nil {
		t.Fatal(err)
	}
	pages := portal.New(portal.Options{Desk: d, People: people, Box: inbox.New(d.Now)})
	w.Provider, err = New(Options{
		Desk: d, Portal: pages, People: people,
		Clients: []Client{{ID: "crm", Secret: "s3cret", RedirectURIs: []string{back}}, {ID: "other", Secret: "x", RedirectURIs: []string{"https://other.example"}}},
		Paths: Paths{
			Authorize: "/authorize", Token: "/token", Profile: "/profile", Discovery: "/.well-known/openid-configuration", Keys: "/keys",
			Login: "/cas/login", Validate: "/cas/serviceValidate", Validate3: "/cas/p3/serviceValidate",
		},
		Profile: func(p desk.Person) map[string]any {
			return map[string]any{"id": p.ID, "attributes": map[string]any{"name": p.Name}}
		},
		Settings: func() Settings { return w.settings },
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	pages.Route(mux)
	w.Route(mux)
	d.Mount("/", fault.Vendor{}, mux)
	srv := httptest.NewServer(d)
	t.Cleanup(srv.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	w.url = srv.URL
	w.client = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return w
}

func (w *world) call(method, path string, form url.Values) (int, string, *url.URL) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := w.client.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	to, _ := url.Parse(resp.Header.Get("Location"))
	return resp.StatusCode, string(body), to
}

func (w *world) signIn() {
	w.t.Helper()
	if status, body, _ := w.call("POST", "/login", url.Values{"choose": {"lina"}}); status != 303 {
		w.t.Fatalf("sign in: %d %s", status, body)
	}
}

type tokens struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	IDToken      string `json:"id_token"`
	Error        string `json:"error"`
}

func (w *world) exchange(code, verifier string, change ...string) (int, tokens) {
	w.t.Helper()
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "client_id": {"crm"}, "client_secret": {"s3cret"}, "redirect_uri": {back}}
	if verifier != "" {
		form.Set("code_verifier", verifier)
	}
	for i := 0; i+1 < len(change); i += 2 {
		form.Set(change[i], change[i+1])
	}
	status, body, _ := w.call("POST", "/token", form)
	var out tokens
	if err := json.Unmarshal([]byte(body), &out); err != nil {
		w.t.Fatalf("token: %d %s", status, body)
	}
	return status, out
}

// The code flow as a browser and a server walk it (CAS-OA): sign in, come back with code and state, exchange it once,
// ask who it was.
func TestCodeFlow(t *testing.T) { // F46
	w := newWorld(t)
	verifier := strings.Repeat("v", 43)
	sum := sha256.Sum256([]byte(verifier))
	ask := "/authorize?" + url.Values{
		"response_type": {"code"}, "client_id": {"crm"}, "redirect_uri": {back}, "state": {"S&1"}, "nonce": {"N1"}, "scope": {"openid"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}.Encode()
	status, _, to := w.call("GET", ask, nil)
	if status != 303 || to.Path != "/login" || to.Query().Get("next") != ask {
		t.Fatalf("not signed in: %d %s", status, to)
	}
	w.signIn()
	_, _, to = w.call("GET", ask, nil)
	if !strings.HasPrefix(to.String(), back+"?") || to.Query().Get("state") != "S&1" || to.Query().Get("code") == "" {
		t.Fatalf("back at the client: %s", to)
	}
	code := to.Query().Get("code")
	status, got := w.exchange(code, verifier)
	if status != 200 || got.AccessToken == "" {
		t.Fatalf("token: %d %+v", status, got)
	}
	if status, body, _ := w.call("GET", "/profile?access_token="+got.AccessToken, nil); status != 200 || strings.TrimSpace(body) != `{"attributes":{"name":"李娜 \u003c\u0026\u003e"},"id":"lina"}` {
		t.Errorf("profile: %d %s", status, body)
	}
	if status, again := w.exchange(code, verifier); status != 400 || again.Error != "invalid_grant" {
		t.Errorf("code used twice: %d %+v", status, again)
	}
	if status, _, _ := w.call("GET", "/profile?access_token="+got.AccessToken, nil); status != 401 {
		t.Errorf("the token of a code that came twice still works: %d", status)
	}
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.RefreshToken}, "client_id": {"crm"}, "client_secret": {"s3cret"}}
	if status, body, _ := w.call("POST", "/token", form); status != 200 {
		t.Errorf("refresh: %d %s", status, body)
	}
	if status, _, _ := w.call("POST", "/token", form); status != 400 {
		t.Errorf("refreshed twice: %d", status)
	}
}

func TestAuthorizeRefuses(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	ask := func(change ...string) (int, *url.URL) {
		q := url.Values{"response_type": {"code"}, "client_id": {"crm"}, "redirect_uri": {back}, "state": {"S"}}
		for i := 0; i+1 < len(change); i += 2 {
			q.Set(change[i], change[i+1])
		}
		status, _, to := w.call("GET", "/authorize?"+q.Encode(), nil)
		return status, to
	}
	for _, c := range [][2]string{{"client_id", "nobody"}, {"redirect_uri", back + "/x"}, {"redirect_uri", "https://other.example"}, {"redirect_uri", ""}} {
		if status, to := ask(c[0], c[1]); status != 400 || to.String() != "" {
			t.Errorf("%v: %d %s", c, status, to)
		}
	}
	for want, c := range map[string][2]string{"unsupported_response_type": {"response_type", "token"}, "invalid_request": {"code_challenge", "plain"}} {
		if _, to := ask(c[0], c[1]); to.Query().Get("error") != want || to.Query().Get("state") != "S" || to.Query().Get("code") != "" {
			t.Errorf("%s: %s", want, to)
		}
	}
	w.settings.BrokenState = true
	if _, to := ask(); to.Query().Get("state") == "S" {
		t.Error("the state was not broken")
	}
}

func TestTokenRefuses(t *testing.T) {
	w := newWorld(t)
	code := func() string {
		c, err := w.Code("lina", "crm", back, "", "")
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for name, c := range map[string]struct {
		status int
		change []string
	}{
		"wrong secret":       {401, []string{"client_secret", "x"}},
		"another client":     {400, []string{"client_id", "other", "client_secret", "x"}},
		"another address":    {400, []string{"redirect_uri", "https://other.example"}},
		"unknown grant":      {400, []string{"grant_type", "password"}},
		"a made-up code":     {400, []string{"code", "OC-1"}},
		"nothing is missing": {200, nil},
	} {
		if status, got := w.exchange(code(), "", c.change...); status != c.status {
			t.Errorf("%s: %d %+v", name, status, got)
		}
	}
	c, err := w.Code("lina", "crm", back, "", "challenge")
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := w.exchange(c, "wrong"); status != 400 {
		t.Errorf("wrong verifier: %d", status)
	}
	old := code()
	w.Desk.Clock().Advance(301 * time.Second)
	if status, _ := w.exchange(old, ""); status != 400 {
		t.Errorf("old code: %d", status)
	}
	for _, bad := range [][2]string{{"nobody", "crm"}, {"lina", "nobody"}} {
		if _, err := w.Code(bad[0], bad[1], back, "", ""); err == nil {
			t.Errorf("%v got a code", bad)
		}
	}
}

func TestOldCASAnswersTheTokenCallAsAForm(t *testing.T) {
	w := newWorld(t)
	w.settings.FormTokens = true
	code, _ := w.Code("lina", "crm", back, "", "")
	status, body, _ := w.call("POST", "/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "client_id": {"crm"}, "client_secret": {"s3cret"}, "redirect_uri": {back},
	})
	if q, err := url.ParseQuery(body); status != 200 || err != nil || q.Get("expires_in") != "3600" || !strings.HasPrefix(q.Get("access_token"), "AT-") {
		t.Errorf("%d %s", status, body)
	}
}

func TestIDTokens(t *testing.T) {
	w := newWorld(t)
	_, body, _ := w.call("GET", "/.well-known/openid-configuration", nil)
	var about struct {
		Issuer, JWKSURI string
	}
	if err := json.Unmarshal([]byte(strings.ReplaceAll(body, "jwks_uri", "jwksuri")), &about); err != nil || about.Issuer != w.url || about.JWKSURI != w.url+"/keys" {
		t.Fatalf("discovery: %s", body)
	}
	w.BrowserURL = "https://oa.example"
	if _, body, _ := w.call("GET", "/.well-known/openid-configuration", nil); !strings.Contains(body, `"authorization_endpoint":"https://oa.example/authorize"`) ||
		!strings.Contains(body, `"issuer":"`+w.url) {
		t.Errorf("discovery with an address for browsers: %s", body)
	}
	fetch := func() (jwt.Claims, string, error) {
		code, _ := w.Code("lina", "crm", back, "N1", "")
		_, got := w.exchange(code, "")
		var claims jwt.Claims
		var more struct {
			Nonce string `json:"nonce"`
		}
		token, err := jwt.ParseSigned(got.IDToken, []jose.SignatureAlgorithm{jose.ES256})
		if err != nil {
			return claims, "", err
		}
		_, body, _ := w.call("GET", "/keys", nil)
		var keys jose.JSONWebKeySet
		if err := json.Unmarshal([]byte(body), &keys); err != nil {
			t.Fatal(err)
		}
		if err := token.Claims(keys, &claims, &more); err != nil {
			return claims, "", err
		}
		return claims, more.Nonce, claims.Validate(jwt.Expected{Issuer: w.url, AnyAudience: jwt.Audience{"crm"}, Time: time.Now()})
	}
	if claims, nonce, err := fetch(); err != nil || claims.Subject != "lina" || nonce != "N1" {
		t.Fatalf("%+v %q %v", claims, nonce, err)
	}
	if err := w.rotate(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := fetch(); err != nil {
		t.Errorf("after a rotation: %v", err)
	}
	if n := len(w.published().Keys); n != 2 {
		t.Errorf("%d keys", n)
	}
	for _, spoiled := range idTokens[1:] {
		w.settings.IDToken = spoiled
		if err := w.settings.Check(); err != nil {
			t.Error(err)
		}
		if _, nonce, err := fetch(); err == nil && nonce == "N1" {
			t.Errorf("%s: a client would believe it", spoiled)
		}
	}
	for _, bad := range []Settings{{}, {CodeSeconds: 1, TicketSeconds: 1, TokenSeconds: 1, IDToken: "x"}} {
		if bad.Check() == nil {
			t.Errorf("%+v was accepted", bad)
		}
	}
}

func TestCAS(t *testing.T) { // F46
	w := newWorld(t)
	service := back + "?to=record&id=1"
	if status, _, _ := w.call("GET", "/cas/login?service=https%3A%2F%2Fevil.example", nil); status != 403 {
		t.Errorf("unknown service: %d", status)
	}
	w.signIn()
	_, _, to := w.call("GET", "/cas/login?service="+url.QueryEscape(service), nil)
	ticket := to.Query().Get("ticket")
	if !strings.HasPrefix(to.String(), service+"&ticket=ST-") {
		t.Fatalf("back at the service: %s", to)
	}
	validate := func(path, ticket, service string) string {
		_, body, _ := w.call("GET", path+"?"+url.Values{"ticket": {ticket}, "service": {service}}.Encode(), nil)
		return body
	}
	want := `<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas"><cas:authenticationSuccess><cas:user>lina</cas:user></cas:authenticationSuccess></cas:serviceResponse>`
	if got := validate("/cas/serviceValidate", ticket, service); got != want {
		t.Errorf("CAS 2: %s", got)
	}
	if got := validate("/cas/serviceValidate", ticket, service); !strings.Contains(got, `code="INVALID_TICKET"`) {
		t.Errorf("used twice: %s", got)
	}
	if got := validate("/cas/serviceValidate", "", service); !strings.Contains(got, `code="INVALID_REQUEST"`) {
		t.Errorf("no ticket: %s", got)
	}
	ticket, _ = w.Ticket("lina", service)
	if got := validate("/cas/p3/serviceValidate", ticket, service); !strings.Contains(got, "<cas:name>李娜 &lt;&amp;&gt;</cas:name><cas:code>E1001</cas:code>") {
		t.Errorf("CAS 3: %s", got)
	}
	ticket, _ = w.Ticket("lina", service)
	if got := validate("/cas/serviceValidate", ticket, back); !strings.Contains(got, `code="INVALID_SERVICE"`) {
		t.Errorf("another service: %s", got)
	}
	ticket, _ = w.Ticket("lina", service)
	w.Desk.Clock().Advance(11 * time.Second)
	if got := validate("/cas/serviceValidate", ticket, service); !strings.Contains(got, `code="INVALID_TICKET"`) {
		t.Errorf("expired: %s", got)
	}
}
