package welink

import (
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/credential"
	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/journal"
	"github.com/oabridge/oabridge/internal/oasim/quota"
)

// authHeader carries the token, without "Bearer" (WL-DOC).
const authHeader = "x-wlk-Authorization"

// The error codes that the simulator gives (WL-DOC, WL-ERR; 48503: WL-JAVA).
const (
	badToken       = "1000"
	tokenFormat    = "47101"
	tokenExpired   = "47103"
	noPermission   = "501"
	tooOften       = "48503"
	authFailed     = "41500"
	badCode        = "41501"
	codeExpired    = "41503"
	badClient      = "411007"
	todoPermission = "55002"
	serverError    = "55004"
	missing        = "55005"
	invalid        = "55006"
	createFailed   = "55007"
	updateFailed   = "55008"
	deleteFailed   = "55009"
	illegalUpdate  = "55011"
	noContacts     = "47102"
	noData         = "47012"
	badMessage     = "51002"
	tooManyUsers   = "51010"
	titleTooLong   = "51018"
	contentTooLong = "51019"
	nobodyReached  = "51042"
)

// permit is what a token allows: its app as it was when the token was issued.
type permit struct{ app App }

// fields is an answer. What is empty is left out, as WeLink does (WL-DOC).
type fields map[string]any

// refuse answers with a code. WeLink says failures with HTTP 200 (derived; only the browser sign-in is known to use 400).
func (s *WeLink) refuse(w http.ResponseWriter, code, message string) {
	desk.Reply(w, http.StatusOK, fields{"code": code, s.Settings().ErrorField: message})
}

// succeed answers with code "0", a string.
func succeed(w http.ResponseWriter, message string, more fields) {
	out := fields{"code": "0", "message": message}
	for k, v := range more {
		if v != "" && v != nil {
			out[k] = v
		}
	}
	desk.Reply(w, http.StatusOK, out)
}

// routeTokens serves the app tickets. Any answer to a GET shows that WeLink can be reached (SEED2, F111).
func (s *WeLink) routeTokens(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/auth/v2/tickets", func(w http.ResponseWriter, _ *http.Request) {
		s.refuse(w, authFailed, "use POST with client_id and client_secret")
	})
	mux.HandleFunc("POST /api/auth/v2/tickets", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			ClientID     string `json:"client_id"`
			ClientSecret string `json:"client_secret"`
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			s.refuse(w, authFailed, "the body is not JSON with client_id and client_secret")
			return
		}
		a, ok := s.client(in.ClientID, in.ClientSecret)
		if !ok {
			s.refuse(w, badClient, "client_id or client_secret is wrong")
			return
		}
		journal.SetUser(r.Context(), a.ClientID)
		life := s.Settings().TokenSeconds
		a.Permissions = slices.Clone(a.Permissions)
		succeed(w, "ok", fields{"access_token": s.tokens.Issue(permit{a}, seconds(life)), "expires_in": life})
	})
}

func (s *WeLink) client(id, secret string) (App, bool) {
	a, ok := s.app(id)
	return a, ok && subtle.ConstantTimeCompare([]byte(a.ClientSecret), []byte(secret)) == 1
}

// call is an interface that an app may use.
type call func(w http.ResponseWriter, r *http.Request, a App)

// asApp lets a call through whose token is alive and has the permission, and that does not come too often. Without the
// permission each group of interfaces has its own code (WL-ERR).
func (s *WeLink) asApp(permission string, next call) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token := r.Header.Get(authHeader)
		p, state := s.tokens.Look(token)
		limit := quota.Limit{Max: s.Settings().PerMinute, Per: time.Minute, Block: time.Minute}
		switch {
		case token == "":
			s.refuse(w, tokenFormat, "the header "+authHeader+" is missing")
		case state == credential.Expired:
			s.refuse(w, tokenExpired, "token expired")
		case state == credential.Unknown:
			s.refuse(w, badToken, "token is invalid")
		case !slices.Contains(p.app.Permissions, permission):
			s.deny(w, permission)
		case !s.calls.Allow(p.app.ClientID+" "+r.URL.Path, limit):
			s.refuse(w, tooOften, "over limit")
		default:
			journal.SetUser(r.Context(), p.app.ClientID)
			next(w, r, p.app)
		}
	}
}

func (s *WeLink) deny(w http.ResponseWriter, permission string) {
	switch permission {
	case Todo:
		s.refuse(w, todoPermission, "您没有权限请求此操作!")
	case Contacts:
		s.refuse(w, noContacts, "no permission")
	default:
		s.refuse(w, noPermission, "第三方接口无权限")
	}
}
