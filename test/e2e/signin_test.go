package e2e

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/oabridge/oabridge/internal/oasim/crm"
	"github.com/oabridge/oabridge/test/browser"
	"github.com/oabridge/oabridge/test/stage"
)

// unbound is the one who has no binding.
const unbound = "zhengshuang"

// apps are the user agents of OAs that open their to-dos inside of their own app.
var apps = map[string]string{"yunzhijia": "yunzhijia/10", "welink": "WeLink/7", "wecom": "wxwork/4.1", "dingtalk": "DingTalk/7", "feishu": "Feishu/7"}

// browse starts the browser of a test, with the fleet behind it.
func browse(ctx context.Context, t *testing.T) context.Context {
	t.Helper()
	theFleet(ctx, t)
	chromium, end, err := scene.Browser(ctx)
	must(t, err)
	t.Cleanup(end)
	return chromium
}

// needsNames skips what needs pods that resolve the demo's host names, as those of our own cluster do.
func needsNames(t *testing.T) {
	t.Helper()
	if os.Getenv("CLUSTER") == "current" {
		t.Skip("the pods of another cluster do not resolve the demo's host names")
	}
}

func tabOf(t *testing.T, chromium context.Context, app string) context.Context {
	t.Helper()
	tab, end, err := browser.Window(chromium, browser.Phone(app))
	must(t, err)
	t.Cleanup(end)
	return tab
}

func member(t *testing.T, name string) stage.Member {
	t.Helper()
	for _, m := range stage.Members() {
		if m.Name == name {
			return m
		}
	}
	t.Fatalf("there is no %s in the fleet", name)
	return stage.Member{}
}

// In every sign-in mode a person clicks a to-do in the OA's inbox and stands before its record, as themselves: signed
// links of both algorithms, OAuth2, OIDC, CAS, a JWT, an interface that is asked, and the tickets and codes of five apps (F46–F54,
// F114, F166, F167).
func TestSignInFromTheInbox(t *testing.T) {
	ctx := within(t, 6*time.Minute)
	chromium := browse(ctx, t)
	for _, m := range stage.Members() {
		if m.Name == "seeyon" {
			continue // TestSignInByHandshake; its to-dos are clicked in TestMainJob
		}
		t.Run(m.Name, func(t *testing.T) {
			if m.Name == "landray-soap" {
				needsNames(t) // the gateway asks CAS by the name that the browser uses
			}
			proof(ctx, t, m)
			want := stage.Clickable(fleetRuns[m.Name])
			tab := tabOf(t, chromium, apps[m.Name])
			must(t, stage.EnterOA(tab, m.OA, want.OALogin))
			must(t, stage.OpenItem(tab, want.ToDo))
			if m.Name == "wecom" {
				choose(t, tab, "signin-wecom-chooser")
			}
			landed, err := scene.Landed(tab, "signin-"+m.Name)
			must(t, err)
			must(t, landed.CheckRecord(want, apps[m.Name] != ""))
		})
	}
}

// proof sets which one the links of the generic OA carry: it is one OA with three connectors.
func proof(ctx context.Context, t *testing.T, m stage.Member) {
	t.Helper()
	if kind := map[string]string{"generic": "jwt", "generic-link": "hmac", "generic-soap": "ticket"}[m.Name]; kind != "" {
		var settings map[string]any
		must(t, scene.Call(ctx, http.MethodGet, stage.At(m.OA, "/_sim/settings"), nil, &settings))
		settings["link"] = kind
		must(t, scene.Call(ctx, http.MethodPut, stage.At(m.OA, "/_sim/settings"), settings, nil))
	}
}

// Seeyon's portal announces the person from server to server, and the browser lands on the CRM's main page.
func TestSignInByHandshake(t *testing.T) {
	needsNames(t)
	ctx := bounded(t)
	tab := tabOf(t, browse(ctx, t), "")
	must(t, stage.EnterOA(tab, "seeyon", "lina"))
	must(t, chromedp.Do(tab, chromedp.Click(`#app-3005`)))
	text, err := scene.Shows(tab, `#account`, "signin-seeyon")
	must(t, err)
	at, err := chromedp.Run(tab, chromedp.Location())
	must(t, err)
	if at != stage.CRM("/home") || !strings.Contains(text, "1001") {
		t.Errorf("at %s: %s", at, text)
	}
}

