// Package link verifies links that the OA signs with a shared secret.
package link

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the seed's own algorithm; HMAC-SHA-256 is offered beside it
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/signin"
)

// Algorithms.
const (
	// SHA1 is Weaver's: token = hex SHA-1 of secret+loginid+stamp (F47). It has no separators and signs neither the record nor
	// the enterprise, so the stamp has exactly 13 digits here, which leaves one way to split, and is good once.
	SHA1 = "SHA1"
	// HMACSHA256 signs everything that matters: token = hex HMAC-SHA-256 over the lines v1, host, path, loginid, stamp, nonce.
	HMACSHA256 = "HMACSHA256"
)

// MinSecret bounds a secret from below, in bytes: that of the seed has 32 characters.
const MinSecret = 16

// Config of a Verifier.
type Config struct {
	Algorithm string
	// Secrets returns the secrets that are good now: the current one, and the next while it is being replaced.
	Secrets func() ([]string, error)
	// MaxSkew bounds how far a stamp may be from now, both ways.
	MaxSkew time.Duration
	Now     func() time.Time
}

// Verifier implements oa.LinkVerifier. It asks nobody.
type Verifier struct{ c Config }

// New returns a Verifier.
func New(c Config) *Verifier { return &Verifier{c} }

// The parameters [SEED0].
const (
	paramAccount = "loginid"
	paramStamp   = "stamp"
	paramToken   = "token"
	paramNonce   = "nonce"
)

var (
	stampForm = regexp.MustCompile(`^[1-9][0-9]{12}$`) // milliseconds of the years 2001 to 2286
	nonceForm = regexp.MustCompile(`^[A-Za-z0-9_-]{16,64}$`)
	tokenForm = map[string]*regexp.Regexp{
		SHA1:       regexp.MustCompile(`^[0-9a-f]{40}$`),
		HMACSHA256: regexp.MustCompile(`^[0-9a-f]{64}$`),
	}
)

// valueAccount is where a Proof keeps the account.
const valueAccount = "account"

// Read implements oa.LinkVerifier: it checks form, signature and time, in this order.
func (v *Verifier) Read(l oa.Link) (oa.Proof, error) {
	names := []string{paramAccount, paramStamp, paramToken}
	if v.c.Algorithm == HMACSHA256 {
		names = append(names, paramNonce)
	}
	values := map[string]string{}
	for _, name := range names {
		value, err := oa.One(l.Query, name)
		if err != nil {
			return oa.Proof{}, err
		}
		values[name] = value
	}
	account, stamp, token, nonce := values[paramAccount], values[paramStamp], values[paramToken], values[paramNonce]
	id, good := signin.Account(account)
	if !good || !stampForm.MatchString(stamp) || !tokenForm[v.c.Algorithm].MatchString(token) ||
		v.c.Algorithm == HMACSHA256 && !nonceForm.MatchString(nonce) {
		return oa.Proof{}, signin.Rejected("Malformed", "a parameter does not have the form that a signed link has")
	}
	// The key is the signature: whatever else is re-split or re-ordered, one signature is good once.
	p := oa.Proof{Key: token, Claimed: id.Account, Life: 2*v.c.MaxSkew + time.Minute, Values: map[string]string{valueAccount: id.Account}}
	secrets, err := v.c.Secrets()
	if err != nil {
		return p, signin.Unasked(v1alpha1.ReasonKeyMissing, "%v", err)
	}
	signed := false
	for _, secret := range secrets {
		var want string
		if v.c.Algorithm == HMACSHA256 {
			want = signHMAC(secret, l.Host, l.Path, account, stamp, nonce)
		} else {
			want = signSHA1(secret, account, stamp)
		}
		signed = subtle.ConstantTimeCompare([]byte(want), []byte(token)) == 1 || signed
	}
	if !signed {
		return p, signin.Rejected("BadSignature", "the signature of the link is not that of the shared secret")
	}
	milliseconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return p, signin.Rejected("Malformed", "the stamp is not a number")
	}
	p.Skew = time.UnixMilli(milliseconds).Sub(v.c.Now())
	if p.Skew.Abs() > v.c.MaxSkew {
		return p, &oa.VerifyError{Verdict: oa.Skewed, Reason: "ClockSkew", Skew: p.Skew, Message: fmt.Sprintf(
			"the stamp is %s from now, at most %s are allowed; compare the clocks, or raise spec.sso.maxSkew", p.Skew.Round(time.Second), v.c.MaxSkew)}
	}
	return p, nil
}

// Verify implements oa.LinkVerifier. The signature was checked when the link was read.
func (v *Verifier) Verify(_ context.Context, p oa.Proof) (oa.Identity, error) {
	return oa.Identity{Account: p.Values[valueAccount]}, nil
}

func signSHA1(secret, account, stamp string) string {
	sum := sha1.Sum([]byte(secret + account + stamp)) //nolint:gosec // see SHA1
	return hex.EncodeToString(sum[:])
}

// signHMAC signs lines: no part can hold a line break, so no part can be moved into another.
func signHMAC(secret, host, path, account, stamp, nonce string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(strings.Join([]string{"v1", host, path, account, stamp, nonce}, "\n")))
	return hex.EncodeToString(mac.Sum(nil))
}
