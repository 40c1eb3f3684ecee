package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// provider is every OA and every identity provider at once, as far as sign-in goes: it issues proofs, tells each once
// whose it is, and does what the attacks want it to.
type provider struct {
	server *httptest.Server
	key    *ecdsa.PrivateKey

	mu     sync.Mutex
	grants map[string]grant
	access map[string]string // access token → person
	asked  int
	// spoil changes the claims and the key of the ID tokens.
	spoil func(claims map[string]any) (key any, header map[jose.HeaderKey]any, algorithm jose.SignatureAlgorithm)
}

// grant is what a proof stands for.
type grant struct{ person, redirect, challenge, nonce, client string }

const (
	clientID     = "gateway"
	clientSecret = "client-secret-of-the-gateway-canary"
	appSecret    = "app-secret-canary-0123456789"
)

func newProvider() *provider {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	p := &provider{key: key, grants: map[string]grant{}, access: map[string]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("/seeyon/thirdpartyController.do", p.seeyon)
	mux.HandleFunc("/whoami", p.whoami)
	mux.HandleFunc("/gateway/oauth2/token/getAccessToken", answer(map[string]any{"success": true, "errorCode": 0,
		"data": map[string]any{"accessToken": "app-token", "expireIn": 6400}}))
	mux.HandleFunc("/gateway/ticket/user/acquirecontext", p.yunzhijia)
	mux.HandleFunc("/cgi-bin/gettoken", answer(map[string]any{"errcode": 0, "errmsg": "ok", "access_token": "app-token", "expires_in": 7200}))
	mux.HandleFunc("/cgi-bin/auth/getuserinfo", p.wecom)
	mux.HandleFunc("/auth/v2/tickets", answer(map[string]any{"code": "0", "message": "ok", "access_token": "app-token", "expires_in": 7200}))
	mux.HandleFunc("/auth/v2/userid", p.welink)
	mux.HandleFunc("/oauth2/v1/token", p.welinkWeb)
	mux.HandleFunc("/v1.0/oauth2/userAccessToken", p.dingtalk)
	mux.HandleFunc("/v1.0/contact/users/me", p.dingtalkMe)
	mux.HandleFunc("/open-apis/auth/v3/app_access_token/internal", answer(map[string]any{"code": 0, "msg": "ok", "app_access_token": "a-1", "expire": 7200}))
	mux.HandleFunc("/open-apis/authen/v1/oidc/access_token", p.feishu)
	mux.HandleFunc("/open-apis/authen/v1/user_info", p.feishuMe)
	mux.HandleFunc("/.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 200, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.key.Public(), KeyID: "k1", Algorithm: "ES256", Use: "sig"}}})
	})
	mux.HandleFunc("/token", p.token)
	mux.HandleFunc("/profile", p.profile)
	mux.HandleFunc("/cas/serviceValidate", p.cas)
	mux.HandleFunc("/cas/p3/serviceValidate", p.cas)
	p.server = httptest.NewServer(mux)
	return p
}

// issue makes a proof.
func (p *provider) issue(prefix string, g grant) string {
	proof := prefix + rand.Text()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.grants[proof] = g
	return proof
}

// take tells whose proof it is. It would tell again and again: that a proof is good once is the gateway's matter.
func (p *provider) take(proof string) (grant, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	g, ok := p.grants[proof]
	return g, ok
}

func (p *provider) login(person string) string {
	token := rand.Text()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.access[token] = person
	return token
}

func (p *provider) whose(token string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.access[token]
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func answer(v any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, v) }
}

func body(r *http.Request) map[string]string {
	data, _ := io.ReadAll(r.Body)
	out := map[string]string{}
	_ = json.Unmarshal(data, &out)
	return out
}

func (p *provider) seeyon(w http.ResponseWriter, r *http.Request) {
	if g, ok := p.take(r.URL.Query().Get("ticket")); ok {
		w.Header().Set("LoginName", g.person)
	}
}

func (p *provider) whoami(w http.ResponseWriter, r *http.Request) {
	if g, ok := p.take(r.FormValue("pass")); ok {
		reply(w, 200, map[string]any{"user": map[string]string{"login": g.person}})
		return
	}
	w.WriteHeader(http.StatusForbidden)
}

func (p *provider) yunzhijia(w http.ResponseWriter, r *http.Request) {
	if g, ok := p.take(body(r)["ticket"]); ok {
		reply(w, 200, map[string]any{"success": true, "errorCode": 0, "data": map[string]any{"openid": g.person, "eid": "1", "appid": clientID}})
		return
	}
	reply(w, 200, map[string]any{"success": false, "errorCode": 5000001, "error": "ticket is invalid"})
}

func (p *provider) wecom(w http.ResponseWriter, r *http.Request) {
	if g, ok := p.take(r.URL.Query().Get("code")); ok {
		reply(w, 200, map[string]any{"errcode": 0, "errmsg": "ok", "userid": g.person})
		return
	}
	reply(w, 200, map[string]any{"errcode": 40029, "errmsg": "invalid code"})
}

func (p *provider) welink(w http.ResponseWriter, r *http.Request) {
	if g, ok := p.take(r.URL.Query().Get("code")); ok && g.redirect == "" {
		reply(w, 200, map[string]any{"code": "0", "message": "ok", "userId": g.person, "tenantId": "t"})
		return
	}
	reply(w, 200, map[string]any{"code": "41501", "message": "code is abnormal"})
}

