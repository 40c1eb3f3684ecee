package gateway

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/oa/drivers"
	"github.com/oabridge/oabridge/internal/oasim/desk"
	dingtalksim "github.com/oabridge/oabridge/internal/oasim/dingtalk"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	feishusim "github.com/oabridge/oabridge/internal/oasim/feishu"
	"github.com/oabridge/oabridge/internal/oasim/generic"
	"github.com/oabridge/oabridge/internal/oasim/idp"
	"github.com/oabridge/oabridge/internal/oasim/landray"
	"github.com/oabridge/oabridge/internal/oasim/simtest"
	"github.com/oabridge/oabridge/internal/oasim/weaver"
	wecomsim "github.com/oabridge/oabridge/internal/oasim/wecom"
	welinksim "github.com/oabridge/oabridge/internal/oasim/welink"
	"github.com/oabridge/oabridge/internal/oasim/yunzhijia"
)

const (
	webhookRecord = prefixWebhook + "QuoteObj/5f3c2ab1/714439"
	seedSecret    = "d73ec6289574d272c9cc2df5ff70488b" // F47
	gatewaySecret = "client-secret-canary"
	phoneAgent    = "Mozilla/5.0 (iPhone) Mobile wxwork/4.1 MicroMessenger/7"
)

// vendor is one simulated OA with the connector for it.
type vendor struct {
	t      *testing.T
	url    string
	client *simtest.Client // also a browser in the OA
	spec   v1alpha1.OAConnectorSpec
	dir    string
}

func newVendor(t *testing.T, oaType v1alpha1.OAType, sim interface {
	http.Handler
	Close()
}, err error) *vendor {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	v := &vendor{t: t, dir: t.TempDir()}
	var seen string
	v.client = simtest.Serve(t, watched{sim, &seen})
	// The client knows the address; the first request tells it to us.
	v.client.Fetch(http.DefaultClient, http.MethodGet, "/", "")
	v.url = "http://" + seen
	v.spec.Type, v.spec.EnterpriseID = oaType, "714439"
	v.spec.Endpoint.URL, v.spec.Endpoint.AllowedCIDRs = v.url, []string{"127.0.0.0/8"}
	v.spec.SSO.Host, v.spec.SSO.Exposure.Type = gatewayHost, v1alpha1.ExposureNone
	v.spec.SSO.CRMLogin.Type, v.spec.SSO.CRMLogin.URL = v1alpha1.LoginSignedJWT, loginURL
	return v
}

type watched struct {
	sim interface {
		http.Handler
		Close()
	}
	host *string
}

func (w watched) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if *w.host == "" {
		*w.host = r.Host
	}
	w.sim.ServeHTTP(rw, r)
}

func (w watched) Close() { w.sim.Close() }

// secret mounts a value, as the operator does.
func (v *vendor) secret(name, value string) {
	writeFile(v.t, filepath.Join(v.dir, name), []byte(value))
}

// open makes the gateway of a world that of this OA.
func (v *vendor) open(w *world, people map[string]string) {
	v.t.Helper()
	c := &v1alpha1.OAConnector{ObjectMeta: metav1.ObjectMeta{Namespace: "crm", Name: "hq"}, Spec: v.spec}
	out, problems := bundle.Compile(bundle.Input{Connector: c})
	if out == nil {
		v.t.Fatal(problems)
	}
	mode, err := drivers.NewSignIn(out.Bundle, v.dir, time.Now)
	if err != nil {
		v.t.Fatal(err)
	}
	w.keepSecret(seedSecret)
	w.keepSecret(gatewaySecret)
	w.change(func(l *live) {
		l.oaType, l.signIn, l.accounts, l.qr = string(v.spec.Type), mode, bindings(people), out.Bundle.SSO.QR
	})
}

// tab is a browser at the gateway that goes nowhere by itself.
type tab struct {
	w     *world
	http  *http.Client
	agent string
}

func (w *world) tab(agent string) *tab {
	b := w.browser()
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &tab{w, b, agent}
}

func (b *tab) open(address string) answer {
	b.w.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = gatewayURL + address
	}
	req, err := http.NewRequestWithContext(b.w.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		b.w.t.Fatal(err)
	}
	req.Header.Set("User-Agent", b.agent)
	resp, err := b.http.Do(req)
	if err != nil {
		b.w.t.Fatal(err)
	}
	return b.w.read(resp)
}

