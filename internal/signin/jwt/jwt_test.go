package jwt_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/signin/jwt"
)

var now = time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)

const shared = "0123456789abcdef0123456789abcdef"

func verifier(algorithm string, keys jose.JSONWebKeySet) *jwt.Verifier {
	return jwt.New(jwt.Config{
		Parameter: "token", Issuer: "https://oa.example", Audience: "https://sso.crm.example", EnterpriseID: "714439", Algorithm: algorithm,
		AccountClaim: "sub", MaxSkew: 5 * time.Minute, Now: func() time.Time { return now },
		Keys: func() (jose.JSONWebKeySet, error) { return keys, nil },
	})
}

func sign(t testing.TB, algorithm jose.SignatureAlgorithm, key any, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	token, err := josejwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func claims(change ...any) map[string]any {
	c := map[string]any{"iss": "https://oa.example", "aud": "https://sso.crm.example", "sub": "lina", "ei": "714439",
		"iat": now.Unix(), "exp": now.Add(time.Minute).Unix()}
	for i := 0; i+1 < len(change); i += 2 {
		name, _ := change[i].(string)
		if c[name] = change[i+1]; change[i+1] == nil {
			delete(c, name)
		}
	}
	return c
}

func read(v *jwt.Verifier, token string) (oa.Proof, oa.Verdict) {
	p, err := v.Read(oa.Link{Query: url.Values{"token": {token}}})
	if err == nil {
		return p, "good"
	}
	refused, ok := errors.AsType[*oa.VerifyError](err)
	if !ok {
		return p, "no VerifyError"
	}
	return p, refused.Verdict
}

// A token is good when the configured key signed it with the configured algorithm, for us, now, and for a while that can be
// remembered.
func TestTokens(t *testing.T) { // TM-14
	keys, err := jwt.SharedKeys(shared)
	if err != nil {
		t.Fatal(err)
	}
	v := verifier("HS256", keys)
	unix := func(off time.Duration) int64 { return now.Add(off).Unix() }
	for name, c := range map[string]struct {
		claims map[string]any
		want   oa.Verdict
	}{
		"good":                   {claims(), "good"},
		"no enterprise named":    {claims("ei", nil), "good"},
		"their clock is behind":  {claims("iat", unix(-4*time.Minute), "exp", unix(-3*time.Minute)), "good"},
		"their clock is ahead":   {claims("iat", unix(4*time.Minute), "exp", unix(5*time.Minute)), "good"},
		"too old":                {claims("iat", unix(-7*time.Minute), "exp", unix(-6*time.Minute)), oa.Skewed},
		"from the future":        {claims("iat", unix(6*time.Minute), "exp", unix(7*time.Minute)), oa.Skewed},
		"not yet":                {claims("nbf", unix(6*time.Minute)), oa.Skewed},
		"lives too long":         {claims("exp", unix(31*time.Minute)), oa.Rejected},
		"no end":                 {claims("exp", nil), oa.Rejected},
		"no beginning":           {claims("iat", nil), oa.Rejected},
		"another issuer":         {claims("iss", "https://oa.example/"), oa.Rejected},
		"no issuer":              {claims("iss", nil), oa.Rejected},
		"another audience":       {claims("aud", "https://sso.crm.example.evil"), oa.Rejected},
		"two audiences":          {claims("aud", []string{"https://sso.crm.example", "x"}), oa.Rejected},
		"a list of one audience": {claims("aud", []string{"https://sso.crm.example"}), "good"},
		"another enterprise":     {claims("ei", "714440"), oa.Rejected},
		"a number as enterprise": {claims("ei", 714439), oa.Rejected},
		"no account":             {claims("sub", nil), oa.Rejected},
		"an account with spaces": {claims("sub", " lina"), oa.Rejected},
	} {
		p, got := read(v, sign(t, jose.HS256, []byte(shared), c.claims))
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		if got == "good" {
			if id, err := v.Verify(t.Context(), p); err != nil || id.Account != "lina" || p.Life < time.Minute || p.Life > time.Hour {
				t.Errorf("%s: %+v, %v, %s", name, id, err, p.Life)
			}
		}
	}
	if _, got := read(v, sign(t, jose.HS256, []byte(strings.Repeat("x", 32)), claims())); got != oa.Rejected {
		t.Error("another key:", got)
	}
	if _, got := read(v, sign(t, jose.HS512, []byte(shared+shared), claims())); got != oa.Rejected {
		t.Error("another algorithm:", got)
	}
}

// An ECDSA signature has a second form that is good as well; it is the same proof.
func TestTheOtherFormOfASignature(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), Algorithm: "ES256", Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := jwt.ParseKeys(data)
	if err != nil {
		t.Fatal(err)
	}
	v := verifier("ES256", keys)
	token := sign(t, jose.ES256, key, claims())
	p, got := read(v, token)
	if got != "good" || p.Key != token[:strings.LastIndexByte(token, '.')] {
		t.Errorf("%s, key %q", got, p.Key)
	}
}

