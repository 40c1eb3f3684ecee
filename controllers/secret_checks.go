package controllers

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
)

const (
	// minToken is the least length of a bearer token, in bytes.
	minToken = 16
	// minSigningKey is the least length of a decoded signing key, in bytes.
	minSigningKey = 16
	// minRSA is the least size of an RSA key, in bits.
	minRSA = 2048
)

// The checks say what is wrong in words that follow "key x of secret y …", and never show the value.

func checkCertificates(value []byte) error {
	if !x509.NewCertPool().AppendCertsFromPEM(value) {
		return errors.New("holds no PEM certificate; put the certificates of the signing authority there")
	}
	return nil
}

func checkHeaderValue(value []byte) error {
	if bytes.ContainsAny(bytes.TrimSpace(value), "\r\n\x00") {
		return errors.New("holds line breaks, which a header value must not")
	}
	return nil
}

func checkSigningKey(value []byte) error {
	encoded, ok := bytes.CutPrefix(bytes.TrimSpace(value), []byte("whsec_"))
	if !ok {
		return errors.New("does not start with whsec_; a Standard Webhooks secret is whsec_ followed by base64")
	}
	decoded, err := base64.StdEncoding.DecodeString(string(encoded))
	if err != nil {
		return errors.New("is not base64 after whsec_; a Standard Webhooks secret is whsec_ followed by base64")
	}
	if len(decoded) < minSigningKey {
		return errors.New("is too short; use at least 24 random bytes")
	}
	return nil
}

func checkToken(value []byte) error {
	if len(bytes.TrimSpace(value)) < minToken {
		return errors.New("is shorter than 16 characters; use a longer random token")
	}
	return nil
}

func checkPrivateKey(value []byte) error {
	block, _ := pem.Decode(value)
	if block == nil {
		return errors.New("is not PEM; put a private key there (ECDSA P-256, or RSA of 2048 bits and more)")
	}
	key, err := parsePrivateKey(block.Bytes)
	if err != nil {
		return errors.New("is PEM but no private key in PKCS #8, SEC 1 or PKCS #1 form")
	}
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		if k.Curve != elliptic.P256() {
			return errors.New("is an ECDSA key on another curve than P-256")
		}
	case *rsa.PrivateKey:
		if k.N.BitLen() < minRSA {
			return errors.New("is an RSA key of less than 2048 bits")
		}
	default:
		return errors.New("is neither an ECDSA P-256 nor an RSA key")
	}
	return nil
}

func parsePrivateKey(der []byte) (any, error) {
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	return x509.ParsePKCS1PrivateKey(der)
}
