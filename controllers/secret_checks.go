package controllers

import (
	"bytes"
	"crypto/x509"
	"errors"
	"time"

	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/crm/login"
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

// The workloads' own parsers judge the keys, so that the operator never accepts what they refuse.

func checkSigningKey(value []byte) error {
	return sourceKey(crm.Keys{Signing: []string{string(value)}})
}

func checkToken(value []byte) error { return sourceKey(crm.Keys{Tokens: []string{string(value)}}) }

func sourceKey(keys crm.Keys) error {
	_, err := crm.NewAuthenticator(keys, time.Now)
	if bad, ok := errors.AsType[*crm.KeyError](err); ok {
		return errors.New("cannot be used: " + bad.Cause + "; " + bad.NextStep)
	}
	return err
}

func checkPrivateKey(value []byte) error {
	if _, err := login.ParseKey(value); err != nil {
		return errors.New("cannot be used: " + err.Error())
	}
	return nil
}
