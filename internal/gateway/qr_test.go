package gateway

import (
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/api/v1alpha1"
	welinksim "github.com/oabridge/oabridge/internal/oasim/welink"
)

// scanned reads the address out of a QR code page by opening the sealed cookie: a test has no camera.
func (w *world) scanAddress(b *tab) (address, number string) {
	w.t.Helper()
	l := w.handler.live.Load()
	u, err := url.Parse(gatewayURL)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, c := range b.http.Jar.Cookies(u) {
		var s screen
		if c.Name == l.cookieName(cookieQR) && l.seal.open(purposeQR, c.Value, &s) == nil {
			sealed, err := l.seal.seal(purposeScan, s.Code)
			if err != nil {
				w.t.Fatal(err)
			}
			return prefixScan + sealed, s.Code.Number
		}
	}
	w.t.Fatal("the browser has no code")
	return "", ""
}

func (b *tab) poll() (p polled) {
	b.w.t.Helper()
	a := b.open(pathPoll)
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		b.w.t.Fatalf("%d %s: %v", a.StatusCode, a.body, err)
	}
	b.w.keepSecret(tokenIn(p.URL))
	return p
}

func tokenIn(location string) string {
	u, err := url.Parse(location)
	if err != nil {
		return ""
	}
	return u.Query().Get("token")
}

var approvalValue = regexp.MustCompile(`name="approval" value="([^"]+)"`)

