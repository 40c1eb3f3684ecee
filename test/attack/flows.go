package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

func rand10() string { return rand.Text()[:10] }

// states: the return belongs to the browser that began, once, at the provider to which it was sent.
func (l *lab) states() {
	if l.link != nil {
		return
	}
	const class = "state of another browser, provider or sign-in"
	victim, attacker := l.newBrowser(), l.newBrowser()
	attackers := l.comeBack("wangfang", l.begin(attacker))
	l.try(class, "the attacker's return in the victim's browser", victim.get(0, attackers))

	victims := l.comeBack("lina", l.begin(victim))
	l.try(class, "the victim's return in the attacker's browser", attacker.get(0, victims))
	l.try(class, "no state", victim.get(0, drop(victims, "state")))
	l.try(class, "a made-up state", victim.get(0, query(victims, "state", rand.Text())))
	l.try(class, "two states", victim.get(0, victims+"&state="+rand.Text()))
	l.try(class, "the attacker's state", victim.get(0, query(victims, "state", param(attackers, "state"))))
	// A code that was made for another sign-in: PKCE, the nonce or the service notice it, where there is one of them; where
	// there is none, the victim's own state still stands between the attacker and the victim's browser.
	if l.name == "OIDC" || l.name == "OAuth2" || l.name == "CAS" {
		name := l.proofName()
		l.try(class, "the attacker's code with the victim's state", victim.get(0, query(victims, name, param(attackers, name))))
	}
	// Cookies that somebody planted do not help.
	planted := l.newBrowser()
	for name := range attacker.cookies {
		planted.cookies[name] = "AAAA"
	}
	l.try(class, "planted cookies", planted.get(0, attackers))
	for name, value := range attacker.cookies {
		planted.cookies[name] = value[:len(value)-2] + "AA"
	}
	l.try(class, "changed cookies", planted.get(0, attackers))
	u, err := url.Parse(victims)
	must(err)
	for _, other := range []string{"oidc", "oauth2", "cas", "wecom", "welink", "dingtalk", "feishu", "aa", "bb"} {
		if target := "/sso/callback/" + other; target != u.Path {
			b := l.newBrowser()
			back := l.comeBack("lina", l.begin(b))
			l.try(class, "return of "+other, b.get(0, strings.Replace(back, u.Path, target, 1)))
		}
	}
	if l.name == "OIDC" {
		for _, iss := range []string{"https://evil.example", l.provider.server.URL + "/", ""} {
			b := l.newBrowser()
			back := l.comeBack("lina", l.begin(b))
			l.try(class, "iss "+iss, b.get(0, query(back, "iss", iss)))
		}
		b := l.newBrowser()
		l.try(class, "no iss", b.get(0, drop(l.comeBack("lina", l.begin(b)), "iss")))
	}
	b := l.newBrowser()
	denied := query(l.comeBack("lina", l.begin(b)), "error", "access_denied")
	if l.name != "CAS" {
		l.try(class, "an error beside a code", b.get(0, denied))
	}
}

func drop(target, name string) string {
	u, err := url.Parse(target)
	must(err)
	q := u.Query()
	q.Del(name)
	u.RawQuery = q.Encode()
	return u.String()
}

// fixation: what was in the browser before does not decide who is let in.
func (l *lab) fixation() {
	const class = "session fixation"
	for _, planted := range []map[string]string{
		{"crm_session": "fixed", "JSESSIONID": "fixed"}, {"__Host-oab-session": "fixed", "__Host-oab-qr": "fixed", "__Host-oab-confirm": "fixed"},
	} {
		b := l.newBrowser()
		for k, v := range planted {
			b.cookies[k] = v
		}
		p := b.get(0, l.proof(b, "lina"))
		l.tally.count(l.name, class, p.in() && subject(p.location) != l.account(), "planted cookies")
	}
	// The last click wins: one browser, two people.
	b := l.newBrowser()
	first, second := b.get(0, l.proof(b, "lina")), b.get(0, l.proof(b, "wangfang"))
	wrong := second.in() && subject(second.location) == subject(first.location)
	l.tally.count(l.name, class, wrong, "the second person in a browser is let in as the first")
}

