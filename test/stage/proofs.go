package stage

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// proofLife is how long a token of TokenLink lives.
const proofLife = time.Minute

// SignedLink adds to a to-do's link what an OA of one's own adds that shares a secret with the gateway (algorithm HMACSHA256).
func SignedLink(link, login, secret string) (string, error) {
	u, err := url.Parse(link)
	if err != nil {
		return "", err
	}
	stamp, nonce := strconv.FormatInt(time.Now().UnixMilli(), 10), rand.Text()
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(strings.Join([]string{"v1", u.Host, u.Path, login, stamp, nonce}, "\n")))
	return with(u, "loginid", login, "stamp", stamp, "nonce", nonce, "token", hex.EncodeToString(mac.Sum(nil))), nil
}

// TokenLink adds a JWT that is signed with the shared secret (HS256), from the generic OA to the gateway whose link it is.
func TokenLink(link, login, secret string) (string, error) {
	u, err := url.Parse(link)
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: []byte(secret)}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", err
	}
	now := time.Now()
	token, err := jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: At("generic", ""), Audience: jwt.Audience{"https://" + u.Host}, Subject: login, ID: rand.Text(),
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(proofLife)),
	}).Serialize()
	return with(u, "ticket", token), err
}

func with(u *url.URL, pairs ...string) string {
	q := u.Query()
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	u.RawQuery = q.Encode()
	return u.String()
}
