package login_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"

	"github.com/oabridge/oabridge/internal/crm/login"
)

// rfcKey is the example key of RFC 7517 (A.2), whose thumbprint (RFC 7638) is known.
const rfcKey = `{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"}`

func pemOf(t *testing.T, kind string, der []byte, err error) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func pkcs8(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return pemOf(t, "PRIVATE KEY", der, err)
}

func newEC(t *testing.T, c elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(c, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newRSA(t *testing.T, bits int) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func parsed(t *testing.T, key any) *login.Key {
	t.Helper()
	k, err := login.ParseKey(pkcs8(t, key))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestEveryUsualFormOfAKeyIsRead(t *testing.T) {
	ec, rsaKey := newEC(t, elliptic.P256()), newRSA(t, 2048)
	sec1, err := x509.MarshalECPrivateKey(ec)
	ecPEM := pemOf(t, "EC PRIVATE KEY", sec1, err)
	for name, data := range map[string][]byte{
		"PKCS#8 EC":             pkcs8(t, ec),
		"SEC 1":                 ecPEM,
		"SEC 1 with parameters": append(pem.EncodeToMemory(&pem.Block{Type: "EC PARAMETERS", Bytes: []byte{6, 8}}), ecPEM...),
		"PKCS#8 RSA":            pkcs8(t, rsaKey),
		"PKCS#1":                pemOf(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey), nil),
	} {
		if k, err := login.ParseKey(data); err != nil || len(k.ID()) != 43 {
			t.Errorf("%s: %v", name, err)
		}
	}
	var jwk jose.JSONWebKey
	if err := json.Unmarshal([]byte(rfcKey), &jwk); err != nil {
		t.Fatal(err)
	}
	if id := parsed(t, jwk.Key).ID(); id != "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s" {
		t.Errorf("thumbprint of the RFC 7517 key is %s", id)
	}
}

func TestWeakAndForeignKeysAreRefusedWithoutQuotingThem(t *testing.T) { // TM-21
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("canary")})
	good := pkcs8(t, newEC(t, elliptic.P256()))
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"empty":       {nil, "no PEM block"},
		"not PEM":     {[]byte("canary"), "no PEM block"},
		"certificate": {certificate, "not a private key"},
		"encrypted":   {pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("canary")}), "passphrase"},
		"damaged":     {pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("canary")}), "cannot be read"},
		"two keys":    {append(append([]byte{}, good...), good...), "more than one"},
		"P-384":       {pkcs8(t, newEC(t, elliptic.P384())), "use P-256"},
		"RSA 1024":    {pkcs8(t, weakRSA(t)), "1024 bits"},
		"Ed25519":     {pkcs8(t, ed), "use ECDSA P-256 or RSA"},
	} {
		_, err := login.ParseKey(c.data)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// weakRSA is a fixed key of 1024 bits, because the standard library makes none any more.
func weakRSA(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	t.Setenv("GODEBUG", "rsa1024min=0")
	return newRSA(t, 1024)
}

type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func config(c *clock) login.Config {
	return login.Config{
		GatewayURL: "https://sso.crm.example", LoginURL: "https://crm.example/login", Lifetime: time.Minute, Now: c.Now,
	}
}

func newIssuer(t *testing.T, keys *login.KeyRing, c *clock) login.Issuer {
	t.Helper()
	i, err := login.NewSignedJWT(config(c), keys)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

var person = login.Person{
	CRMAccount: "1002", EnterpriseID: "714439", TraceID: "4bf92f3577b34da6a3ce929d0e0e4736",
	Target: login.Target{Page: login.PageRecord, APIName: "QuoteObj__c", DataID: "5f3c2ab1", Client: login.ClientH5},
	OA:     login.OAIdentity{Type: "Seeyon", Account: "李四"},
}

func tokenOf(t *testing.T, i login.Issuer, p login.Person) string {
	t.Helper()
	out, err := i.HandOff(t.Context(), p, "")
	if err != nil {
		t.Fatal(err)
	}
	location := out.URL
	token, ours := strings.CutPrefix(location, "https://crm.example/login?token=")
	if u, err := url.Parse(location); err != nil || !ours || u.Query().Get("token") != token {
		t.Fatalf("redirect to %s", location)
	}
	return token
}

// The CRM gets one address with one token, and finds everything in it. F42, F107
func TestTheTokenSaysWhoWhereAndForHowLong(t *testing.T) { // TM-20
	c := &clock{time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)}
	for alg, key := range map[string]any{"ES256": newEC(t, elliptic.P256()), "RS256": newRSA(t, 2048)} {
		ring := login.NewKeyRing(c.Now)
		ring.Replace(parsed(t, key), nil)
		issuer := newIssuer(t, ring, c)
		token := tokenOf(t, issuer, person)

		got := verify(t, ring.JWKS(), token, alg)
		jti, _ := got["jti"].(string)
		delete(got, "jti")
		at := float64(c.now.Unix())
		want := map[string]any{
			"iss": "https://sso.crm.example", "aud": []any{"https://crm.example/login"}, "sub": "1002",
			"iat": at, "nbf": at, "exp": at + 60, "ei": "714439", "tid": "4bf92f3577b34da6a3ce929d0e0e4736",
			"target": map[string]any{"page": "record", "apiName": "QuoteObj__c", "dataId": "5f3c2ab1", "client": "h5"},
			"oa":     map[string]any{"type": "Seeyon", "account": "李四"},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: claims (-want +got):\n%s", alg, diff)
		}
		if len(jti) != 22 || jti == verify(t, ring.JWKS(), tokenOf(t, issuer, person), alg)["jti"] {
			t.Errorf("%s: the token id %q is not 128 fresh random bits", alg, jti)
		}
	}
}

// The main page needs no record. F41
func TestHome(t *testing.T) {
	c := &clock{time.Now()}
	ring := login.NewKeyRing(c.Now)
	ring.Replace(parsed(t, newEC(t, elliptic.P256())), nil)
	p := person
	p.Target = login.Target{Page: login.PageHome, Client: login.ClientPC}
	got := verify(t, ring.JWKS(), tokenOf(t, newIssuer(t, ring, c), p), "ES256")["target"]
	if diff := cmp.Diff(map[string]any{"page": "home", "client": "pc"}, got); diff != "" {
		t.Error(diff)
	}
}

// A CRM that knows the published set at any moment of a rotation accepts every token made then and a lifetime before.
func TestRotation(t *testing.T) {
	c := &clock{time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)}
	ring := login.NewKeyRing(c.Now)
	issuer := newIssuer(t, ring, c)
	if _, err := issuer.HandOff(t.Context(), person, ""); !errors.Is(err, login.ErrNoKey) {
		t.Fatalf("without a key: %v", err)
	}
	first, second := parsed(t, newEC(t, elliptic.P256())), parsed(t, newRSA(t, 2048))
	wantIDs := func(when string, ids ...string) {
		t.Helper()
		var got []string
		for _, k := range ring.JWKS().Keys {
			if !k.IsPublic() || !k.Valid() || k.Use != "sig" {
				t.Errorf("%s: published %+v", when, k)
			}
			got = append(got, k.KeyID)
		}
		if diff := cmp.Diff(ids, got); diff != "" {
			t.Errorf("%s: published keys (-want +got):\n%s", when, diff)
		}
	}
	ring.Replace(first, nil)
	wantIDs("at first", first.ID())
	ring.Replace(first, second)
	wantIDs("announced", first.ID(), second.ID())
	cached := ring.JWKS() // what the CRM fetched before the switch
	old := tokenOf(t, issuer, person)
	ring.Replace(second, nil)
	fresh := tokenOf(t, issuer, person)
	verify(t, cached, fresh, "RS256")
	verify(t, ring.JWKS(), fresh, "RS256")
	verify(t, ring.JWKS(), old, "ES256")
	wantIDs("just switched", second.ID(), first.ID())
	ring.Replace(second, first)
	wantIDs("the old one announced again, listed once", second.ID(), first.ID())
	ring.Replace(first, nil)
	verify(t, ring.JWKS(), tokenOf(t, issuer, person), "ES256")
	c.now = c.now.Add(login.RetiredFor)
	wantIDs("after the retention", first.ID())
}

