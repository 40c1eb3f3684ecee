package controllers

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nkeys"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/crm/login"
	"github.com/oabridge/oabridge/internal/signin/jwt"
	"github.com/oabridge/oabridge/internal/signin/link"
	"github.com/oabridge/oabridge/internal/tracing"
)

// The checks say what is wrong in words that follow "key x of secret y …", and never show the value.

func checkCertificates(_ string, value []byte) error {
	if !x509.NewCertPool().AppendCertsFromPEM(value) {
		return errors.New("holds no PEM certificate; put the certificates of the signing authority there")
	}
	return nil
}

func checkHeaderValue(_ string, value []byte) error {
	if bytes.ContainsAny(bytes.TrimSpace(value), "\r\n\x00") {
		return errors.New("holds line breaks, which a header value must not")
	}
	return nil
}

// The workloads' own parsers judge the keys, so that the operator never accepts what they refuse.

func checkCollectorHeaders(_ string, value []byte) error {
	if _, err := tracing.ParseHeaders(string(value)); err != nil {
		return errors.New("cannot be used: " + err.Error())
	}
	return nil
}

func checkSigningKey(_ string, value []byte) error {
	return sourceKey(crm.Keys{Signing: []string{string(value)}})
}

func checkToken(_ string, value []byte) error {
	return sourceKey(crm.Keys{Tokens: []string{string(value)}})
}

func sourceKey(keys crm.Keys) error {
	_, err := crm.NewAuthenticator(keys, time.Now)
	if bad, ok := errors.AsType[*crm.KeyError](err); ok {
		return errors.New("cannot be used: " + bad.Cause + "; " + bad.NextStep)
	}
	return err
}

// checkLoginKey looks at what the login issuer uses.
func checkLoginKey(key string, value []byte) error {
	switch strings.TrimSuffix(key, v1alpha1.SuffixNext) {
	case v1alpha1.KeyPrivate:
		if _, err := login.ParseKey(value); err != nil {
			return errors.New("cannot be used: " + err.Error())
		}
	case v1alpha1.KeyShared, v1alpha1.KeyClientSecret:
		return checkLength(value, login.MinSharedKey)
	}
	return nil
}

// checkSSOKey looks at what the gateway shares with the OA. A client's secret is the provider's choice.
func checkSSOKey(key string, value []byte) error {
	switch strings.TrimSuffix(key, v1alpha1.SuffixNext) {
	case v1alpha1.KeyLink:
		return checkLength(value, link.MinSecret)
	case v1alpha1.KeyShared:
		return checkLength(value, login.MinSharedKey)
	case v1alpha1.KeyJWKS:
		if _, err := jwt.ParseKeys(value); err != nil {
			return errors.New("cannot be used: " + err.Error())
		}
	}
	return nil
}

func checkLength(value []byte, least int) error {
	if n := len(bytes.TrimSpace(value)); n < least {
		return fmt.Errorf("has %d bytes; a secret that cannot be guessed has at least %d", n, least)
	}
	return nil
}

// checkEncodingKey: the key is the base64 of 32 bytes (vendor facts 9.8, CRM object event).
func checkEncodingKey(_ string, value []byte) error {
	text := strings.TrimRight(strings.TrimSpace(string(value)), "=")
	if key, err := base64.RawStdEncoding.DecodeString(text); err != nil || len(key) != aesKeyBytes {
		return errors.New("is not the base64 of 32 bytes; copy the encodingAESKey from the CRM's console as it is")
	}
	return nil
}

// aesKeyBytes is the length of a callback's key.
const aesKeyBytes = 32

// checkNATSCredentials looks into a credentials file; tokens and passwords may be anything.
func checkNATSCredentials(key string, value []byte) error {
	if key != v1alpha1.KeyCreds {
		return nil
	}
	pair, err := nkeys.ParseDecoratedNKey(value)
	if err == nil {
		pair.Wipe()
		_, err = nkeys.ParseDecoratedJWT(value)
	}
	if err != nil {
		return errors.New("is no NATS credentials file; it holds a user JWT and its seed, as nsc generate creds writes them")
	}
	return nil
}

func checkDatabase(_ string, value []byte) error {
	if !absolute(value, "postgres", "postgresql") {
		return errors.New("is no connection URL; write postgres://USER:PASSWORD@HOST:5432/DATABASE")
	}
	return nil
}

func checkWebhook(key string, value []byte) error {
	if key != v1alpha1.KeyURL {
		return checkSigningKey(key, value)
	}
	if !absolute(value, "http", "https") {
		return errors.New("is no absolute http or https URL; write the address to which messages are posted")
	}
	return nil
}

// absolute says whether a value is a URL with a host and one of the schemes. Its error would repeat the value, so there is
// none.
func absolute(value []byte, schemes ...string) bool {
	u, err := url.Parse(strings.TrimSpace(string(value)))
	return err == nil && u.Host != "" && slices.Contains(schemes, u.Scheme)
}
