package crm

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1" //nolint:gosec // the format asks for it
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"
)

// Callback is the mode in which the CRM says only which object changed, in the format of its own callbacks (FX-EVT).
const Callback = "callback"

// CallbackSeal is what signs and encrypts callbacks.
type CallbackSeal struct {
	EncodingAESKey    string `json:"encodingAesKey"`
	EnterpriseAccount string `json:"enterpriseAccount"`
}

// callback is the body of a request.
type callback struct {
	Signature         string `json:"signature"`
	Timestamp         int64  `json:"timestamp"`
	Nonce             string `json:"nonce"`
	MessageID         string `json:"messageId"`
	RetryTimes        *int   `json:"retryTimes,omitempty"`
	EnterpriseAccount string `json:"enterpriseAccount"`
	EncryptedContent  string `json:"encryptedContent"`
}

// callbackReply is the body of an answer.
type callbackReply struct {
	Signature       string          `json:"signature"`
	Timestamp       json.RawMessage `json:"timestamp"`
	Nonce           string          `json:"nonce"`
	EncryptedResult string          `json:"encryptedResult"`
}

func (s CallbackSeal) key() ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(s.EncodingAESKey)
	if err != nil || len(key) != 32 {
		return nil, fmt.Errorf("callback.encodingAesKey is not the base64 of 32 bytes")
	}
	return key, nil
}

func (s CallbackSeal) signature(text string) string {
	h := sha1.New() //nolint:gosec // see the import
	_, _ = io.WriteString(h, text+s.EncodingAESKey)
	return fmt.Sprintf("%x", h.Sum(nil))
}

func (s CallbackSeal) encrypt(text []byte) (string, error) {
	key, err := s.key()
	if err != nil {
		return "", err
	}
	c, err := aes.NewCipher(key)
	if err != nil {
		return "", err
	}
	var padded bytes.Buffer
	padded.Write(text)
	for n, missing := 0, 16-len(text)%16; n < missing; n++ {
		padded.WriteByte(byte(missing))
	}
	out := make([]byte, padded.Len())
	cipher.NewCBCEncrypter(c, key[:16]).CryptBlocks(out, padded.Bytes())
	return base64.StdEncoding.EncodeToString(out), nil
}

func (s CallbackSeal) decrypt(text string) (string, error) {
	key, err := s.key()
	if err != nil {
		return "", err
	}
	in, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(in) < 16 || len(in)%16 != 0 {
		return "", fmt.Errorf("not the cipher text of anything")
	}
	c, err := aes.NewCipher(key)
	if err != nil {
		return "", err
	}
	out := make([]byte, len(in))
	cipher.NewCBCDecrypter(c, key[:16]).CryptBlocks(out, in)
	if n := int(out[len(out)-1]); n >= 1 && n <= 16 {
		return string(out[:len(out)-n]), nil
	}
	return "", fmt.Errorf("encrypted with another key")
}

// Seal writes the callback about an event. retry is 0 on the first try.
func (s CallbackSeal) Seal(e Event, retry int, at time.Time) ([]byte, error) {
	content, err := json.Marshal(map[string]any{
		"tenantId": 714439, "eventType": eventType(e), "apiName": ToDoObject, "dataId": e.Data.ID, "timestamp": at.UnixMilli(), "messageId": e.ID,
	})
	if err != nil {
		return nil, err
	}
	c := callback{Timestamp: at.UnixMilli(), Nonce: fmt.Sprint(rand.IntN(100_000)), MessageID: e.ID, EnterpriseAccount: s.EnterpriseAccount}
	if c.EncryptedContent, err = s.encrypt(content); err != nil {
		return nil, err
	}
	text := fmt.Sprint(c.Timestamp) + c.Nonce + c.MessageID
	if retry > 0 {
		c.RetryTimes = &retry
		text += fmt.Sprint(retry)
	}
	c.Signature = s.signature(text + c.EnterpriseAccount + c.EncryptedContent)
	return json.Marshal(c)
}

// Open reads the answer to a callback: the decrypted word, if the signature is right.
func (s CallbackSeal) Open(body []byte) (string, error) {
	var r callbackReply
	if err := json.Unmarshal(body, &r); err != nil {
		return "", fmt.Errorf("the answer is not JSON: %w", err)
	}
	if r.Signature != s.signature(string(bytes.Trim(r.Timestamp, `"`))+r.Nonce+r.EncryptedResult) {
		return "", fmt.Errorf("the answer is not signed with the key")
	}
	return s.decrypt(r.EncryptedResult)
}

// tryCallback sends a callback once. Like an event it counts as accepted only when the answer says so: here that is a
// sealed "success". Everything else but a refusal (HTTP 4xx) is sent again.
func (s *sender) tryCallback(ctx context.Context, e Event, retry int) (status int, after time.Duration, err error) {
	body, err := s.Callback.Seal(e, retry, s.Now())
	if err != nil {
		return 0, 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, bytes.NewReader(body))
	if err != nil {
		return 0, 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.Client.Do(req)
	if err != nil {
		s.complain(err.Error())
		return 0, 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil || resp.StatusCode != http.StatusOK {
		s.complain(fmt.Sprintf("HTTP %d: %.300s", resp.StatusCode, answer))
		return resp.StatusCode, retryAfter(resp.Header.Get("Retry-After"), s.Now()), err
	}
	word, err := s.Callback.Open(answer)
	if err != nil || word != "success" {
		s.complain(fmt.Sprintf("the answer says %q: %v", word, err))
		return http.StatusServiceUnavailable, 0, err
	}
	return http.StatusAccepted, 0, nil
}
