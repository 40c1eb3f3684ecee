package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const crmBack = "https://crm.example/oidc/back"

// ask is the CRM that sends the browser to the gateway: the address, and the secret of PKCE.
func (c *crm) ask(change func(url.Values)) (address, verifier string) {
	verifier = rand.Text() + rand.Text()
	challenge := sha256.Sum256([]byte(verifier))
	q := url.Values{
		"client_id": {crmClient}, "redirect_uri": {crmBack}, "response_type": {"code"}, "scope": {"openid"}, "state": {"s-" + rand.Text()},
		"nonce": {"n"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}
	if change != nil {
		change(q)
	}
	return "/sso/oidc/authorize?" + q.Encode(), verifier
}

// follow goes where the gateway sends the browser, as long as that is the gateway.
func (c *crm) follow(b *browser, address string) page {
	p := b.get(0, address)
	for hops := 0; hops < 6 && strings.HasPrefix(p.location, "https://"+host+"/"); hops++ {
		p = b.get(hops%replicas, p.location)
	}
	return p
}

// exchange redeems a code, and says whether it was for the honest person.
func (c *crm) exchange(replica int, code, verifier string, change func(url.Values, *http.Request)) bool {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {crmBack}, "code_verifier": {verifier}}
	p := c.browser().do(replica, http.MethodPost, "/sso/oidc/token", nil, func(r *http.Request) {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth(crmClient, clientSecret)
		if change != nil {
			change(form, r)
		}
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(form.Encode())), int64(len(form.Encode()))
	})
	var out struct {
		Token string `json:"id_token"`
	}
	if p.status != http.StatusOK || json.Unmarshal([]byte(p.body), &out) != nil || out.Token == "" {
		return false
	}
	return c.acceptIDToken(out.Token)
}

func (c *crm) acceptIDToken(text string) bool {
	var set jose.JSONWebKeySet
	must(json.Unmarshal([]byte(c.browser().get(1, "/.well-known/jwks.json").body), &set))
	token, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return false
	}
	keys := set.Key(token.Headers[0].KeyID)
	var claims jwt.Claims
	var own struct {
		EI     string         `json:"ei"`
		Nonce  string         `json:"nonce"`
		Target map[string]any `json:"target"`
	}
	return len(keys) == 1 && token.Claims(keys[0].Key, &claims, &own) == nil && own.EI == ei && own.Nonce == "n" &&
		own.Target["dataId"] == "5f3c2ab1" && claims.Subject == "1001" &&
		claims.Validate(jwt.Expected{Issuer: "https://" + host, AnyAudience: jwt.Audience{crmClient}, Time: c.now()}) == nil
}

// signIn is the honest way: a click, the CRM asks, the browser comes back with a code.
func (c *crm) signIn() (b *browser, code, verifier string, err error) {
	b = c.newBrowser()
	if p := c.click(b); !p.in() || param(p.location, "iss") != "https://"+host {
		return nil, "", "", fmt.Errorf("the click did not lead to the CRM's login: %d %s", p.status, p.location)
	}
	address, verifier := c.ask(nil)
	p := c.follow(b, address)
	if code = param(p.location, "code"); code == "" || !strings.HasPrefix(p.location, crmBack+"?") || param(p.location, "state") != param(address, "state") {
		return nil, "", "", fmt.Errorf("no code: %d %s %s", p.status, p.location, text(p.body))
	}
	return b, code, verifier, nil
}

func (c *crm) openID() error {
	var library bytes.Buffer
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&library, nil)))
	defer slog.SetDefault(old)

	_, code, verifier, err := c.signIn()
	if err != nil {
		return err
	}
	if !c.exchange(1, code, verifier, nil) {
		return fmt.Errorf("an honest code cannot be exchanged")
	}
	c.note(classReplay, "the code again", c.exchange(0, code, verifier, nil))
	if err := c.codes(); err != nil {
		return err
	}
	if err := c.sessions(); err != nil {
		return err
	}
	c.requests()
	c.noSecrets()
	c.note(classLeak, "the library's log", strings.Contains(library.String(), code) || strings.Contains(library.String(), clientSecret))
	return nil
}

