package gateway

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oasim/desk"
	dingtalksim "github.com/oabridge/oabridge/internal/oasim/dingtalk"
	"github.com/oabridge/oabridge/internal/oasim/idp"
	"github.com/oabridge/oabridge/internal/oasim/weaver"
	wecomsim "github.com/oabridge/oabridge/internal/oasim/wecom"
)

// In whichever way the gateway vouches for people, they stand before the right record as themselves: from the inbox with a
// ticket, over the OA's login page, and with a code that a phone scans; on a PC and on a phone. F33, F41, F46, F161, F167, F168
func TestEveryLoginIssuerInABrowser(t *testing.T) {
	for _, issuer := range []v1alpha1.CRMLoginType{
		v1alpha1.LoginSignedJWT, v1alpha1.LoginSignedURL, v1alpha1.LoginOneTimeCode, v1alpha1.LoginOpenIDProvider,
	} {
		t.Run(string(issuer), func(t *testing.T) {
			o := newOffice(t)
			o.vouch(issuer)
			oaPush(t, o.world, recordPC, recordH5)
			o.onEachScreen("from the inbox", func(o *office, v *sight) { o.fromTheInbox(v); v.landed("1001", "李娜") })
			weaverOAuth(t).open(o.world, map[string]string{"lina": "1001"})
			o.onEachScreen("over the login page", func(_ *office, v *sight) {
				v.opens(webhookRecord)
				v.does(choose("lina"))
				v.landed("1001", "李娜")
			})
			d := dingtalkCodes(t)
			d.open(o.world, map[string]string{"u-lina": "1001"})
			o.onEachScreen("with a code", func(o *office, v *sight) {
				v.opens(webhookRecord)
				o.scans(d, v, "lina")
				v.landed("1001", "李娜")
			})
		})
	}
}

// onEachScreen tells one story on a PC and on a phone.
func (o *office) onEachScreen(name string, story func(*office, *sight)) {
	for screen, phone := range screens {
		o.t.Run(name+" on a "+screen, func(t *testing.T) {
			inner := &office{world: o.world, chromium: o.chromium, clock: o.clock}
			outer := o.t
			o.t = t
			defer func() { o.t = outer }()
			story(inner, inner.window(phone))
		})
	}
}

// fromTheInbox signs lina in at the OA and clicks her to-do there.
func (o *office) fromTheInbox(v *sight) {
	client := "pc"
	if v.phone {
		client = "h5"
	}
	v.opens(o.oaURL + "/seeyon/login?next=/seeyon/inbox?client=" + client)
	v.does(choose("lina"), chromedp.Click(`a.item[data-task="T-1"]`))
}

// weaverOAuth is an OA with an OAuth2 provider.
func weaverOAuth(t *testing.T) *vendor {
	client := idp.Client{ID: "gateway", Secret: gatewaySecret, RedirectURIs: []string{gatewayURL + "/sso/callback/oauth2"}}
	sim, err := weaver.New(weaver.Options{People: people, Clients: []idp.Client{client}})
	v := newVendor(t, v1alpha1.TypeWeaver, sim, err)
	v.spec.Weaver.SysCode, v.spec.SSO.Mode, v.spec.SSO.SecretRef.Name = "crm", v1alpha1.SSOOAuth2, "hq-sso"
	v.spec.SSO.OAuth2 = v1alpha1.OAuth2SSO{
		AuthorizeURL: v.url + "/sso/oauth2.0/authorize", TokenURL: v.url + "/sso/oauth2.0/accessToken", UserInfoURL: v.url + "/sso/oauth2.0/profile",
		ClientID: "gateway", ClientSecretPlacement: v1alpha1.SecretForm, TokenPlacement: v1alpha1.TokenInQuery, PKCE: v1alpha1.Disabled,
	}
	v.secret("sso/client-secret", gatewaySecret)
	return v
}

