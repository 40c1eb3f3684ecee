package gateway

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"

	"github.com/oabridge/oabridge/internal/rotation"
)

// sealer encrypts what the gateway hands out and takes back: all replicas of a connector's gateway have the same key, and
// nobody else has it.
type sealer struct {
	aead  cipher.AEAD
	scope string
	token string
	// before opens, until then, what was sealed before the token was replaced: people are on their way.
	before *sealer
	until  time.Time
}

// Purposes of a sealed value; one that was sealed for another purpose cannot be opened.
const (
	purposeFlow    = "flow"
	purposeQR      = "qr"
	purposeScan    = "scan"
	purposeConfirm = "confirm"
	purposeVault   = "vault"
	purposeIssuer  = "issuer"
	purposeProbe   = "probe"
)

const sealKeyBytes = 32

var errSeal = errors.New("not sealed by this gateway")

// newSealer derives the key from the peer token, which only this connector's gateway and dispatcher have.
func newSealer(peerToken, connector string) (*sealer, error) {
	key, err := hkdf.Key(sha256.New, []byte(peerToken), nil, "oabridge gateway seal v1", sealKeyBytes)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &sealer{aead: aead, scope: connector, token: peerToken}, nil
}

// follow returns a sealer with the token of now, which opens what another one sealed for rotation.Grace.
func (s *sealer) follow(peerToken, connector string, now time.Time) (*sealer, error) {
	if s != nil && s.token == peerToken && s.scope == connector {
		return s, nil
	}
	next, err := newSealer(peerToken, connector)
	if err == nil && s != nil {
		next.before, next.until = &sealer{aead: s.aead, scope: s.scope}, now.Add(rotation.Grace)
	}
	return next, err
}

func (s *sealer) context(purpose string) []byte { return []byte(purpose + "|" + s.scope) }

// seal returns v as text that only open can read.
func (s *sealer) seal(purpose string, v any) (string, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, s.aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nonce, nonce, plain, s.context(purpose))), nil
}

// open reads what seal wrote for the same purpose.
func (s *sealer) open(purpose, text string, v any) error {
	data, err := base64.RawURLEncoding.Strict().DecodeString(text) // one text for one value, to the last bit
	if err != nil || len(data) < s.aead.NonceSize() {
		return errSeal
	}
	size := s.aead.NonceSize()
	plain, err := s.aead.Open(nil, data[:size], data[size:], s.context(purpose))
	if err != nil && s.before != nil && time.Now().Before(s.until) {
		return s.before.open(purpose, text, v)
	}
	if err != nil || json.Unmarshal(plain, v) != nil {
		return errSeal
	}
	return nil
}

// randomBytes is the length of a random value: 256 bits.
const randomBytes = 32

// random returns text that nobody can guess.
func random() string {
	b := make([]byte, randomBytes)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}
