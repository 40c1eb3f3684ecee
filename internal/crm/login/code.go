package login

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// RedeemPath is where the CRM's server redeems a one-time code.
const RedeemPath = "/sso/redeem"

// maxRedeem bounds the form with a code, in bytes.
const maxRedeem = 4 << 10

// OneTimeCode is an Issuer that hands out a code: LoginURL?code=…. The CRM's server redeems it at RedeemPath, once, and
// proves itself with the shared key as a bearer token. Nothing about the person passes through the browser.
type OneTimeCode struct {
	config   Config
	loginURL url.URL
	vault    Vault
	keys     func() ([]string, error)
}

// NewOneTimeCode checks the addresses. keys returns the shared keys that are good now.
func NewOneTimeCode(c Config, vault Vault, keys func() ([]string, error)) (*OneTimeCode, error) {
	u, err := c.check()
	if err != nil {
		return nil, err
	}
	return &OneTimeCode{config: c, loginURL: u, vault: vault, keys: keys}, nil
}

// codeName is a code in the vault.
func codeName(code string) string { return "code|" + code }

// HandOff implements Issuer.
func (i *OneTimeCode) HandOff(ctx context.Context, p Person, _ string) (HandOff, error) {
	value, err := json.Marshal(p)
	if err != nil {
		return HandOff{}, err
	}
	code := rand.Text() + rand.Text()
	if err := i.vault.Keep(ctx, codeName(code), value, i.config.Lifetime); err != nil {
		return HandOff{}, err
	}
	u := i.loginURL
	u.RawQuery = url.Values{"code": {code}}.Encode()
	return HandOff{URL: u.String()}, nil
}

// Serves implements Endpoints.
func (i *OneTimeCode) Serves(path string) bool { return path == RedeemPath }

// ServeHTTP redeems a code. The answer is the person as JSON: sub, ei, target, oa, tid.
func (i *OneTimeCode) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, http.StatusMethodNotAllowed, "invalid_request", "send the code with POST")
		return
	}
	if !i.trusts(r.Header.Get("Authorization")) {
		w.Header().Set("WWW-Authenticate", "Bearer")
		refuse(w, http.StatusUnauthorized, "invalid_client", "the bearer token is not the shared key")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxRedeem)
	if r.ParseForm() != nil || len(r.PostForm["code"]) != 1 {
		refuse(w, http.StatusBadRequest, "invalid_request", "send a form with one code")
		return
	}
	value, err := i.vault.Take(r.Context(), codeName(r.PostForm.Get("code")))
	switch {
	case err != nil:
		refuse(w, http.StatusServiceUnavailable, "temporarily_unavailable", "the code cannot be looked up; try again")
	case value == nil:
		refuse(w, http.StatusBadRequest, "invalid_grant", "the code is unknown, was used before, or is too old")
	default:
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(value)
	}
}

func (i *OneTimeCode) trusts(authorization string) bool {
	token, bearer := strings.CutPrefix(authorization, "Bearer ")
	keys, err := i.keys()
	if err != nil || !bearer {
		return false
	}
	good := false
	for _, key := range keys {
		good = len(key) >= MinSharedKey && subtle.ConstantTimeCompare([]byte(key), []byte(token)) == 1 || good
	}
	return good
}

func refuse(w http.ResponseWriter, status int, code, description string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": code, "error_description": description})
}
