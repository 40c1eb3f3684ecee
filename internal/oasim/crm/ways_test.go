package crm

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

const sharedKey = "a-key-that-both-sides-know"

// signedQuery is what a gateway appends to the login address; changes are made before it is signed.
func signedQuery(address string, changes map[string]string) string {
	ids++
	q := url.Values{
		"account": {"1002"}, "ei": {"714439"}, "page": {"record"}, "apiName": {"QuoteObj"}, "dataId": {"5f3c2ab1"}, "client": {"pc"},
		"exp": {"1795348860"}, "nonce": {time.Duration(ids).String()},
	}
	for name, value := range changes {
		q.Set(name, value)
	}
	signed := q.Encode()
	mac := hmac.New(sha256.New, []byte(sharedKey))
	mac.Write([]byte(address + "?" + signed))
	return "?" + signed + "&sig=" + hex.EncodeToString(mac.Sum(nil))
}

// A signed address lets in whom it names, once, in time, and not a byte of it changed.
func TestSignedAddresses(t *testing.T) {
	const address = "https://crm.example/login"
	c, srv := newCRM(t, Login{Audience: address, EnterpriseID: "714439", SharedKey: sharedKey})
	if noon.Unix() != 1795348800 {
		t.Fatal("noon is", noon.Unix())
	}
	spent := signedQuery(address, nil)
	resp, _ := visit(t, browser(), srv.URL+"/login"+spent)
	if resp.StatusCode != 303 || resp.Header.Get("Location") != "/record/QuoteObj/5f3c2ab1" {
		t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	for _, tc := range []struct{ name, query, code string }{
		{"again", spent, "CRM-1406"},
		{"another account", strings.Replace(signedQuery(address, nil), "account=1002", "account=1003", 1), "CRM-1403"},
		{"something behind the signature", signedQuery(address, nil) + "&account=1003", "CRM-1403"},
		{"another host", signedQuery("https://evil.example/login", nil), "CRM-1403"},
		{"over", signedQuery(address, map[string]string{"exp": "1795348800"}), "CRM-1404"},
		{"lives too long", signedQuery(address, map[string]string{"exp": "1795352400"}), "CRM-1404"},
		{"no end", signedQuery(address, map[string]string{"exp": ""}), "CRM-1402"},
		{"no nonce", signedQuery(address, map[string]string{"nonce": ""}), "CRM-1402"},
		{"another enterprise", signedQuery(address, map[string]string{"ei": "1"}), "CRM-1405"},
		{"unknown account", signedQuery(address, map[string]string{"account": "9999"}), "CRM-1407"},
		{"path tricks", signedQuery(address, map[string]string{"dataId": ".."}), "CRM-1408"},
	} {
		if resp, body := visit(t, browser(), srv.URL+"/login"+tc.query); resp.StatusCode == 303 || !strings.Contains(body, tc.code) {
			t.Errorf("%s: %d %s", tc.name, resp.StatusCode, body)
		}
	}
	// Where no key is shared, a signature is nothing.
	if err := c.login.Configure(func(l *Login) { l.SharedKey = "" }); err != nil {
		t.Fatal(err)
	}
	if resp, body := visit(t, browser(), srv.URL+"/login"+signedQuery(address, nil)); resp.StatusCode != 401 || !strings.Contains(body, "CRM-1401") {
		t.Errorf("without a key: %d", resp.StatusCode)
	}
}

// A code is redeemed at the issuer with the shared key; what the issuer answers decides.
func TestOneTimeCodes(t *testing.T) {
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answers := map[string]string{
			"good": `{"sub":"1002","ei":"714439","target":{"page":"home","client":"h5"}}`, "other": `{"sub":"1002","ei":"1"}`, "text": "a page",
		}
		answer, known := answers[r.PostFormValue("code")]
		switch {
		case r.Header.Get("Authorization") != "Bearer "+sharedKey:
			w.WriteHeader(http.StatusUnauthorized)
		case !known:
			w.WriteHeader(http.StatusBadRequest)
		}
		_, _ = w.Write([]byte(answer))
	}))
	defer issuer.Close()
	c, srv := newCRM(t, Login{EnterpriseID: "714439", SharedKey: sharedKey, RedeemURL: issuer.URL})
	if resp, _ := visit(t, browser(), srv.URL+"/login?code=good"); resp.StatusCode != 303 || resp.Header.Get("Location") != "/h5/home" {
		t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	for code, want := range map[string]string{"used": "CRM-1409", "other": "CRM-1405", "text": "CRM-1503"} {
		if resp, body := visit(t, browser(), srv.URL+"/login?code="+code); resp.StatusCode == 303 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", code, resp.StatusCode, body)
		}
	}
	if err := c.login.Configure(func(l *Login) { l.SharedKey = "another" }); err != nil {
		t.Fatal(err)
	}
	if _, body := visit(t, browser(), srv.URL+"/login?code=good"); !strings.Contains(body, "CRM-1503") {
		t.Error("the issuer does not know the CRM, which lets somebody in")
	}
	issuer.Close()
	if _, body := visit(t, browser(), srv.URL+"/login?code=good"); !strings.Contains(body, "CRM-1503") {
		t.Error("nobody answers for the code")
	}
}

// Only the browser that began at the OpenID Provider can finish, and only at the issuer that the CRM knows. That people get in
// this way is proved in a browser, against the gateway (internal/gateway).
func TestOpenIDIsBoundToItsBrowser(t *testing.T) {
	var issuer *httptest.Server
	issuer = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"issuer":"` + issuer.URL + `","authorization_endpoint":"` + issuer.URL + `/authorize","token_endpoint":"` + issuer.URL +
			`/token","jwks_uri":"` + issuer.URL + `/keys","id_token_signing_alg_values_supported":["ES256"]}`))
	}))
	defer issuer.Close()
	_, srv := newCRM(t, Login{Issuer: issuer.URL, EnterpriseID: "714439", OpenID: OpenIDClient{ID: "crm", Secret: "s", RedirectURL: "https://crm.example/oidc/callback"}})
	b := browser()
	resp, _ := visit(t, b, srv.URL+"/oidc/login?iss="+url.QueryEscape(issuer.URL))
	to, err := resp.Location()
	if err != nil || to.Path != "/authorize" {
		t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	q := to.Query()
	if q.Get("client_id") != "crm" || q.Get("redirect_uri") != "https://crm.example/oidc/callback" || q.Get("nonce") == "" || q.Get("code_challenge_method") != "S256" {
		t.Errorf("the request: %v", q)
	}
	back := srv.URL + "/oidc/callback?code=x&state=" + q.Get("state")
	for name, who := range map[string]*http.Client{"another browser": browser(), "a code that is none": b, "the same state again": b} {
		if resp, body := visit(t, who, back); resp.StatusCode != 401 || !strings.Contains(body, "CRM-14") {
			t.Errorf("%s: %d %s", name, resp.StatusCode, body)
		}
	}
	for _, iss := range []string{"", "https://evil.example"} {
		if resp, body := visit(t, browser(), srv.URL+"/oidc/login?iss="+iss); resp.StatusCode != 401 || !strings.Contains(body, "CRM-1405") {
			t.Errorf("iss %q: %d", iss, resp.StatusCode)
		}
	}
}