// In any other browser the same links ask first: with the OA's login page, or with its page to scan (F161, F168).
func TestSignInFromAnyBrowser(t *testing.T) {
	ctx := within(t, 6*time.Minute)
	chromium := browse(ctx, t)
	for _, name := range []string{"weaver-soap", "landray", "landray-soap", "welink", "wecom", "dingtalk", "feishu"} {
		t.Run(name, func(t *testing.T) {
			if name == "landray-soap" {
				needsNames(t)
			}
			m := member(t, name)
			want, link := clickable(ctx, t, m)
			if name == "dingtalk" {
				link += "?web=1" // TestSignInWithACode has the page that comes first otherwise
			}
			tab := tabOf(t, chromium, "")
			must(t, chromedp.Do(tab, chromedp.Navigate(link)))
			if name == "wecom" {
				choose(t, tab, "page-chooser")
			}
			must(t, chromedp.Do(tab, stage.Choose(want.OALogin)))
			if apps[name] != "" { // somebody's phone scanned the OA's code
				must(t, chromedp.Do(tab, chromedp.Click(`#confirm`)))
			}
			landed, err := scene.Landed(tab, "signin-"+name+"-web")
			must(t, err)
			must(t, landed.CheckRecord(want, false))
		})
	}
}

// choose clicks the first of WeCom's two companies (F189).
func choose(t *testing.T, tab context.Context, picture string) {
	t.Helper()
	text, err := scene.Shows(tab, `a.choice`, picture)
	must(t, err)
	if !strings.Contains(text, "示例企业") || !strings.Contains(text, "示例集团") {
		t.Errorf("the companies are not there: %s", text)
	}
	must(t, chromedp.Do(tab, chromedp.Click(`a.choice[href*="company=wecom"]`)))
}

func clickable(ctx context.Context, t *testing.T, m stage.Member) (crm.Expected, string) {
	t.Helper()
	want := stage.Clickable(fleetRuns[m.Name])
	link, err := scene.Link(ctx, m.OA, want)
	must(t, err)
	return want, link
}

// The gateway's own code: a screen shows it, a phone reads it from the pixels, the person compares the number and
// confirms, and the screen is let in (F161–F165).
func TestSignInWithACode(t *testing.T) {
	ctx := bounded(t)
	chromium := browse(ctx, t)
	m := member(t, "dingtalk")
	want, link := clickable(ctx, t, m)
	screen := tabOf(t, chromium, "")
	must(t, chromedp.Do(screen, chromedp.Navigate(link)))
	shown, err := scene.Shows(screen, `svg.qr`, "page-code")
	must(t, err)
	number, err := chromedp.Run(screen, chromedp.Text(`#hint .number`))
	must(t, err)
	address, err := browser.Scanned(screen)
	must(t, err)

	phone := tabOf(t, chromium, apps[m.Name])
	must(t, stage.EnterOA(phone, m.OA, want.OALogin))
	must(t, chromedp.Do(phone, chromedp.Navigate(address)))
	asked, err := scene.Shows(phone, `form button`, "page-confirm-phone")
	must(t, err)
	if !strings.Contains(asked, number) {
		t.Errorf("the screen shows %s: %s; the phone does not: %s", number, shown, asked)
	}
	must(t, chromedp.Do(phone, chromedp.Click(`form button`)))
	_, err = scene.Shows(phone, `div.good`, "page-confirmed-phone")
	must(t, err)
	landed, err := scene.Landed(screen, "signin-dingtalk-code")
	must(t, err)
	must(t, landed.CheckRecord(want, false))
}

// Who may not in is told so, on a screen and on a phone: no binding, no proof, a link that is none (F119).
func TestSignInRefused(t *testing.T) {
	ctx := bounded(t)
	chromium := browse(ctx, t)
	feishu, weaver, wecom := member(t, "feishu"), member(t, "weaver"), member(t, "wecom")
	_, feishuLink := clickable(ctx, t, feishu)
	_, weaverLink := clickable(ctx, t, weaver)
	_, wecomLink := clickable(ctx, t, wecom)
	for suffix, app := range map[string]string{"": "", "-phone": "Mobile"} {
		tab := tabOf(t, chromium, app)
		must(t, chromedp.Do(tab, chromedp.Navigate(feishuLink), stage.Choose(unbound), chromedp.Click(`#confirm`)))
		text, err := scene.Shows(tab, `main dl`, "page-unbound"+suffix)
		must(t, err)
		if !strings.Contains(text, "SSO-1101") {
			t.Errorf("not bound: %s", text)
		}
		must(t, chromedp.Do(tab, chromedp.Navigate(weaverLink)))
		text, err = scene.Shows(tab, `main dl`, "page-refused"+suffix)
		must(t, err)
		if !strings.Contains(text, "SSO-10") {
			t.Errorf("no proof: %s", text)
		}
		must(t, chromedp.Do(tab, chromedp.Navigate(wecomLink)))
		_, err = scene.Shows(tab, `a.choice`, "page-chooser"+suffix)
		must(t, err)
	}
	// The page with a code fits a phone's screen too.
	_, link := clickable(ctx, t, member(t, "dingtalk"))
	tab := tabOf(t, chromium, "Mobile")
	must(t, chromedp.Do(tab, chromedp.Navigate(link)))
	_, err := scene.Shows(tab, `svg.qr`, "page-code-phone")
	must(t, err)
}
