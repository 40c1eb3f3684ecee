package gateway

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oasim/generic"
	"github.com/oabridge/oabridge/internal/oasim/idp"
)

const (
	officeHost = "sso.office.example"
	officeURL  = "https://" + officeHost
)

// moved gives the gateway of a world the addresses of its connector.
func (w *world) moved(addresses ...string) {
	w.t.Helper()
	w.hosts[officeHost] = w.hosts[gatewayHost]
	main, err := publicAddress(addresses[0])
	if err != nil {
		w.t.Fatal(err)
	}
	w.change(func(l *live) {
		l.answerAt(main)
		if l.others, err = l.under(addresses[1:]); err != nil {
			w.t.Fatal(err)
		}
	})
}

// idpWorld is a gateway with OpenID Connect under some addresses. The provider knows the address of return of each, and no
// other one.
func idpWorld(t *testing.T, addresses ...string) (w *world, comeBack func(b *tab, address string) string) {
	t.Helper()
	var returns []string
	for _, a := range addresses {
		returns = append(returns, a+"/sso/callback/oidc")
	}
	sim, err := generic.New(generic.Options{People: people, Clients: []idp.Client{{ID: "gateway", Secret: gatewaySecret, RedirectURIs: returns}}})
	v := newVendor(t, v1alpha1.TypeGeneric, sim, err)
	v.spec.SSO.Mode, v.spec.SSO.SecretRef.Name = v1alpha1.SSOOIDC, "hq-sso"
	v.spec.SSO.OIDC.IssuerURL, v.spec.SSO.OIDC.ClientID = v.url, "gateway"
	v.secret("sso/client-secret", gatewaySecret)
	w = newWorld(t)
	v.open(w, map[string]string{"lina": "1001"})
	w.moved(addresses...)
	return w, func(b *tab, address string) string {
		t.Helper()
		to, err := url.Parse(v.goTo(b.open(address + webhookRecord)))
		if err != nil {
			t.Fatal(err)
		}
		q := to.Query()
		if back := q.Get("redirect_uri"); back != address+"/sso/callback/oidc" {
			t.Errorf("who came under %s is sent back to %s", address, back)
		}
		code, err := sim.Provider().Code("lina", "gateway", q.Get("redirect_uri"), q.Get("nonce"), q.Get("code_challenge"))
		if err != nil {
			t.Fatal(err)
		}
		return q.Get("redirect_uri") + "?code=" + code + "&state=" + url.QueryEscape(q.Get("state"))
	}
}

// Whoever comes under one of several names is sent back to this name, and signs in there.
func TestSeveralHosts(t *testing.T) {
	w, comeBack := idpWorld(t, gatewayURL, officeURL)
	for _, address := range []string{gatewayURL, officeURL} {
		b := w.tab("")
		back := comeBack(b, address)
		w.wantSignedIn(b.open(back))
		w.wantPage(b.open(back), FlowLost) // once, as ever
	}
	// What was begun under one name is not finished under another: the browser has no cookie there.
	b := w.tab("")
	back := comeBack(b, gatewayURL)
	w.wantPage(b.open(strings.Replace(back, gatewayHost, officeHost, 1)), FlowLost)
	w.wantSignedIn(b.open(back))
}

// A name that is not ours stays refused, however near it is to one of ours.
func TestOtherHostsStayRefused(t *testing.T) {
	w := newWorld(t)
	w.moved(gatewayURL, officeURL)
	for _, host := range []string{"sso.office.example.evil.example", "evil.example", "office.example", officeHost + ":443@evil.example", officeHost + ":x", ""} {
		a := w.visit(http.MethodGet, recordPC+"?v5ticket="+w.ticket("lina"), func(r *http.Request) { r.Host = host; r.URL.Host = gatewayHost })
		if host == "" { // the client fills in the address that it dials: our own
			w.wantSignedIn(a)
			continue
		}
		if a.StatusCode < http.StatusBadRequest || a.Header.Get("Location") != "" {
			t.Errorf("%q: %d %v", host, a.StatusCode, a.Header)
		}
	}
	w.wantSignedIn(w.visit(http.MethodGet, recordPC+"?v5ticket="+w.ticket("lina"), func(r *http.Request) { r.Host = strings.ToUpper(officeHost) + ":443" }))
	// A ticket is good once, under whatever name.
	ticket := w.ticket("lina")
	w.wantSignedIn(w.click(recordPC, ticket))
	w.wantPage(w.visit(http.MethodGet, recordPC+"?v5ticket="+ticket, func(r *http.Request) { r.Host = officeHost }), TicketSpent)
}