// The published set holds no private number, and none of its keys can be used as a shared secret.
func TestOnlyPublicHalvesArePublished(t *testing.T) { // TM-20
	ring := login.NewKeyRing(time.Now)
	ring.Replace(parsed(t, newEC(t, elliptic.P256())), parsed(t, newRSA(t, 2048)))
	body, err := json.Marshal(ring.JWKS())
	if err != nil {
		t.Fatal(err)
	}
	var set struct{ Keys []map[string]any }
	if err := json.Unmarshal(body, &set); err != nil || len(set.Keys) != 2 {
		t.Fatalf("%s: %v", body, err)
	}
	for _, k := range set.Keys {
		for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "k"} {
			if _, there := k[private]; there {
				t.Errorf("published key has the private member %q", private)
			}
		}
		if k["kty"] == "oct" || k["alg"] == nil {
			t.Errorf("published %v", k)
		}
	}
}

// A token can go to one address only.
func TestLoginAddressesThatCouldLeadElsewhere(t *testing.T) { // TM-12
	for _, address := range []string{
		"", "crm.example/login", "//crm.example/login", "javascript:alert(1)", "ftp://crm.example", "https://", "https://:443/",
		"https://crm.example@evil.example/login", "https://crm.example/login?next=x", "https://crm.example/login?", "https://crm.example/#x",
		"https://crm.example/%zz",
	} {
		_, err := login.NewSignedJWT(login.Config{GatewayURL: "https://sso.crm.example", LoginURL: address, Lifetime: time.Minute}, nil)
		if err == nil {
			t.Errorf("%q is accepted", address)
		}
	}
}

func verify(t *testing.T, set jose.JSONWebKeySet, token, alg string) map[string]any {
	t.Helper()
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
	if err != nil {
		t.Fatal(err)
	}
	keys := set.Key(parsed.Headers[0].KeyID)
	if len(keys) != 1 || keys[0].Algorithm != alg {
		t.Fatalf("the key %q of the token is not published for %s", parsed.Headers[0].KeyID, alg)
	}
	if typ := parsed.Headers[0].ExtraHeaders[jose.HeaderType]; typ != "JWT" {
		t.Errorf("typ is %v", typ)
	}
	var claims map[string]any
	if err := parsed.Claims(keys[0], &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}