// keys: which key and algorithm count is not the message's to say (CVE-2026-9090).
func (l *lab) keys() {
	const class = "key, algorithm, issuer or audience from the message"
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	public := jose.JSONWebKey{Key: own.Public(), KeyID: "oa", Algorithm: "ES256"}
	type forgery struct {
		what      string
		key       any
		header    map[jose.HeaderKey]any
		algorithm jose.SignatureAlgorithm
		change    func(map[string]any)
	}
	keep := func(map[string]any) {}
	set := func(name string, value any) func(map[string]any) { return func(c map[string]any) { c[name] = value } }
	good, kid := any(jwtKey), "oa"
	if l.name == "OIDC" {
		good, kid = l.provider.key, "k1"
	}
	forgeries := []forgery{
		{"another key", own, map[jose.HeaderKey]any{"kid": kid}, jose.ES256, keep},
		{"another key in jwk", own, map[jose.HeaderKey]any{"kid": kid, "jwk": public}, jose.ES256, keep},
		{"another key behind jku", own, map[jose.HeaderKey]any{"kid": kid, "jku": "https://evil.example/keys"}, jose.ES256, keep},
		{"a kid that is a path", own, map[jose.HeaderKey]any{"kid": "../../dev/null"}, jose.ES256, keep},
		{"no signature", nil, nil, "none", keep},
		{"the public key as a shared one", []byte(jwks(nil)), map[jose.HeaderKey]any{"kid": kid}, jose.HS256, keep},
		{"an empty shared key", make([]byte, 32), map[jose.HeaderKey]any{"kid": kid}, jose.HS256, keep},
		{"another issuer", good, map[jose.HeaderKey]any{"kid": kid}, jose.ES256, set("iss", "https://evil.example")},
		{"another audience", good, map[jose.HeaderKey]any{"kid": kid}, jose.ES256, set("aud", "https://other.example")},
		{"several audiences", good, map[jose.HeaderKey]any{"kid": kid}, jose.ES256, set("aud", []string{"https://" + host, clientID, "https://other.example"})},
		{"no audience", good, map[jose.HeaderKey]any{"kid": kid}, jose.ES256, set("aud", nil)},
		{"no end", good, map[jose.HeaderKey]any{"kid": kid}, jose.ES256, set("exp", nil)},
		{"ended", good, map[jose.HeaderKey]any{"kid": kid}, jose.ES256, set("exp", time.Now().Add(-time.Hour).Unix())},
		{"an account that is none", good, map[jose.HeaderKey]any{"kid": kid}, jose.ES256, set("sub", []string{"lina"})},
	}
	switch l.name {
	case "JWT link":
		forgeries = append(forgeries,
			forgery{"another enterprise", good, map[jose.HeaderKey]any{"kid": kid}, jose.ES256, set("ei", "714440")},
			forgery{"lives for a year", good, map[jose.HeaderKey]any{"kid": kid}, jose.ES256, set("exp", time.Now().AddDate(1, 0, 0).Unix())},
			forgery{"not yet", good, map[jose.HeaderKey]any{"kid": kid}, jose.ES256, set("nbf", time.Now().Add(time.Hour).Unix())})
		for _, f := range forgeries {
			claims := claimsOf("lina", 0)
			f.change(claims)
			l.try(class, f.what, l.newBrowser().get(0, record+"?token="+signed(f.key, f.header, f.algorithm, claims)))
		}
	case "OIDC":
		forgeries = append(forgeries,
			forgery{"another nonce", good, map[jose.HeaderKey]any{"kid": kid}, jose.ES256, set("nonce", "x")},
			forgery{"no nonce", good, map[jose.HeaderKey]any{"kid": kid}, jose.ES256, set("nonce", nil)},
			forgery{"issued to another client", good, map[jose.HeaderKey]any{"kid": kid}, jose.ES256, set("azp", "other")})
		for _, f := range forgeries {
			l.provider.mu.Lock()
			l.provider.spoil = func(claims map[string]any) (any, map[jose.HeaderKey]any, jose.SignatureAlgorithm) {
				f.change(claims)
				key := f.key
				if f.algorithm == "none" {
					key = struct{}{}
				}
				return key, f.header, f.algorithm
			}
			l.provider.mu.Unlock()
			b := l.newBrowser()
			l.try(class, f.what, b.get(0, l.proof(b, "lina")))
		}
		l.provider.mu.Lock()
		l.provider.spoil = nil
		l.provider.mu.Unlock()
	}
}

