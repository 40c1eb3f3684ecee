package wecom

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/credential"
	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/portal"
)

// grant is what a sign-in code stands for: somebody on the way to an app. Without a user it is a stranger.
type grant struct {
	account, user string
	private       bool // scope snsapi_privateinfo
}

// The pages of WeCom for browsers; in reality they live on open.weixin.qq.com, open.work.weixin.qq.com and
// login.work.weixin.qq.com (WC-WX, JA).
const (
	authorizePath = "/connect/oauth2/authorize"
	oldQRPath     = "/wwopen/sso/qrConnect"
	newQRPath     = "/wwlogin/sso/login"
)

func (s *WeCom) routeSignIn(mux *http.ServeMux) {
	mux.HandleFunc("GET "+authorizePath, s.authorize)
	for _, path := range []string{oldQRPath, newQRPath} {
		s.portal.RouteScan(mux, portal.Scan{
			Path: path, Check: s.checkQR, Approved: s.leave,
			App: func(q url.Values) string {
				a, _ := s.target(q, callbackDomain)
				return a.app.Name + " · " + a.corp.Name
			},
		})
	}
	mux.HandleFunc("GET /cgi-bin/auth/getuserinfo", s.asApp(func(w http.ResponseWriter, r *http.Request, a account) {
		s.userInfo(w, r, a, "userid", "openid")
	}))
	mux.HandleFunc("GET /cgi-bin/user/getuserinfo", s.asApp(func(w http.ResponseWriter, r *http.Request, a account) {
		s.userInfo(w, r, a, "UserId", "OpenId")
	}))
}

// refusal is a page that says why somebody cannot sign in.
type refusal struct {
	status           int
	chinese, english string
}

func (s *WeCom) show(w http.ResponseWriter, r refusal) {
	s.portal.Problem(w, r.status, r.chinese, r.english)
}

// authorize is the web authorization of a page that was opened in the client: no question, the code comes at once
// (F167).
func (s *WeCom) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	_, refused := s.target(q, func(a App) string { return a.TrustedDomain })
	switch scope := q.Get("scope"); {
	case refused != nil:
	case q.Get("response_type") != "code" || scope != "snsapi_base" && scope != "snsapi_privateinfo":
		refused = &refusal{400, "授权参数不正确", "response_type must be code, and scope snsapi_base or snsapi_privateinfo."}
	case scope == "snsapi_privateinfo" && q.Get("agentid") == "":
		refused = &refusal{400, "缺少 agentid", "The scope snsapi_privateinfo needs the agentid."}
	}
	if refused != nil {
		s.show(w, *refused)
		return
	}
	if person, ok := s.portal.Visitor(w, r); ok {
		s.leave(w, r, q, person)
	}
}

// checkQR judges the link of the page with the QR code (F168).
func (s *WeCom) checkQR(w http.ResponseWriter, r *http.Request) bool {
	q := r.URL.Query()
	_, refused := s.target(q, callbackDomain)
	switch {
	case refused != nil:
	case r.URL.Path == newQRPath && q.Get("login_type") != "CorpApp":
		refused = &refusal{400, "login_type 不正确", "login_type must be CorpApp for an app of a company."}
	case q.Get("agentid") == "":
		refused = &refusal{400, "缺少 agentid", "The agentid is missing."}
	default:
		return true
	}
	s.show(w, *refused)
	return false
}

func callbackDomain(a App) string { return a.CallbackDomain }

// target finds the app of a sign-in link, and checks that the link leads back to the domain that the console knows
// (F180). Without an agentid the first app that trusts the domain is meant (derived).
func (s *WeCom) target(q url.Values, domain func(App) string) (account, *refusal) {
	corp, ok := s.corp(q.Get("appid"))
	if !ok {
		return account{}, &refusal{400, "企业 corpid 不正确", fmt.Sprintf("invalid appid (%d)", badCorp)}
	}
	back, err := url.Parse(q.Get("redirect_uri"))
	web := err == nil && (back.Scheme == "http" || back.Scheme == "https") && back.User == nil
	agent := q.Get("agentid")
	a, ok := s.account(corp.CorpID, func(a App) bool {
		return agent == strconv.Itoa(a.AgentID) || agent == "" && web && sameDomain(back, domain(a))
	})
	if !ok && agent != "" {
		return account{}, &refusal{400, "应用 agentid 不正确", fmt.Sprintf("invalid agentid (%d)", badAgent)}
	}
	if !web || !sameDomain(back, domain(a.app)) {
		return account{}, &refusal{400, "redirect_uri 与配置的可信域名不一致",
			fmt.Sprintf("The domain of redirect_uri is not the one that the app's settings trust (%d).", untrustedDomain)}
	}
	return a, nil
}