// goTo is what follows the address of the OA in a redirect.
func (v *vendor) goTo(a answer) string {
	v.t.Helper()
	path, ours := strings.CutPrefix(a.Header.Get("Location"), v.url)
	if a.StatusCode != http.StatusSeeOther || !ours {
		v.t.Fatalf("the browser is not sent to the OA: %d %v\n%s", a.StatusCode, a.Header, a.body)
	}
	return path
}

// arrives takes the browser on to the CRM and looks who is there.
func (w *world) arrives(b *tab, back, account, page string) {
	w.t.Helper()
	a := b.open(back)
	w.wantSignedIn(a)
	resp, _ := follow(w.t, w.browser(), a.Header.Get("Location"))
	logins := w.crm.Logins()
	if resp.StatusCode != http.StatusOK || !strings.HasSuffix(resp.Request.URL.String(), page) || logins[len(logins)-1].Account != account {
		w.t.Errorf("landed on %s with %d as %+v", resp.Request.URL, resp.StatusCode, logins[len(logins)-1])
	}
	w.wantPage(b.open(back), func() Code { // a proof is good once
		if strings.Contains(back, prefixCallback) {
			return FlowLost
		}
		return TicketSpent
	}())
}

var people = []desk.Person{{ID: "lina", Name: "李娜", Code: "0001", Mobile: "13800001001"}, {ID: "nobody", Name: "无绑定"}}

// Weaver signs its links with a shared secret, and has an identity provider. F46, F47, F48
func TestWeaver(t *testing.T) {
	client := idp.Client{ID: "gateway", Secret: gatewaySecret, RedirectURIs: []string{gatewayURL + "/sso/callback/oauth2", gatewayURL + "/sso/callback/cas"}}
	sim, err := weaver.New(weaver.Options{
		Systems: []weaver.System{{Code: "crm", Name: "CRM", Secret: seedSecret}}, People: people, Clients: []idp.Client{client},
	})
	v := newVendor(t, v1alpha1.TypeWeaver, sim, err)
	v.spec.Weaver.SysCode = "crm"
	v.spec.SSO.SecretRef.Name = "hq-sso"
	v.secret("sso/link-secret", seedSecret)
	v.secret("sso/client-secret", gatewaySecret)

	t.Run("signed link", func(t *testing.T) {
		w := newWorld(t)
		v.spec.SSO.Mode = v1alpha1.SSOSignedLink
		v.open(w, map[string]string{"lina": "1001"})
		link, err := sim.SignedLink("lina", "crm", webhookRecord)
		if err != nil {
			t.Fatal(err)
		}
		w.arrives(w.tab(""), link, "1001", "/record/QuoteObj/5f3c2ab1")
		other, err := sim.SignedLink("nobody", "crm", webhookRecord)
		if err != nil {
			t.Fatal(err)
		}
		w.wantPage(w.tab("").open(other), NotLinked)
	})
	t.Run("OAuth2", func(t *testing.T) {
		w := newWorld(t)
		v.spec.SSO.Mode = v1alpha1.SSOOAuth2
		v.spec.SSO.OAuth2 = v1alpha1.OAuth2SSO{
			AuthorizeURL: v.url + "/sso/oauth2.0/authorize", TokenURL: v.url + "/sso/oauth2.0/accessToken", UserInfoURL: v.url + "/sso/oauth2.0/profile",
			ClientID: "gateway", ClientSecretPlacement: v1alpha1.SecretForm, TokenPlacement: v1alpha1.TokenInQuery, PKCE: v1alpha1.Disabled,
		}
		v.open(w, map[string]string{"lina": "1001"})
		b := w.tab("")
		to, err := url.Parse(v.goTo(b.open(webhookRecord)))
		if err != nil {
			t.Fatal(err)
		}
		code, err := sim.Provider().Code("lina", "gateway", to.Query().Get("redirect_uri"), "", "")
		if err != nil {
			t.Fatal(err)
		}
		w.keepSecret(code)
		w.arrives(b, "/sso/callback/oauth2?code="+code+"&state="+to.Query().Get("state"), "1001", "/record/QuoteObj/5f3c2ab1")
	})
	t.Run("CAS", func(t *testing.T) {
		w := newWorld(t)
		v.spec.SSO.Mode, v.spec.SSO.CAS.URL, v.spec.SSO.CAS.Version = v1alpha1.SSOCAS, v.url+"/sso", "2"
		v.open(w, map[string]string{"lina": "1001"})
		b := w.tab("")
		to, err := url.Parse(v.goTo(b.open(webhookRecord)))
		if err != nil {
			t.Fatal(err)
		}
		service := to.Query().Get("service")
		ticket, err := sim.Provider().Ticket("lina", service)
		if err != nil {
			t.Fatal(err)
		}
		w.keepSecret(ticket)
		w.arrives(b, service+"&ticket="+ticket, "1001", "/record/QuoteObj/5f3c2ab1")
	})
}

