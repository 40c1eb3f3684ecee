package gateway

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/test/browser"
)

// screenshotsVariable names a folder for pictures of what the browser tests saw, to be looked at by a person.
const screenshotsVariable = "OABRIDGE_SCREENSHOTS"

// appear is how long an element may take to appear.
const appear = 30 * time.Second

// screens are the two that every story is told on.
var screens = map[string]browser.Phone{"desktop": "", "phone": "Mobile"}

// office is a world with people who sit before the windows of one Chromium.
type office struct {
	*world
	chromium context.Context
	// clock is how far the gateway's clock is ahead of the browser's, in nanoseconds.
	clock *atomic.Int64
}

// newOffice is a world that is open to real browsers. Where there is no Chromium, the test is skipped.
func newOffice(t *testing.T) *office {
	t.Helper()
	w := newWorld(t)
	o := &office{world: w, clock: new(atomic.Int64)}
	w.handler.now = func() time.Time { return time.Now().Add(time.Duration(o.clock.Load())) }
	chromium, end, err := browser.Start(t.Context(), browser.Options{Hosts: w.hosts, Keys: [][]byte{w.cert.RawSubjectPublicKeyInfo}})
	if errors.Is(err, browser.ErrMissing) {
		t.Skip("sign-in in a real browser is not tested: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(end)
	o.chromium = chromium
	return o
}

// vouch makes the gateway vouch for people in another way than with a signed JWT.
func (o *office) vouch(issuer v1alpha1.CRMLoginType) {
	o.t.Helper()
	dir := o.t.TempDir()
	key := newPEM(o.t)
	o.keepSecret(coreOf(key))
	for name, content := range map[string]string{"key.pem": string(key), "shared-key": crmKey, "client-secret": crmSecret} {
		writeFile(o.t, filepath.Join(dir, bundle.SlotLogin, name), []byte(content))
	}
	c := &configurator{handler: o.handler, secretsDir: dir}
	sso := &bundle.SSO{URL: gatewayURL, LoginURL: loginURL, LoginLifetime: bundle.Duration(time.Minute), Login: string(issuer)}
	if issuer == v1alpha1.LoginOpenIDProvider {
		sso.LoginURL = "https://" + crmHost + "/oidc/login"
		sso.OpenID = &bundle.OpenID{ClientID: "crm", RedirectURIs: []string{"https://" + crmHost + "/oidc/callback"}}
	}
	o.change(func(l *live) {
		var err error
		if l.issuer, _, err = c.newIssuer(sso, l); err != nil {
			o.t.Fatal(err)
		}
	})
}

// sight is one browser window of somebody.
type sight struct {
	o     *office
	ctx   context.Context
	trail *browser.Trail
	phone bool
}

func (o *office) window(phone browser.Phone) *sight {
	o.t.Helper()
	ctx, end, err := browser.Window(o.chromium, phone)
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(end)
	trail, err := browser.Follow(ctx)
	if err != nil {
		o.t.Fatal(err)
	}
	return &sight{o, ctx, trail, phone != ""}
}

// does steps; the first that fails ends the test with a word on where the window was.
func (v *sight) does(steps ...chromedp.Action[chromedp.Void]) {
	v.o.t.Helper()
	ctx, stop := context.WithTimeout(v.ctx, appear)
	defer stop()
	if err := chromedp.Do(ctx, steps...); err != nil {
		at, _ := chromedp.Run(v.ctx, chromedp.Location())
		v.picture("failed")
		v.o.t.Fatalf("%v at %s:\n%s", err, at, v.text("body"))
	}
}

// opens an address of the gateway, or any other.
func (v *sight) opens(address string) {
	v.o.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = gatewayURL + address
	}
	v.does(chromedp.Navigate(address))
}

// choose clicks a person on a page of an OA that lists people.
func choose(person string) chromedp.Action[chromedp.Void] {
	return chromedp.Click(`button[name="choose"][value="` + person + `"]`)
}

func (v *sight) text(selector string) string {
	v.o.t.Helper()
	text, err := chromedp.Run(v.ctx, chromedp.Text(selector))
	if err != nil {
		v.o.t.Fatalf("%s: %v", selector, err)
	}
	return text
}

// scanned is the address in the code on the screen.
func (v *sight) scanned() string {
	v.o.t.Helper()
	address, err := browser.Scanned(v.ctx)
	if err != nil {
		v.picture("failed")
		v.o.t.Fatal(err)
	}
	return address
}

// sees waits for an element, takes a picture, and looks whether the page says all of that and fits the screen.
func (v *sight) sees(selector, picture string, words ...string) {
	v.o.t.Helper()
	v.does(chromedp.WaitVisible(selector))
	v.picture(picture)
	text := v.text("body")
	for _, word := range words {
		if !strings.Contains(text, word) {
			v.o.t.Errorf("%s: the page does not say %q:\n%s", picture, word, text)
		}
	}
	wide, err := chromedp.Run(v.ctx, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > document.documentElement.clientWidth`))
	if err != nil || wide {
		v.o.t.Errorf("%s: the page is wider than the screen (%v)", picture, err)
	}
}

// picture is written where somebody asked for it. Its name is that of the test.
func (v *sight) picture(name string) {
	v.o.t.Helper()
	folder := os.Getenv(screenshotsVariable)
	if folder == "" {
		return
	}
	file := strings.NewReplacer("/", "-", " ", "_").Replace(v.o.t.Name() + "/" + name)
	if err := browser.Screenshot(v.ctx, filepath.Join(folder, file+".png")); err != nil {
		v.o.t.Error(err)
	}
}

// landed looks at the record in the CRM: the right one, for the right person, in the layout of the device, and nothing that
// lets anybody in is left in the browser. F33, F44
func (v *sight) landed(account, name string) {
	v.o.t.Helper()
	v.sees("#dataId", "record", name)
	place := "https://" + crmHost + "/record/QuoteObj/5f3c2ab1"
	if v.phone {
		place = "https://" + crmHost + "/h5/record/QuoteObj/5f3c2ab1"
	}
	at, err := chromedp.Run(v.ctx, chromedp.Location())
	at, _, _ = strings.Cut(at, "#wechat_redirect") // WeCom's links end so, and browsers keep it over redirects
	if err != nil || at != place || v.text("#account") != account || v.text("#dataId") != "5f3c2ab1" {
		v.o.t.Errorf("%v: at %s as %s before record %s; want %s as %s", err, at, v.text("#account"), v.text("#dataId"), place, account)
	}
	v.leftNothing()
}

// leftNothing looks for tickets, codes and tokens where the next person at the screen, or the next site, would find them.
func (v *sight) leftNothing() {
	v.o.t.Helper()
	proofs := v.trail.Proofs()
	if len(proofs) == 0 {
		v.o.t.Error("no proof was seen on the way: the test looks for nothing")
	}
	for _, proof := range proofs {
		v.o.keepSecret(proof)
	}
	leaks, err := v.trail.Leaks()
	if err != nil || len(leaks) > 0 {
		v.o.t.Errorf("left in the browser: %v %v", leaks, err)
	}
}
