package feishu

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/credential"
	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/portal"
)

// grant is what a code or a user's token stands for: a person on the way to an app.
type grant struct{ appID, person string }

const (
	authorizePath = "/open-apis/authen/v1/index"
	oidcBase      = "/open-apis/authen/v1/oidc/"
	// refreshLife is the life of a refresh token (from memory).
	refreshLife = 30 * 24 * time.Hour
)

func (s *Feishu) routeSignIn(mux *http.ServeMux) {
	s.portal.RouteScan(mux, portal.Scan{
		Path: authorizePath, Check: s.authorize, Approved: s.approved,
		App: func(q url.Values) string {
			a, _ := s.app(q.Get("app_id"))
			return a.Name
		},
	})
	mux.HandleFunc("POST "+oidcBase+"access_token", s.asItself(func(w http.ResponseWriter, r *http.Request, a App) {
		var in struct {
			GrantType string `json:"grant_type"`
			Code      string `json:"code"`
		}
		if !s.read(w, r, badBody, &in) {
			return
		}
		g, state := s.codes.Take(in.Code)
		switch {
		case in.GrantType != "authorization_code":
			s.refuse(w, badBody, "grant_type")
		case state == credential.Expired:
			s.refuse(w, codeExpired, "")
		case state == credential.Unknown || g.appID != a.AppID:
			s.refuse(w, badCode, "")
		default:
			s.userToken(w, g)
		}
	}))
	mux.HandleFunc("POST "+oidcBase+"refresh_access_token", s.asItself(s.refresh))
	mux.HandleFunc("GET /open-apis/authen/v1/user_info", s.userInfo)
}

// tiles are the apps with a home page. Inside the client their pages go through the same address as a web sign-in.
func (s *Feishu) tiles() []portal.Tile {
	var out []portal.Tile
	for _, a := range s.apps.All() {
		if a.HomeURL != "" && !a.Disabled {
			out = append(out, portal.Tile{Code: a.AppID, Name: a.Name, URL: a.HomeURL})
		}
	}
	return out
}

// authorize judges the link to a sign-in (JA). Inside the client, where it is known who comes, there is no question to
// ask: the code comes at once. Anywhere else the page with the QR code follows.
func (s *Feishu) authorize(w http.ResponseWriter, r *http.Request) bool {
	q := r.URL.Query()
	a, ok := s.app(q.Get("app_id"))
	switch {
	case !ok || a.Disabled:
		s.portal.Problem(w, http.StatusBadRequest, "应用不存在或已停用", "There is no such app, or it is disabled.")
		return false
	case !slices.Contains(a.RedirectURIs, q.Get("redirect_uri")):
		s.portal.Problem(w, http.StatusBadRequest, "重定向 URL 有误", "The redirect_uri is not one that is registered for the app.")
		return false
	}
	p, inClient := s.portal.Known(r)
	if inClient {
		s.approved(w, r, q, p)
	}
	return !inClient
}

// approved sends the browser back with a code and the state.
func (s *Feishu) approved(w http.ResponseWriter, _ *http.Request, q url.Values, p desk.Person) {
	code, err := s.IssueCode(q.Get("app_id"), p.ID)
	if err != nil {
		s.portal.Problem(w, http.StatusForbidden, "您不在该应用的可用范围内", "You are not in the visible scope of this app.")
		return
	}
	back := q.Get("redirect_uri")
	separator := "?"
	if strings.Contains(back, "?") {
		separator = "&"
	}
	w.Header().Set("Location", back+separator+url.Values{"code": {code}, "state": {q.Get("state")}}.Encode())
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusFound)
}

// IssueCode returns a fresh sign-in code for a person, by the id in People.
func (s *Feishu) IssueCode(appID, person string) (string, error) {
	p, ok := s.people.Get(person)
	if _, known := s.app(appID); !known || !ok || p.OutOfScope {
		return "", fmt.Errorf("%q does not see the app %q", person, appID)
	}
	return s.codes.Issue(grant{appID, p.ID}, seconds(s.Settings().CodeSeconds)), nil
}

// asItself lets a call through that carries the app's own token.
func (s *Feishu) asItself(next call) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, state := s.appTokens.Look(bearer(r))
		a, known := s.app(id)
		switch {
		case r.Header.Get("Authorization") == "":
			s.refuse(w, tokenMissing, "")
		case state != credential.Alive || !known:
			s.refuse(w, badAppToken, "")
		default:
			next(w, r, a)
		}
	}
}

func (s *Feishu) userToken(w http.ResponseWriter, g grant) {
	life := s.Settings().TokenSeconds
	succeed(w, fields{
		"access_token": s.userTokens.Issue(g, seconds(life)), "token_type": "Bearer", "expires_in": life,
		"refresh_token": s.refreshes.Issue(g, refreshLife), "refresh_expires_in": int(refreshLife / time.Second), "scope": "auth:user.id:read",
	})
}

// refresh gives a new token for a refresh token, which works once.
func (s *Feishu) refresh(w http.ResponseWriter, r *http.Request, a App) {
	var in struct {
		GrantType    string `json:"grant_type"`
		RefreshToken string `json:"refresh_token"`
	}
	if !s.read(w, r, badBody, &in) {
		return
	}
	g, state := s.refreshes.Take(in.RefreshToken)
	_, used := s.spent.Get(in.RefreshToken)
	switch {
	case in.GrantType != "refresh_token":
		s.refuse(w, badBody, "grant_type")
	case used:
		s.refuse(w, refreshUsed, "")
	case state == credential.Expired:
		s.refuse(w, refreshExpired, "")
	case state == credential.Unknown || g.appID != a.AppID:
		s.refuse(w, badRefresh, "")
	default:
		s.spent.Put(in.RefreshToken, true, refreshLife)
		s.userToken(w, g)
	}
}

// userInfo tells whose token it is (FS-SDK).
func (s *Feishu) userInfo(w http.ResponseWriter, r *http.Request) {
	g, state := s.userTokens.Look(bearer(r))
	p, ok := s.people.Get(g.person)
	switch {
	case r.Header.Get("Authorization") == "":
		s.refuse(w, tokenMissing, "")
	case state == credential.Expired:
		s.refuse(w, userTokenExpired, "")
	case state == credential.Unknown || !ok:
		s.refuse(w, badUserToken, "")
	default:
		succeed(w, fields{
			"name": p.Name, "en_name": p.ID, "open_id": openID(p), "union_id": unionID(p), "user_id": userID(p), "mobile": p.Mobile,
			"email": p.Email, "employee_no": p.Code, "tenant_key": s.tenantKey, "avatar_url": "",
		})
	}
}
