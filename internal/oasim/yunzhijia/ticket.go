package yunzhijia

import (
	"crypto/sha1" //nolint:gosec // the vendor's algorithm
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/journal"
	"github.com/oabridge/oabridge/internal/oasim/portal"
)

const (
	contextPath    = "/gateway/ticket/user/acquirecontext"
	oldAuthPath    = "/openauth2/api/appAuth2"
	oldContextPath = "/openauth2/api/getcontext"
	// scopeOld marks tokens of the older interface; they live for a week (YZJ-OLD).
	scopeOld        = "openauth2"
	oldTokenSeconds = 604800
)

// ticket vouches for one person who opens one app.
type ticket struct{ person, app string }

// Ticket returns a fresh ticket for a person.
func (s *Yunzhijia) Ticket(person, app string) (string, error) {
	if _, ok := s.people.Get(person); !ok {
		return "", fmt.Errorf("there is no person %q", person)
	}
	if _, ok := s.app(app); !ok {
		return "", fmt.Errorf("there is no app %q", app)
	}
	id := "APPURLWITHTICKET" + newToken()
	s.tickets.Put(id, ticket{person, app}, s.Settings().ticketLife())
	return id, nil
}

// leave appends a ticket to the link of an app or of its to-do (YZJ-CTX).
func (s *Yunzhijia) leave(_ *http.Request, t portal.Trip) (string, error) {
	app := ""
	if t.Tile != nil {
		app = t.Tile.Code
	} else {
		app, _ = t.Item.Fields["appId"].(string)
	}
	id, err := s.Ticket(t.Person.ID, app)
	return portal.WithParam(t.Link, "ticket", id), err
}

func (s *Yunzhijia) routeTickets(mux *http.ServeMux) {
	mux.HandleFunc("POST "+contextPath, s.withToken(scopeApp, func(w http.ResponseWriter, r *http.Request, o owner) {
		var in struct {
			AppID      string `json:"appid"`
			Ticket     string `json:"ticket"`
			Disposable bool   `json:"disposable"`
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Ticket == "" {
			answer(w, nil, "param error:ticket is null.", 1, false)
			return
		}
		s.context(w, r, in.Ticket, in.AppID, o, in.Disposable)
	}))
	mux.HandleFunc("GET "+oldAuthPath, s.oldAuth)
	mux.HandleFunc("GET "+oldContextPath, func(w http.ResponseWriter, r *http.Request) {
		given := r.URL.Query().Get("access_token")
		t, ok := s.tokens.find(func(t token) bool { return t.access == given && t.scope == scopeOld })
		if !ok {
			s.refuseToken(w)
			return
		}
		s.context(w, r, r.URL.Query().Get("ticket"), t.appID, t.owner, false)
	})
}

// context says whose ticket it is; only the app that the person opened may ask.
func (s *Yunzhijia) context(w http.ResponseWriter, r *http.Request, id, appID string, o owner, disposable bool) {
	take := s.tickets.Take
	if s.Settings().ReusableTickets && !disposable {
		take = s.tickets.Get
	}
	t, ok := take(id)
	person, known := s.people.Get(t.person)
	if !ok || !known || t.app != o.appID || appID != o.appID {
		answer(w, nil, "ticket无效或已过期", s.Settings().TokenErrorCode, false)
		return
	}
	journal.SetUser(r.Context(), person.ID)
	answer(w, s.contextOf(person, t.app), nil, 0, true)
}

// contextOf is the user context; the full list of its fields is from memory.
func (s *Yunzhijia) contextOf(p desk.Person, app string) map[string]any {
	return map[string]any{
		"appid": app, "openid": p.ID, "eid": s.eid, "userid": p.IDs["userid"], "username": p.Name, "xtid": app, "oid": p.ID,
		"networkid": p.IDs["networkid"], "deviceId": "", "uid": p.IDs["uid"], "tid": s.eid,
	}
}

// oldAuth is the older way to a token: an authorization header with a signature (YZJ-OLD).
func (s *Yunzhijia) oldAuth(w http.ResponseWriter, r *http.Request) {
	fields := map[string]string{}
	rest, ok := strings.CutPrefix(r.Header.Get("Authorization"), "OpenAuth2 ")
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		fields[name] = value
	}
	app, known := s.app(fields["appid"])
	want := oldSign(fields["version"], fields["appid"], fields["timestamp"], fields["nonce"], app.Secret)
	if !ok || !known || subtle.ConstantTimeCompare([]byte(want), []byte(fields["sign"])) != 1 {
		answer(w, nil, "sign error", s.Settings().TokenErrorCode, false)
		return
	}
	t := s.tokens.issue(owner{scopeOld, app.ID}, oldTokenSeconds*1e9, false)
	answer(w, map[string]any{"expires_in": oldTokenSeconds, "access_token": t.access}, nil, 0, true)
}

// oldSign is hex SHA-1 of the sorted values, one after the other.
func oldSign(values ...string) string {
	slices.Sort(values)
	sum := sha1.Sum([]byte(strings.Join(values, ""))) //nolint:gosec // see above
	return hex.EncodeToString(sum[:])
}
