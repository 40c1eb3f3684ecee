package yunzhijia

import (
	"crypto/subtle"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/journal"
)

const (
	tokenPath   = "/gateway/oauth2/token/getAccessToken"
	refreshPath = "/gateway/oauth2/token/refreshToken"
	// timestampLife is how far the timestamp of a token call may be off (YZJ-TOK).
	timestampLife = 3 * time.Minute
)

// The scopes of a token; each opens other interfaces (YZJ-TOK).
const (
	scopeApp  = "app"
	scopeTeam = "team"
	scopeRes  = "resGroupSecret"
)

// owner is whom a token stands for.
type owner struct{ scope, appID string }

type token struct {
	owner
	access, refresh string
	until           time.Time
}

// tokens holds one living token per owner: asking again gives the same one (YZJ-TOK).
type tokens struct {
	now func() time.Time

	mu      sync.Mutex
	byOwner map[owner]token
}

func newTokens(now func() time.Time) *tokens { return &tokens{now: now, byOwner: map[owner]token{}} }

func (t *tokens) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.byOwner)
}

// issue returns the living token of an owner, or a new one; renew ends the living one first.
func (t *tokens) issue(o owner, life time.Duration, renew bool) token {
	t.mu.Lock()
	defer t.mu.Unlock()
	known, ok := t.byOwner[o]
	if ok && !renew && t.now().Before(known.until) {
		return known
	}
	fresh := token{o, newToken(), newToken(), t.now().Add(life)}
	t.byOwner[o] = fresh
	return fresh
}

// newToken has the documented length of 32 (YZJ-TOK).
func newToken() string { return strings.ReplaceAll(uuid.NewString(), "-", "") }

func (t *tokens) find(fits func(token) bool) (token, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, known := range t.byOwner {
		if fits(known) && t.now().Before(known.until) {
			return known, true
		}
	}
	return token{}, false
}

func (t *tokens) forget(access string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for o, known := range t.byOwner {
		if known.access == access {
			delete(t.byOwner, o)
		}
	}
}

type tokenRequest struct {
	AppID        string      `json:"appId"`
	EID          string      `json:"eid"`
	Secret       string      `json:"secret"`
	RefreshToken string      `json:"refreshToken"`
	Timestamp    json.Number `json:"timestamp"`
	Scope        string      `json:"scope"`
}

func (s *Yunzhijia) routeTokens(mux *http.ServeMux) {
	mux.HandleFunc("POST "+tokenPath, s.tokenCall(func(in tokenRequest) (token, string) {
		if wrong := s.judge(in); wrong != "" {
			return token{}, wrong
		}
		return s.tokens.issue(owner{in.Scope, in.AppID}, s.Settings().tokenLife(), false), ""
	}))
	mux.HandleFunc("POST "+refreshPath, s.tokenCall(func(in tokenRequest) (token, string) {
		old, ok := s.tokens.find(func(t token) bool { return t.refresh == in.RefreshToken && t.scope == in.Scope })
		if !ok {
			return token{}, "refreshToken无效"
		}
		return s.tokens.issue(old.owner, s.Settings().tokenLife(), true), ""
	}))
}

func (s *Yunzhijia) tokenCall(issue func(tokenRequest) (token, string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in tokenRequest
		body, err := io.ReadAll(r.Body)
		if err != nil || json.Unmarshal(body, &in) != nil {
			answer(w, nil, "param error", 1, false)
			return
		}
		journal.SetUser(r.Context(), in.AppID)
		if ms, err := strconv.ParseInt(in.Timestamp.String(), 10, 64); err != nil || s.Now().Sub(time.UnixMilli(ms)).Abs() > timestampLife {
			answer(w, nil, "timestamp已失效", s.Settings().TokenErrorCode, false)
			return
		}
		t, wrong := issue(in)
		if wrong != "" {
			answer(w, nil, wrong, s.Settings().TokenErrorCode, false)
			return
		}
		left := int(t.until.Sub(s.Now()) / time.Second)
		answer(w, map[string]any{"accessToken": t.access, "expireIn": left, "refreshToken": t.refresh}, nil, 0, true)
	}
}

// judge checks what each scope asks for (YZJ-TOK).
func (s *Yunzhijia) judge(in tokenRequest) string {
	want := s.resGroupSecret
	switch in.Scope {
	case scopeApp, scopeTeam:
		app, ok := s.app(in.AppID)
		if !ok || in.Scope == scopeTeam && in.EID != s.eid {
			return "appId或eid无效"
		}
		want = app.Secret
	case scopeRes:
		if in.EID != s.eid || in.AppID != "" {
			return "eid无效"
		}
	default:
		return "scope无效"
	}
	if want == "" || subtle.ConstantTimeCompare([]byte(want), []byte(in.Secret)) != 1 {
		return "secret无效"
	}
	return ""
}

// withToken lets a call through whose ?accessToken= lives and is of the scope.
func (s *Yunzhijia) withToken(scope string, next func(http.ResponseWriter, *http.Request, owner)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		given := r.URL.Query().Get("accessToken")
		t, ok := s.tokens.find(func(t token) bool { return t.access == given && t.scope == scope })
		if !ok {
			s.refuseToken(w)
			return
		}
		journal.SetUser(r.Context(), t.appID)
		next(w, r, t.owner)
	}
}

func (s *Yunzhijia) refuseToken(w http.ResponseWriter) {
	settings := s.Settings()
	desk.Reply(w, settings.TokenErrorStatus, map[string]any{
		"data": nil, "error": "accessToken无效或已过期", "errorCode": settings.TokenErrorCode, "success": false,
	})
}

// answer writes the envelope of token and ticket calls (YZJ-TOK, YZJ-CTX).
func answer(w http.ResponseWriter, data, words any, code int, success bool) {
	desk.Reply(w, http.StatusOK, map[string]any{"data": data, "error": words, "errorCode": code, "success": success})
}