// spellings are a token with the bits changed that a lenient base64 decoder ignores, in each of its parts that has some.
func spellings(token string) []string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	var found []string
	parts := strings.Split(token, ".")
	for i, part := range parts {
		unused := map[int]int{2: 4, 3: 2}[len(part)%4]
		if unused == 0 {
			continue
		}
		last := strings.IndexByte(alphabet, part[len(part)-1])
		for bits := 1; bits < 1<<unused; bits++ {
			other := slices.Clone(parts)
			other[i] = part[:len(part)-1] + string(alphabet[last^bits])
			found = append(found, strings.Join(other, "."))
		}
	}
	return found
}

// A token has one spelling: a used one must not come back in another, which is the same to a lenient decoder.
func TestATokenHasOneSpelling(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: private.Public()}}}
	secret, err := jwt.SharedKeys(shared)
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for algorithm, keys := range map[jose.SignatureAlgorithm][2]any{jose.ES256: {private, public}, jose.HS256: {[]byte(shared), secret}} {
		v := verifier(string(algorithm), keys[1].(jose.JSONWebKeySet))
		for _, account := range []string{"lina", "lina1", "lina12"} { // so that each length of the payload comes up
			token := sign(t, algorithm, keys[0], claims("sub", account))
			if _, verdict := read(v, token); verdict != "good" {
				t.Fatalf("%s: the token itself is %s", algorithm, verdict)
			}
			for _, other := range spellings(token) {
				tried++
				if _, verdict := read(v, other); verdict != oa.Rejected {
					t.Errorf("%s: another spelling is %s: %s", algorithm, verdict, other)
				}
			}
		}
	}
	if tried < 20 {
		t.Errorf("only %d spellings were tried", tried)
	}
}

func TestKeysThatMustNotCheck(t *testing.T) { // TM-14
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range []string{"", "{}", `{"keys":[]}`, "canary", `{"keys":[{"kty":"oct","k":"AAAA"}]}`, string(private)} {
		if _, err := jwt.ParseKeys([]byte(data)); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: %v", data, err)
		}
	}
	if _, err := jwt.SharedKeys(shared[:31]); err == nil {
		t.Error("a short key is accepted")
	}
}

// No text but one that the key signed is a proof.
func FuzzRead(f *testing.F) {
	keys, err := jwt.SharedKeys(shared)
	if err != nil {
		f.Fatal(err)
	}
	good := sign(f, jose.HS256, []byte(shared), claims())
	for _, s := range []string{good, good + "x", strings.ToUpper(good), "..", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", strings.Replace(good, ".", "..", 1)} {
		f.Add(s)
	}
	v := verifier("HS256", keys)
	f.Fuzz(func(t *testing.T, token string) {
		if p, got := read(v, token); got == "good" && !strings.HasPrefix(good, p.Key+".") {
			t.Fatalf("%q is a proof: %+v", token, p)
		}
	})
}
