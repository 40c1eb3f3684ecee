package welink

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/oabridge/oabridge/internal/oasim/credential"
	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/portal"
)

// grant is what a sign-in code stands for: a person on the way to an app. Redirect is where a code for the browser was
// sent; a code for the client has none.
type grant struct{ clientID, user, tenant, redirect string }

// The browser sign-in; in reality the page lives on login.welink.huaweicloud.com (WL-DOC).
const (
	authorizePath = "/sso/oauth2/authorize"
	webTokenPath  = "/api/oauth2/v1/token"
	scriptPath    = "/hwh5.js"
)

// The codes of the browser sign-in (WL-DOC).
const (
	webSuccess     = "60001"
	webCodeExpired = "60007"
	webBadCode     = "60008"
	webBadClient   = "60010"
	webGrantType   = "60013"
)

func (s *WeLink) routeSignIn(mux *http.ServeMux) {
	for _, version := range []string{"v1", "v2"} {
		mux.HandleFunc("GET /api/auth/"+version+"/userid", s.asApp(Identity, s.userByCode))
	}
	s.portal.RouteScan(mux, portal.Scan{
		Path: authorizePath, Check: s.checkAuthorize, Approved: s.approved,
		App: func(q url.Values) string {
			a, _ := s.app(q.Get("client_id"))
			t, _ := s.tenant(a.TenantID)
			return a.Name + " · " + t.Name
		},
	})
	mux.HandleFunc("POST "+webTokenPath, s.webToken)
	mux.HandleFunc("GET "+scriptPath, s.clientScript)
}

// userByCode tells who a code from the client stands for, once and within two minutes (WL-DOC).
func (s *WeLink) userByCode(w http.ResponseWriter, r *http.Request, a App) {
	g, state := s.codes.Take(r.URL.Query().Get("code"))
	switch {
	case state == credential.Expired:
		s.refuse(w, codeExpired, "code expired")
	case state == credential.Unknown || g.clientID != a.ClientID || g.redirect != "":
		s.refuse(w, badCode, "code is abnormal")
	default:
		succeed(w, "ok", fields{"userId": g.user, "tenantId": g.tenant})
	}
}

// tiles are the apps with a home page, of all tenants.
func (s *WeLink) tiles() []portal.Tile {
	var out []portal.Tile
	for _, a := range s.apps.All() {
		if t, _ := s.tenant(a.TenantID); a.HomeURL != "" && !a.Unpublished {
			out = append(out, portal.Tile{Code: a.ClientID, Name: a.Name + " · " + t.Name, URL: a.HomeURL})
		}
	}
	return out
}

// enter opens a link in the client's web view, with the code that the page would fetch there.
func (s *WeLink) enter(_ *http.Request, t portal.Trip) (string, error) {
	clientID := ""
	if t.Tile != nil {
		clientID = t.Tile.Code
	} else {
		clientID, _, _ = strings.Cut(t.Item.Key, "/")
	}
	param := s.Settings().CodeParam
	if _, ok := s.app(clientID); !ok || param == "" {
		return t.Link, nil
	}
	code, err := s.IssueCode(clientID, t.Person.ID)
	if err != nil {
		return "", err
	}
	return with(t.Link, url.Values{param: {code}}), nil
}

// with adds parameters to the query of a link.
func with(link string, add url.Values) string {
	link, fragment, has := strings.Cut(link, "#")
	separator := "?"
	if strings.Contains(link, "?") {
		separator = "&"
	}
	link += separator + add.Encode()
	if has {
		link += "#" + fragment
	}
	return link
}

// IssueCode returns a fresh code of the client for a person, by the id in People.
func (s *WeLink) IssueCode(clientID, person string) (string, error) {
	a, ok := s.app(clientID)
	if !ok {
		return "", fmt.Errorf("there is no app %q", clientID)
	}
	p, ok := s.people.Get(person)
	if !ok || s.tenantOf(p) != a.TenantID || !sees(a, p) {
		return "", fmt.Errorf("%q does not see the app %q", person, clientID)
	}
	return s.codes.Issue(grant{clientID, userID(p), a.TenantID, ""}, seconds(s.Settings().InAppCodeSeconds)), nil
}

