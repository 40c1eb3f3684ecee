package generic

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/journal"
	"github.com/oabridge/oabridge/internal/oasim/quota"
)

// Auth says how a call proves who makes it.
type Auth struct {
	// Type is "" (nothing is asked), "basic", "static" (the password is the token) or "token" (a token is fetched first).
	Type     string `json:"type,omitempty"`
	User     string `json:"user,omitempty"`
	Password string `json:"password,omitempty"`
	// Place of a token: "bearer", "header" or "query"; Name of the header or query parameter.
	Place string `json:"place,omitempty"`
	Name  string `json:"name,omitempty"`
	// TokenPath of the call that fetches a token: a JSON document with username and password, or the client credentials of
	// OAuth 2.0 as a form.
	TokenPath string `json:"tokenPath,omitempty"`
}

func (a Auth) check() error {
	switch {
	case !slices.Contains([]string{"", "basic", "static", "token"}, a.Type):
		return fmt.Errorf("auth.type: %q is not basic, static or token", a.Type)
	case a.Type != "" && a.Password == "":
		return fmt.Errorf("auth.password is missing")
	case a.Type == "token" && !strings.HasPrefix(a.TokenPath, "/"):
		return fmt.Errorf("auth.tokenPath: %q must start with /", a.TokenPath)
	case (a.Type == "static" || a.Type == "token") && !slices.Contains([]string{"bearer", "header", "query"}, a.Place):
		return fmt.Errorf("auth.place: %q is not bearer, header or query", a.Place)
	case (a.Place == "header" || a.Place == "query") && a.Name == "":
		return fmt.Errorf("auth.name is missing")
	}
	return nil
}

// given is the token of a request.
func (a Auth) given(r *http.Request) string {
	switch a.Place {
	case "header":
		return r.Header.Get(a.Name)
	case "query":
		return r.URL.Query().Get(a.Name)
	default:
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		return token
	}
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func (s *Generic) passes(r *http.Request) bool {
	switch s.auth.Type {
	case "basic":
		user, password, ok := r.BasicAuth()
		return ok && same(user, s.auth.User) && same(password, s.auth.Password)
	case "static":
		return same(s.auth.given(r), s.auth.Password)
	case "token":
		_, ok := s.tokens.Get(s.auth.given(r))
		return ok
	}
	return true
}

// withAuth lets a call through that proves who makes it, and within the rate.
func (s *Generic) withAuth(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !s.passes(r):
			s.refuse(w, r)
		case !s.calls.Allow("", quota.Limit{Max: s.Settings().PerSecond, Per: time.Second}):
			w.Header().Set("Retry-After", "1")
			http.Error(w, "Too Many Requests", http.StatusTooManyRequests)
		default:
			journal.SetUser(r.Context(), s.auth.User)
			next(w, r)
		}
	}
}

func (s *Generic) refuse(w http.ResponseWriter, r *http.Request) {
	settings := s.Settings()
	o := outcome{code: settings.AuthCode, message: "the call does not prove who makes it"}
	if settings.AuthFailure == "status" {
		w.Header().Set("WWW-Authenticate", "Bearer")
		http.Error(w, o.message, http.StatusUnauthorized)
		return
	}
	raw, _ := io.ReadAll(r.Body)
	if call, _, _, err := s.readCall(r, raw); err == nil {
		s.answerSOAP(w, call, o)
		return
	}
	s.answerREST(w, http.StatusOK, o)
}

// routeAuth serves the call that fetches a token.
func (s *Generic) routeAuth(mux *http.ServeMux) {
	if s.auth.Type != "token" {
		return
	}
	mux.HandleFunc("POST "+s.auth.TokenPath, func(w http.ResponseWriter, r *http.Request) {
		user, password := credentials(r)
		if !same(user, s.auth.User) || !same(password, s.auth.Password) {
			desk.Reply(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
			return
		}
		token, seconds := rand.Text(), s.Settings().TokenSeconds
		s.tokens.Put(token, struct{}{}, time.Duration(seconds)*time.Second)
		desk.Reply(w, http.StatusOK, map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": seconds})
	})
}

func credentials(r *http.Request) (user, password string) {
	raw, _ := io.ReadAll(r.Body)
	if t, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); t == "application/x-www-form-urlencoded" {
		form, _ := url.ParseQuery(string(raw))
		if user, password, ok := r.BasicAuth(); ok {
			return user, password
		}
		if form.Get("grant_type") != "client_credentials" {
			return "", ""
		}
		return form.Get("client_id"), form.Get("client_secret")
	}
	var in struct{ Username, Password string }
	_ = json.Unmarshal(raw, &in)
	return in.Username, in.Password
}
