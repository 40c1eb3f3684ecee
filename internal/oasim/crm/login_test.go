package crm

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func newCRM(t *testing.T, l Login) (*CRM, *httptest.Server) {
	t.Helper()
	c, err := New(Options{Login: l, Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(c)
	t.Cleanup(srv.Close)
	t.Cleanup(c.Close)
	return c, srv
}

// issuer signs login tokens and publishes its keys.
type issuer struct {
	t       *testing.T
	keys    []jose.JSONWebKey // private
	fetches int
	down    bool
	srv     *httptest.Server
}

func newIssuer(t *testing.T) *issuer {
	i := &issuer{t: t}
	i.rotate("k1")
	i.srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		i.fetches++
		if i.down {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		var set jose.JSONWebKeySet
		for _, k := range i.keys {
			set.Keys = append(set.Keys, k.Public())
		}
		_ = json.NewEncoder(w).Encode(set)
	}))
	t.Cleanup(i.srv.Close)
	return i
}

func (i *issuer) rotate(id string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		i.t.Fatal(err)
	}
	i.keys = append(i.keys, jose.JSONWebKey{Key: key, KeyID: id, Algorithm: "ES256", Use: "sig"})
}

func (i *issuer) login() Login {
	return Login{JWKSURL: i.srv.URL, Issuer: "https://sso.example", Audience: "https://crm.example", EnterpriseID: "714439"}
}

var ids int

// claimsWith returns good claims with some changed; nil takes a claim away.
func claimsWith(changes map[string]any) map[string]any {
	ids++
	m := map[string]any{
		"iss": "https://sso.example", "aud": "https://crm.example", "sub": "1002", "ei": "714439", "jti": string(rune('a'+ids%26)) + time.Duration(ids).String(),
		"iat": noon.Unix(), "nbf": noon.Unix(), "exp": noon.Add(time.Minute).Unix(),
		"target": map[string]any{"page": "record", "apiName": "QuoteObj", "dataId": "5f3c2ab1", "client": "pc"},
	}
	maps.Copy(m, changes)
	maps.DeleteFunc(m, func(_ string, v any) bool { return v == nil })
	return m
}

func (i *issuer) sign(key jose.JSONWebKey, alg jose.SignatureAlgorithm, c map[string]any) string {
	i.t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		i.t.Fatal(err)
	}
	raw, err := jwt.Signed(s).Claims(c).Serialize()
	if err != nil {
		i.t.Fatal(err)
	}
	return raw
}

func (i *issuer) token(changes map[string]any) string {
	return i.sign(i.keys[len(i.keys)-1], jose.ES256, claimsWith(changes))
}

func visit(t *testing.T, c *http.Client, address string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, _ := io.ReadAll(resp.Body)
	return resp, string(b)
}