// Landray and other OAs sign people in with OpenID Connect; a spoiled ID token lets nobody in. F50
func TestOpenIDConnect(t *testing.T) {
	client := idp.Client{ID: "gateway", Secret: gatewaySecret, RedirectURIs: []string{gatewayURL + "/sso/callback/oidc"}}
	ekp, err := landray.New(landray.Options{People: people, Clients: []idp.Client{client}})
	v := newVendor(t, v1alpha1.TypeLandray, ekp, err)
	v.spec.Landray.AppName = "CRM"
	other, err := generic.New(generic.Options{People: people, Clients: []idp.Client{client}})
	g := newVendor(t, v1alpha1.TypeGeneric, other, err)
	for name, c := range map[string]struct {
		v        *vendor
		provider *idp.Provider
	}{"Landray": {v, ekp.Provider()}, "Generic": {g, other.Provider()}} {
		t.Run(name, func(t *testing.T) {
			v := c.v
			v.spec.SSO.Mode, v.spec.SSO.SecretRef.Name = v1alpha1.SSOOIDC, "hq-sso"
			v.spec.SSO.OIDC.IssuerURL, v.spec.SSO.OIDC.ClientID = v.url, "gateway"
			v.secret("sso/client-secret", gatewaySecret)
			w := newWorld(t)
			v.open(w, map[string]string{"lina": "1001"})
			b := w.tab("")
			w.arrives(b, backFrom(t, b, v, c.provider), "1001", "/record/QuoteObj/5f3c2ab1")
		})
	}
	back := func(t *testing.T, b *tab) string { return backFrom(t, b, g, other.Provider()) }
	for _, spoiled := range []string{"wrongNonce", "wrongAudience", "wrongIssuer", "expired", "otherKey", "unsigned"} {
		t.Run(spoiled, func(t *testing.T) {
			w := newWorld(t)
			g.open(w, map[string]string{"lina": "1001"})
			settings := other.Settings()
			settings.Provider.IDToken = spoiled
			if err := other.Configure(func(s *generic.Settings) { *s = settings }); err != nil {
				t.Fatal(err)
			}
			b := w.tab("")
			w.wantRefused(b.open(back(t, b)), TicketSpent)
		})
	}
	// Keys that cannot be read say nothing about the person: the provider is named, and the next click works.
	if err := other.Configure(func(s *generic.Settings) { s.Provider.IDToken = "" }); err != nil {
		t.Fatal(err)
	}
	for name, action := range map[string]fault.Action{
		"500": {Kind: fault.Status, Status: 500}, "404": {Kind: fault.Status, Status: 404}, "cuts": {Kind: fault.Close}, "a page": {Kind: fault.HTML},
	} {
		t.Run("keys: "+name, func(t *testing.T) {
			w := newWorld(t)
			g.open(w, map[string]string{"lina": "1001"})
			if err := other.Faults().Replace([]fault.Rule{{Match: fault.Match{Path: "/oauth2/keys"}, Action: action}}); err != nil {
				t.Fatal(err)
			}
			b := w.tab("")
			w.wantRefused(b.open(back(t, b)), OANotAsked)
			other.Faults().Clear()
			w.arrives(b, back(t, b), "1001", "/record/QuoteObj/5f3c2ab1")
		})
	}
}

