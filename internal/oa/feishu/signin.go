package feishu

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/tidwall/gjson"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/dictionary"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/oa/tokens"
	"github.com/oabridge/oabridge/internal/rotation"
	"github.com/oabridge/oabridge/internal/scenario"
	"github.com/oabridge/oabridge/internal/signin"
)

const (
	// authorizePath below the endpoint is where people sign in [JA].
	authorizePath = "/open-apis/authen/v1/index"

	appTokenPath  = "/open-apis/auth/v3/app_access_token/internal"
	userTokenPath = "/open-apis/authen/v1/oidc/access_token"
	userInfoPath  = "/open-apis/authen/v1/user_info"
	maxUserToken  = 4 << 10
)

// SignInConfig configures a SignIn.
type SignInConfig struct {
	// Config of the exchange, with the endpoint.
	exchange.Config
	Credentials tokens.Source
	AppID       string
	// AuthorizeURL; default: below the endpoint.
	AuthorizeURL string
	// Account is the member of the answer that is the account: open_id (default), union_id or user_id.
	Account string
}

// SignIn implements oa.RedirectVerifier with Feishu's web sign-in, which is silent inside of its app.
type SignIn struct {
	c      SignInConfig
	pusher *exchange.Pusher
}

// NewSignIn returns a SignIn. Its calls are proven by the application's own token, not by that of the tenant [FS-SDK].
func NewSignIn(c SignInConfig) *SignIn {
	login := exchange.TokenCall{
		Method: http.MethodPost, Path: appTokenPath,
		Body: func(a tokens.Account) any {
			return struct {
				ID     string `json:"app_id"`
				Secret string `json:"app_secret"`
			}{a.Name, a.Secret}
		},
		CodeName: "code", MsgName: "msg", SuccessCode: "0", TokenName: "app_access_token", LifeName: "expire", Life: tokenLife,
		Account: "spec.feishu.appID and the key appSecret in the Secret of spec.credentialsSecretRef",
	}
	c.Auth = exchange.Auth{Credentials: c.Credentials, Login: login.Login, Place: exchange.Bearer()}
	c.Vendor = exchange.Vendor{Name: Name, Errors: exchange.Errors{Book: dictionary.Of(Name)}, CodeName: "code"}
	c.Account = cmp.Or(c.Account, "open_id")
	return &SignIn{c: c, pusher: exchange.New(c.Config)}
}

// Rotate implements oa.Rotator.
func (s *SignIn) Rotate(ctx context.Context) { s.pusher.Rotate(ctx) }

// Credentials implements oa.Rotator.
func (s *SignIn) Credentials() []rotation.KeyState { return s.pusher.Credentials() }

// Begin implements oa.RedirectVerifier.
func (s *SignIn) Begin(_ context.Context, f oa.Flow) (oa.Step, error) {
	address := s.c.AuthorizeURL
	if address == "" {
		u, err := s.pusher.Address(authorizePath)
		if err != nil {
			return oa.Step{}, err
		}
		address = u.String()
	}
	to, err := signin.WithQuery(address, url.Values{"app_id": {s.c.AppID}, "redirect_uri": {f.RedirectURI}, "state": {f.State}})
	if err != nil {
		return oa.Step{}, signin.Unexpected("the address is "+err.Error(), "spec.sso.app.webAuthorizeURL")
	}
	return oa.Step{URL: to}, nil
}

// Read implements oa.RedirectVerifier.
func (s *SignIn) Read(query url.Values, _ oa.Flow) (oa.Proof, error) {
	return signin.Returned(query, "code")
}

// Verify implements oa.RedirectVerifier.
func (s *SignIn) Verify(ctx context.Context, p oa.Proof, _ oa.Flow) (oa.Identity, error) {
	body, err := json.Marshal(map[string]string{"grant_type": "authorization_code", "code": p.Key})
	if err != nil {
		return oa.Identity{}, err
	}
	good := scenario.Result{CodeName: "code", MsgName: "msg", SuccessCode: "0"}
	x, a := s.pusher.Call(ctx, scenario.Request{Method: http.MethodPost, Path: userTokenPath, Body: body}, good)
	if err := s.pusher.Refusal(x, a, "code", p.Key); err != nil {
		return oa.Identity{}, err
	}
	token := gjson.GetBytes(x.Text, "data.access_token").String()
	if !signin.Visible(token, maxUserToken) {
		return oa.Identity{}, signin.Unexpected("the answer holds no access_token", "spec.endpoint.url")
	}
	return s.user(ctx, token)
}

// user asks with the person's own token who that is.
func (s *SignIn) user(ctx context.Context, token string) (oa.Identity, error) {
	u, err := s.pusher.Address(userInfoPath)
	if err != nil {
		return oa.Identity{}, err
	}
	x := s.pusher.Do(ctx, exchange.Message{Method: http.MethodGet, URL: u, Header: http.Header{"Authorization": {"Bearer " + token}}})
	if err := s.pusher.Refusal(x, x.Failure, "code", token); err != nil {
		return oa.Identity{}, err
	}
	if x.Status != http.StatusOK || gjson.GetBytes(x.Text, "code").Int() != 0 || !gjson.GetBytes(x.Text, "data").IsObject() {
		return oa.Identity{}, signin.Unexpected("Feishu did not say whose token it is", "spec.endpoint.url")
	}
	id, good := signin.Account(gjson.GetBytes(x.Text, "data."+s.c.Account).String())
	if !good {
		return oa.Identity{}, signin.Unexpected("the answer has no "+s.c.Account+" (user_id needs a permission of its own)", "spec.sso.app.accountID")
	}
	return id, nil
}
