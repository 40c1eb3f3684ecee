package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// crm is a CRM that does what docs/reference/login-token.md asks of it.
type crm struct {
	*lab
	seen map[string]bool
	now  func() time.Time
}

const crmClient = "crm"

// click lets a person in and returns the address with which the browser goes to the CRM.
func (c *crm) click(b *browser) page { return b.get(0, c.proof(b, "lina")) }

func attackIssuers(t *tally) error {
	seeyon := modes()[0]
	for _, issuer := range []struct {
		kind   v1alpha1.CRMLoginType
		attack func(*crm) error
	}{
		{v1alpha1.LoginSignedJWT, (*crm).signedJWT},
		{v1alpha1.LoginSignedURL, (*crm).signedURL},
		{v1alpha1.LoginOneTimeCode, (*crm).oneTimeCode},
		{v1alpha1.LoginOpenIDProvider, (*crm).openID},
	} {
		m := seeyon
		m.name = "→ " + string(issuer.kind)
		l := &lab{mode: m, tally: t, world: start(func(c *v1alpha1.OAConnector, w *world) {
			seeyon.spec(c, w)
			c.Spec.SSO.TrustedProxies = trustEverybody
			c.Spec.SSO.CRMLogin.Type = issuer.kind
			if issuer.kind == v1alpha1.LoginOpenIDProvider {
				c.Spec.SSO.CRMLogin.OpenID = v1alpha1.OpenIDClient{ClientID: crmClient, RedirectURIs: []string{crmBack}}
			}
		})}
		err := issuer.attack(&crm{lab: l, seen: map[string]bool{}, now: time.Now})
		l.end()
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return nil
}

func (c *crm) note(class, what string, in bool) { c.tally.count(c.name, class, in, what) }

// The classes of issuers that are those of modes as well.
const (
	classReplay   = "replay of a used proof"
	classRace     = "parallel uses of one proof"
	classForged   = "forged, missing or ambiguous proof"
	classChanged  = "signed part changed"
	classTime     = "outside of the time window"
	classKey      = "key, algorithm, issuer or audience from the message"
	classRedirect = "open redirect and header smuggling"
	classState    = "state of another browser, provider or sign-in"
	classLeak     = "proof or secret in a log, page or referrer"
	classPath     = "other enterprise, forged path or method"
	classClient   = "another client, grant or response than agreed"
)

// acceptJWT verifies a login token as the CRM has to.
func (c *crm) acceptJWT(location string) bool {
	var set jose.JSONWebKeySet
	must(json.Unmarshal([]byte(c.browser().get(1, "/.well-known/jwks.json").body), &set))
	u, err := url.Parse(location)
	if err != nil || u.Scheme+"://"+u.Host+u.Path != crmLogin {
		return false
	}
	token, err := jwt.ParseSigned(u.Query().Get("token"), []jose.SignatureAlgorithm{jose.ES256, jose.RS256})
	if err != nil {
		return false
	}
	keys := set.Key(token.Headers[0].KeyID)
	if len(keys) != 1 || keys[0].Algorithm != token.Headers[0].Algorithm {
		return false
	}
	var claims jwt.Claims
	var own struct {
		EI string `json:"ei"`
	}
	if token.Claims(keys[0].Key, &claims, &own) != nil || own.EI != ei || c.seen[claims.ID] || claims.ID == "" ||
		claims.ValidateWithLeeway(jwt.Expected{Issuer: "https://" + host, AnyAudience: jwt.Audience{crmLogin}, Time: c.now()}, 30*time.Second) != nil {
		return false
	}
	c.seen[claims.ID] = true
	return claims.Subject == "1001"
}

func (c *crm) signedJWT() error {
	good := c.click(c.newBrowser()).location
	fresh := func() string { return c.click(c.newBrowser()).location }
	if !c.acceptJWT(good) {
		return fmt.Errorf("the CRM does not accept %s", good)
	}
	c.note(classReplay, "the same token", c.acceptJWT(good))
	parts := strings.Split(param(fresh(), "token"), ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	must(err)
	for from, to := range map[string]string{`"1001"`: `"1002"`, ei: "714440", "5f3c2ab1": "00000000", crmLogin: "https://evil.example/login", "https://" + host: "https://evil.example"} {
		changed := base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(payload), from, to, 1)))
		c.note(classChanged, from, c.acceptJWT(crmLogin+"?token="+parts[0]+"."+changed+"."+parts[2]))
	}
	c.note(classForged, "no signature", c.acceptJWT(crmLogin+"?token="+parts[0]+"."+parts[1]+"."))
	c.note(classForged, "alg none", c.acceptJWT(crmLogin+"?token="+signed(nil, nil, "none", map[string]any{"sub": "1001"})))
	for _, header := range []string{`{"alg":"HS256","typ":"JWT"}`, `{"alg":"ES256","typ":"JWT","kid":"x"}`} {
		c.note(classKey, header, c.acceptJWT(crmLogin+"?token="+base64.RawURLEncoding.EncodeToString([]byte(header))+"."+parts[1]+"."+parts[2]))
	}
	c.note(classKey, "our own key", c.acceptJWT(crmLogin+"?token="+signed(jwtKey, map[jose.HeaderKey]any{"kid": "oa"}, jose.ES256, claimsOf("1001", 0))))
	late := fresh()
	c.now = func() time.Time { return time.Now().Add(2 * time.Minute) }
	c.note(classTime, "two minutes later", c.acceptJWT(late))
	c.now = func() time.Time { return time.Now().Add(-2 * time.Minute) }
	c.note(classTime, "two minutes before", c.acceptJWT(fresh()))
	c.now = time.Now
	c.noSecrets()
	return nil
}

