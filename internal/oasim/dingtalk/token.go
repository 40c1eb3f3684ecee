package dingtalk

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/oabridge/oabridge/internal/oasim/credential"
	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/journal"
	"github.com/oabridge/oabridge/internal/oasim/quota"
)

// tokenHeader carries the token of the v1.0 API (DT-BLOG, JA).
const tokenHeader = "x-acs-dingtalk-access-token"

// The error codes of the old gateway (40035: DT-GO; the others from memory).
const (
	busy         = -1
	badUserID    = 33012
	badToken     = 40014
	badParameter = 40035
	badCode      = 40078
	badSecret    = 40089
	tokenExpired = 42001
	outOfScope   = 50002
	wrapped      = 88
	untrustedIP  = 60020
	noDepartment = 60003
	noSuchUser   = 60121
	tooOften     = 90018
)

var texts = map[int]string{
	busy: "系统繁忙", badUserID: "无效的USERID", badToken: "不合法的access_token", badParameter: "缺少参数", badCode: "不存在的临时授权码",
	badSecret: "不合法的corpid或corpsecret", tokenExpired: "access_token已过期", outOfScope: "请求的员工userid不在授权范围内",
	untrustedIP: "访问ip不在白名单之中", noDepartment: "部门不存在", noSuchUser: "找不到该用户", tooOften: "您的服务器调用钉钉开放平台当前接口的所有请求都被暂时禁用了",
}

// fields is an answer.
type fields map[string]any

// refuse answers on the old gateway: HTTP 200 and an errcode.
func (s *DingTalk) refuse(w http.ResponseWriter, code int, detail string) {
	text := texts[code]
	switch {
	case text == "":
		text = detail
	case detail != "":
		text += " " + detail
	}
	out := fields{"errcode": code, "errmsg": text, "request_id": uuid.NewString()}
	if s.Settings().TokenError == "88" && (code == badToken || code == tokenExpired || code == tooOften) {
		out["errcode"], out["sub_code"], out["sub_msg"] = wrapped, fmt.Sprint(code), text
		out["errmsg"] = fmt.Sprintf("ding talk error[subcode=%d,submsg=%s]", code, text)
	}
	desk.Reply(w, http.StatusOK, out)
}

// succeed answers on the old gateway.
func succeed(w http.ResponseWriter, more fields) {
	out := fields{"errcode": 0, "errmsg": "ok", "request_id": uuid.NewString()}
	for k, v := range more {
		out[k] = v
	}
	desk.Reply(w, http.StatusOK, out)
}

// refuseNew answers on the v1.0 API: HTTP 4xx with code, message and requestid (DT-BLOG, JA).
func refuseNew(w http.ResponseWriter, status int, code, message string) {
	desk.Reply(w, status, fields{"code": code, "message": message, "requestid": uuid.NewString()})
}

func (s *DingTalk) refuseToken(w http.ResponseWriter) {
	refuseNew(w, s.Settings().BadTokenStatus, "InvalidAuthentication", "不合法的access_token")
}

func (s *DingTalk) refuseQuota(w http.ResponseWriter, r *http.Request) {
	if isNew(r) {
		refuseNew(w, http.StatusForbidden, "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi", "服务器调用频率超过限制")
		return
	}
	s.refuse(w, tooOften, "")
}

// routeTokens serves both ways to a token. The two APIs take each other's tokens, and a valid one is given again (from
// memory).
func (s *DingTalk) routeTokens(mux *http.ServeMux) {
	mux.HandleFunc("GET /gettoken", func(w http.ResponseWriter, r *http.Request) {
		key, secret := r.FormValue("appkey"), r.FormValue("appsecret")
		if key == "" || secret == "" {
			s.refuse(w, badParameter, "corpid or appkey")
			return
		}
		a, ok := s.client(key, secret)
		if !ok {
			s.refuse(w, badSecret, "")
			return
		}
		token, left := s.issue(r, a)
		succeed(w, fields{"access_token": token, "expires_in": left})
	})
	mux.HandleFunc("POST /v1.0/oauth2/accessToken", func(w http.ResponseWriter, r *http.Request) {
		var in struct{ AppKey, AppSecret string }
		if !readNew(w, r, &in) {
			return
		}
		a, ok := s.client(in.AppKey, in.AppSecret)
		if !ok {
			refuseNew(w, http.StatusBadRequest, "invalidClientIdOrSecret", "无效的clientId或者clientSecret")
			return
		}
		token, left := s.issue(r, a)
		desk.Reply(w, http.StatusOK, fields{"accessToken": token, "expireIn": left})
	})
}

func (s *DingTalk) client(key, secret string) (App, bool) {
	a, ok := s.app(key)
	return a, ok && subtle.ConstantTimeCompare([]byte(a.AppSecret), []byte(secret)) == 1
}

func (s *DingTalk) issue(r *http.Request, a App) (string, int) {
	journal.SetUser(r.Context(), a.AppKey)
	token, left := s.tokens.For(a.AppKey, seconds(s.Settings().TokenSeconds), 0)
	return token, int(left / time.Second)
}

// call is an interface that an app may use.
type call func(w http.ResponseWriter, r *http.Request, a App)

// asApp lets a call through on either API whose token is alive, whose address is allowed and that does not come too often.
func (s *DingTalk) asApp(next call) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token := r.URL.Query().Get("access_token")
		if isNew(r) {
			token = r.Header.Get(tokenHeader)
		}
		key, state := s.tokens.Look(token)
		a, known := s.app(key)
		limit := quota.Limit{Max: s.Settings().PerSecond, Per: time.Second, Block: time.Second}
		switch {
		case state != credential.Alive || !known:
			switch {
			case isNew(r):
				s.refuseToken(w)
			case state == credential.Expired:
				s.refuse(w, tokenExpired, "")
			default:
				s.refuse(w, badToken, "")
			}
		case len(a.TrustedIPs) > 0 && !slices.Contains(a.TrustedIPs, caller(r)):
			if isNew(r) {
				refuseNew(w, http.StatusForbidden, "Forbidden.AccessDenied.IpNotInWhiteList", texts[untrustedIP]+" "+caller(r))
				return
			}
			s.refuse(w, untrustedIP, caller(r))
		case !s.calls.Allow(key+" "+r.Pattern, limit):
			s.refuseQuota(w, r)
		default:
			journal.SetUser(r.Context(), key)
			next(w, r, a)
		}
	}
}

// caller is the address a request comes from. Forwarded headers are not believed.
func caller(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// read decodes a body of the old gateway, or refuses it.
func (s *DingTalk) read(w http.ResponseWriter, r *http.Request, into any) bool {
	if err := json.NewDecoder(r.Body).Decode(into); err != nil {
		s.refuse(w, badParameter, "the body is not the JSON that is expected: "+err.Error())
		return false
	}
	return true
}

// readNew decodes a body of the v1.0 API, or refuses it.
func readNew(w http.ResponseWriter, r *http.Request, into any) bool {
	if err := json.NewDecoder(r.Body).Decode(into); err != nil {
		refuseNew(w, http.StatusBadRequest, "InvalidParameter", "the body is not the JSON that is expected: "+err.Error())
		return false
	}
	return true
}
