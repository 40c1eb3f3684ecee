package welink

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

// Addresses of WeLink's cloud: the sign-in of browsers [WL-DOC], and the script of its app (from memory).
const (
	WebURL    = "https://login.welink.huaweicloud.com/sso/oauth2/authorize"
	ScriptURL = "https://open-doc.welink.huaweicloud.com/docs/jsapi/2.0.4/hwh5-cloudonline.js"

	userPath     = "/auth/v2/userid"
	webTokenPath = "/oauth2/v1/token"
	webScope     = "backendlogin"
	// webSuccess is the code of a good answer of the web sign-in's token call, if there is one [WL-DOC].
	webSuccess = "60001"
)

// askForCode asks the app for a code. Where the app has put one into the page's address, that is it.
const askForCode = `if (window.HWH5) {
      window.HWH5.getAuthCode({clientId: clientId}).then(function (r) { done(r.code || r); }, failed);
    } else {
      var given = /[?&]code=([^&]+)/.exec(location.search);
      if (given) { done(decodeURIComponent(given[1])); } else { failed(); }
    }`

// SignInConfig configures a SignIn.
type SignInConfig struct {
	// Pusher of the application.
	Pusher   *exchange.Pusher
	ClientID string
	// WebURL and ScriptURL; default: WeLink's cloud.
	WebURL, ScriptURL string
}

// SignIn implements oa.RedirectVerifier: with a code of the app inside of WeLink (F161), with WeLink's web sign-in elsewhere.
type SignIn struct{ c SignInConfig }

// NewSignIn returns a SignIn.
func NewSignIn(c SignInConfig) *SignIn {
	c.WebURL, c.ScriptURL = cmp.Or(c.WebURL, WebURL), cmp.Or(c.ScriptURL, ScriptURL)
	return &SignIn{c}
}

// Begin implements oa.RedirectVerifier.
func (s *SignIn) Begin(_ context.Context, f oa.Flow) (oa.Step, error) {
	if f.InApp {
		return oa.Step{Script: &oa.Script{Library: s.c.ScriptURL, Call: askForCode, ClientID: s.c.ClientID}}, nil
	}
	address, err := signin.WithQuery(s.c.WebURL, url.Values{
		"client_id": {s.c.ClientID}, "response_type": {"code"}, "redirect_uri": {f.RedirectURI}, "scope": {webScope}, "state": {f.State},
	})
	if err != nil {
		return oa.Step{}, signin.Unexpected("the address is "+err.Error(), "spec.sso.app.webAuthorizeURL")
	}
	return oa.Step{URL: address}, nil
}

// Read implements oa.RedirectVerifier.
func (s *SignIn) Read(query url.Values, _ oa.Flow) (oa.Proof, error) {
	return signin.Returned(query, "code")
}

// Verify implements oa.RedirectVerifier.
func (s *SignIn) Verify(ctx context.Context, p oa.Proof, f oa.Flow) (oa.Identity, error) {
	if !f.InApp {
		return s.web(ctx, p, f)
	}
	x, a := s.c.Pusher.Call(ctx, scenario.Request{Method: http.MethodGet, Path: userPath + "?code=" + url.QueryEscape(p.Key)},
		scenario.Result{CodeName: "code", MsgName: "message", SuccessCode: "0"})
	return s.user(x, a, p)
}

// web exchanges a code of the web sign-in. The answer names the person (the shape beyond the token is derived).
func (s *SignIn) web(ctx context.Context, p oa.Proof, f oa.Flow) (oa.Identity, error) {
	account, err := s.c.Pusher.Account()
	if err != nil {
		return oa.Identity{}, signin.Unasked("KeyMissing", "%v", err)
	}
	form := url.Values{
		"grant_type": {"authorization_code"}, "client_id": {account.Name}, "client_secret": {account.Secret}, "code": {p.Key},
		"redirect_uri": {f.RedirectURI},
	}
	x, a := s.c.Pusher.Call(ctx, scenario.Request{
		Method: http.MethodPost, Path: webTokenPath, Body: []byte(form.Encode()),
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
	}, scenario.Result{CodeName: "code", MsgName: "message", SuccessCode: webSuccess})
	return s.user(x, a, p)
}

// user reads the person out of an answer. The account is the userId, which is the same in all of a tenant's apps.
func (s *SignIn) user(x exchange.Answer, a oa.Attempt, p oa.Proof) (oa.Identity, error) {
	if err := s.c.Pusher.Refusal(x, a, "code", p.Key); err != nil {
		return oa.Identity{}, err
	}
	id, good := signin.Account(gjson.GetBytes(x.Text, "userId").String())
	if !good {
		return oa.Identity{}, signin.Unexpected("the answer names no userId", "spec.endpoint.url")
	}
	return id, nil
}
