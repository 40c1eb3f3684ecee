package seeyon

import (
	"crypto/subtle"
	"encoding/json"
	"encoding/xml"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/oabridge/oabridge/internal/oasim/journal"
)

// tokenOwner is on whose behalf a token speaks: the REST user, and an OA person if one was bound to it.
type tokenOwner struct{ user, person string }

const (
	tokenPath = "/seeyon/rest/token"
	// invalidToken is the text of an expired, wrong or missing token (SY-AUTH).
	invalidToken = "Invalid token,please authenticate again"
)

func (s *Seeyon) routeTokens(mux *http.ServeMux) {
	mux.HandleFunc("POST "+tokenPath, s.postToken)
	mux.HandleFunc("POST "+tokenPath+"/{$}", s.postToken)
	mux.HandleFunc("GET "+tokenPath+"/{user}/{password}", func(w http.ResponseWriter, r *http.Request) {
		s.issueToken(w, r, r.PathValue("user"), r.PathValue("password"), r.FormValue("loginName"))
	})
}

// postToken is the recommended form: a JSON body with userName, password and optionally loginName (SY-AUTH).
func (s *Seeyon) postToken(w http.ResponseWriter, r *http.Request) {
	var in struct{ UserName, Password, LoginName string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		restError(w, http.StatusBadRequest, "the body is not JSON with userName and password")
		return
	}
	s.issueToken(w, r, in.UserName, in.Password, in.LoginName)
}

func (s *Seeyon) issueToken(w http.ResponseWriter, r *http.Request, user, password, loginName string) {
	journal.SetUser(r.Context(), user)
	settings := s.Settings()
	s.mu.RLock()
	want, known := s.rest[user]
	s.mu.RUnlock()
	if !known || subtle.ConstantTimeCompare([]byte(want), []byte(password)) != 1 {
		writeToken(w, r, settings, settings.WrongPassword, "-1", nil)
		return
	}
	var bound *Person
	if p, ok := s.directory.person(loginName); ok {
		bound = &p
	} else if loginName != "" {
		writeToken(w, r, settings, settings.WrongPassword, "-1", nil)
		return
	}
	id := uuid.NewString()
	s.tokens.Put(id, tokenOwner{user, loginName}, settings.tokenIdle())
	writeToken(w, r, settings, http.StatusOK, id, bound)
}

// writeToken answers in the form that Accept asks for (SY-AUTH). The seed's script sends no Accept but the content type
// text/xml, and reads JSON (SEED0).
func writeToken(w http.ResponseWriter, r *http.Request, s Settings, status int, id string, bound *Person) {
	form := tokenForm(r.Header.Get("Accept"))
	if form == "" {
		form = "application/json"
		if s.PlainToken && r.Method == http.MethodGet && r.Header.Get("Accept") == "" && r.Header.Get("Content-Type") == "" {
			form = "text/plain"
		}
	}
	w.Header().Set("Content-Type", form+";charset=UTF-8")
	w.WriteHeader(status)
	switch form {
	case "text/plain":
		_, _ = io.WriteString(w, id)
	case "application/xml":
		type bindingUser struct {
			LoginName string `xml:"loginName,omitempty"`
			Name      string `xml:"name,omitempty"`
		}
		out := struct {
			XMLName     xml.Name    `xml:"UserToken"`
			BindingUser bindingUser `xml:"bindingUser"`
			ID          string      `xml:"id"`
		}{ID: id}
		if bound != nil {
			out.BindingUser = bindingUser{bound.LoginName, bound.Name}
		}
		_ = xml.NewEncoder(w).Encode(out)
	default:
		out := map[string]any{"id": id, "bindingUser": nil}
		if bound != nil {
			out["bindingUser"] = map[string]string{"loginName": bound.LoginName, "name": bound.Name}
		}
		_ = json.NewEncoder(w).Encode(out)
	}
}

// tokenForm is the wanted media type among those that the OA can give, or "" if the client does not mind.
func tokenForm(accept string) string {
	best, bestQ := "", 0.0
	for part := range strings.SplitSeq(accept, ",") {
		media, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		q := 1.0
		if v, err := strconv.ParseFloat(params["q"], 64); err == nil {
			q = v
		}
		switch media {
		case "application/json", "text/plain", "application/xml":
			if q > bestQ {
				best, bestQ = media, q
			}
		}
	}
	return best
}

// withToken lets a REST call through if its token, in the header or the query, is alive; each call prolongs it
// (SY-AUTH).
func (s *Seeyon) withToken(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		owner, ok := s.tokens.Touch(requestToken(r), s.Settings().tokenIdle())
		if !ok {
			refuseToken(w)
			return
		}
		journal.SetUser(r.Context(), owner.user)
		next(w, r)
	}
}

func requestToken(r *http.Request) string {
	if t := r.Header.Get("token"); t != "" {
		return t
	}
	return r.URL.Query().Get("token")
}

func refuseToken(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain;charset=UTF-8")
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = io.WriteString(w, invalidToken)
}

// restError is the error body of the OA's REST layer: a non-zero code and a message (SY-PY).
func restError(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"code": status, "message": message})
}

// maskPath hides the password of GET /seeyon/rest/token/{user}/{password}.
func maskPath(path string) string {
	rest, ok := strings.CutPrefix(path, tokenPath+"/")
	if !ok {
		return path
	}
	user, _, found := strings.Cut(rest, "/")
	if !found {
		return path
	}
	return tokenPath + "/" + user + "/***"
}
