package wecom

import (
	"fmt"
	"net"
	"net/http"

	"github.com/oabridge/oabridge/internal/oasim/desk"
)

// The error codes that the simulator gives (WC-GO, WC-WX).
const (
	busy             = -1
	badSecret        = 40001
	badCorp          = 40013
	badToken         = 40014
	badCode          = 40029
	badAgent         = 40056
	badParameter     = 40058
	tokenMissing     = 41001
	tokenExpired     = 42001
	codeExpired      = 42003
	tooLong          = 45002
	tooOften         = 45009
	noSuchUser       = 46004
	untrustedDomain  = 50001
	noDepartment     = 60003
	noRights         = 60011
	untrustedIP      = 60020
	userMissing      = 60111
	badDepartment    = 60123
	nobodyToSendTo   = 81013
	noRightsOnTheApp = 301002
)

// messages of the codes. Only "not allow to access from your ip" is given by a source (SEED4); the others are from
// memory.
var texts = map[int]string{
	busy: "system busy", badSecret: "invalid credential", badCorp: "invalid corpid", badToken: "invalid access_token",
	badCode: "invalid code", badAgent: "invalid agentid", badParameter: "invalid Request Parameter",
	tokenMissing: "access_token missing", tokenExpired: "access_token expired", codeExpired: "oauth_code expired",
	tooLong: "content size out of limit", tooOften: "api freq out of limit", noSuchUser: "user not exist",
	untrustedDomain: "redirect_url domain not trusted", noDepartment: "department not found",
	noRights: "no privilege to access/modify contact/party/agent", untrustedIP: "not allow to access from your ip",
	userMissing: "userid not found", badDepartment: "invalid party id", nobodyToSendTo: "user & party & tag all invalid",
	noRightsOnTheApp: "not allow operate another agent with this accesstoken",
}

// refuse answers with a code. The errmsg ends in a hint with the caller's address (from memory).
func (s *WeCom) refuse(w http.ResponseWriter, r *http.Request, code int, detail string) {
	text := texts[code]
	switch {
	case text == "":
		text = detail
	case detail != "":
		text += ", " + detail
	}
	answer(w, map[string]any{"errcode": code, "errmsg": fmt.Sprintf(
		"%s, hint: [%d], from ip: %s, more info at https://open.work.weixin.qq.com/devtool/query?e=%d", text, s.Now().UnixNano(), caller(r), code)})
}

// succeed answers with errcode 0 and what else there is to say.
func succeed(w http.ResponseWriter, more map[string]any) {
	out := map[string]any{"errcode": 0, "errmsg": "ok"}
	for k, v := range more {
		out[k] = v
	}
	answer(w, out)
}

// answer is always HTTP 200: the errcode tells.
func answer(w http.ResponseWriter, body any) { desk.Reply(w, http.StatusOK, body) }

// caller is the address a request comes from. Forwarded headers are not believed.
func caller(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