// dingtalkCodes is an OA whose people scan the gateway's codes.
func dingtalkCodes(t *testing.T) *vendor {
	sim, err := dingtalksim.New(dingtalksim.Options{
		CorpID: "ding1",
		People: []desk.Person{{ID: "lina", Name: "李娜", IDs: map[string]string{"unionId": "u-lina"}}, {ID: "nobody", Name: "无绑定", IDs: map[string]string{"unionId": "u-nobody"}}},
		Apps:   []dingtalksim.App{{AppKey: "key1", AppSecret: gatewaySecret, AgentID: 1, Name: "CRM", RedirectURIs: []string{gatewayURL + "/sso/callback/dingtalk"}}},
	})
	v := newVendor(t, v1alpha1.TypeDingTalk, sim, err)
	v.spec.DingTalk.AppKey, v.spec.DingTalk.AgentID, v.spec.DingTalk.APIURL, v.spec.SSO.Mode = "key1", 1, v.url, v1alpha1.SSOApp
	v.spec.SSO.App.WebAuthorizeURL, v.spec.SSO.QR = v.url+"/oauth2/auth", v1alpha1.Enabled
	v.secret("credentials/appSecret", gatewaySecret)
	return v
}

// phoneAt is the phone of a person inside of DingTalk, which has read the code on a screen with its camera.
func (o *office) phoneAt(d *vendor, screen *sight, person string) *sight {
	o.t.Helper()
	screen.sees("svg.qr", "code", "请用 OA 手机应用扫码登录", "Scan with the OA's app")
	address := screen.scanned()
	phone := o.window("DingTalk/7")
	phone.opens(d.url + "/login")
	phone.does(choose(person), chromedp.WaitVisible(`#tab-todo`))
	phone.opens(address)
	return phone
}

// scans the code on a screen, compares the number and confirms.
func (o *office) scans(d *vendor, screen *sight, person string) {
	o.t.Helper()
	phone := o.phoneAt(d, screen, person)
	phone.sees("form button", "confirm", "确认在另一台设备上登录？", "Confirm only if", screen.text("#hint .number"))
	phone.does(chromedp.Click("form button"))
	phone.sees("div.good", "confirmed", "登录成功，请回到电脑继续。", "Continue on the other device")
	phone.leftNothing()
}

// A code that nobody scanned in time says so, on the screen and to a phone that comes too late; a click on the screen shows a
// new one, with which the person gets in. F161, F168
func TestAnExpiredCodeInABrowser(t *testing.T) {
	o := newOffice(t)
	d := dingtalkCodes(t)
	d.open(o.world, map[string]string{"u-lina": "1001"})
	o.onEachScreen("expired", func(o *office, v *sight) {
		v.opens(webhookRecord)
		v.does(chromedp.WaitVisible("svg.qr"))
		old := v.scanned()
		o.clock.Add(int64(codeLife))
		v.sees("#over", "expired", "二维码已过期", "The code has expired", "刷新二维码", "Refresh")
		late := o.window("DingTalk/7")
		late.opens(old)
		late.sees("main dl", "too-late", "二维码已过期。", "Refresh the code on the computer", string(CodeExpired))
		v.does(chromedp.Click("#over a.button"), chromedp.WaitVisible("#hint .number"))
		if v.scanned() == old {
			t.Error("the refreshed page shows the old code")
		}
		o.scans(d, v, "lina")
		v.landed("1001", "李娜")
	})
}

// Who is not bound reads so on both devices, with a code for the help desk, and is not let in on either. F119, F165
func TestAScanOfSomebodyUnboundInABrowser(t *testing.T) {
	o := newOffice(t)
	d := dingtalkCodes(t)
	d.open(o.world, map[string]string{"u-lina": "1001"})
	o.onEachScreen("unbound", func(o *office, v *sight) {
		v.opens(webhookRecord)
		phone := o.phoneAt(d, v, "nobody")
		phone.sees("main dl", "phone", "您的 OA 账号还没有关联到 CRM。", "Your OA account is not linked to the CRM.", string(NotLinked))
		v.sees("#over", "screen", "您的 OA 账号还没有关联到 CRM。", "Your OA account is not linked to the CRM.", string(NotLinked))
		phone.leftNothing()
	})
}