// sameDomain compares host and port; the port of the scheme may be left out.
func sameDomain(u *url.URL, domain string) bool {
	host := strings.ToLower(u.Host)
	if u.Scheme == "https" {
		host = strings.TrimSuffix(host, ":443")
	} else {
		host = strings.TrimSuffix(host, ":80")
	}
	return domain != "" && host == strings.ToLower(domain)
}

// leave sends a person back with a code and the state. Somebody of another company cannot scan the code of this one, and
// is a stranger to its pages.
func (s *WeCom) leave(w http.ResponseWriter, r *http.Request, q url.Values, person desk.Person) {
	domain, qr := callbackDomain, r.URL.Path != authorizePath
	if !qr {
		domain = func(a App) string { return a.TrustedDomain }
	}
	a, refused := s.target(q, domain)
	g := grant{account: a.key(), private: q.Get("scope") == "snsapi_privateinfo"}
	switch member := s.corpOf(person) == a.corp.CorpID; {
	case refused != nil:
	case !member && qr:
		refused = &refusal{403, "您不是该企业的成员", "You are not a member of this company."}
	case member && person.OutOfScope: // SEED4, F193
		refused = &refusal{403, "你暂无权限登陆此应用，可联系公司管理员", "You have no permission to sign in to this app. Contact your administrator."}
	case member:
		g.user = userID(person)
	}
	if refused != nil {
		s.show(w, *refused)
		return
	}
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil {
		s.show(w, refusal{400, "redirect_uri 不正确", err.Error()})
		return
	}
	add := url.Values{"code": {s.codes.Issue(g, s.codeLife())}, "state": {q.Get("state")}}
	if qr {
		add.Set("appid", a.corp.CorpID) // from memory
	}
	if back.RawQuery != "" {
		back.RawQuery += "&"
	}
	back.RawQuery += add.Encode()
	w.Header().Set("Location", back.String())
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusFound)
}

func (s *WeCom) codeLife() time.Duration {
	return time.Duration(s.Settings().CodeSeconds) * time.Second
}

// IssueCode returns a fresh sign-in code of an app for a member, as if they had confirmed; no user means a stranger.
func (s *WeCom) IssueCode(corpID string, agentID int, user string) (string, error) {
	a, ok := s.account(corpID, func(a App) bool { return a.AgentID == agentID })
	if !ok {
		return "", fmt.Errorf("corp %q has no app %d", corpID, agentID)
	}
	if _, ok := s.user(corpID, user); !ok && user != "" {
		return "", fmt.Errorf("corp %q has no member %q", corpID, user)
	}
	return s.codes.Issue(grant{account: a.key(), user: user}, s.codeLife()), nil
}

// userInfo tells who a code stands for, once. The legacy interface spells its fields differently (WC-GO, JA). A code of
// another app is unknown (derived).
func (s *WeCom) userInfo(w http.ResponseWriter, r *http.Request, a account, userField, strangerField string) {
	g, state := s.codes.Take(r.FormValue("code"))
	if state == credential.Expired {
		s.refuse(w, r, codeExpired, "")
		return
	}
	if state != credential.Alive || g.account != a.key() {
		s.refuse(w, r, badCode, "")
		return
	}
	if g.user == "" {
		stranger := map[string]any{strangerField: "o-stranger"}
		if strangerField == "openid" {
			stranger["external_userid"] = "wm-stranger"
		}
		succeed(w, stranger)
		return
	}
	member := map[string]any{userField: g.user}
	if g.private && userField == "userid" {
		member["user_ticket"] = rand.Text()
	}
	succeed(w, member)
}