// On a host that serves other things as well, the gateway is below its prefix and nowhere else.
func TestPathPrefix(t *testing.T) {
	const prefix = "/portal/oa"
	w, comeBack := idpWorld(t, gatewayURL+prefix, officeURL+prefix)
	for _, address := range []string{gatewayURL + prefix, officeURL + prefix} {
		b := w.tab("")
		back := comeBack(b, address)
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		names := 0
		for _, c := range b.http.Jar.Cookies(&url.URL{Scheme: "https", Host: u.Host, Path: "/"}) {
			if !strings.HasPrefix(c.Name, "__Host-portal.oa.oab-") {
				t.Errorf("the cookie %s could be that of another gateway on this host", c.Name)
			}
			names++
		}
		if names != 1 {
			t.Errorf("%d cookies of a sign-in under way", names)
		}
		w.wantSignedIn(b.open(back))
	}
	w.change(func(l *live) { l.files = map[string]string{"/WW_verify_AbC123.txt": "AbC123"} })
	for _, target := range []string{
		webhookRecord, "/portal/oax" + webhookRecord, "/portal" + webhookRecord, prefix, prefix + "/", "/portal//oa" + webhookRecord, "/Portal/oa" + webhookRecord,
		"/portal/./oa" + webhookRecord, "/portal%2foa" + webhookRecord, prefix + "/.." + prefix + webhookRecord, prefix + prefix + webhookRecord,
		prefix + "/" + webhookRecord, "/%70ortal/oa" + webhookRecord, prefix + "%2f" + webhookRecord[1:], JWKSPath, prefix + "/WW_verify_AbC123.txt",
	} {
		if a := w.visit(http.MethodGet, target); a.StatusCode != http.StatusNotFound || !strings.Contains(a.body, string(BadLink)) {
			t.Errorf("%s: %d\n%s", target, a.StatusCode, a.body)
		}
	}
	if a := w.visit(http.MethodGet, prefix+JWKSPath); a.StatusCode != http.StatusOK || !strings.Contains(a.body, `"keys"`) {
		t.Errorf("the keys: %d %s", a.StatusCode, a.body)
	}
	// A console asks for its file at the root of the host, whatever else is there.
	if a := w.visit(http.MethodGet, "/WW_verify_AbC123.txt"); a.StatusCode != http.StatusOK || a.body != "AbC123" {
		t.Errorf("the domain file: %d %s", a.StatusCode, a.body)
	}
}

// The pages below a prefix lead to addresses below it: the poll of a code, the confirmation, and the way around.
func TestPagesBelowAPrefix(t *testing.T) {
	const prefix = "/oa"
	w, signIn := qrWorld(t, gatewayURL+prefix)
	w.moved(gatewayURL + prefix)
	computer, phone := w.tab(""), w.tab(welinkAgent)
	page := computer.open(prefix + webhookRecord)
	for _, want := range []string{`"` + prefix + pathPoll + `"`, `href="` + prefix + webhookRecord + `?web=1"`} {
		if !strings.Contains(page.body, want) {
			t.Errorf("%s is not in the page:\n%s", want, page.body)
		}
	}
	address, _ := w.scanAddress(computer)
	ask := signIn(phone, phone.open(prefix+address), "lina")
	if !strings.Contains(ask.body, `action="`+prefix+pathConfirm+`"`) {
		t.Errorf("the form leads elsewhere:\n%s", ask.body)
	}
}

// An address of the gateway is scheme, host and prefix, and nothing that could be spelled in two ways.
func TestPublicAddresses(t *testing.T) {
	for raw, good := range map[string]bool{
		"https://sso.example": true, "http://sso.example:8080": true, "https://sso.example/oa": true, "https://sso.example/a/b-c_d": true,
		"https://sso.example/": false, "https://sso.example/oa/": false, "https://sso.example//oa": false, "https://sso.example/o%61": false,
		"https://sso.example/../oa": false, "https://sso.example/oa?x": false, "https://me@sso.example/oa": false, "sso.example/oa": false,
		"ftp://sso.example": false, "https://sso.example/oa#x": false, "https:///oa": false, "https://sso.example/o.a": false,
	} {
		if _, err := publicAddress(raw); (err == nil) != good {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

// The process takes its addresses from the bundle.
func TestAddressesOfTheBundle(t *testing.T) {
	p := start(t, func(p *process) {
		p.writeSecret("peer", "token", []byte(peerToken))
		p.writeSecret("login", "key.pem", newPEM(t))
	})
	p.waitHash(p.writeBundle(func(c *v1alpha1.OAConnector, _ *[]v1alpha1.AccountPair) {
		c.Spec.SSO.PathPrefix, c.Spec.SSO.AdditionalHosts = "/oa", []string{officeHost}
	}))
	p.hosts[officeHost] = p.hosts[gatewayHost]
	for _, host := range []string{gatewayHost, officeHost} {
		p.wantSignedIn(p.fetch("http://" + host + "/oa" + recordPC + "?v5ticket=" + p.ticket("lina")))
	}
	p.wantPage(p.fetch("http://"+officeHost+recordPC+"?v5ticket="+p.ticket("lina")), BadLink)
}
