package drivers

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/dingtalk"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/oa/feishu"
	"github.com/oabridge/oabridge/internal/oa/tokens"
	"github.com/oabridge/oabridge/internal/oa/wecom"
	"github.com/oabridge/oabridge/internal/oa/welink"
	"github.com/oabridge/oabridge/internal/oa/yunzhijia"
	"github.com/oabridge/oabridge/internal/rotation"
	"github.com/oabridge/oabridge/internal/signin"
)

// appSignIn is the OA's own sign-in for its apps, with the application that pushes as well.
func appSignIn(c config) (oa.SignIn, error) {
	if c.bundle.SSO.App == nil {
		return oa.SignIn{}, missingMode("app")
	}
	switch v1alpha1.OAType(c.bundle.Type) {
	case v1alpha1.TypeYunzhijia:
		return yunzhijiaTicket(c)
	case v1alpha1.TypeWeLink:
		return welinkSignIn(c)
	case v1alpha1.TypeWeCom:
		return wecomSignIn(c)
	case v1alpha1.TypeDingTalk:
		return dingtalkSignIn(c)
	case v1alpha1.TypeFeishu:
		return feishuSignIn(c)
	}
	return oa.SignIn{}, fmt.Errorf("spec.sso.mode: type %s has no sign-in of its own: use SignedLink, OIDC, OAuth2, CAS, JWT or Callback", c.bundle.Type)
}

// asking is the exchange of a question that a person waits for.
func (c config) asking() exchange.Config {
	e := c.exchange()
	e.Timeout = min(max(e.Timeout, time.Second), signin.Timeout)
	return e
}

func yunzhijiaTicket(c config) (oa.SignIn, error) {
	own := c.bundle.OA.Yunzhijia
	if own == nil {
		return oa.SignIn{}, missingBlock(yunzhijia.Name, "yunzhijia")
	}
	p := yunzhijia.NewPusher(yunzhijia.Config{Config: c.asking(), Credentials: c.secrets.app(own.AppID)})
	return oa.SignIn{Link: yunzhijia.NewTicket(p, own.AppID), Rotators: []oa.Rotator{p}}, nil
}

func welinkSignIn(c config) (oa.SignIn, error) {
	own := c.bundle.OA.WeLink
	if own == nil {
		return oa.SignIn{}, missingBlock(welink.Name, "welink")
	}
	p := welink.NewPusher(welink.Config{Config: c.asking(), Credentials: c.secrets.app(own.ClientID)})
	return single("welink", welink.NewSignIn(welink.SignInConfig{
		Pusher: p, ClientID: own.ClientID, WebURL: c.bundle.SSO.App.WebAuthorizeURL, ScriptURL: c.bundle.SSO.App.ScriptURL,
	}), p), nil
}

// wecomSignIn has the connector's own company first, and then the others (F189).
func wecomSignIn(c config) (oa.SignIn, error) {
	own := c.bundle.OA.WeCom
	if own == nil {
		return oa.SignIn{}, missingBlock(wecom.Name, "wecom")
	}
	var out oa.SignIn
	add := func(name, title, prefix, corpID, agentID string, app tokens.Source, keys func(rotation.Version) []rotation.Key) {
		config := c.asking()
		config.Keys = keys
		p := wecom.NewPusher(wecom.Config{Config: config, Credentials: app})
		out.Rotators = append(out.Rotators, p)
		out.Providers = append(out.Providers, oa.Provider{Name: name, Title: title, AccountPrefix: prefix, Verifier: wecom.NewSignIn(wecom.SignInConfig{
			Pusher: p, CorpID: corpID, AgentID: agentID,
			AuthorizeURL: c.bundle.SSO.App.AuthorizeURL, WebURL: c.bundle.SSO.App.WebAuthorizeURL,
		})})
	}
	title := c.bundle.SSO.App.Title
	if title == "" {
		title = "企业微信 WeCom"
	}
	add("wecom", title, "", own.CorpID, strconv.FormatInt(own.AgentID, 10), c.secrets.app(own.CorpID), c.keys)
	for _, company := range c.bundle.SSO.Companies {
		add(company.Name, company.Title, company.Name+"/", company.CorpID, company.AgentID, c.secrets.company(company),
			func(v rotation.Version) []rotation.Key {
				return []rotation.Key{c.secrets.key(company.Secret, v1alpha1.KeyAppSecret, v)}
			})
	}
	return out, nil
}

// company returns the application of one of several companies.
func (s secrets) company(c bundle.Company) tokens.Source {
	return func(version rotation.Version) (tokens.Account, error) {
		v, err := s.versioned(c.Secret, v1alpha1.KeyAppSecret, version)
		if err != nil || v == "" {
			return tokens.Account{}, fmt.Errorf("the key %s is missing: put it into the Secret in spec.sso.companies[%s].secretRef", v1alpha1.KeyAppSecret, c.Name)
		}
		return tokens.Account{Name: c.CorpID, Secret: v}, nil
	}
}

func dingtalkSignIn(c config) (oa.SignIn, error) {
	own := c.bundle.OA.DingTalk
	if own == nil {
		return oa.SignIn{}, missingBlock(dingtalk.Name, "dingtalk")
	}
	api, err := endpoint(own.APIURL)
	if err != nil {
		return oa.SignIn{}, errors.New("spec.dingtalk.apiURL: not an absolute http or https URL without user info, query and fragment: write it like https://api.dingtalk.com")
	}
	p := dingtalk.NewPusher(dingtalk.Config{Config: c.asking(), API: api, Credentials: c.secrets.app(own.AppKey)})
	return single("dingtalk", dingtalk.NewSignIn(dingtalk.SignInConfig{
		Pusher: p, AppKey: own.AppKey,
		WebURL: c.bundle.SSO.App.WebAuthorizeURL, UserID: c.bundle.SSO.App.AccountID == string(v1alpha1.AppUserID),
	}), p), nil
}

// feishuIDs are the members of Feishu's answer by spec.sso.app.accountID.
var feishuIDs = map[v1alpha1.AppAccountID]string{
	v1alpha1.AppUserID: "user_id", v1alpha1.AppUnionID: "union_id", v1alpha1.AppOpenID: "open_id",
}

func feishuSignIn(c config) (oa.SignIn, error) {
	own := c.bundle.OA.Feishu
	if own == nil {
		return oa.SignIn{}, missingBlock(feishu.Name, "feishu")
	}
	s := feishu.NewSignIn(feishu.SignInConfig{
		Config: c.asking(), Credentials: c.secrets.app(own.AppID), AppID: own.AppID, AuthorizeURL: c.bundle.SSO.App.WebAuthorizeURL,
		Account: feishuIDs[v1alpha1.AppAccountID(c.bundle.SSO.App.AccountID)],
	})
	return single("feishu", s, s), nil
}
