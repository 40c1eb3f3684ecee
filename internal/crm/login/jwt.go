package login

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// TokenParameter is the query parameter in which the CRM's login address takes the token.
const TokenParameter = "token"

// jtiBytes is the length of a token's id: 128 random bits.
const jtiBytes = 16

// claims is the payload of a token.
type claims struct {
	jwt.Claims
	// Audience is always a list on the wire.
	Audience []string `json:"aud"`

	EI     string     `json:"ei"`
	Target Target     `json:"target"`
	OA     OAIdentity `json:"oa"`
	Trace  string     `json:"tid"`
}

// SignedJWT is an Issuer whose token is a JWT: LoginURL?token=<JWT>.
type SignedJWT struct {
	config   Config
	keys     *KeyRing
	loginURL url.URL
}

// ErrNoKey is returned before the key ring got its first key.
var ErrNoKey = errors.New("no signing key")

// NewSignedJWT checks the addresses.
func NewSignedJWT(c Config, keys *KeyRing) (*SignedJWT, error) {
	u, err := c.check()
	if err != nil {
		return nil, err
	}
	return &SignedJWT{config: c, keys: keys, loginURL: u}, nil
}

// HandOff implements Issuer.
func (i *SignedJWT) HandOff(_ context.Context, p Person, _ string) (HandOff, error) {
	token, err := i.sign(p)
	if err != nil {
		return HandOff{}, err
	}
	u := i.loginURL
	u.RawQuery = url.Values{TokenParameter: {token}}.Encode()
	return HandOff{URL: u.String()}, nil
}

func (i *SignedJWT) sign(p Person) (string, error) {
	key := i.keys.signing()
	if key == nil {
		return "", ErrNoKey
	}
	options := (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", key.id)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: key.alg, Key: key.private}, options)
	if err != nil {
		return "", fmt.Errorf("signer of key %s: %w", key.id, err)
	}
	id := make([]byte, jtiBytes)
	_, _ = rand.Read(id) // never fails
	now := i.config.Now()
	registered := jwt.Claims{
		Issuer:    i.config.GatewayURL,
		Subject:   p.CRMAccount,
		ID:        base64.RawURLEncoding.EncodeToString(id),
		IssuedAt:  jwt.NewNumericDate(now),
		NotBefore: jwt.NewNumericDate(now),
		Expiry:    jwt.NewNumericDate(now.Add(i.config.Lifetime)),
	}
	payload := claims{
		Claims: registered, Audience: []string{i.config.LoginURL},
		EI: p.EnterpriseID, Target: p.Target, OA: p.OA, Trace: p.TraceID,
	}
	token, err := jwt.Signed(signer).Claims(payload).Serialize()
	if err != nil {
		return "", fmt.Errorf("sign with key %s: %w", key.id, err)
	}
	return token, nil
}
