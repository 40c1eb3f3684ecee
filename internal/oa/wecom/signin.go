package wecom

import (
	"cmp"
	"context"
	"net/http"
	"net/url"

	"github.com/tidwall/gjson"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/scenario"
	"github.com/oabridge/oabridge/internal/signin"
)

// Addresses of WeCom's cloud [WC-WX, JA].
const (
	AuthorizeURL = "https://open.weixin.qq.com/connect/oauth2/authorize"
	WebURL       = "https://login.work.weixin.qq.com/wwlogin/sso/login"

	userInfoPath = "/cgi-bin/auth/getuserinfo"
	// maxCode bounds a code, in bytes [WC-GO].
	maxCode = 512
)

// SignInConfig configures a SignIn.
type SignInConfig struct {
	// Pusher of the company's application.
	Pusher          *exchange.Pusher
	CorpID, AgentID string
	// AuthorizeURL inside of the app and WebURL outside of it; default: WeCom's cloud.
	AuthorizeURL, WebURL string
}

// SignIn implements oa.RedirectVerifier: silently inside of WeCom (F167), with WeCom's own QR page elsewhere (F168).
type SignIn struct{ c SignInConfig }

// NewSignIn returns a SignIn.
func NewSignIn(c SignInConfig) *SignIn {
	c.AuthorizeURL, c.WebURL = cmp.Or(c.AuthorizeURL, AuthorizeURL), cmp.Or(c.WebURL, WebURL)
	return &SignIn{c}
}

// Begin implements oa.RedirectVerifier. WeCom has no PKCE; the state is bound to the browser.
func (s *SignIn) Begin(_ context.Context, f oa.Flow) (oa.Step, error) {
	query := url.Values{"appid": {s.c.CorpID}, "agentid": {s.c.AgentID}, "redirect_uri": {f.RedirectURI}, "state": {f.State}}
	address, fragment := s.c.WebURL, ""
	if f.InApp {
		address, fragment = s.c.AuthorizeURL, "#wechat_redirect"
		query.Set("response_type", "code")
		query.Set("scope", "snsapi_base")
	} else {
		query.Set("login_type", "CorpApp")
	}
	to, err := signin.WithQuery(address, query)
	if err != nil {
		return oa.Step{}, signin.Unexpected("the address is "+err.Error(), "spec.sso.app")
	}
	return oa.Step{URL: to + fragment}, nil
}

// Read implements oa.RedirectVerifier.
func (s *SignIn) Read(query url.Values, _ oa.Flow) (oa.Proof, error) {
	p, err := signin.Returned(query, "code")
	if err == nil && len(p.Key) > maxCode {
		return oa.Proof{}, signin.Rejected("Malformed", "the code is longer than WeCom's are; nobody was asked")
	}
	return p, err
}

// Verify implements oa.RedirectVerifier. The account is the member's id in the contact book, not the WeChat id (F186).
func (s *SignIn) Verify(ctx context.Context, p oa.Proof, _ oa.Flow) (oa.Identity, error) {
	x, a := s.c.Pusher.Call(ctx, scenario.Request{Method: http.MethodGet, Path: userInfoPath + "?code=" + url.QueryEscape(p.Key)},
		scenario.Result{CodeName: "errcode", MsgName: "errmsg", SuccessCode: "0"})
	if err := s.c.Pusher.Refusal(x, a, "errcode", p.Key); err != nil {
		return oa.Identity{}, err
	}
	// Another edition of the interface spells it UserId [WC-GO].
	user := cmp.Or(gjson.GetBytes(x.Text, "userid").String(), gjson.GetBytes(x.Text, "UserId").String())
	if user == "" {
		return oa.Identity{}, &oa.VerifyError{Verdict: oa.Declined, Reason: "NotAMember", Message: "the person is no member of the company"}
	}
	id, good := signin.Account(user)
	if !good {
		return oa.Identity{}, signin.Unexpected("the answer names no userid", "spec.endpoint.url")
	}
	return id, nil
}
