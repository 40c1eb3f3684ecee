package login

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

const (
	// MinRSABits is the smallest RSA key that may sign.
	MinRSABits = 2048
	// MaxRSABits is the largest: beyond it a signature costs too much.
	MaxRSABits = 8192
)

// Key is a private key that signs login tokens.
type Key struct {
	id      string
	private crypto.Signer
	alg     jose.SignatureAlgorithm
}

// ParseKey reads one PEM private key (PKCS#8, SEC 1 or PKCS#1): ECDSA P-256, which signs ES256, or RSA of 2048 to 8192
// bits, which signs RS256. The algorithm follows from the key alone. Errors never quote the input.
func ParseKey(data []byte) (*Key, error) {
	block, rest := pem.Decode(data)
	// openssl ecparam writes the curve before the key.
	if block != nil && block.Type == "EC PARAMETERS" {
		block, rest = pem.Decode(rest)
	}
	if block == nil {
		return nil, errors.New("no PEM block; write a private key with: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256")
	}
	if extra, _ := pem.Decode(rest); extra != nil {
		return nil, errors.New("more than one PEM block; put one private key into each key of the Secret")
	}
	private, err := parsePrivate(block)
	if err != nil {
		return nil, err
	}
	k := &Key{private: private}
	switch p := private.(type) {
	case *ecdsa.PrivateKey:
		if p.Curve != elliptic.P256() {
			return nil, fmt.Errorf("ECDSA curve %s; use P-256", p.Curve.Params().Name)
		}
		k.alg = jose.ES256
	case *rsa.PrivateKey:
		if bits := p.N.BitLen(); bits < MinRSABits || bits > MaxRSABits {
			return nil, fmt.Errorf("RSA key of %d bits; use %d to %d", bits, MinRSABits, MaxRSABits)
		}
		k.alg = jose.RS256
	default:
		return nil, fmt.Errorf("key type %T; use ECDSA P-256 or RSA", private)
	}
	thumbprint, err := (&jose.JSONWebKey{Key: private.Public()}).Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("thumbprint: %w", err)
	}
	k.id = base64.RawURLEncoding.EncodeToString(thumbprint)
	return k, nil
}

func parsePrivate(block *pem.Block) (crypto.Signer, error) {
	var parsed any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		parsed, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		parsed, err = x509.ParseECPrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		parsed, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "ENCRYPTED PRIVATE KEY":
		return nil, errors.New("the private key is encrypted; store it without a passphrase, the Secret protects it")
	default:
		return nil, errors.New("the PEM block is not a private key (PRIVATE KEY, EC PRIVATE KEY or RSA PRIVATE KEY)")
	}
	if err != nil {
		return nil, errors.New("the private key cannot be read; it is damaged or of another format than its PEM header says")
	}
	signer, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("key type %T cannot sign; use ECDSA P-256 or RSA", parsed)
	}
	return signer, nil
}

// ID is the RFC 7638 thumbprint of the public key: the "kid" of every token that the key signed.
func (k *Key) ID() string { return k.id }

// public is the key as it is published. It holds the public half only.
func (k *Key) public() jose.JSONWebKey {
	return jose.JSONWebKey{Key: k.private.Public(), KeyID: k.id, Algorithm: string(k.alg), Use: "sig"}
}