// removed: a provider that is taken away while people are there lets nobody in (CVE-2026-9097).
func (l *lab) removed() {
	if l.link != nil {
		return
	}
	b := l.newBrowser()
	back := l.comeBack("lina", l.begin(b))
	other := l.connector()
	other.Spec.SSO.Mode, other.Spec.SSO.SecretRef.Name = v1alpha1.SSOSignedLink, "hq-sso"
	l.wait(l.configure(other))
	l.try("provider removed in mid-flow", "", b.get(0, back))
	again := l.connector()
	l.configureMode(again)
	l.wait(l.configure(again))
}

func (l *lab) configureMode(c *v1alpha1.OAConnector) {
	l.spec(c, l.world)
	c.Spec.SSO.TrustedProxies = trustEverybody
}

// leaks: proofs, codes, states' secrets and tokens are in no log, page or referrer.
func (l *lab) leaks() {
	const class = "proof or secret in a log, page or referrer"
	b := l.newBrowser()
	target := l.proof(b, "lina")
	bodies := []page{b.get(0, target), b.get(0, target), l.newBrowser().get(0, target)}
	secret := param(target, l.proofName())
	token := param(bodies[0].location, "token")
	for _, p := range bodies {
		leak := strings.Contains(p.body, secret) || p.header.Get("Referrer-Policy") != "no-referrer" || !strings.Contains(p.header.Get("Cache-Control"), "no-store") ||
			strings.Contains(p.location, secret)
		l.tally.count(l.name, class, leak, "in an answer")
	}
	log := l.log.String()
	for _, s := range append([]string{secret, token, url.QueryEscape(secret)}, l.secrets...) {
		l.tally.count(l.name, class, s != "" && strings.Contains(log, s), "in the log: "+s)
	}
	for _, c := range bodies[0].header.Values("Set-Cookie") {
		safe := strings.HasPrefix(c, "__Host-") && strings.Contains(c, "HttpOnly") && strings.Contains(c, "Secure") && strings.Contains(c, "SameSite=")
		l.tally.count(l.name, class, !safe, "a cookie that others can read or set: "+strings.SplitN(c, "=", 2)[0])
	}
}

// smuggled: forwarding headers of anybody are not believed, so a lock-out cannot be dodged by them.
func (l *lab) smuggled() {
	const class = "forwarded address from an untrusted peer"
	guesser := l.newBrowser()
	for i := range 12 {
		p := guesser.get(0, query(l.proof(guesser, "lina"), l.proofName(), "guess-"+rand10()), func(r *http.Request) {
			r.Header.Set("X-Forwarded-For", "203.0.113."+rand10()[:1]+"7")
			r.Header.Set("X-Real-IP", "203.0.113.9")
			r.Header["X_Forwarded_For"] = []string{"203.0.113.8"}
		})
		l.try(class, "guess", p)
		_ = i
	}
	if strings.Contains(l.log.String(), "203.0.113.") {
		l.tally.count(l.name, class, true, "the log believes the header")
	}
}
