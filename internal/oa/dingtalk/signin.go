package dingtalk

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/tidwall/gjson"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/scenario"
	"github.com/oabridge/oabridge/internal/signin"
)

const (
	// WebURL is where DingTalk's cloud signs people in [JA; the path from memory].
	WebURL = "https://login.dingtalk.com/oauth2/auth"

	userTokenPath = versioned + "oauth2/userAccessToken"
	mePath        = versioned + "contact/users/me"
	byUnionPath   = "/topapi/user/getbyunionid"
)

// SignInConfig configures a SignIn.
type SignInConfig struct {
	Pusher *Pusher
	AppKey string
	// WebURL; default: DingTalk's cloud.
	WebURL string
	// UserID makes the userid in the company the account; otherwise it is the unionId, under which to-dos are pushed [DT-GO].
	UserID bool
}

// SignIn implements oa.RedirectVerifier with DingTalk's web sign-in, which is silent inside of its app.
type SignIn struct{ c SignInConfig }

// NewSignIn returns a SignIn.
func NewSignIn(c SignInConfig) *SignIn {
	c.WebURL = cmp.Or(c.WebURL, WebURL)
	return &SignIn{c}
}

// Begin implements oa.RedirectVerifier.
func (s *SignIn) Begin(_ context.Context, f oa.Flow) (oa.Step, error) {
	address, err := signin.WithQuery(s.c.WebURL, url.Values{
		"response_type": {"code"}, "client_id": {s.c.AppKey}, "scope": {"openid"}, "prompt": {"consent"},
		"redirect_uri": {f.RedirectURI}, "state": {f.State},
	})
	if err != nil {
		return oa.Step{}, signin.Unexpected("the address is "+err.Error(), "spec.sso.app.webAuthorizeURL")
	}
	return oa.Step{URL: address}, nil
}

// Read implements oa.RedirectVerifier. The code comes as authCode, in some editions as code, or as both [JA].
func (s *SignIn) Read(query url.Values, _ oa.Flow) (oa.Proof, error) {
	if len(query["authCode"]) == 0 {
		return signin.Returned(query, "code")
	}
	p, err := signin.Returned(query, "authCode")
	if codes := query["code"]; err == nil && len(codes) > 0 && (len(codes) > 1 || codes[0] != p.Key) {
		return oa.Proof{}, &oa.VerifyError{Verdict: oa.Ambiguous, Reason: "Ambiguous", Message: "authCode and code differ"}
	}
	return p, err
}

// Verify implements oa.RedirectVerifier.
func (s *SignIn) Verify(ctx context.Context, p oa.Proof, _ oa.Flow) (oa.Identity, error) {
	union, err := s.unionID(ctx, p)
	if err != nil || !s.c.UserID {
		return union, err
	}
	body, err := json.Marshal(map[string]string{"unionid": union.Account})
	if err != nil {
		return oa.Identity{}, err
	}
	x, a := s.c.Pusher.old.Call(ctx, scenario.Request{Method: http.MethodPost, Path: byUnionPath, Body: body},
		scenario.Result{CodeName: "errcode", MsgName: "errmsg", SuccessCode: "0"})
	if err := s.c.Pusher.old.Refusal(x, a, "errcode", p.Key); err != nil {
		return oa.Identity{}, err
	}
	id, good := signin.Account(gjson.GetBytes(x.Text, "result.userid").String())
	if !good {
		return oa.Identity{}, &oa.VerifyError{Verdict: oa.Declined, Reason: "NotAMember", Message: "the person is no member of the company"}
	}
	return id, nil
}

// unionID exchanges the code for the person's own token, and asks with it who that is [DT-SDK, JA].
func (s *SignIn) unionID(ctx context.Context, p oa.Proof) (oa.Identity, error) {
	account, err := s.c.Pusher.v1.Account()
	if err != nil {
		return oa.Identity{}, signin.Unasked("KeyMissing", "%v", err)
	}
	body, err := json.Marshal(map[string]string{
		"clientId": account.Name, "clientSecret": account.Secret, "code": p.Key, "grantType": "authorization_code",
	})
	if err != nil {
		return oa.Identity{}, err
	}
	x, err := s.ask(ctx, http.MethodPost, userTokenPath, http.Header{"Content-Type": {"application/json"}}, body, p)
	if err != nil {
		return oa.Identity{}, err
	}
	token := gjson.GetBytes(x.Text, "accessToken").String()
	if !signin.Visible(token, maxUserToken) {
		return oa.Identity{}, signin.Unexpected("the answer holds no accessToken", "spec.dingtalk.apiURL")
	}
	x, err = s.ask(ctx, http.MethodGet, mePath, http.Header{"X-Acs-Dingtalk-Access-Token": {token}}, nil, p)
	if err != nil {
		return oa.Identity{}, err
	}
	id, good := signin.Account(gjson.GetBytes(x.Text, "unionId").String())
	if !good {
		return oa.Identity{}, signin.Unexpected("the answer names no unionId", "spec.dingtalk.apiURL")
	}
	return id, nil
}

// maxUserToken bounds a person's token, in bytes.
const maxUserToken = 4 << 10

// ask makes one call without the application's token. The newer interface answers errors with 4xx and a code in words
// [DT-BLOG].
func (s *SignIn) ask(ctx context.Context, method, path string, header http.Header, body []byte, p oa.Proof) (exchange.Answer, error) {
	u, err := s.c.Pusher.v1.Address(path)
	if err != nil {
		return exchange.Answer{}, err
	}
	x := s.c.Pusher.v1.Do(ctx, exchange.Message{Method: method, URL: u, Header: header, Body: body})
	switch {
	case x.Failure.Class != oa.OK:
		return x, s.c.Pusher.v1.Refusal(x, x.Failure, "code", p.Key)
	case x.Status >= 500, x.Status == http.StatusTooManyRequests:
		return x, signin.Unasked("ServerError", "DingTalk answered %d", x.Status)
	case x.Status == http.StatusOK && gjson.ValidBytes(x.Text):
		return x, nil
	}
	code := gjson.GetBytes(x.Text, "code").String()
	switch code {
	case "invalidClientIdOrSecret", "InvalidAuthentication", "Forbidden.AccessDenied.AccessTokenPermissionDenied":
		return x, signin.SetUp("TokenRejected", "DingTalk does not accept the application: check %s", account)
	case "":
		return x, signin.Unexpected("DingTalk answered "+http.StatusText(x.Status), "spec.dingtalk.apiURL")
	}
	return x, signin.Rejected("TicketRejected", "DingTalk does not know the code (any more): it answered %d", x.Status)
}
