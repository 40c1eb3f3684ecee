package gateway

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/oabridge/oabridge/internal/crm/login"
)

// Every spelling of a path but the one that is pushed is refused, before the ticket is looked at: classes of open
// redirects, traversal, double encoding and parser confusion (CVE-2020-11053, CVE-2020-4037, CVE-2021-32637,
// CVE-2023-6291, CVE-2024-1132, CVE-2026-3872, CVE-2026-7504, GHSA-qqxw-m5fj-f7gv). F41, F43
func TestForgedPaths(t *testing.T) { // TM-12
	w := newWorld(t)
	ticket := w.ticket("lina")
	p := strings.TrimSuffix(PathPrefix, "/")
	paths := []string{
		"/", "/favicon.ico", p, p + "/", p + "/login", p + "/login/714439", p + "/login/714439/",
		p + "/login/714439/true/", p + "//login/714439/true",
		p + "/login/714439/TRUE", p + "/login/714439/1", p + "/login/714439/yes", p + "/login/714439/true;x=1",
		p + "/login/714440/true", p + "/login/0714439/true", p + "/login/714439%20/true", p + "/login/%37%31%34%34%33%39/true",
		p + "/QuoteObj/5f/714440/true", p + "/QuoteObj/5f/714439", p + "/QuoteObj/5f/x/714439/true", p + "/QuoteObj//714439/true",
		p + "/Quote~Obj/5f/714439/true", p + "/QuoteObj/.../714439/true", p + "/报价/5f/714439/true", p + "/%E6%8A%A5/5f/714439/true",
		p + "/" + strings.Repeat("a", 129) + "/5f/714439/true", p + "/QuoteObj/" + strings.Repeat("a", 129) + "/714439/true",
		strings.ToLower(p) + "/login/714439/true", strings.Replace(p, "/oa/", "/oa//", 1) + "/login/714439/true",
		"/x/.." + p + "/login/714439/true", p + "/x/../login/714439/true", p + "/./login/714439/true",
		p + "/..;/SeeYon/login/714439/true", p + "/%2e%2e/SeeYon/login/714439/true", p + "/%252e%252e/SeeYon/login/714439/true",
		p + "/login%2f714439%2ftrue", p + "/login%5c714439%5ctrue", p + "%2flogin/714439/true", p + `\login\714439\true`,
		p + "/login/714439/true%00", p + "/login/714439/true%0a", p + "/login/714439/true%0d%0aLocation:%20//evil.example",
		p + "/https:%2f%2fevil.example/5f/714439/true", p + "/@evil.example/5f/714439/true", p + "/javascript:alert(1)/5f/714439/true",
		p + "/authorizeWeb/webhook/QuoteObj/5f/714439", prefixWebhook + "QuoteObj/5f/714439/true", prefixWebhook + "QuoteObj/5f/71443",
		prefixPortal + "71443", prefixPortal + "714439/", prefixOwn + "callback/..", prefixOwn + "qr/x", prefixOwn,
		"/seeyon/thirdpartyController.do", "/_sim", "/proofs/x", "/report", "/metrics", "/healthz", "/events",
	}
	for c := range 0x21 { // every C0 byte, percent-encoded, and the space
		paths = append(paths, fmt.Sprintf("%s/%%%02x/evil.example/714439/true", p, c), fmt.Sprintf("%s/login/714439/true%%%02X", p, c))
	}
	for _, path := range paths {
		a := w.visit(http.MethodGet, path+"?v5ticket="+ticket)
		if a.StatusCode != http.StatusNotFound || a.Header.Get("Location") != "" || !strings.Contains(a.body, string(BadLink)) {
			t.Errorf("%q: %d %v", path, a.StatusCode, a.Header)
		}
		if strings.Contains(a.body, "evil") || strings.Contains(a.body, "javascript") {
			t.Errorf("%q is repeated on the page", path)
		}
	}
	if w.asked() != 0 || w.proofs.seen.String() != "" {
		t.Error("a forged path touched the ticket")
	}
	w.wantSignedIn(w.click(recordPC, ticket))
}