// backFrom is where a provider of OpenID Connect sends lina back to.
func backFrom(t *testing.T, b *tab, v *vendor, provider *idp.Provider) string {
	t.Helper()
	to, err := url.Parse(v.goTo(b.open(webhookRecord)))
	if err != nil {
		t.Fatal(err)
	}
	q := to.Query()
	code, err := provider.Code("lina", "gateway", q.Get("redirect_uri"), q.Get("nonce"), q.Get("code_challenge"))
	if err != nil {
		t.Fatal(err)
	}
	return "/sso/callback/oidc?code=" + code + "&state=" + q.Get("state")
}

// wantRefused is wantPage for a page that takes the cookie of its sign-in away.
func (w *world) wantRefused(a answer, code Code) {
	w.t.Helper()
	for _, c := range a.Cookies() {
		if c.MaxAge >= 0 {
			w.t.Errorf("an error page sets the cookie %s", c.Name)
		}
	}
	a.Header.Del("Set-Cookie")
	w.wantPage(a, code)
}

// Yunzhijia appends a ticket to the links of an app. F51, F54
func TestYunzhijia(t *testing.T) {
	sim, err := yunzhijia.New(yunzhijia.Options{EID: "e1", Apps: []yunzhijia.App{{ID: "app1", Secret: gatewaySecret, Name: "CRM"}, {ID: "app2", Secret: "other-secret", Name: "BI"}}, People: people})
	v := newVendor(t, v1alpha1.TypeYunzhijia, sim, err)
	v.spec.Yunzhijia.AppID, v.spec.SSO.Mode = "app1", v1alpha1.SSOApp
	v.secret("credentials/appSecret", gatewaySecret)
	w := newWorld(t)
	v.open(w, map[string]string{"lina": "1001"})
	ticket := func(person, app string) string {
		id, err := sim.Ticket(person, app)
		if err != nil {
			t.Fatal(err)
		}
		w.keepSecret(id)
		return "?ticket=" + id
	}
	w.arrives(w.tab(""), webhookRecord+ticket("lina", "app1"), "1001", "/record/QuoteObj/5f3c2ab1")
	w.arrives(w.tab(phoneAgent), prefixPortal+"714439"+ticket("lina", "app1"), "1001", "/h5/home")
	w.wantPage(w.tab("").open(webhookRecord+ticket("lina", "app2")), TicketSpent)
	w.wantPage(w.tab("").open(webhookRecord+"?ticket=APPURLWITHTICKETforged"), TicketSpent)
	w.wantPage(w.tab("").open(webhookRecord), NoTicket)
	w.wantPage(w.tab("").open(webhookRecord+ticket("nobody", "app1")), NotLinked)
	sim.ForgetTokens() // the app's own token died early
	w.wantSignedIn(w.tab("").open(webhookRecord + ticket("lina", "app1")))
}