// confirm is the person who presses the button on the phone.
func (b *tab) confirm(page answer, change ...func(*http.Request)) answer {
	b.w.t.Helper()
	m := approvalValue.FindStringSubmatch(page.body)
	if m == nil {
		b.w.t.Fatalf("the person is not asked to confirm: %d\n%s", page.StatusCode, page.body)
	}
	form := url.Values{"approval": {html.UnescapeString(m[1])}}
	req, err := http.NewRequestWithContext(b.w.t.Context(), http.MethodPost, gatewayURL+pathConfirm, strings.NewReader(form.Encode()))
	if err != nil {
		b.w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	for _, c := range change {
		c(req)
	}
	resp, err := b.http.Do(req)
	if err != nil {
		b.w.t.Fatal(err)
	}
	return b.w.read(resp)
}

// qrWorld is a gateway of WeLink that shows codes, under an address if it is not the usual one.
func qrWorld(t *testing.T, address ...string) (*world, func(b *tab, page answer, person string) answer) {
	t.Helper()
	base := append(address, gatewayURL)[0]
	sim, err := welinksim.New(welinksim.Options{
		Tenants: []welinksim.Tenant{{ID: "t1", Name: "甲公司"}}, People: people,
		Apps: []welinksim.App{{ClientID: "client1", ClientSecret: gatewaySecret, Name: "CRM", RedirectURIs: []string{base + "/sso/callback/welink"}}},
	})
	v := newVendor(t, v1alpha1.TypeWeLink, sim, err)
	v.spec.Endpoint.URL = v.url + "/api"
	v.spec.WeLink.ClientID, v.spec.SSO.Mode, v.spec.SSO.QR = "client1", v1alpha1.SSOApp, v1alpha1.Enabled
	v.spec.SSO.App.WebAuthorizeURL = v.url + "/sso/oauth2/authorize"
	v.secret("credentials/appSecret", gatewaySecret)
	w := newWorld(t)
	v.open(w, map[string]string{"lina": "1001"})
	signIn := func(b *tab, page answer, person string) answer {
		t.Helper()
		_, rest, ok := strings.Cut(page.body, `data-state="`)
		if !ok {
			t.Fatalf("the phone does not sign in: %d\n%s", page.StatusCode, page.body)
		}
		state, _, _ := strings.Cut(rest, `"`)
		code, err := sim.IssueCode("client1", person)
		if err != nil {
			t.Fatal(err)
		}
		w.keepSecret(code)
		return b.open(base + prefixCallback + "welink?code=" + code + "&state=" + state)
	}
	return w, signIn
}

const welinkAgent = "Mozilla/5.0 (Linux; Android 14) Mobile WeLink/7"

// A screen shows a code, the person scans it with WeLink, signs in there, compares a number and confirms; then the screen
// is on the page that it wanted. F161, F163, F164, F168
func TestSignInByScanning(t *testing.T) {
	w, signIn := qrWorld(t)
	computer, phone := w.tab(""), w.tab(welinkAgent)
	page := computer.open(webhookRecord)
	address, number := w.scanAddress(computer)
	if page.StatusCode != http.StatusOK || !strings.Contains(page.body, `<path fill="#000" d="M`) || !strings.Contains(page.body, ">"+number+"<") ||
		!strings.Contains(page.Header.Get("Content-Security-Policy"), "script-src 'sha256-") || !strings.Contains(page.Header.Get("Content-Security-Policy"), "connect-src 'self'") {
		t.Fatalf("%d %v\n%s", page.StatusCode, page.Header, page.body)
	}
	if p := computer.poll(); p.State != "waiting" {
		t.Errorf("before the scan: %+v", p)
	}
	begun := phone.open(address)
	if p := computer.poll(); p.State != "scanned" {
		t.Errorf("after the scan: %+v", p)
	}
	ask := signIn(phone, begun, "lina")
	if !strings.Contains(ask.body, ">"+number+"<") || !strings.Contains(ask.Header.Get("Content-Security-Policy"), "form-action 'self'") {
		t.Errorf("the phone does not show the number:\n%s", ask.body)
	}
	if p := computer.poll(); p.State != "waiting" {
		t.Errorf("before the confirmation: %+v", p)
	}
	if done := phone.confirm(ask); done.StatusCode != http.StatusOK || !strings.Contains(done.body, "Continue on the other device") {
		t.Errorf("%d\n%s", done.StatusCode, done.body)
	}
	p := computer.poll()
	if p.State != "done" {
		t.Fatalf("after the confirmation: %+v", p)
	}
	resp, body := follow(t, w.browser(), p.URL)
	if resp.Request.URL.String() != "https://crm.example/record/QuoteObj/5f3c2ab1" || !strings.Contains(body, "李娜") {
		t.Errorf("landed on %s", resp.Request.URL)
	}
	if p := computer.poll(); p.State != "expired" {
		t.Errorf("a code is good once: %+v", p)
	}
	w.wantPage(phone.confirm(ask), FlowLost)
	w.wantCount(SignedIn, 1)
}

// Whoever is not bound is told so, on both devices. F165
func TestTheScreenSaysWhoIsNotBound(t *testing.T) {
	w, signIn := qrWorld(t)
	computer, phone := w.tab(""), w.tab(welinkAgent)
	computer.open(prefixPortal + "714439")
	address, _ := w.scanAddress(computer)
	w.wantRefused(signIn(phone, phone.open(address), "nobody"), NotLinked)
	p := computer.poll()
	if p.State != "refused" || p.Code != NotLinked || p.ZH != explanations[NotLinked].zh || p.EN != explanations[NotLinked].en || p.URL != "" {
		t.Errorf("the screen says %+v", p)
	}
}

// A code that somebody photographed, an old one, a confirmation from elsewhere: none of them lets anybody in.
func TestScanningIsBoundToBothDevices(t *testing.T) { // TM-13
	w, signIn := qrWorld(t)
	computer, phone, thief := w.tab(""), w.tab(welinkAgent), w.tab("")
	computer.open(webhookRecord)
	address, _ := w.scanAddress(computer)
	ask := signIn(phone, phone.open(address), "lina")
	stolen := approvalValue.FindStringSubmatch(ask.body)

	w.wantPage(thief.confirm(answer{body: stolen[0]}), FlowLost) // the form without the cookie
	w.wantPage(phone.confirm(ask, func(r *http.Request) {
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Origin", "https://evil.example")
	}), BadLink)
	w.wantPage(phone.confirm(answer{body: `name="approval" value="forged"`}), FlowLost)
	if p := thief.poll(); p.State != "expired" {
		t.Errorf("a browser that shows no code is told %+v", p)
	}
	if p := computer.poll(); p.State == "done" {
		t.Fatal("let in without a confirmation")
	}
	w.wantPage(phone.open(prefixScan+strings.Repeat("A", 40)), BadLink)

	// Two minutes later the code is nothing any more, wherever it is.
	clock := w.handler.now
	w.handler.now = func() time.Time { return clock().Add(codeLife) }
	w.wantPage(phone.confirm(ask), CodeExpired)
	w.wantPage(phone.open(address), CodeExpired)
	if p := computer.poll(); p.State != "expired" {
		t.Errorf("the old code: %+v", p)
	}
}

// Inside of the OA's app nobody has to scan, and on the web one may choose not to. F175
func TestWhoDoesNotHaveToScan(t *testing.T) {
	w, _ := qrWorld(t)
	if a := w.tab(welinkAgent).open(webhookRecord); !strings.Contains(a.body, "HWH5") {
		t.Errorf("in the app: %d\n%s", a.StatusCode, a.body)
	}
	b := w.tab("")
	if page := b.open(webhookRecord); !strings.Contains(page.body, `href="`+webhookRecord+`?web=1"`) {
		t.Errorf("no way around:\n%s", page.body)
	}
	if a := b.open(webhookRecord + "?web=1"); a.StatusCode != http.StatusSeeOther || !strings.Contains(a.Header.Get("Location"), "/sso/oauth2/authorize") {
		t.Errorf("on the web: %d %v", a.StatusCode, a.Header)
	}
	w.change(func(l *live) { l.qr = false })
	w.wantPage(b.open(prefixScan+strings.Repeat("A", 40)), BadLink)
	if p := b.poll(); p.State != "expired" {
		t.Errorf("codes are switched off: %+v", p)
	}
	a := w.visit(http.MethodPost, pathConfirm, func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("approval=x")) })
	w.wantPage(a, FlowLost)
}