// acceptURL verifies a signed address as the CRM has to.
func (c *crm) acceptURL(location string) bool {
	address, sig, ok := strings.Cut(location, "&sig=")
	mac := hmac.New(sha256.New, []byte(sharedKey))
	mac.Write([]byte(address))
	if !ok || !hmac.Equal([]byte(hex.EncodeToString(mac.Sum(nil))), []byte(sig)) || !strings.HasPrefix(address, crmLogin+"?") {
		return false
	}
	exp, err := strconv.ParseInt(param(location, "exp"), 10, 64)
	nonce := param(location, "nonce")
	if err != nil || c.now().Unix() >= exp || time.Unix(exp, 0).Sub(c.now()) > 5*time.Minute || c.seen[nonce] || param(location, "ei") != ei {
		return false
	}
	c.seen[nonce] = true
	return param(location, "account") == "1001"
}

func (c *crm) signedURL() error {
	fresh := func() string { return c.click(c.newBrowser()).location }
	good := fresh()
	if !c.acceptURL(good) {
		return fmt.Errorf("the CRM does not accept %s", good)
	}
	c.note(classReplay, "the same address", c.acceptURL(good))
	u, err := url.Parse(fresh())
	must(err)
	for name := range u.Query() {
		c.note(classChanged, name, c.acceptURL(strings.Replace(u.String(), name+"="+url.QueryEscape(u.Query().Get(name)), name+"=1002", 1)))
	}
	c.note(classChanged, "another host", c.acceptURL(strings.Replace(u.String(), "crm.example", "evil.example", 1)))
	c.note(classForged, "no signature", c.acceptURL(strings.Split(u.String(), "&sig=")[0]))
	c.note(classForged, "parameters behind the signature", c.acceptURL(u.String()+"&account=1002"))
	c.note(classForged, "parameters before the others", c.acceptURL(strings.Replace(u.String(), "?", "?account=1001&", 1)))
	late := fresh()
	c.now = func() time.Time { return time.Now().Add(2 * time.Minute) }
	c.note(classTime, "two minutes later", c.acceptURL(late))
	c.now = func() time.Time { return time.Now().Add(-10 * time.Minute) }
	c.note(classTime, "ten minutes before", c.acceptURL(fresh()))
	c.now = time.Now
	c.noSecrets()
	return nil
}

// redeem is the CRM's server that redeems a code.
func (c *crm) redeem(replica int, form, bearer string, change ...func(*http.Request)) bool {
	p := c.browser().do(replica, http.MethodPost, "/sso/redeem", strings.NewReader(form), append([]func(*http.Request){func(r *http.Request) {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if bearer != "" {
			r.Header.Set("Authorization", bearer)
		}
	}}, change...)...)
	return p.status == http.StatusOK && strings.Contains(p.body, `"sub":"1001"`)
}

func (c *crm) oneTimeCode() error {
	const key = "Bearer " + sharedKey
	fresh := func() string { return "code=" + param(c.click(c.newBrowser()).location, "code") }
	good := fresh()
	if !c.redeem(1, good, key) {
		return fmt.Errorf("the code cannot be redeemed")
	}
	c.note(classReplay, "again", c.redeem(1, good, key))
	c.note(classReplay, "again at the other replica", c.redeem(0, good, key))
	code := fresh()
	results := make(chan bool, 16)
	var done sync.WaitGroup
	for i := range cap(results) {
		done.Go(func() { results <- c.redeem(i%replicas, code, key) })
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
		c.note(classRace, fmt.Sprintf("%d redeemed it", won), true)
	}
	for _, bearer := range []string{"", "Bearer ", "Bearer x", sharedKey, "Basic " + sharedKey, key + "x", "bearer " + sharedKey, "Bearer " + peerToken} {
		c.note(classClient, "Authorization: "+bearer, c.redeem(0, code, bearer))
	}
	unburnt := fresh()
	c.note(classClient, "without the key", c.redeem(0, unburnt, ""))
	for _, form := range []string{"", "code=", "code=x", unburnt + "&" + unburnt, unburnt + "x", strings.ToLower(unburnt), "CODE" + unburnt[4:], unburnt + "%00"} {
		c.note(classForged, form, c.redeem(0, form, key))
	}
	c.note(classPath, "code in the query", c.redeem(0, "", key, func(r *http.Request) { r.URL.Opaque = "/sso/redeem?" + unburnt }))
	for _, method := range []string{"GET", "PUT", "HEAD"} {
		c.note(classPath, method, c.redeem(0, unburnt, key, func(r *http.Request) { r.Method = method }))
	}
	if !c.redeem(0, unburnt, key) {
		c.note(classClient, "an attack burnt an honest code", true)
	}
	c.noSecrets()
	return nil
}

// noSecrets looks for what the issuer handed out in the log.
func (c *crm) noSecrets() {
	b := c.newBrowser()
	p := c.click(b)
	u, err := url.Parse(p.location)
	must(err)
	for name, values := range u.Query() {
		if name == "token" || name == "code" || name == "sig" {
			c.note(classLeak, name+" in the log", strings.Contains(c.log.String(), values[0]))
		}
	}
	for name, value := range b.cookies {
		c.note(classLeak, name+" in the log", strings.Contains(c.log.String(), value))
	}
	c.note(classLeak, "referrer", p.header.Get("Referrer-Policy") != "no-referrer")
	names := slices.Sorted(slices.Values(c.secrets))
	for _, s := range names {
		c.note(classLeak, "secret in the log", strings.Contains(c.log.String(), s))
	}
}
