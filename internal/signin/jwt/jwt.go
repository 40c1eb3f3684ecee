// Package jwt verifies links that carry a JWT of the OA.
package jwt

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/signin"
)

const (
	// maxLife bounds how far in the future a token may end: for so long it has to be remembered once it was used.
	maxLife = 30 * time.Minute
	// maxToken bounds a token, in characters.
	maxToken = 3072
	// MinSharedKey bounds a shared key from below, in bytes: that of HS256.
	MinSharedKey = 32
)

// Config of a Verifier.
type Config struct {
	// Parameter of the link that holds the token.
	Parameter string
	// Issuer and Audience that the token must name, exactly.
	Issuer, Audience string
	// EnterpriseID that the claim "ei" must be when it is there.
	EnterpriseID string
	// Algorithm is the only one that is accepted; the token's own header decides nothing (CVE-2026-9090).
	Algorithm string
	// AccountClaim names the claim that holds the account.
	AccountClaim string
	// Keys returns the configured keys. A key ID in the token only selects among them.
	Keys func() (jose.JSONWebKeySet, error)
	// MaxSkew is the leeway for clocks.
	MaxSkew time.Duration
	Now     func() time.Time
}

// Verifier implements oa.LinkVerifier. It asks nobody.
type Verifier struct{ c Config }

// New returns a Verifier.
func New(c Config) *Verifier { return &Verifier{c} }

const valueAccount = "account"

// Read implements oa.LinkVerifier: it checks signature, issuer, audience and time.
func (v *Verifier) Read(l oa.Link) (oa.Proof, error) {
	token, err := oa.One(l.Query, v.c.Parameter)
	if err != nil {
		return oa.Proof{}, err
	}
	malformed := func() (oa.Proof, error) {
		return oa.Proof{}, signin.Rejected("Malformed", "the token is not a JWT signed with %s", v.c.Algorithm)
	}
	if !signin.Visible(token, maxToken) || strings.Count(token, ".") != 2 || !canonical(token) {
		return malformed()
	}
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(v.c.Algorithm)})
	if err != nil || len(parsed.Headers) != 1 {
		return malformed()
	}
	keys, err := v.c.Keys()
	if err != nil {
		return oa.Proof{}, signin.Unasked(v1alpha1.ReasonKeyMissing, "%v", err)
	}
	var claims jwt.Claims
	all := map[string]any{}
	if !v.signed(parsed, keys, &claims, &all) {
		return oa.Proof{}, signin.Rejected("BadSignature", "the signature of the token is not of one of the configured keys")
	}
	account, _ := all[v.c.AccountClaim].(string)
	id, good := signin.Account(account)
	ei, bound := all["ei"]
	switch {
	case !good:
		return oa.Proof{}, signin.Rejected("NoAccount", "the token's claim %s is no account", v.c.AccountClaim)
	case claims.Issuer != v.c.Issuer:
		return oa.Proof{}, signin.Rejected("OtherIssuer", "the token is of another issuer than spec.sso.jwt.issuer")
	case !slices.Equal([]string(claims.Audience), []string{v.c.Audience}):
		return oa.Proof{}, signin.Rejected("OtherAudience", "the token is not for spec.sso.jwt.audience, and for it alone")
	case bound && ei != v.c.EnterpriseID:
		return oa.Proof{}, signin.Rejected("OtherEnterprise", "the token is for another enterprise")
	}
	// The signed part is the key: an ECDSA signature has a second form that is good as well.
	p := oa.Proof{Key: token[:strings.LastIndexByte(token, '.')], Claimed: id.Account, Values: map[string]string{valueAccount: id.Account}}
	return v.inTime(p, claims)
}

// canonical says whether a token is spelled in the one way in which it was made. The last character of a base64 text has bits that
// a lenient decoder ignores: the same token in another spelling would pass the check of its signature, and a used one would look
// like a fresh one.
func canonical(token string) bool {
	for part := range strings.SplitSeq(token, ".") {
		if _, err := base64.RawURLEncoding.Strict().DecodeString(part); err != nil {
			return false
		}
	}
	return true
}

func (v *Verifier) signed(token *jwt.JSONWebToken, keys jose.JSONWebKeySet, claims *jwt.Claims, all *map[string]any) bool {
	candidates := keys.Keys
	if kid := token.Headers[0].KeyID; kid != "" {
		candidates = keys.Key(kid)
	}
	for _, k := range candidates {
		if token.Claims(k.Key, claims, all) == nil {
			return true
		}
	}
	return false
}

func (v *Verifier) inTime(p oa.Proof, claims jwt.Claims) (oa.Proof, error) {
	now := v.c.Now()
	if claims.Expiry == nil || claims.IssuedAt == nil {
		return p, signin.Rejected("NoTime", "the token lacks exp or iat")
	}
	p.Skew = claims.IssuedAt.Time().Sub(now)
	left := claims.Expiry.Time().Sub(now)
	err := claims.ValidateWithLeeway(jwt.Expected{Time: now}, v.c.MaxSkew)
	switch {
	case errors.Is(err, jwt.ErrExpired):
		return p, skewed(left, "the token ended %s ago", (-left).Round(time.Second))
	case err != nil:
		return p, skewed(p.Skew, "the token is from the future (%s); compare the clocks", p.Skew.Round(time.Second))
	case left > maxLife:
		return p, signin.Rejected("TooLong", "the token lives longer than %s: it could not be remembered that long", maxLife)
	}
	p.Life = left + v.c.MaxSkew + time.Minute
	return p, nil
}

func skewed(by time.Duration, format string, args ...any) error {
	return &oa.VerifyError{Verdict: oa.Skewed, Reason: "ClockSkew", Skew: by, Message: fmt.Sprintf(format, args...)}
}

// Verify implements oa.LinkVerifier. The token was checked when the link was read.
func (v *Verifier) Verify(_ context.Context, p oa.Proof) (oa.Identity, error) {
	return oa.Identity{Account: p.Values[valueAccount]}, nil
}

// ParseKeys reads a JWK set of public keys, for an asymmetric algorithm.
func ParseKeys(data []byte) (jose.JSONWebKeySet, error) {
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(data, &set); err != nil || len(set.Keys) == 0 {
		return set, errors.New("not a JWK set with keys; write {\"keys\": [...]}")
	}
	for _, k := range set.Keys {
		if !k.Valid() || !k.IsPublic() {
			return set, errors.New("a key is not a public key; a set for checking holds public halves only")
		}
	}
	return set, nil
}

// SharedKeys makes a set of shared keys, for HS256.
func SharedKeys(keys ...string) (jose.JSONWebKeySet, error) {
	var set jose.JSONWebKeySet
	for _, k := range keys {
		if len(k) < MinSharedKey {
			return set, fmt.Errorf("a shared key needs at least %d bytes", MinSharedKey)
		}
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: []byte(k)})
	}
	return set, nil
}
