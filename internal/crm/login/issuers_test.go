package login_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oabridge/oabridge/internal/crm/login"
)

const sharedKey = "0123456789abcdef0123456789abcdef"

// The CRM that knows the key finds everything in the address, and notices every change.
func TestSignedURL(t *testing.T) {
	c := &clock{time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)}
	issuer, err := login.NewSignedURL(config(c), func() (string, error) { return sharedKey, nil })
	if err != nil {
		t.Fatal(err)
	}
	out, err := issuer.HandOff(t.Context(), person, "")
	if err != nil {
		t.Fatal(err)
	}
	address, sig, ok := strings.Cut(out.URL, "&sig=")
	mac := hmac.New(sha256.New, []byte(sharedKey))
	mac.Write([]byte(address))
	if !ok || hex.EncodeToString(mac.Sum(nil)) != sig || out.Session != "" {
		t.Errorf("signed %s", out.URL)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	got := u.Query()
	if len(got.Get("nonce")) != 32 {
		t.Errorf("nonce %q", got.Get("nonce"))
	}
	got.Del("nonce")
	want := url.Values{
		"account": {"1002"}, "ei": {"714439"}, "page": {"record"}, "apiName": {"QuoteObj__c"}, "dataId": {"5f3c2ab1"}, "client": {"h5"},
		"oaType": {"Seeyon"}, "oaAccount": {"李四"}, "tid": {"4bf92f3577b34da6a3ce929d0e0e4736"}, "exp": {"1795339860"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
	short, err := login.NewSignedURL(config(c), func() (string, error) { return sharedKey[:31], nil })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := short.HandOff(t.Context(), person, ""); !errors.Is(err, login.ErrShortKey) {
		t.Errorf("a short key: %v", err)
	}
}

// vault keeps values in memory.
type vault struct {
	values map[string][]byte
	down   bool
}

func (v *vault) Once(context.Context, string, time.Duration) (bool, error) { return true, nil }

func (v *vault) Keep(_ context.Context, name string, value []byte, _ time.Duration) error {
	if v.down {
		return errors.New("down")
	}
	v.values[name] = value
	return nil
}

func (v *vault) Take(_ context.Context, name string) ([]byte, error) {
	if v.down {
		return nil, errors.New("down")
	}
	value := v.values[name]
	delete(v.values, name)
	return value, nil
}

// Only the CRM's server learns who a code is for, once; whoever has no key burns nothing.
func TestOneTimeCode(t *testing.T) { // TM-20
	v := &vault{values: map[string][]byte{}}
	issuer, err := login.NewOneTimeCode(config(&clock{time.Now()}), v, func() ([]string, error) { return []string{sharedKey, sharedKey + "-next"}, nil })
	if err != nil {
		t.Fatal(err)
	}
	fresh := func() string {
		out, err := issuer.HandOff(t.Context(), person, "")
		if err != nil {
			t.Fatal(err)
		}
		code, ours := strings.CutPrefix(out.URL, "https://crm.example/login?code=")
		if !ours || strings.Contains(out.URL, "1002") {
			t.Fatalf("redirect to %s", out.URL)
		}
		return code
	}
	redeem := func(code, bearer string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, login.RedeemPath, strings.NewReader(url.Values{"code": {code}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Authorization", "Bearer "+bearer)
		rec := httptest.NewRecorder()
		issuer.ServeHTTP(rec, r)
		return rec
	}
	code := fresh()
	if rec := redeem(code, sharedKey+"x"); rec.Code != http.StatusUnauthorized {
		t.Errorf("another key: %d", rec.Code)
	}
	v.down = true
	if rec := redeem(code, sharedKey); rec.Code != http.StatusServiceUnavailable {
		t.Errorf("without the vault: %d", rec.Code)
	}
	v.down = false
	rec := redeem(code, sharedKey)
	var got login.Person
	if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || rec.Code != http.StatusOK {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	if diff := cmp.Diff(person, got); diff != "" {
		t.Errorf("who (-want +got):\n%s", diff)
	}
	if rec := redeem(code, sharedKey); rec.Code != http.StatusBadRequest || !strings.Contains(rec.Body.String(), "invalid_grant") {
		t.Errorf("again: %d %s", rec.Code, rec.Body)
	}
	if rec := redeem(fresh(), sharedKey+"-next"); rec.Code != http.StatusOK { // while the key is being replaced
		t.Errorf("the next key: %d", rec.Code)
	}
}
