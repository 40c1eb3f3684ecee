package login

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strconv"
)

// MinSharedKey bounds a key that the gateway and the CRM share, in bytes.
const MinSharedKey = 32

// ErrShortKey is returned for a shared key that could be guessed.
var ErrShortKey = fmt.Errorf("a shared key needs at least %d bytes", MinSharedKey)

// signatureParameter is the last parameter of a signed URL; it signs everything before it.
const signatureParameter = "&sig="

// nonceBytes is the length of a URL's nonce: 128 random bits.
const nonceBytes = 16

// SignedURL is an Issuer that writes who the person is into the address and signs it with a shared key:
// LoginURL?account=…&…&exp=…&nonce=…&sig=HEX, where sig is the HMAC-SHA-256 of the address up to "&sig=".
type SignedURL struct {
	config   Config
	loginURL url.URL
	key      func() (string, error)
}

// NewSignedURL checks the addresses. key returns the shared key as it is now.
func NewSignedURL(c Config, key func() (string, error)) (*SignedURL, error) {
	u, err := c.check()
	if err != nil {
		return nil, err
	}
	return &SignedURL{config: c, loginURL: u, key: key}, nil
}

// HandOff implements Issuer.
func (i *SignedURL) HandOff(_ context.Context, p Person, _ string) (HandOff, error) {
	key, err := i.key()
	if err != nil {
		return HandOff{}, err
	}
	if len(key) < MinSharedKey {
		return HandOff{}, ErrShortKey
	}
	nonce := make([]byte, nonceBytes)
	_, _ = rand.Read(nonce) // never fails
	query := url.Values{
		"account": {p.CRMAccount}, "ei": {p.EnterpriseID}, "page": {p.Target.Page}, "client": {p.Target.Client},
		"oaType": {p.OA.Type}, "oaAccount": {p.OA.Account}, "tid": {p.TraceID}, "nonce": {hex.EncodeToString(nonce)},
		"exp": {strconv.FormatInt(i.config.Now().Add(i.config.Lifetime).Unix(), 10)},
	}
	if p.Target.Page == PageRecord {
		query.Set("apiName", p.Target.APIName)
		query.Set("dataId", p.Target.DataID)
	}
	if p.Target.Path != "" {
		query.Set("path", p.Target.Path)
	}
	u := i.loginURL
	u.RawQuery = query.Encode()
	address := u.String()
	return HandOff{URL: address + signatureParameter + sign(key, address)}, nil
}

func sign(key, text string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

// ErrNoSharedKey is returned when the Secret has no shared key.
var ErrNoSharedKey = errors.New("shared-key is missing: put it into the Secret of spec.sso.crmLogin.keySecretRef")