func browser() *http.Client {
	jar, _ := cookiejar.New(nil)
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

type m = map[string]any

func TestLoginLeadsToACleanPage(t *testing.T) {
	i := newIssuer(t)
	c, srv := newCRM(t, i.login())
	c.Learn([]Event{{Type: Created, Data: ToDo{ID: "T-1", Heading: "报价单审批", Subject: "提交", Detail: `<b>&"华东"`, Object: Object{"QuoteObj", "5f3c2ab1"}, Sender: Account{"1000", "张伟"}, Receivers: []Account{{"1002", "王芳"}}}}})
	for _, tc := range []struct {
		target any
		path   string
		shows  []string
	}{
		{m{"page": "record", "apiName": "QuoteObj", "dataId": "5f3c2ab1", "client": "pc"}, "/record/QuoteObj/5f3c2ab1", []string{"王芳", ">1002<", "张伟 提交 &lt;b&gt;&amp;&#34;华东&#34;", "PC layout"}},
		{m{"page": "record", "apiName": "QuoteObj", "dataId": "5f3c2ab1", "client": "h5"}, "/h5/record/QuoteObj/5f3c2ab1", []string{"Mobile layout"}},
		{m{"page": "record", "apiName": "Other__c", "dataId": "9", "client": "h5"}, "/h5/record/Other__c/9", []string{"没有与该记录相关的待办"}},
		{m{"page": "home", "client": "h5"}, "/h5/home", []string{"王芳", "T"}},
		{m{"page": "home", "client": "pc", "path": "/home?tab=quotes"}, "/home?tab=quotes", []string{"王芳"}},
		{nil, "/home", []string{"您好，王芳", "提交 &lt;b&gt;"}},
	} {
		b := browser()
		resp, _ := visit(t, b, srv.URL+"/login?token="+i.token(m{"target": tc.target}))
		if resp.StatusCode != 303 || resp.Header.Get("Location") != tc.path || resp.Header.Get("Referrer-Policy") != "no-referrer" {
			t.Fatalf("%v: %d %v", tc.target, resp.StatusCode, resp.Header)
		}
		resp, body := visit(t, b, srv.URL+tc.path)
		for _, want := range tc.shows {
			if resp.StatusCode != 200 || !strings.Contains(body, want) {
				t.Errorf("%s: %d, %q is not in %s", tc.path, resp.StatusCode, want, body)
			}
		}
	}
	if n := len(c.Logins()); n != 6 {
		t.Errorf("%d logins", n)
	}
	if resp, body := visit(t, browser(), srv.URL+"/record/QuoteObj/5f3c2ab1"); resp.StatusCode != 401 || !strings.Contains(body, "CRM-1400") {
		t.Errorf("without a session: %d", resp.StatusCode)
	}
}

func TestTheLastLoginWins(t *testing.T) {
	i := newIssuer(t)
	_, srv := newCRM(t, i.login())
	b := browser()
	u, _ := url.Parse(srv.URL)
	visit(t, b, srv.URL+"/login?token="+i.token(m{"sub": "1002"}))
	first := b.Jar.Cookies(u)[0]
	visit(t, b, srv.URL+"/login?token="+i.token(m{"sub": "1003"}))
	if _, body := visit(t, b, srv.URL+"/home"); !strings.Contains(body, ">1003<") || strings.Contains(body, "1002") {
		t.Error("the old identity is still there")
	}
	old := browser()
	old.Jar.SetCookies(u, []*http.Cookie{first})
	if resp, _ := visit(t, old, srv.URL+"/home"); resp.StatusCode != 401 {
		t.Error("the old session still lives")
	}
}

// Each issuer is believed with its own keys only.
func TestSeveralIssuers(t *testing.T) {
	first, second := newIssuer(t), newIssuer(t)
	login := first.login()
	login.Others = []Issuer{{Issuer: "https://other.example", JWKSURL: second.srv.URL}}
	_, srv := newCRM(t, login)
	for _, tc := range []struct {
		name, token string
		status      int
	}{
		{"the first", first.token(nil), 303},
		{"the second", second.token(m{"iss": "https://other.example"}), 303},
		{"the second with the first one's keys", first.token(m{"iss": "https://other.example"}), 401},
		{"the first with the second one's keys", second.token(nil), 401},
		{"a third", second.token(m{"iss": "https://third.example"}), 401},
	} {
		if resp, _ := visit(t, browser(), srv.URL+"/login?token="+tc.token); resp.StatusCode != tc.status {
			t.Errorf("%s: %d", tc.name, resp.StatusCode)
		}
	}
}

func TestLoginRefusals(t *testing.T) {
	i := newIssuer(t)
	good := i.keys[0]
	stranger, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	forged := jose.JSONWebKey{Key: stranger, KeyID: "k1"}
	unknown := jose.JSONWebKey{Key: stranger, KeyID: "k9"}
	part := func(v any) string {
		b, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	published, _ := good.Public().MarshalJSON()
	spent := i.token(nil)
	secs := func(d time.Duration) int64 { return noon.Add(d).Unix() }
	rec := func(api, id, client string) m {
		return m{"target": m{"page": "record", "apiName": api, "dataId": id, "client": client}}
	}
	c, srv := newCRM(t, i.login())
	if resp, _ := visit(t, browser(), srv.URL+"/login?token="+spent); resp.StatusCode != 303 {
		t.Fatal("the first use was refused")
	}
	for _, tc := range []struct {
		name, token, code string
		status            int
	}{
		{"none", "", "CRM-1401", 401},
		{"rubbish", "a.b.c", "CRM-1402", 401},
		{"huge", strings.Repeat("x", maxToken+1), "CRM-1402", 401},
		{"alg none", part(m{"alg": "none", "kid": "k1"}) + "." + part(claimsWith(nil)) + ".", "CRM-1402", 401},
		{"HS256 with the public key", i.sign(jose.JSONWebKey{Key: published, KeyID: "k1"}, jose.HS256, claimsWith(nil)), "CRM-1402", 401},
		{"another key under a known id", i.sign(forged, jose.ES256, claimsWith(nil)), "CRM-1403", 401},
		{"unknown key id", i.sign(unknown, jose.ES256, claimsWith(nil)), "CRM-1403", 401},
		{"no key id", i.sign(jose.JSONWebKey{Key: stranger}, jose.ES256, claimsWith(nil)), "CRM-1403", 401},
		{"changed claims", swapClaims(i.token(nil), part(claimsWith(m{"sub": "1001"}))), "CRM-1403", 401},
		{"expired", i.token(m{"iat": secs(-2 * time.Minute), "exp": secs(-31 * time.Second)}), "CRM-1404", 401},
		{"not yet", i.token(m{"nbf": secs(31 * time.Second)}), "CRM-1404", 401},
		{"from the future", i.token(m{"iat": secs(31 * time.Second)}), "CRM-1404", 401},
		{"lives too long", i.token(m{"exp": secs(time.Hour)}), "CRM-1404", 401},
		{"no exp", i.token(m{"exp": nil}), "CRM-1402", 401},
		{"no iat", i.token(m{"iat": nil}), "CRM-1402", 401},
		{"no jti", i.token(m{"jti": nil}), "CRM-1402", 401},
		{"wrong issuer", i.token(m{"iss": "https://evil.example"}), "CRM-1405", 401},
		{"wrong audience", i.token(m{"aud": []string{"https://other.example"}}), "CRM-1405", 401},
		{"another enterprise", i.token(m{"ei": "1"}), "CRM-1405", 401},
		{"replay", spent, "CRM-1406", 401},
		{"unknown account", i.token(m{"sub": "9999"}), "CRM-1407", 403},
		{"path tricks", i.token(rec("QuoteObj", "../../home", "pc")), "CRM-1408", 403},
		{"dots", i.token(rec("QuoteObj", "..", "pc")), "CRM-1408", 403},
		{"a page elsewhere", i.token(m{"target": m{"page": "home", "path": "//evil.example", "client": "pc"}}), "CRM-1408", 403},
		{"a page above", i.token(m{"target": m{"page": "home", "path": "/../x", "client": "pc"}}), "CRM-1408", 403},
		{"foreign host", i.token(rec("//evil.example", "1", "pc")), "CRM-1408", 403},
		{"unknown client", i.token(rec("QuoteObj", "1", "tv")), "CRM-1408", 403},
		{"record without an id", i.token(rec("QuoteObj", "", "pc")), "CRM-1408", 403},
	} {
		resp, body := visit(t, browser(), srv.URL+"/login?token="+url.QueryEscape(tc.token))
		if resp.StatusCode != tc.status || !strings.Contains(body, tc.code) || resp.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %d %s", tc.name, resp.StatusCode, body[strings.Index(body, "<main>"):])
		}
	}
	for _, e := range c.Journal().Entries("/login") {
		if len(e.Query) > 60 {
			t.Errorf("a token is in the journal: %+v", e)
		}
	}
	// Within the leeway of 30 seconds.
	for _, good := range []m{{"exp": secs(-29 * time.Second), "iat": secs(-time.Minute)}, {"nbf": secs(29 * time.Second)}, {"iat": secs(29 * time.Second)}, {"aud": []string{"x", "https://crm.example"}}} {
		if resp, _ := visit(t, browser(), srv.URL+"/login?token="+i.token(good)); resp.StatusCode != 303 {
			t.Errorf("%v: %d", good, resp.StatusCode)
		}
	}
}

func swapClaims(token, claims string) string {
	parts := strings.Split(token, ".")
	return parts[0] + "." + claims + "." + parts[2]
}

func TestKeyRotation(t *testing.T) {
	i := newIssuer(t)
	now := noon
	c, err := New(Options{Login: i.login(), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	try := func() string {
		now = now.Add(2 * time.Second)
		_, _, refused := c.verify(t.Context(), i.token(m{"iat": now.Unix(), "exp": now.Add(time.Minute).Unix()}))
		if refused == nil {
			return ""
		}
		return refused.Code
	}
	if code := try() + try(); code != "" || i.fetches != 1 {
		t.Fatalf("%q, %d fetches", code, i.fetches)
	}
	i.rotate("k2")
	if code := try(); code != "" || i.fetches != 2 {
		t.Fatalf("a new key: %q, %d fetches", code, i.fetches)
	}
	i.down = true
	if code := try(); code != "" {
		t.Fatalf("known keys while the issuer is down: %q", code)
	}
	i.rotate("k3")
	if code := try(); code != "CRM-1503" {
		t.Fatalf("unknown key while the issuer is down: %q", code)
	}
	i.down, i.keys = false, i.keys[1:2]
	now = now.Add(keysLife)
	if code := try(); code != "" {
		t.Fatalf("after the cache: %q", code)
	}
}
