package fxiaoke

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1" //nolint:gosec // the CRM's format asks for it
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
)

// aesKeyBytes is the length of a key: AES-256 [FX-EVT §9.8].
const aesKeyBytes = 32

var (
	errKey        = errors.New("it is not the base64 of 32 bytes")
	errCiphertext = errors.New("it was not encrypted with the key of this connector")
)

// sealer signs and encrypts as the CRM's callbacks do [FX-EVT §9.8]: AES-256-CBC with PKCS #7 padding, the IV is the first
// block of the key; the signature is a hex SHA-1 that ends with the key's own base64 text.
type sealer struct {
	text  string
	block cipher.Block
	iv    []byte
}

func newSealer(text string) (*sealer, error) {
	key, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil || len(key) != aesKeyBytes {
		return nil, errKey
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, errKey
	}
	return &sealer{text: text, block: block, iv: key[:aes.BlockSize]}, nil
}

// sign returns the signature of the parts in their order.
func (s *sealer) sign(parts ...string) string {
	sum := sha1.Sum([]byte(strings.Join(parts, "") + s.text)) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:])
}

// seal encrypts a text.
func (s *sealer) seal(plain string) string {
	pad := aes.BlockSize - len(plain)%aes.BlockSize
	data := append([]byte(plain), bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(s.block, s.iv).CryptBlocks(data, data)
	return base64.StdEncoding.EncodeToString(data)
}

// open decrypts a text. Call it only for what a signature proves: errors about the padding would help a forger.
func (s *sealer) open(encoded string) ([]byte, error) {
	data, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(data) == 0 || len(data)%aes.BlockSize != 0 {
		return nil, errCiphertext
	}
	cipher.NewCBCDecrypter(s.block, s.iv).CryptBlocks(data, data)
	pad := int(data[len(data)-1])
	if pad == 0 || pad > aes.BlockSize || !bytes.Equal(data[len(data)-pad:], bytes.Repeat([]byte{byte(pad)}, pad)) {
		return nil, errCiphertext
	}
	return data[:len(data)-pad], nil
}