// checkAuthorize judges the link to the browser sign-in.
func (s *WeLink) checkAuthorize(w http.ResponseWriter, r *http.Request) bool {
	q := r.URL.Query()
	a, ok := s.app(q.Get("client_id"))
	switch {
	case !ok || a.Unpublished:
		s.portal.Problem(w, http.StatusBadRequest, "应用不存在或未发布", "There is no such app, or it is not published.")
	case q.Get("response_type") != "code" || q.Get("scope") == "":
		s.portal.Problem(w, http.StatusBadRequest, "参数不正确", "response_type must be code, and a scope is needed.")
	case !slices.Contains(a.RedirectURIs, q.Get("redirect_uri")):
		s.portal.Problem(w, http.StatusBadRequest, "redirect_uri 未登记", "The redirect_uri is not one that is registered for the app.")
	default:
		return true
	}
	return false
}

// approved sends the browser back with a code. Only people of the app's tenant who see the app get one.
func (s *WeLink) approved(w http.ResponseWriter, _ *http.Request, q url.Values, p desk.Person) {
	a, ok := s.app(q.Get("client_id"))
	if !ok || s.tenantOf(p) != a.TenantID || !sees(a, p) {
		s.portal.Problem(w, http.StatusForbidden, "您不在该应用的可见范围内", "You are not in the visible scope of this app.")
		return
	}
	back := q.Get("redirect_uri")
	code := s.codes.Issue(grant{a.ClientID, userID(p), a.TenantID, back}, seconds(s.Settings().WebCodeSeconds))
	w.Header().Set("Location", with(back, url.Values{"code": {code}, "state": {q.Get("state")}}))
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusFound)
}

// webToken redeems a code of the browser sign-in. Its errors are HTTP 400 with a code of the 600 family (WL-DOC); what a
// success holds beside 60001 is derived.
func (s *WeLink) webToken(w http.ResponseWriter, r *http.Request) {
	in := webTokenRequest(r)
	a, ok := s.client(in["client_id"], in["client_secret"])
	refuse := func(code, message string) {
		desk.Reply(w, http.StatusBadRequest, fields{"code": code, "message": message})
	}
	if in["grant_type"] != "authorization_code" {
		refuse(webGrantType, "grant_type is invalid")
		return
	}
	if !ok {
		refuse(webBadClient, "client authentication failed")
		return
	}
	g, state := s.codes.Take(in["code"])
	switch {
	case state == credential.Expired:
		refuse(webCodeExpired, "code is expired")
	case state == credential.Unknown || g.clientID != a.ClientID || g.redirect == "" || in["redirect_uri"] != "" && in["redirect_uri"] != g.redirect:
		refuse(webBadCode, "code is invalid")
	default:
		desk.Reply(w, http.StatusOK, fields{
			"code": webSuccess, "message": "success", "access_token": rand.Text(), "expires_in": s.Settings().TokenSeconds,
			"userId": g.user, "tenantId": g.tenant,
		})
	}
}

// webTokenRequest reads the parameters from a form or from JSON; which of the two is not public.
func webTokenRequest(r *http.Request) map[string]string {
	out := map[string]string{}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		if json.NewDecoder(r.Body).Decode(&out) != nil {
			return nil
		}
		return out
	}
	for _, name := range []string{"grant_type", "client_id", "client_secret", "code", "redirect_uri"} {
		out[name] = r.FormValue(name)
	}
	return out
}

// clientScript is the script with which pages ask the client for a code, as the real one does (HWH5, WL-DOC). In reality it
// comes from the vendor and the client answers it; here the answers are in it, for the person whose session the browser has.
func (s *WeLink) clientScript(w http.ResponseWriter, r *http.Request) {
	codes := map[string]string{}
	if person, ok := s.portal.Known(r); ok {
		for _, a := range s.apps.All() {
			if code, err := s.IssueCode(a.ClientID, person.ID); err == nil {
				codes[a.ClientID] = code
			}
		}
	}
	list, _ := json.Marshal(codes) // text only
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = fmt.Fprintf(w, `window.HWH5 = { getAuthCode: function (asked) {
  var code = %s[asked.clientId];
  return code ? Promise.resolve({ code: code }) : Promise.reject({ code: 1, msg: 'nobody is signed in' });
} };
`, list)
}
