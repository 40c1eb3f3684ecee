package fxiaoke

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/mounted"
)

// CallbackTolerance is how far the timestamp of a callback may be off, both ways [FX-DEMO §9.8].
const CallbackTolerance = 500 * time.Second

// keyAES is the key of the Secret in the slot callback that signs and encrypts; with v1alpha1.SuffixNext the one that
// takes its place.
const keyAES = "encoding-aes-key"

// sealers returns the keys in use, read as they are mounted now: during a rotation there are two.
func sealers(dir string) ([]*sealer, *crm.Problem) {
	var found []*sealer
	var bad error
	for _, key := range []string{keyAES, keyAES + v1alpha1.SuffixNext} {
		text, err := mounted.Read(dir, bundle.SlotCallback, key)
		if text = strings.TrimSpace(text); errors.Is(err, mounted.ErrMissing) || err == nil && text == "" {
			continue
		}
		s, sealErr := newSealer(text)
		if err = errors.Join(err, sealErr); err != nil {
			bad = fmt.Errorf("the key %s of the callback's Secret cannot be used: %w: copy it from the CRM's callback settings", key, err)
			continue
		}
		found = append(found, s)
	}
	switch {
	case len(found) > 0:
		return found, nil // a mistake in the key that comes must not lock out the one that is there
	case bad != nil:
		return nil, crm.NewProblem(http.StatusServiceUnavailable, "%v", bad)
	}
	return nil, crm.NewProblem(http.StatusServiceUnavailable, "the key %s of the callback's Secret is missing: copy it from the CRM's callback settings", keyAES)
}

// notice is what a callback says: which object changed, and how.
type notice struct {
	messageID string
	eventType string
	apiName   string
	dataID    string
	at        time.Time
	// key is the one that proved the callback; the reply is made with it.
	key *sealer
}

// openEnvelope checks signature, time and enterprise of a callback and decrypts it [FX-EVT §9.8].
func openEnvelope(body []byte, keys []*sealer, enterpriseAccount string, now time.Time) (notice, *crm.Problem) {
	if !gjson.ValidBytes(body) || !gjson.ParseBytes(body).IsObject() {
		return notice{}, crm.NewProblem(http.StatusBadRequest, "the body is not a JSON object: send the CRM's callback as it is")
	}
	get := func(name string) string { return plain(gjson.GetBytes(body, name)) }
	stamp, messageID, sealed, account := get("timestamp"), get("messageId"), get("encryptedContent"), get("enterpriseAccount")
	// retryTimes is absent on the first try, and then has no place in the signature.
	signed := []string{stamp, get("nonce"), messageID, get("retryTimes"), account, sealed}
	key := verify(keys, strings.ToLower(get("signature")), signed)
	if key == nil {
		return notice{}, crm.NewProblem(http.StatusUnauthorized, "the signature is not right: enter the same encodingAesKey in the CRM and in the Secret of this connector")
	}
	n := notice{messageID: messageID, key: key}
	millis, err := strconv.ParseInt(stamp, 10, 64)
	switch {
	case err != nil:
		return n, crm.NewProblem(http.StatusBadRequest, "timestamp is not a number of milliseconds since 1970")
	case millis < now.Add(-CallbackTolerance).UnixMilli() || millis > now.Add(CallbackTolerance).UnixMilli():
		return n, crm.NewProblem(http.StatusUnauthorized, "timestamp is more than %s off: send each callback anew, and check the clocks", CallbackTolerance)
	case account != enterpriseAccount:
		return n, crm.NewProblem(http.StatusForbidden, "enterpriseAccount is not that of this connector: check spec.source.callback.enterpriseAccount")
	}
	content, err := key.open(sealed)
	if err != nil || !gjson.ValidBytes(content) {
		return n, crm.NewProblem(http.StatusBadRequest, "encryptedContent cannot be read: it is not JSON that was encrypted with the key that signed it")
	}
	// The signature runs nonce and messageId together, so where one ends is not signed; the content's own id is.
	if inner := plain(gjson.GetBytes(content, "messageId")); inner != "" && inner != messageID {
		return n, crm.NewProblem(http.StatusUnauthorized, "messageId is not the one of the content: send the CRM's callback as it is")
	}
	n.eventType, n.apiName, n.dataID = plain(gjson.GetBytes(content, "eventType")), plain(gjson.GetBytes(content, "apiName")), plain(gjson.GetBytes(content, "dataId"))
	n.at = time.UnixMilli(millis)
	if inner := gjson.GetBytes(content, "timestamp").Int(); inner > 0 {
		n.at = time.UnixMilli(inner)
	}
	return n, nil
}

// verify returns the key with which the parts were signed; every key is tried, in constant time.
func verify(keys []*sealer, signature string, parts []string) (right *sealer) {
	for _, key := range keys {
		if subtle.ConstantTimeCompare([]byte(key.sign(parts...)), []byte(signature)) == 1 {
			right = key
		}
	}
	return right
}

// plain is the text of a JSON string or number as it was written; empty for everything else.
func plain(r gjson.Result) string {
	switch r.Type {
	case gjson.String:
		return r.Str
	case gjson.Number:
		return r.Raw
	}
	return ""
}

// The words of a reply. The CRM knows "success"; after anything else it sends the callback again [FX-EVT §9.8].
const (
	wordSuccess = "success"
	wordFailure = "failure"
)

// reply makes the body of an answer: encrypted and signed like the callback itself [FX-EVT §9.8].
func (n notice) reply(ok bool, now time.Time) []byte {
	word := wordFailure
	if ok {
		word = wordSuccess
	}
	sealed, stamp, nonce := n.key.seal(word), now.UnixMilli(), strconv.Itoa(rand.IntN(1_000_000)) //nolint:gosec // the format asks for any number
	body, _ := json.Marshal(struct {
		Signature       string `json:"signature"`
		Timestamp       int64  `json:"timestamp"`
		Nonce           string `json:"nonce"`
		EncryptedResult string `json:"encryptedResult"`
	}{n.key.sign(strconv.FormatInt(stamp, 10), nonce, sealed), stamp, nonce, sealed})
	return body
}