// WeCom: at once inside of its app, with its QR page elsewhere; people of several companies choose first, and equal ids of
// two companies are two people. F166–F168, F182, F187, F189
func TestWeCom(t *testing.T) {
	app := wecomsim.App{AgentID: 1000002, Secret: gatewaySecret, Name: "CRM", TrustedDomain: gatewayHost, CallbackDomain: gatewayHost}
	sim, err := wecomsim.New(wecomsim.Options{
		Corps:  []wecomsim.Corp{{CorpID: "wwAA", Name: "AA", Apps: []wecomsim.App{app}}, {CorpID: "wwBB", Name: "BB", Apps: []wecomsim.App{app}}},
		People: append(people, desk.Person{ID: "lina-of-BB", Name: "李娜", IDs: map[string]string{"corp": "wwBB", "userid": "lina"}}),
	})
	v := newVendor(t, v1alpha1.TypeWeCom, sim, err)
	v.spec.WeCom.CorpID, v.spec.WeCom.AgentID, v.spec.SSO.Mode = "wwAA", 1000002, v1alpha1.SSOApp
	v.spec.SSO.App.AuthorizeURL, v.spec.SSO.App.WebAuthorizeURL = v.url+"/connect/oauth2/authorize", v.url+"/wwlogin/sso/login"
	v.secret("credentials/appSecret", gatewaySecret)
	v.secret("company-0/appSecret", gatewaySecret)

	// Of the parts of the link that the vendor's page lets people replace, the company, the application and the address of
	// return with its scheme are filled in; the domain may be left out where the gateway is one's own. F176
	t.Run("the link", func(t *testing.T) {
		w := newWorld(t)
		v.open(w, map[string]string{"lina": "1001"})
		for agent, path := range map[string]string{phoneAgent: "/connect/oauth2/authorize", "": "/wwlogin/sso/login"} {
			to, err := url.Parse(v.goTo(w.tab(agent).open(webhookRecord)))
			if err != nil {
				t.Fatal(err)
			}
			q := to.Query()
			if to.Path != path || q.Get("appid") != "wwAA" || q.Get("agentid") != "1000002" || q.Get("redirect_uri") != gatewayURL+"/sso/callback/wecom" || q.Has("domain") {
				t.Errorf("%q is sent to %s", agent, to)
			}
		}
	})
	// The account is the member's id; somebody who is bound by a display name is not found. F186
	t.Run("bound by name", func(t *testing.T) {
		w := newWorld(t)
		v.open(w, map[string]string{"李娜": "1001"})
		b := w.tab("")
		_, _, header := v.client.Scan(v.goTo(b.open(webhookRecord)), "lina")
		w.wantRefused(b.open(header.Get("Location")), NotLinked)
	})
	t.Run("in the app", func(t *testing.T) {
		w := newWorld(t)
		v.open(w, map[string]string{"lina": "1001"})
		b, phone := w.tab(phoneAgent), v.client.Browser()
		v.client.Form(phone, "/login", "choose", "lina")
		_, _, header := v.client.Fetch(phone, http.MethodGet, strings.TrimSuffix(v.goTo(b.open(webhookRecord)), "#wechat_redirect"), "")
		w.arrives(b, header.Get("Location"), "1001", "/h5/record/QuoteObj/5f3c2ab1")
	})
	t.Run("on the web", func(t *testing.T) {
		w := newWorld(t)
		v.open(w, map[string]string{"lina": "1001"})
		b := w.tab("")
		_, _, header := v.client.Scan(v.goTo(b.open(prefixPortal+"714439")), "lina")
		w.arrives(b, header.Get("Location"), "1001", "/home")
		b = w.tab("")
		_, _, header = v.client.Scan(v.goTo(b.open(webhookRecord)), "nobody")
		w.wantRefused(b.open(header.Get("Location")), NotLinked)
	})
	t.Run("several companies", func(t *testing.T) {
		w := newWorld(t)
		company := v1alpha1.CompanySSO{Name: "bb", Title: "乙公司", CorpID: "wwBB", AgentID: 1000002}
		company.SecretRef.Name = "bb-app"
		v.spec.SSO.Companies, v.spec.SSO.App.Title = []v1alpha1.CompanySSO{company}, "甲公司"
		defer func() { v.spec.SSO.Companies = nil }()
		staff := map[string]string{"lina": "1001", "bb/lina": "1002"} // company and account of each F184
		v.open(w, staff)
		b := w.tab("")
		chooser := b.open(webhookRecord)
		if chooser.StatusCode != http.StatusOK || !strings.Contains(chooser.body, "甲公司") || !strings.Contains(chooser.body, "乙公司") ||
			!strings.Contains(chooser.body, `href="`+webhookRecord+`?company=bb"`) || strings.Contains(chooser.body, "last used") {
			t.Fatalf("%d\n%s", chooser.StatusCode, chooser.body)
		}
		_, _, header := v.client.Scan(v.goTo(b.open(webhookRecord+"?company=bb")), "lina-of-BB")
		w.arrives(b, header.Get("Location"), "1002", "/record/QuoteObj/5f3c2ab1")
		if again := b.open(webhookRecord); !strings.Contains(again.body, "last used") {
			t.Error("the chosen company is not remembered")
		}
		_, _, header = v.client.Scan(v.goTo(b.open(webhookRecord+"?company=wecom")), "lina")
		w.arrives(b, header.Get("Location"), "1001", "/record/QuoteObj/5f3c2ab1")
		w.wantPage(b.open(webhookRecord+"?company=cc"), BadLink) // F188
		w.wantPage(b.open(webhookRecord+"?company=bb&company=bb"), BadLink)

		// Bindings name a company by what does not change: with another title everybody is who they were. F190
		v.spec.SSO.Companies[0].Title = "丙公司"
		v.open(w, staff)
		if renamed := b.open(webhookRecord); !strings.Contains(renamed.body, "丙公司") || strings.Contains(renamed.body, "乙公司") {
			t.Errorf("the company is not renamed:\n%s", renamed.body)
		}
		_, _, header = v.client.Scan(v.goTo(b.open(webhookRecord+"?company=bb")), "lina-of-BB")
		w.arrives(b, header.Get("Location"), "1002", "/record/QuoteObj/5f3c2ab1")
	})
	t.Run("the IP is not trusted", func(t *testing.T) {
		if err := sim.Configure(func(s *wecomsim.Settings) { s.TrustedIPDelaySeconds = 0 }); err != nil {
			t.Fatal(err)
		}
		w := newWorld(t)
		v.open(w, map[string]string{"lina": "1001"})
		b := w.tab("")
		_, _, header := v.client.Scan(v.goTo(b.open(webhookRecord)), "lina")
		strict := app
		strict.TrustedIPs = "192.0.2.1"
		if err := sim.SetApp("wwAA", strict); err != nil {
			t.Fatal(err)
		}
		w.wantPage(b.open(header.Get("Location")), OARefusesUs)
		if !strings.Contains(w.log.String(), "60020") {
			t.Errorf("the log does not say why:\n%s", w.log.String())
		}
		if err := sim.SetApp("wwAA", app); err != nil {
			t.Fatal(err)
		}
		w.arrives(b, header.Get("Location"), "1001", "/record/QuoteObj/5f3c2ab1") // nothing was burnt
	})
}

