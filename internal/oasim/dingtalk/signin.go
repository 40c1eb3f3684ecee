package dingtalk

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/oabridge/oabridge/internal/oasim/credential"
	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/portal"
)

// grant is what a code or a user's token stands for: a person on the way to an app. Web tells a code of the web sign-in
// from one of the client.
type grant struct {
	appKey, person string
	web            bool
	corp           bool // scope corpid
}

func (s *DingTalk) routeSignIn(mux *http.ServeMux) {
	// In reality these pages live on login.dingtalk.com (JA; the second from memory).
	for _, path := range []string{"/oauth2/challenge.htm", "/oauth2/auth"} {
		s.portal.RouteScan(mux, portal.Scan{
			Path: path, Check: s.checkAuthorize, Approved: s.approved,
			App: func(q url.Values) string {
				a, _ := s.app(q.Get("client_id"))
				return a.Name
			},
		})
	}
	mux.HandleFunc("POST /v1.0/oauth2/userAccessToken", s.userAccessToken)
	mux.HandleFunc("GET /v1.0/contact/users/me", s.me)
	mux.HandleFunc("POST /topapi/v2/user/getuserinfo", s.asApp(s.userInfo))
}

// tiles are the apps with a home page.
func (s *DingTalk) tiles() []portal.Tile {
	var out []portal.Tile
	for _, a := range s.apps.All() {
		if a.HomeURL != "" {
			out = append(out, portal.Tile{Code: a.AppKey, Name: a.Name, URL: a.HomeURL})
		}
	}
	return out
}

// enter opens a link in the client's web view, with the code that the page would fetch there.
func (s *DingTalk) enter(_ *http.Request, t portal.Trip) (string, error) {
	var key string
	if t.Tile != nil {
		key = t.Tile.Code
	} else {
		key, _ = t.Item.Fields["app"].(string)
	}
	param := s.Settings().CodeParam
	if param == "" {
		return t.Link, nil
	}
	code, err := s.IssueCode(key, t.Person.ID)
	if err != nil {
		return "", err
	}
	return with(t.Link, url.Values{param: {code}}), nil
}

// with adds parameters to the query of a link.
func with(link string, add url.Values) string {
	link, fragment, has := strings.Cut(link, "#")
	separator := "?"
	if strings.Contains(link, "?") {
		separator = "&"
	}
	link += separator + add.Encode()
	if has {
		link += "#" + fragment
	}
	return link
}

// IssueCode returns a fresh code of the client for a person, by the id in People.
func (s *DingTalk) IssueCode(appKey, person string) (string, error) {
	p, ok := s.people.Get(person)
	if _, known := s.app(appKey); !known || !ok || p.OutOfScope {
		return "", fmt.Errorf("%q does not see the app %q", person, appKey)
	}
	return s.codes.Issue(grant{appKey: appKey, person: p.ID}, seconds(s.Settings().CodeSeconds)), nil
}

// userInfo tells who a code of the client stands for, once (DT-GO).
func (s *DingTalk) userInfo(w http.ResponseWriter, r *http.Request, a App) {
	var in struct{ Code string }
	if !s.read(w, r, &in) {
		return
	}
	g, state := s.codes.Take(in.Code)
	p, ok := s.people.Get(g.person)
	if state != credential.Alive || !ok || g.web || g.appKey != a.AppKey {
		s.refuse(w, badCode, "")
		return
	}
	succeed(w, fields{"result": fields{
		"userid": userID(p), "name": p.Name, "unionid": unionID(p), "associated_unionid": unionID(p), "sys": false, "sys_level": 0,
		"device_id": "simulated",
	}})
}

// checkAuthorize judges the link to the web sign-in. Inside the client, where it is known who comes, the code comes at once
// (from memory); anywhere else the page with the QR code follows.
func (s *DingTalk) checkAuthorize(w http.ResponseWriter, r *http.Request) bool {
	q := r.URL.Query()
	a, ok := s.app(q.Get("client_id"))
	switch {
	case !ok:
		s.portal.Problem(w, http.StatusBadRequest, "应用不存在", "There is no such app.")
	case q.Get("response_type") != "code" || !slices.Contains(strings.Fields(q.Get("scope")), "openid") || q.Get("prompt") != "consent":
		s.portal.Problem(w, http.StatusBadRequest, "参数不正确", "response_type must be code, scope must have openid, and prompt must be consent.")
	case !slices.Contains(a.RedirectURIs, q.Get("redirect_uri")):
		s.portal.Problem(w, http.StatusBadRequest, "redirect_uri 未登记", "The redirect_uri is not one that is registered for the app.")
	default:
		p, inClient := s.portal.Known(r)
		if inClient {
			s.approved(w, r, q, p)
		}
		return !inClient
	}
	return false
}

// approved sends the browser back with a code and the state.
func (s *DingTalk) approved(w http.ResponseWriter, _ *http.Request, q url.Values, p desk.Person) {
	if p.OutOfScope {
		s.portal.Problem(w, http.StatusForbidden, "您不在该应用的可见范围内", "You are not in the visible scope of this app.")
		return
	}
	code := s.codes.Issue(grant{
		appKey: q.Get("client_id"), person: p.ID, web: true, corp: slices.Contains(strings.Fields(q.Get("scope")), "corpid"),
	}, seconds(s.Settings().CodeSeconds))
	add := url.Values{"state": {q.Get("state")}}
	for _, name := range []string{"code", "authCode"} {
		if set := s.Settings().WebCode; set == name || set == "both" {
			add.Set(name, code)
		}
	}
	w.Header().Set("Location", with(q.Get("redirect_uri"), add))
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusFound)
}

// userAccessToken redeems a code of the web sign-in, or a refresh token; both work once (DT-SDK, JA).
func (s *DingTalk) userAccessToken(w http.ResponseWriter, r *http.Request) {
	var in struct{ ClientID, ClientSecret, Code, GrantType, RefreshToken string }
	if !readNew(w, r, &in) {
		return
	}
	a, ok := s.client(in.ClientID, in.ClientSecret)
	if !ok {
		refuseNew(w, http.StatusBadRequest, "invalidClientIdOrSecret", "无效的clientId或者clientSecret")
		return
	}
	var g grant
	var state credential.State
	switch in.GrantType {
	case "authorization_code":
		g, state = s.codes.Take(in.Code)
	case "refresh_token":
		g, state = s.refreshes.Take(in.RefreshToken)
	default:
		refuseNew(w, http.StatusBadRequest, "invalidParameter.grantType", "grantType")
		return
	}
	if state != credential.Alive || !g.web || g.appKey != a.AppKey {
		refuseNew(w, http.StatusBadRequest, "invalidParameter.authCode.notFound", "不存在的authCode")
		return
	}
	life := s.Settings().TokenSeconds
	out := fields{
		"accessToken": s.userTokens.Issue(g, seconds(life)), "refreshToken": s.refreshes.Issue(g, 30*24*seconds(3600)), "expireIn": life,
	}
	if g.corp {
		out["corpId"] = s.corpID
	}
	desk.Reply(w, http.StatusOK, out)
}

// me tells whose token it is (JA).
func (s *DingTalk) me(w http.ResponseWriter, r *http.Request) {
	g, state := s.userTokens.Look(r.Header.Get(tokenHeader))
	p, ok := s.people.Get(g.person)
	if state != credential.Alive || !ok {
		s.refuseToken(w)
		return
	}
	desk.Reply(w, http.StatusOK, fields{
		"openId": openID(p), "unionId": unionID(p), "nick": p.Name, "mobile": p.Mobile, "email": p.Email, "avatarUrl": "",
	})
}