// codes: who redeems, how, and how often.
func (c *crm) codes() error {
	_, code, verifier, err := c.signIn()
	if err != nil {
		return err
	}
	results := make(chan bool, 16)
	var done sync.WaitGroup
	for i := range cap(results) {
		done.Go(func() { results <- c.exchange(i%replicas, code, verifier, nil) })
	}
	done.Wait()
	close(results)
	won := 0
	for in := range results {
		if in {
			won++
		} else {
			c.note(classRace, "", false)
		}
	}
	if won != 1 {
		c.note(classRace, fmt.Sprintf("%d exchanged it", won), true)
	}
	for what, change := range map[string]func(url.Values, *http.Request){
		"wrong secret":   func(_ url.Values, r *http.Request) { r.SetBasicAuth(crmClient, clientSecret+"x") },
		"no secret":      func(f url.Values, r *http.Request) { r.Header.Del("Authorization"); f.Set("client_id", crmClient) },
		"empty secret":   func(_ url.Values, r *http.Request) { r.SetBasicAuth(crmClient, "") },
		"another client": func(_ url.Values, r *http.Request) { r.SetBasicAuth("other", clientSecret) },
		"another secret in the form": func(f url.Values, r *http.Request) {
			r.Header.Del("Authorization")
			f.Set("client_id", crmClient)
			f.Set("client_secret", "x")
		},
		"wrong verifier": func(f url.Values, _ *http.Request) { f.Set("code_verifier", rand.Text()+rand.Text()) },
		"no verifier":    func(f url.Values, _ *http.Request) { f.Del("code_verifier") },
		"the challenge as verifier": func(f url.Values, _ *http.Request) {
			sum := sha256.Sum256([]byte(f.Get("code_verifier")))
			f.Set("code_verifier", base64.RawURLEncoding.EncodeToString(sum[:]))
		},
		"another redirect URI": func(f url.Values, _ *http.Request) { f.Set("redirect_uri", "https://evil.example") },
		"no redirect URI":      func(f url.Values, _ *http.Request) { f.Del("redirect_uri") },
		"another code":         func(f url.Values, _ *http.Request) { f.Set("code", rand.Text()+rand.Text()) },
		"no code":              func(f url.Values, _ *http.Request) { f.Del("code") },
		"refresh token": func(f url.Values, _ *http.Request) {
			f.Set("grant_type", "refresh_token")
			f.Set("refresh_token", f.Get("code"))
		},
		"client credentials": func(f url.Values, _ *http.Request) { f.Set("grant_type", "client_credentials") },
		"password":           func(f url.Values, _ *http.Request) { f.Set("grant_type", "password"); f.Set("username", "1001") },
		"JWT bearer": func(f url.Values, _ *http.Request) {
			f.Set("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
			f.Set("assertion", "x")
		},
		"device code": func(f url.Values, _ *http.Request) {
			f.Set("grant_type", "urn:ietf:params:oauth:grant-type:device_code")
		},
		"client assertion": func(f url.Values, r *http.Request) {
			r.Header.Del("Authorization")
			f.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
			f.Set("client_assertion", "x")
		},
		"in the query, with GET": func(f url.Values, r *http.Request) { r.Method, r.URL.Opaque = "GET", "/sso/oidc/token?"+f.Encode() },
	} {
		_, code, verifier, err := c.signIn()
		if err != nil {
			return err
		}
		c.note(classClient, what, c.exchange(0, code, verifier, change))
	}
	return nil
}

// sessions: only the browser that clicked a moment ago is recognised, once.
func (c *crm) sessions() error {
	address, _ := c.ask(nil)
	in := func(p page) bool { return param2(p.location, "code") != "" }
	c.note(classState, "a browser that never clicked", in(c.follow(c.newBrowser(), address)))
	b := c.newBrowser()
	if !c.click(b).in() {
		return fmt.Errorf("the click failed")
	}
	stolen := copyOf(b)
	if p := c.follow(b, address); !in(p) {
		return fmt.Errorf("an honest browser is not recognised: %d %s", p.status, p.location)
	}
	again, _ := c.ask(nil)
	c.note(classReplay, "the session a second time", in(c.follow(b, again)))
	c.note(classReplay, "a stolen session after its use", in(c.follow(stolen, again)))
	c.note(classReplay, "the request a second time", in(c.follow(stolen, address)))
	b = c.newBrowser()
	c.click(b)
	for name, value := range b.cookies {
		b.cookies[name] = value[:len(value)-4] + "AAAA"
	}
	c.note(classForged, "a changed session", in(c.follow(b, again)))
	// The steps on the way cannot be skipped.
	p := c.newBrowser().get(0, address)
	request := param2(p.location, "request")
	for what, target := range map[string]string{
		"a request that nobody answered": "/sso/oidc/authorize/callback?id=" + url.QueryEscape(request),
		"a made-up request":              "/sso/oidc/authorize/callback?id=" + rand.Text() + rand.Text(),
		"no request":                     "/sso/oidc/authorize/callback",
		"recognised without a request":   "/sso/authorize",
		"recognised for a made-up one":   "/sso/authorize?request=" + rand.Text(),
	} {
		b := c.newBrowser()
		c.click(b)
		c.note(classForged, what, in(b.get(0, target)))
	}
	return nil
}

func param2(target, name string) string {
	u, err := url.Parse(target)
	if err != nil {
		return ""
	}
	return u.Query().Get(name)
}

// requests: what the CRM may ask for, and where the person may be sent back to.
func (c *crm) requests() {
	attempt := func(class, what string, change func(url.Values)) {
		b := c.newBrowser()
		c.click(b)
		address, _ := c.ask(change)
		p := c.follow(b, address)
		at, err := url.Parse(p.location)
		elsewhere := p.location != "" && (err != nil || !strings.HasPrefix(p.location, crmBack+"?") && !strings.HasPrefix(p.location, crmBack+"#"))
		c.note(class, what, elsewhere || at != nil && (at.Query().Get("code") != "" || strings.Contains(at.Fragment, "token")) || strings.Contains(p.body, `name="code"`))
	}
	for _, evil := range []string{
		"https://evil.example", "https://crm.example/oidc/back/", "https://crm.example/oidc/back?x=1", "https://crm.example/oidc/back#x", "https://crm.example/oidc/../oidc/back",
		"https://crm.example:443/oidc/back", "https://crm.example@evil.example/oidc/back", "https://evil.example/oidc/back", "http://crm.example/oidc/back", "//crm.example/oidc/back",
		"https://CRM.example/oidc/back", "https://crm.example/oidc/back%2f..", `https://crm.example\@evil.example/oidc/back`, "javascript:alert(1)", "", "https://crm.example.evil.example/oidc/back",
		"https://crm.example/oidc/back\x00", "https://crm.example/oidc/%62ack", " https://crm.example/oidc/back", "https://localhost/oidc/back", "http://127.0.0.1/oidc/back",
	} {
		attempt(classRedirect, "redirect_uri "+evil, func(q url.Values) { q.Set("redirect_uri", evil) })
	}
	attempt(classRedirect, "two redirect URIs", func(q url.Values) { q["redirect_uri"] = []string{crmBack, "https://evil.example"} })
	attempt(classRedirect, "two redirect URIs, the other way", func(q url.Values) { q["redirect_uri"] = []string{"https://evil.example", crmBack} })
	for what, change := range map[string]func(url.Values){
		"no PKCE":         func(q url.Values) { q.Del("code_challenge"); q.Del("code_challenge_method") },
		"plain PKCE":      func(q url.Values) { q.Set("code_challenge_method", "plain") },
		"PKCE no method":  func(q url.Values) { q.Del("code_challenge_method") },
		"implicit":        func(q url.Values) { q.Set("response_type", "id_token") },
		"implicit token":  func(q url.Values) { q.Set("response_type", "id_token token") },
		"hybrid":          func(q url.Values) { q.Set("response_type", "code id_token") },
		"form post":       func(q url.Values) { q.Set("response_mode", "form_post") },
		"fragment":        func(q url.Values) { q.Set("response_mode", "fragment") },
		"unknown client":  func(q url.Values) { q.Set("client_id", "other") },
		"no client":       func(q url.Values) { q.Del("client_id") },
		"request object":  func(q url.Values) { q.Set("request", "eyJhbGciOiJub25lIn0.e30.") },
		"offline access":  func(q url.Values) { q.Set("scope", "offline_access") },
		"no openid scope": func(q url.Values) { q.Set("scope", "profile") },
	} {
		attempt(classClient, what, change)
	}
}