// WeLink: with a code of its app, or with its web sign-in. F114, F161
func TestWeLink(t *testing.T) {
	sim, err := welinksim.New(welinksim.Options{
		Tenants: []welinksim.Tenant{{ID: "t1", Name: "甲公司"}},
		Apps:    []welinksim.App{{ClientID: "client1", ClientSecret: gatewaySecret, Name: "CRM", RedirectURIs: []string{gatewayURL + "/sso/callback/welink"}}},
		People:  people,
	})
	v := newVendor(t, v1alpha1.TypeWeLink, sim, err)
	v.spec.Endpoint.URL = v.url + "/api"
	v.spec.WeLink.ClientID, v.spec.SSO.Mode = "client1", v1alpha1.SSOApp
	v.spec.SSO.App.WebAuthorizeURL, v.spec.SSO.App.ScriptURL = v.url+"/sso/oauth2/authorize", "https://static.welink.example/hwh5.js"
	v.secret("credentials/appSecret", gatewaySecret)
	w := newWorld(t)
	v.open(w, map[string]string{"lina": "1001"})

	b := w.tab("Mozilla/5.0 (Linux; Android 14) Mobile WeLink/7")
	page := b.open(webhookRecord)
	if page.StatusCode != http.StatusOK || !strings.Contains(page.body, `<script src="https://static.welink.example/hwh5.js">`) ||
		!strings.Contains(page.Header.Get("Content-Security-Policy"), " https://static.welink.example;") || !strings.Contains(page.body, "HWH5.getAuthCode") {
		t.Fatalf("%d %v\n%s", page.StatusCode, page.Header, page.body)
	}
	_, rest, _ := strings.Cut(page.body, `data-state="`)
	state, _, _ := strings.Cut(rest, `"`)
	code, err := sim.IssueCode("client1", "lina")
	if err != nil {
		t.Fatal(err)
	}
	w.arrives(b, "/sso/callback/welink?code="+code+"&state="+state, "1001", "/h5/record/QuoteObj/5f3c2ab1")

	b = w.tab("")
	_, _, header := v.client.Scan(v.goTo(b.open(prefixPortal+"714439")), "lina")
	w.arrives(b, header.Get("Location"), "1001", "/home")
}