// People of two companies choose theirs first, which is remembered: by its code on a screen, and at once inside of its app.
// Equal ids of two companies are two people. F166, F167, F168, F184, F189
func TestTwoCompaniesInABrowser(t *testing.T) {
	app := wecomsim.App{AgentID: 1000002, Secret: gatewaySecret, Name: "CRM", TrustedDomain: gatewayHost, CallbackDomain: gatewayHost}
	sim, err := wecomsim.New(wecomsim.Options{
		Corps:  []wecomsim.Corp{{CorpID: "wwAA", Name: "甲公司", Apps: []wecomsim.App{app}}, {CorpID: "wwBB", Name: "乙公司", Apps: []wecomsim.App{app}}},
		People: append(people, desk.Person{ID: "lina-of-BB", Name: "王芳", IDs: map[string]string{"corp": "wwBB", "userid": "lina"}}),
	})
	v := newVendor(t, v1alpha1.TypeWeCom, sim, err)
	v.spec.WeCom.CorpID, v.spec.WeCom.AgentID, v.spec.SSO.Mode = "wwAA", 1000002, v1alpha1.SSOApp
	v.spec.SSO.App.AuthorizeURL, v.spec.SSO.App.WebAuthorizeURL, v.spec.SSO.App.Title = v.url+"/connect/oauth2/authorize", v.url+"/wwlogin/sso/login", "甲公司"
	second := v1alpha1.CompanySSO{Name: "bb", Title: "乙公司", CorpID: "wwBB", AgentID: 1000002}
	second.SecretRef.Name = "bb-app"
	v.spec.SSO.Companies = []v1alpha1.CompanySSO{second}
	v.secret("credentials/appSecret", gatewaySecret)
	v.secret("company-0/appSecret", gatewaySecret)
	o := newOffice(t)
	v.open(o.world, map[string]string{"lina": "1001", "bb/lina": "1002"})
	chooseSecond := func(b *sight) {
		b.opens(webhookRecord)
		b.sees("a.choice", "chooser", "请选择您所在的企业", "Choose your company", "甲公司", "乙公司")
		b.does(chromedp.Click(`a.choice[href*="company=bb"]`))
	}
	o.onEachScreen("with the company's code", func(_ *office, b *sight) {
		chooseSecond(b)
		b.sees("#scan", "company-code", "扫码登录")
		b.does(choose("lina-of-BB"), chromedp.Click("#confirm"))
		b.landed("1002", "王芳")
		b.opens(webhookRecord)
		b.sees("a.choice.last", "remembered", "上次使用")
	})
	t.Run("inside of the app", func(*testing.T) {
		b := o.window("wxwork/4.1 MicroMessenger/7")
		b.opens(v.url + "/login")
		b.does(choose("lina-of-BB"), chromedp.WaitVisible(`#tab-todo`))
		chooseSecond(b)
		b.landed("1002", "王芳")
	})
}

// In one browser the last click wins: the second person is logged in, and nothing of the first one's session is left.
func TestAnotherPersonInTheSameBrowser(t *testing.T) {
	for _, issuer := range []v1alpha1.CRMLoginType{v1alpha1.LoginSignedJWT, v1alpha1.LoginOpenIDProvider} {
		t.Run(string(issuer), func(t *testing.T) {
			o := newOffice(t)
			o.vouch(issuer)
			o.onEachScreen("after another", func(o *office, v *sight) {
				record := recordPC
				if v.phone {
					record = recordH5
				}
				v.opens(record + "?v5ticket=" + o.ticket("lina"))
				v.landed("1001", "李娜")
				v.opens(record + "?v5ticket=" + o.ticket("wangfang"))
				v.landed("1002", "王芳")
				home := "https://" + crmHost + "/home"
				v.opens(home)
				if text := v.text("body"); strings.Contains(text, "李娜") || !strings.Contains(text, "王芳") {
					t.Errorf("the CRM's home page still knows the first one:\n%s", text)
				}
			})
		})
	}
}

// A link that was opened once opens nothing any more: the page says so and what to do, and who is logged in stays so. From the
// record, the way back leads to the inbox, not to the link. F48, F107
func TestAnOldLinkInABrowser(t *testing.T) {
	o := newOffice(t)
	oaPush(t, o.world, recordPC, recordH5)
	o.onEachScreen("again", func(o *office, v *sight) {
		o.fromTheInbox(v)
		v.landed("1001", "李娜")
		link := v.trail.Last(gatewayURL + "/")
		v.does(chromedp.NavigateBack())
		v.sees(`a.item[data-task="T-1"]`, "inbox", "报价单")
		v.opens(link)
		v.sees("main dl", "replayed", "这个链接已过期或已经用过。", "请回到 OA", "This link has expired or was already used.", string(TicketSpent))
		v.leftNothing()
		stranger := o.window("")
		stranger.opens(link)
		stranger.sees("main dl", "elsewhere", string(TicketSpent))
		stranger.leftNothing()
		stranger.opens("https://" + crmHost + "/home")
		if text := stranger.text("#code"); text != "CRM-1400" {
			o.t.Errorf("the stranger is known in the CRM: %s", text)
		}
	})
}
