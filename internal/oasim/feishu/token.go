package feishu

import (
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/credential"
	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/journal"
)

// The error codes of tokens (FS-CLI, FS-SDK) and of the interfaces (13…, 147… and 230…: from memory or derived).
const (
	tokenMissing     = 99991661
	appDisabled      = 99991662
	badToken         = 99991663
	badAppToken      = 99991664
	badUserToken     = 99991668
	tokenFormat      = 99991671
	noPermission     = 99991672
	userTokenExpired = 99991677
	badSecret        = 99991543
	tooOften         = 99991400
	internalError    = 2200
	badBody          = 9499

	badApproval    = 1390001
	noApproval     = 1390002
	approvalDenied = 1390009
	badTask        = 1470400
	noTask         = 1470404
	badMessage     = 230001
	notAvailable   = 230013
	cardTooOften   = 230020
	cardTooOld     = 230031
	noMessage      = 230011
	badCode        = 20003
	codeExpired    = 20004
	badRefresh     = 20026
	refreshExpired = 20037
	refreshUsed    = 20073
)

var texts = map[int]string{
	tokenMissing: "Missing access token for authorization. Please make a request with token attached.", appDisabled: "app is not available",
	badToken: "Invalid access token for authorization. Please make a request with token attached.", badAppToken: "invalid app access token",
	badUserToken: "Invalid access token for authorization.", tokenFormat: "Invalid access token for authorization.",
	userTokenExpired: "Authentication token expired", noPermission: "Access denied. One of the following scopes is required.",
	badSecret: "app secret invalid", tooOften: "request trigger frequency limit", internalError: "internal error", badBody: "Bad Request",
	badApproval: "param is invalid", noApproval: "approval code not found", approvalDenied: "operation denied", badTask: "invalid params",
	noTask: "task not found", badMessage: "Your request contains an invalid request parameter.", notAvailable: "Bot has NO availability to this user.",
	cardTooOften: "This operation triggers the frequency limit.", cardTooOld: "message is too old to be updated", noMessage: "The message was withdrawn.",
	badCode: "invalid code", codeExpired: "code expired", badRefresh: "refresh token is invalid", refreshExpired: "refresh token expired",
	refreshUsed: "refresh token has been used",
}

// fields is an answer.
type fields map[string]any

// refuse answers with a code (FS-SDK: code, msg and, for some, error).
func (s *Feishu) refuse(w http.ResponseWriter, code int, detail string) {
	text := texts[code]
	switch {
	case text == "":
		text = detail
	case detail != "":
		text += " " + detail
	}
	desk.Reply(w, s.Settings().ErrorStatus, fields{"code": code, "msg": text})
}

// refuseQuota is the frequency limit; header and status are from memory.
func (s *Feishu) refuseQuota(w http.ResponseWriter) {
	w.Header().Set("x-ogw-ratelimit-reset", "1")
	desk.Reply(w, http.StatusTooManyRequests, fields{"code": tooOften, "msg": texts[tooOften]})
}

func succeed(w http.ResponseWriter, data any) {
	desk.Reply(w, http.StatusOK, fields{"code": 0, "msg": "success", "data": data})
}

const authBase = "/open-apis/auth/v3/"

// routeTokens serves the tokens of an app for the company and for itself (FS-SDK, JA).
func (s *Feishu) routeTokens(mux *http.ServeMux) {
	mux.HandleFunc("POST "+authBase+"tenant_access_token/internal", func(w http.ResponseWriter, r *http.Request) {
		if a, ok := s.client(w, r); ok {
			token, left := s.tenantToken(a)
			desk.Reply(w, http.StatusOK, fields{"code": 0, "msg": "ok", "tenant_access_token": token, "expire": left})
		}
	})
	mux.HandleFunc("POST "+authBase+"app_access_token/internal", func(w http.ResponseWriter, r *http.Request) {
		if a, ok := s.client(w, r); ok {
			tenant, _ := s.tenantToken(a)
			token, left := s.appTokens.For(a.AppID, seconds(s.Settings().TokenSeconds), seconds(s.Settings().RenewSeconds))
			desk.Reply(w, http.StatusOK, fields{
				"code": 0, "msg": "ok", "app_access_token": token, "tenant_access_token": tenant, "expire": int(left / time.Second),
			})
		}
	})
}

// tenantToken gives the same token again while more than 30 minutes of it are left, then a new one beside it (FS-SDK).
func (s *Feishu) tenantToken(a App) (string, int) {
	token, left := s.tenantTokens.For(a.AppID, seconds(s.Settings().TokenSeconds), seconds(s.Settings().RenewSeconds))
	return token, int(left / time.Second)
}

func (s *Feishu) client(w http.ResponseWriter, r *http.Request) (App, bool) {
	var in struct {
		AppID     string `json:"app_id"`
		AppSecret string `json:"app_secret"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		s.refuse(w, badBody, "")
		return App{}, false
	}
	a, ok := s.app(in.AppID)
	switch {
	case !ok || subtle.ConstantTimeCompare([]byte(a.AppSecret), []byte(in.AppSecret)) != 1:
		s.refuse(w, badSecret, "")
	case a.Disabled:
		s.refuse(w, appDisabled, "")
	default:
		journal.SetUser(r.Context(), a.AppID)
		return a, true
	}
	return App{}, false
}

// bearer is the token of a request, or "".
func bearer(r *http.Request) string {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return ""
	}
	return token
}

// call is an interface that an app may use.
type call func(w http.ResponseWriter, r *http.Request, a App)

// asTenant lets a call through whose tenant token is alive and whose app has the permission.
func (s *Feishu) asTenant(permission string, next call) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token := bearer(r)
		id, state := s.tenantTokens.Look(token)
		a, known := s.app(id)
		switch {
		case r.Header.Get("Authorization") == "":
			s.refuse(w, tokenMissing, "")
		case !strings.HasPrefix(token, "t-"):
			s.refuse(w, tokenFormat, "")
		case state != credential.Alive || !known:
			s.refuse(w, badToken, "")
		case a.Disabled:
			s.refuse(w, appDisabled, "")
		case !slices.Contains(a.Permissions, permission):
			desk.Reply(w, s.Settings().ErrorStatus, fields{"code": noPermission, "msg": texts[noPermission], "error": fields{
				"permission_violations": []fields{{"type": "action_scope_required", "subject": permission}},
			}})
		case permission == Approval && !s.calls.Allow(a.AppID+" "+permission, s.Settings().approvals()...):
			s.refuseQuota(w)
		default:
			journal.SetUser(r.Context(), a.AppID)
			next(w, r, a)
		}
	}
}

// read decodes a body, or refuses it with the code of the interface.
func (s *Feishu) read(w http.ResponseWriter, r *http.Request, code int, into any) bool {
	if err := json.NewDecoder(r.Body).Decode(into); err != nil {
		s.refuse(w, code, "the body is not the JSON that is expected: "+err.Error())
		return false
	}
	return true
}