// What net/http itself would read differently never gets that far: raw bytes, absolute targets, smuggled headers.
func TestRawRequests(t *testing.T) { // TM-15
	w := newWorld(t)
	ticket := w.ticket("lina")
	target := recordPC + "?v5ticket=" + ticket
	host := "Host: " + gatewayHost + "\r\n"
	for name, raw := range map[string]string{
		"absolute target, other host": "GET https://evil.example" + target + " HTTP/1.1\r\n" + host,
		"absolute target, our host":   "GET https://" + gatewayHost + target + " HTTP/1.1\r\n" + host,
		"userinfo in the target":      "GET https://" + gatewayHost + "@evil.example" + target + " HTTP/1.1\r\n" + host,
		"two slashes":                 "GET /" + target + " HTTP/1.1\r\n" + host,
		"backslash":                   "GET /\\evil.example" + target + " HTTP/1.1\r\n" + host,
		"tab":                         "GET /\t/evil.example" + target + " HTTP/1.1\r\n" + host,
		"NUL":                         "GET " + recordPC + "\x00?v5ticket=" + ticket + " HTTP/1.1\r\n" + host,
		"bad escape":                  "GET " + recordPC + "%zz?v5ticket=" + ticket + " HTTP/1.1\r\n" + host,
		"fragment on the wire":        "GET " + recordPC + "#?v5ticket=" + ticket + " HTTP/1.1\r\n" + host,
		"asterisk":                    "OPTIONS * HTTP/1.1\r\n" + host,
		"two hosts":                   "GET " + target + " HTTP/1.1\r\n" + host + "Host: evil.example\r\n",
		"no host":                     "GET " + target + " HTTP/1.0\r\n",
		"userinfo in the host":        "GET " + target + " HTTP/1.1\r\nHost: " + gatewayHost + ":443@evil.example\r\n",
	} {
		conn, err := tls.Dial("tcp", w.hosts[gatewayHost], &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte(raw + "Connection: close\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if resp.StatusCode < 400 || resp.StatusCode >= 500 || resp.Header.Get("Location") != "" {
			t.Errorf("%s: %d %v", name, resp.StatusCode, resp.Header)
		}
		_ = resp.Body.Close()
		_ = conn.Close()
	}
	if w.asked() != 0 {
		t.Error("the OA was asked")
	}
}

// Two tickets, or a query that two readers would read differently, are refused; other parameters mean nothing.
func TestQueries(t *testing.T) { // TM-12
	w := newWorld(t)
	a, b := w.ticket("lina"), w.ticket("wangfang")
	for _, q := range []string{
		"v5ticket=" + a + "&v5ticket=" + b, "v5ticket=" + a + "&v5ticket=" + a, "v5ticket=" + a + "&v5%74icket=" + b,
		"v5ticket=&v5ticket=" + a, "v5ticket=" + a + ";x=1", "x;v5ticket=" + a, "v5ticket=" + a + "%zz", "%zz&v5ticket=" + a,
		"v5ticket=" + a + "&x=" + strings.Repeat("y", maxRequestURI),
	} {
		w.wantPage(w.visit(http.MethodGet, recordPC+"?"+q), BadLink)
	}
	w.wantPage(w.visit(http.MethodGet, homePC+"?v5ticket="+a+"&ticket="+b), BadLink)
	w.wantPage(w.visit(http.MethodGet, recordPC+"?V5TICKET="+a), NoTicket)
	w.wantPage(w.visit(http.MethodGet, recordPC+"?v5ticket="+url.QueryEscape(a+"\r\nX: y")), TicketSpent)
	if w.asked() != 0 {
		t.Error("the OA was asked")
	}
	// An address in the query leads nowhere (CVE-2024-8883, GHSA-4mf2-f3wh-gvf2).
	in := w.visit(http.MethodGet, recordPC+"?redirect_uri=https://evil.example&url=//evil.example&loginid=wangfang&token=x&ei=1&isApp=true&v5ticket="+a)
	w.wantSignedIn(in)
	if strings.Contains(in.Header.Get("Location"), "evil") {
		t.Errorf("location %s", in.Header.Get("Location"))
	}
}

// Headers of proxies are believed by nobody, in any spelling (CVE-2026-40575, CVE-2026-76835, CVE-2025-64484), and the
// name under which the gateway was reached must be its own (CVE-2024-54840).
func TestHostsAndForwardedHeaders(t *testing.T) { // TM-15
	w := newWorld(t)
	for _, host := range []string{
		"evil.example", "sso.crm.example.evil.example", "evilsso.crm.example", "crm.example", "127.0.0.1", "localhost:8080",
		"sso.crm.example.", "sso.crm.example:80x", "sso.crm.example:", "[::1]",
	} {
		a := w.visit(http.MethodGet, recordPC+"?v5ticket="+w.ticket("lina"), func(r *http.Request) {
			r.Host = host
			r.Header.Set("X-Forwarded-Host", gatewayHost)
		})
		w.wantPage(a, WrongHost)
	}
	if w.asked() != 0 {
		t.Error("the OA was asked")
	}
	for _, host := range []string{gatewayHost, "SSO.crm.example:8443"} {
		a := w.visit(http.MethodGet, recordPC+"?v5ticket="+w.ticket("lina"), func(r *http.Request) {
			r.Host = host
			for _, name := range []string{"Host", "Proto", "For", "Uri", "User", "Prefix", "Port"} {
				r.Header.Set("X-Forwarded-"+name, "evil.example")
				r.Header["X_Forwarded_"+name] = []string{"evil.example"}
			}
			r.Header.Set("Forwarded", "for=1.2.3.4;host=evil.example;proto=http")
			r.Header.Set("X-Original-Url", homePC)
			r.Header.Set("X-Rewrite-Url", homePC)
			r.Header.Set("X-Http-Method-Override", "POST")
			r.Header.Set("LoginName", "wangfang")
			r.Header.Set("Referer", "https://evil.example/")
			r.Header.Set("Cookie", "crm_session=fixed; JSESSIONID=fixed")
			r.Header.Set("User-Agent", "Mozilla/5.0 (iPhone) Mobile") // F44: not what decides
		})
		w.wantSignedIn(a)
		if strings.Contains(fmt.Sprint(a.Header), "evil") || len(a.Cookies()) != 0 {
			t.Errorf("headers %v", a.Header)
		}
		resp, _ := follow(t, w.browser(), a.Header.Get("Location"))
		if got := resp.Request.URL.String(); got != "https://crm.example/record/QuoteObj/5f3c2ab1" {
			t.Errorf("landed on %s", got)
		}
	}
	if strings.Contains(w.log.String(), "evil") || !strings.Contains(w.log.String(), `"remote":"127.0.0.1"`) {
		t.Errorf("the log believes a header:\n%s", w.log.String())
	}
}

// A link preview (HEAD) or a form must not use up the ticket.
func TestOnlyGetSignsIn(t *testing.T) {
	w := newWorld(t)
	ticket := w.ticket("lina")
	for _, method := range []string{"HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND", "get"} {
		a := w.visit(method, recordPC+"?v5ticket="+ticket)
		if a.StatusCode != http.StatusMethodNotAllowed || a.Header.Get("Allow") != "GET" || a.Header.Get("Location") != "" {
			t.Errorf("%s: %d %v", method, a.StatusCode, a.Header)
		}
	}
	if w.asked() != 0 {
		t.Error("the OA was asked")
	}
	w.wantSignedIn(w.click(recordPC, ticket))
}

// Every answer, good or bad, forbids to keep, frame, sniff or refer, and sets no cookie.
func TestHeadersOfEveryAnswer(t *testing.T) { // TM-17
	w := newWorld(t)
	for name, a := range map[string]answer{
		"signed in": w.click(recordPC, w.ticket("lina")),
		"refused":   w.click(recordPC, "forged"),
		"not ours":  w.visit(http.MethodGet, "/"),
		"method":    w.visit(http.MethodPost, recordPC),
	} {
		for header, want := range map[string]string{
			"Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Strict-Transport-Security": "max-age=31536000",
		} {
			if got := a.Header.Values(header); len(got) != 1 || got[0] != want {
				t.Errorf("%s: %s is %q", name, header, got)
			}
		}
		policy := a.Header.Get("Content-Security-Policy")
		scripts := strings.Replace(policy, "script-src "+hashSource(tidyJS), "", 1) // the one of a refusal takes the proof out of the address
		if !strings.HasPrefix(policy, "default-src 'none'; ") || strings.Contains(scripts, "script-src") ||
			!strings.Contains(policy, "form-action 'none'; frame-ancestors 'none'") {
			t.Errorf("%s: policy %s", name, policy)
		}
		if len(a.Cookies()) != 0 {
			t.Errorf("%s: cookies %v", name, a.Cookies())
		}
	}
	w.change(func(l *live) { l.https = false })
	if a := w.click(recordPC, "forged"); a.Header.Get("Strict-Transport-Security") != "" {
		t.Error("a gateway without TLS must not demand TLS")
	}
}

// The reverse way does not exist: no address leads from the CRM into the OA. F2
func TestThereIsNoWayFromTheCRMIntoTheOA(t *testing.T) {
	w := newWorld(t)
	resp, _ := follow(t, w.browser(), gatewayURL+homePC+"?ticket="+w.ticket("lina"))
	if resp.Request.URL.Host != crmHost {
		t.Fatalf("landed on %s", resp.Request.URL)
	}
	for _, target := range []string{"/seeyon/login/sso?from=x&token=y", PathPrefix + "logout/714439/true", PathPrefix + "open/oa/714439/true/x"} {
		w.wantPage(w.visit(http.MethodGet, target), BadLink)
	}
}

// A gateway without configuration lets nobody in and says that it will be back.
func TestBeforeTheFirstConfiguration(t *testing.T) {
	w := newWorld(t)
	ticket := w.ticket("lina")
	configured := w.handler.live.Swap(nil)
	w.wantPage(w.click(recordPC, ticket), Unavailable)
	w.handler.live.Store(configured)
	w.wantSignedIn(w.click(recordPC, ticket))
}

// A fault inside is a page with a trace id and a record, too; what was thrown is not written anywhere.
func TestAPanicIsAPage(t *testing.T) {
	w := newWorld(t)
	w.keepSecret("thrown-canary")
	k := &keeper{}
	take := k.take
	w.proofs.told.Store(&take)
	w.change(func(l *live) { l.accounts = throwing{} })
	w.wantPage(w.click(recordPC, w.ticket("lina")), Broken)
	w.wantCount(Broken, 1)
	if s := k.wait(t, 1)[0]; s.Code != string(Broken) || s.Reason != "Panic" || len(s.Trace) != 32 || s.IP != "127.0.0.1" {
		t.Errorf("%+v", s)
	}

	w = newWorld(t)
	empty, err := login.NewSignedJWT(login.Config{GatewayURL: gatewayURL, LoginURL: loginURL, Lifetime: 1}, login.NewKeyRing(nil))
	if err != nil {
		t.Fatal(err)
	}
	w.change(func(l *live) { l.issuer = empty })
	w.wantPage(w.click(recordPC, w.ticket("lina")), Broken)
}

type throwing struct{}

func (throwing) CRM(string) (string, bool) { panic("thrown-canary") }
