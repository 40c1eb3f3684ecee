package tokens

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"time"

	"github.com/oabridge/oabridge/internal/rotation"
)

// Account is the OA account that a token belongs to.
type Account struct{ Name, Secret string }

// Source returns an account as it stands in its Secret now. Its error is shown to people: it names the missing key and holds
// no value.
type Source func(rotation.Version) (Account, error)

// Digest tells accounts apart without keeping a password.
func (a Account) Digest() [sha256.Size]byte {
	name := sha256.Sum256([]byte(a.Name))
	return sha256.Sum256(append(name[:], a.Secret...))
}

// entry is what a Store holds, before sealing.
type entry struct {
	// Account is the digest of the account.
	Account [sha256.Size]byte `json:"account"`
	Token   held              `json:"token,omitzero"`
	// Owner is the process that is fetching a token, until Until.
	Owner string    `json:"owner,omitempty"`
	Until time.Time `json:"until,omitzero"`
}

// sealer encrypts entries with AES-256-GCM. Its key is derived (HKDF-SHA256) from the OA account itself and the scope: who
// has the account could fetch a token anyway, a changed password makes the stored token unreadable, and there is no
// further key to manage. The scope keeps a token from being used for another OA.
type sealer struct {
	aead    cipher.AEAD
	account [sha256.Size]byte
}

// sealed is the first byte of a sealed entry, the version of the format.
const sealedVersion = 1

var errSealed = errors.New("not a token that was sealed for this account")

func newSealer(a Account, scope string) (*sealer, error) {
	name := sha256.Sum256([]byte(a.Name)) // of fixed length, so that name and secret cannot be shifted
	key, err := hkdf.Key(sha256.New, append(name[:], a.Secret...), nil, "oabridge token v1\x00"+scope, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &sealer{aead, a.Digest()}, nil
}

func (s *sealer) seal(e entry) []byte {
	e.Account = s.account
	plain, err := json.Marshal(e)
	if err != nil {
		panic("tokens: an entry is always JSON: " + err.Error())
	}
	return s.aead.Seal([]byte{sealedVersion}, nil, plain, []byte{sealedVersion})
}

func (s *sealer) open(sealed []byte) (entry, error) {
	if len(sealed) == 0 || sealed[0] != sealedVersion {
		return entry{}, errSealed
	}
	plain, err := s.aead.Open(nil, nil, sealed[1:], sealed[:1])
	if err != nil {
		return entry{}, errSealed
	}
	var e entry
	if err := json.Unmarshal(plain, &e); err != nil || e.Account != s.account {
		return entry{}, errSealed
	}
	return e, nil
}