// DingTalk and Feishu: their web sign-in, which is silent inside of their apps.
func TestDingTalkAndFeishu(t *testing.T) {
	t.Run("DingTalk", func(t *testing.T) {
		sim, err := dingtalksim.New(dingtalksim.Options{
			CorpID: "ding1", People: []desk.Person{{ID: "lina", Name: "李娜", IDs: map[string]string{"unionId": "u-lina"}}},
			Apps: []dingtalksim.App{{AppKey: "key1", AppSecret: gatewaySecret, AgentID: 1, Name: "CRM", RedirectURIs: []string{gatewayURL + "/sso/callback/dingtalk"}}},
		})
		v := newVendor(t, v1alpha1.TypeDingTalk, sim, err)
		v.spec.DingTalk.AppKey, v.spec.DingTalk.AgentID, v.spec.DingTalk.APIURL, v.spec.SSO.Mode = "key1", 1, v.url, v1alpha1.SSOApp
		v.spec.SSO.App.WebAuthorizeURL = v.url + "/oauth2/auth"
		v.secret("credentials/appSecret", gatewaySecret)
		for id, account := range map[v1alpha1.AppAccountID]string{"": "u-lina", v1alpha1.AppUserID: "lina"} {
			v.spec.SSO.App.AccountID = id
			w := newWorld(t)
			v.open(w, map[string]string{account: "1001"})
			b := w.tab("")
			_, _, header := v.client.Scan(v.goTo(b.open(webhookRecord)), "lina")
			w.arrives(b, header.Get("Location"), "1001", "/record/QuoteObj/5f3c2ab1")
		}
	})
	t.Run("Feishu", func(t *testing.T) {
		sim, err := feishusim.New(feishusim.Options{
			TenantKey: "t1", People: []desk.Person{{ID: "lina", Name: "李娜", IDs: map[string]string{"open_id": "ou_lina", "union_id": "on_lina"}}},
			Apps: []feishusim.App{{AppID: "cli_1", AppSecret: gatewaySecret, Name: "CRM", RedirectURIs: []string{gatewayURL + "/sso/callback/feishu"}}},
		})
		v := newVendor(t, v1alpha1.TypeFeishu, sim, err)
		v.spec.Feishu.AppID, v.spec.SSO.Mode = "cli_1", v1alpha1.SSOApp
		v.secret("credentials/appSecret", gatewaySecret)
		for id, account := range map[v1alpha1.AppAccountID]string{"": "ou_lina", v1alpha1.AppUnionID: "on_lina", v1alpha1.AppUserID: "lina"} {
			v.spec.SSO.App.AccountID = id
			w := newWorld(t)
			v.open(w, map[string]string{account: "1001"})
			b := w.tab("")
			_, _, header := v.client.Scan(v.goTo(b.open(webhookRecord)), "lina")
			w.arrives(b, header.Get("Location"), "1001", "/record/QuoteObj/5f3c2ab1")
		}
	})
}

// An interface of the OA says whose proof it is, with a parameter of one's own. F110
func TestThirdPartyInterface(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		asked++
		if r.Header.Get("Authorization") != "Bearer "+gatewaySecret || r.FormValue("pass") != "good" {
			rw.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = rw.Write([]byte(`{"data":{"login":"lina"}}`))
	}))
	defer server.Close()
	v := &vendor{t: t, dir: t.TempDir(), url: server.URL}
	v.spec.Type, v.spec.EnterpriseID = v1alpha1.TypeSeeyon, "714439"
	v.spec.Seeyon.RegisterCode = "3004"
	v.spec.Endpoint.URL, v.spec.Endpoint.AllowedCIDRs = server.URL, []string{"127.0.0.0/8"}
	v.spec.SSO.Host, v.spec.SSO.Exposure.Type = gatewayHost, v1alpha1.ExposureNone
	v.spec.SSO.Mode = v1alpha1.SSOCallback
	v.spec.SSO.Callback = v1alpha1.CallbackSSO{Parameter: "pass", URL: server.URL + "/whoami?app=crm", AccountPath: "data.login"}
	v.secret("sso/token", gatewaySecret)
	w := newWorld(t)
	v.open(w, map[string]string{"lina": "1001"})
	w.arrives(w.tab(""), recordPC+"?pass=good", "1001", "/record/QuoteObj/5f3c2ab1")
	w.wantPage(w.tab("").open(recordPC+"?pass=bad"), TicketSpent)
	if asked != 2 {
		t.Errorf("the interface was asked %d times", asked)
	}
	v.secret("sso/token", "another")
	w.wantPage(w.tab("").open(recordPC+"?pass=later"), TicketSpent)
}
