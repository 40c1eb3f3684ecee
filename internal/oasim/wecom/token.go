package wecom

import (
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/credential"
	"github.com/oabridge/oabridge/internal/oasim/journal"
)

func (s *WeCom) routeTokens(mux *http.ServeMux) {
	mux.HandleFunc("GET /cgi-bin/gettoken", s.getToken)
}

// getToken gives an app its token: the same one while it is valid, each app its own (WC-GO; from memory). It asks for no
// trusted IP (derived).
func (s *WeCom) getToken(w http.ResponseWriter, r *http.Request) {
	secret := r.FormValue("corpsecret")
	c, ok := s.corp(r.FormValue("corpid"))
	if !ok {
		s.refuse(w, r, badCorp, "")
		return
	}
	a, ok := s.account(c.CorpID, func(a App) bool { return subtle.ConstantTimeCompare([]byte(a.Secret), []byte(secret)) == 1 })
	if !ok {
		s.refuse(w, r, badSecret, "")
		return
	}
	journal.SetUser(r.Context(), a.key())
	token, left := s.tokens.For(a.key(), time.Duration(s.Settings().TokenSeconds)*time.Second, 0)
	succeed(w, map[string]any{"access_token": token, "expires_in": int(left / time.Second)})
}

// call is an interface that an app may use.
type call func(w http.ResponseWriter, r *http.Request, a account)

// asApp lets a call through whose token is alive, whose address is trusted and who does not call too often.
func (s *WeCom) asApp(next call) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token := r.URL.Query().Get("access_token")
		key, state := s.tokens.Look(token)
		a, known := s.accountByKey(key)
		switch {
		case token == "":
			s.refuse(w, r, tokenMissing, "")
		case state == credential.Expired:
			s.refuse(w, r, tokenExpired, "")
		case state == credential.Unknown || !known:
			s.refuse(w, r, badToken, "")
		case !s.trusts(a, caller(r)):
			s.refuse(w, r, untrustedIP, "")
		case !s.within(r, a):
			s.refuse(w, r, tooOften, "")
		default:
			journal.SetUser(r.Context(), key)
			next(w, r, a)
		}
	}
}

// within counts a call. One of auth/getuserinfo with a valid code does not count (WC-90454).
func (s *WeCom) within(r *http.Request, a account) bool {
	if _, state := s.codes.Look(r.FormValue("code")); state == credential.Alive && strings.HasSuffix(r.URL.Path, "/getuserinfo") {
		return true
	}
	set := s.Settings()
	return s.calls.Allow(a.corp.CorpID+" "+r.URL.Path, set.perCorp()...) && s.calls.Allow(caller(r), set.perIP())
}

// trusts says whether an address is among the trusted IPs of an app. A change takes about a minute (WC-GO).
func (s *WeCom) trusts(a account, ip string) bool {
	s.mu.RLock()
	list := a.app.TrustedIPs
	if old, changed := s.before[a.key()]; changed && s.Now().Before(old.until) {
		list = old.list
	}
	s.mu.RUnlock()
	if list == "" {
		return true
	}
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return false
	}
	for trusted := range strings.SplitSeq(list, ";") {
		if t, err := netip.ParseAddr(trusted); err == nil && t.Unmap() == addr.Unmap() {
			return true
		}
	}
	return false
}

// read decodes the body of a call, or refuses it.
func (s *WeCom) read(w http.ResponseWriter, r *http.Request, into any) bool {
	if err := json.NewDecoder(r.Body).Decode(into); err != nil {
		s.refuse(w, r, badParameter, "the body is not the JSON that is expected: "+err.Error())
		return false
	}
	return true
}