func (p *provider) welinkWeb(w http.ResponseWriter, r *http.Request) {
	if g, ok := p.take(r.FormValue("code")); ok && g.redirect == r.FormValue("redirect_uri") && r.FormValue("client_secret") == appSecret {
		reply(w, 200, map[string]any{"code": "60001", "message": "success", "access_token": "x", "userId": g.person})
		return
	}
	reply(w, 400, map[string]any{"code": "60008", "message": "code is invalid"})
}

func (p *provider) dingtalk(w http.ResponseWriter, r *http.Request) {
	in := body(r)
	if g, ok := p.take(in["code"]); ok && in["clientSecret"] == appSecret {
		reply(w, 200, map[string]any{"accessToken": p.login(g.person), "expireIn": 7200, "corpId": "c"})
		return
	}
	reply(w, 400, map[string]any{"code": "invalidAuthCode", "message": "the code is not good"})
}

func (p *provider) dingtalkMe(w http.ResponseWriter, r *http.Request) {
	reply(w, 200, map[string]any{"unionId": p.whose(r.Header.Get("x-acs-dingtalk-access-token"))})
}

func (p *provider) feishu(w http.ResponseWriter, r *http.Request) {
	if g, ok := p.take(body(r)["code"]); ok {
		reply(w, 200, map[string]any{"code": 0, "msg": "success", "data": map[string]any{"access_token": p.login(g.person)}})
		return
	}
	reply(w, 200, map[string]any{"code": 20037, "msg": "code is expired"})
}

func (p *provider) feishuMe(w http.ResponseWriter, r *http.Request) {
	person := p.whose(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	reply(w, 200, map[string]any{"code": 0, "msg": "success", "data": map[string]any{"open_id": person}})
}

func (p *provider) discovery(w http.ResponseWriter, _ *http.Request) {
	u := p.server.URL
	reply(w, 200, map[string]any{
		"issuer": u, "authorization_endpoint": u + "/authorize", "token_endpoint": u + "/token", "jwks_uri": u + "/keys",
		"id_token_signing_alg_values_supported": []string{"ES256"}, "authorization_response_iss_parameter_supported": true,
	})
}

// token exchanges a code for an access token and an ID token.
func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	g, ok := p.take(r.FormValue("code"))
	id, secret, _ := r.BasicAuth()
	challenge := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	switch {
	case id != clientID || secret != clientSecret:
		reply(w, 401, map[string]string{"error": "invalid_client"})
		return
	case !ok || g.redirect != r.FormValue("redirect_uri") || g.challenge != base64.RawURLEncoding.EncodeToString(challenge[:]):
		reply(w, 400, map[string]string{"error": "invalid_grant"})
		return
	}
	out := map[string]any{"access_token": p.login(g.person), "token_type": "Bearer", "expires_in": 300}
	out["id_token"] = p.idToken(g)
	reply(w, 200, out)
}

func (p *provider) idToken(g grant) string {
	now := time.Now()
	claims := map[string]any{
		"iss": p.server.URL, "aud": clientID, "sub": g.person, "nonce": g.nonce, "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	}
	var key any = p.key
	header, algorithm := map[jose.HeaderKey]any{"kid": "k1"}, jose.ES256
	p.mu.Lock()
	spoil := p.spoil
	p.mu.Unlock()
	if spoil != nil {
		if k, h, a := spoil(claims); k != nil {
			key, header, algorithm = k, h, a
		}
	}
	return signed(key, header, algorithm, claims)
}

// signed makes a JWT; algorithm "none" makes one without signature.
func signed(key any, header map[jose.HeaderKey]any, algorithm jose.SignatureAlgorithm, claims map[string]any) string {
	if algorithm == "none" {
		payload, err := json.Marshal(claims)
		must(err)
		return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(payload) + "."
	}
	options := &jose.SignerOptions{ExtraHeaders: header}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, options)
	must(err)
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	must(err)
	return text
}

func (p *provider) profile(w http.ResponseWriter, r *http.Request) {
	person := p.whose(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	if person == "" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	reply(w, 200, map[string]any{"id": person})
}

func (p *provider) cas(w http.ResponseWriter, r *http.Request) {
	const frame = `<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">%s</cas:serviceResponse>`
	g, ok := p.take(r.URL.Query().Get("ticket"))
	if !ok || g.redirect != r.URL.Query().Get("service") {
		_, _ = fmt.Fprintf(w, frame, `<cas:authenticationFailure code="INVALID_TICKET">no</cas:authenticationFailure>`)
		return
	}
	_, _ = fmt.Fprintf(w, frame, "<cas:authenticationSuccess><cas:user>"+g.person+"</cas:user></cas:authenticationSuccess>")
}

// approve is the person who says yes at the provider: the address with which the browser comes back.
func (p *provider) approve(person, begin string) string {
	u, err := url.Parse(begin)
	must(err)
	q := u.Query()
	if service := q.Get("service"); service != "" {
		return service + "&ticket=" + p.issue("ST-", grant{person: person, redirect: service})
	}
	back := q.Get("redirect_uri")
	code := p.issue("", grant{person: person, redirect: back, challenge: q.Get("code_challenge"), nonce: q.Get("nonce"), client: q.Get("client_id")})
	answer := url.Values{"code": {code}, "state": {q.Get("state")}}
	if q.Get("nonce") != "" {
		answer.Set("iss", p.server.URL)
	}
	return back + "?" + answer.Encode()
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
