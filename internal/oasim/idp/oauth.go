package idp

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/journal"
)

// refreshLife is how long a refresh token lives.
const refreshLife = 24 * time.Hour

// authorize sends a person who is signed in back with a code. A client or an address that is not registered gets a page
// and no redirect.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	client, ok := p.client(q.Get("client_id"))
	redirect := q.Get("redirect_uri")
	if !ok || !slices.Contains(client.RedirectURIs, redirect) {
		p.Portal.Problem(w, http.StatusBadRequest, "应用或回调地址未登记。", "This client or redirect_uri is not registered.")
		return
	}
	back := url.Values{}
	if state := q.Get("state"); state != "" {
		back.Set("state", state)
	}
	if p.Settings().BrokenState {
		back.Set("state", rand.Text())
	}
	method := q.Get("code_challenge_method")
	switch {
	case q.Get("response_type") != "code":
		back.Set("error", "unsupported_response_type")
	case q.Get("code_challenge") != "" && method != "S256":
		back.Set("error", "invalid_request")
	default:
		person, ok := p.Portal.Visitor(w, r)
		if !ok {
			return
		}
		back.Set("code", p.issueCode(grant{
			person: person.ID, client: client.ID, redirect: redirect, nonce: q.Get("nonce"),
			challenge: q.Get("code_challenge"), scope: q.Get("scope"),
		}))
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, withQuery(redirect, back), http.StatusFound)
}

// withQuery adds parameters to an address that may have some already.
func withQuery(address string, add url.Values) string {
	separator := "?"
	if strings.Contains(address, "?") {
		separator = "&"
	}
	return address + separator + add.Encode()
}

func refuse(w http.ResponseWriter, status int, code, words string) {
	w.Header().Set("Cache-Control", "no-store")
	desk.Reply(w, status, map[string]string{"error": code, "error_description": words})
}

// token turns a code, once, or a refresh token into tokens. A code that comes a second time also ends the token that was
// made from it (RFC 6749 §4.1.2).
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	client, ok := p.client(id)
	if !ok || subtle.ConstantTimeCompare([]byte(client.Secret), []byte(secret)) != 1 {
		refuse(w, http.StatusUnauthorized, "invalid_client", "client authentication failed")
		return
	}
	var g grant
	code := r.PostFormValue("code")
	switch r.PostFormValue("grant_type") {
	case "authorization_code":
		if token, again := p.spent.Take(code); again {
			p.access.Take(token)
			refuse(w, http.StatusBadRequest, "invalid_grant", "the code was used before")
			return
		}
		g, ok = p.codes.Take(code)
		ok = ok && g.client == client.ID && g.redirect == r.PostFormValue("redirect_uri") && g.verified(r.PostFormValue("code_verifier"))
	case "refresh_token":
		g, ok = p.refresh.Take(r.PostFormValue("refresh_token"))
		ok = ok && g.client == client.ID
	default:
		refuse(w, http.StatusBadRequest, "unsupported_grant_type", "grant_type must be authorization_code or refresh_token")
		return
	}
	if !ok {
		refuse(w, http.StatusBadRequest, "invalid_grant", "the code or refresh token is not valid for this client, redirect_uri and code_verifier")
		return
	}
	journal.SetUser(r.Context(), g.person)
	p.issue(w, r, client, g, code)
}

// verified checks the proof key of a code that was asked for with one (RFC 7636).
func (g grant) verified(verifier string) bool {
	if g.challenge == "" {
		return true
	}
	sum := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(g.challenge)) == 1
}

func (p *Provider) issue(w http.ResponseWriter, r *http.Request, client Client, g grant, code string) {
	settings := p.Settings()
	access, refresh := "AT-"+rand.Text(), "RT-"+rand.Text()
	p.access.Put(access, g, settings.tokenLife())
	p.refresh.Put(refresh, g, refreshLife)
	if code != "" {
		p.spent.Put(code, access, settings.tokenLife())
	}
	out := map[string]any{"access_token": access, "token_type": "bearer", "expires_in": settings.TokenSeconds, "refresh_token": refresh}
	if p.Paths.Keys != "" && slices.Contains(strings.Fields(g.scope), "openid") {
		token, err := p.idToken(base(r), client, g)
		if err != nil {
			refuse(w, http.StatusInternalServerError, "server_error", err.Error())
			return
		}
		out["id_token"] = token
	}
	w.Header().Set("Cache-Control", "no-store")
	if settings.FormTokens {
		w.Header().Set("Content-Type", "text/plain;charset=UTF-8")
		_, _ = w.Write([]byte("access_token=" + access + "&expires_in=" + strconv.Itoa(settings.TokenSeconds)))
		return
	}
	desk.Reply(w, http.StatusOK, out)
}

// profile says who an access token stands for. It travels as ?access_token= (CAS-OA) or as a bearer token.
func (p *Provider) profile(w http.ResponseWriter, r *http.Request) {
	token := r.FormValue("access_token")
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		token = bearer
	}
	g, ok := p.access.Get(token)
	person, known := p.People.Get(g.person)
	if !ok || !known {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		refuse(w, http.StatusUnauthorized, "invalid_token", "the access token is missing, wrong or has expired")
		return
	}
	journal.SetUser(r.Context(), person.ID)
	desk.Reply(w, http.StatusOK, p.Profile(person))
}
