package crm

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// Keys prove that a request comes from the CRM. Each list holds the current value and, while it is being replaced, the
// next one; both are accepted. Empty strings are skipped.
type Keys struct {
	// Signing holds Standard Webhooks secrets ("whsec_" + base64): the Secret keys signing-key and signing-key.next.
	Signing []string
	// Tokens holds bearer tokens: the Secret keys token and token.next.
	Tokens []string
}

const (
	// SignatureTolerance is how far the timestamp of a signature may be off, both ways.
	SignatureTolerance = 5 * time.Minute
	// MinSigningKeyBytes is the least entropy of a signing key (Standard Webhooks: 192 bits).
	MinSigningKeyBytes = 24
	// MinTokenLength is the least length of a bearer token, in characters.
	MinTokenLength = 16

	signingPrefix = "whsec_"
)

// KeyError says which key of a Secret cannot be used. It never holds the value.
type KeyError struct {
	// Key of the Secret, e.g. signing-key.next.
	Key      string
	Cause    string
	NextStep string
}

func (e *KeyError) Error() string {
	return fmt.Sprintf("Secret key %q: %s: %s", e.Key, e.Cause, e.NextStep)
}

// Authenticator checks the proof of origin of requests. It is safe for concurrent use.
type Authenticator struct {
	now     func() time.Time
	signing []*standardwebhooks.Webhook
	tokens  [][sha256.Size]byte
}

// NewAuthenticator returns an Authenticator for the keys, or a *KeyError.
func NewAuthenticator(keys Keys, now func() time.Time) (*Authenticator, error) {
	a := &Authenticator{now: now}
	for i, secret := range keys.Signing {
		if secret = strings.TrimSpace(secret); secret == "" {
			continue
		}
		webhook, err := NewWebhook(secret)
		if err != nil {
			return nil, &KeyError{keyName("signing-key", i), err.Error(),
				fmt.Sprintf("write %s followed by the base64 of at least %d random bytes", signingPrefix, MinSigningKeyBytes)}
		}
		a.signing = append(a.signing, webhook)
	}
	for i, token := range keys.Tokens {
		if token = strings.TrimSpace(token); token == "" {
			continue
		}
		if len(token) < MinTokenLength || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			return nil, &KeyError{keyName("token", i), "too short, or it holds characters that a header cannot carry",
				fmt.Sprintf("write at least %d random characters such as the output of openssl rand -hex 32", MinTokenLength)}
		}
		a.tokens = append(a.tokens, sha256.Sum256([]byte(token)))
	}
	if len(a.signing) == 0 && len(a.tokens) == 0 {
		return nil, &KeyError{"signing-key", "missing, and so is token", "put one of them into the Secret that spec.source refers to"}
	}
	return a, nil
}

// NewWebhook returns what verifies and signs with a Standard Webhooks secret. The error says what is wrong with it, without it.
func NewWebhook(secret string) (*standardwebhooks.Webhook, error) {
	encoded, ok := strings.CutPrefix(secret, signingPrefix)
	if !ok {
		return nil, errors.New("it does not start with " + signingPrefix)
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, errors.New("what follows " + signingPrefix + " is not base64")
	}
	if len(key) < MinSigningKeyBytes {
		return nil, fmt.Errorf("%d bytes are too short", len(key))
	}
	webhook, err := standardwebhooks.NewWebhookRaw(key)
	if err != nil {
		return nil, errors.New("not a Standard Webhooks secret")
	}
	return webhook, nil
}

func keyName(key string, i int) string {
	if i == 0 {
		return key
	}
	return key + ".next"
}

// Accept is the whole way of a request: it checks the proof of origin, parses the events, and checks that a signature
// was made for this very event. Use it rather than Check and Parse.
func (a *Authenticator) Accept(header http.Header, body []byte, limits Limits) ([]Event, *Problem) {
	if problem := a.Check(header, body); problem != nil {
		return nil, problem
	}
	events, problem := Parse(header, body, limits)
	if problem != nil {
		return nil, problem
	}
	if !a.signed(header) {
		return events, nil
	}
	if mode, _ := contentMode(header); mode != typeBatch {
		if events[0].ID != header.Get(standardwebhooks.HeaderWebhookID) {
			// Otherwise one signed body could be replayed under many event ids in binary mode, where the id is a header
			// that the signature does not cover.
			return nil, unauthorized("webhook-id is not the id of the event: sign with the event's id as webhook-id")
		}
		if mode == typeBinary {
			// The source is such a header too, and a repeat is known by source and id: not believing it leaves a replay
			// under another source (or type) a duplicate.
			events[0].Source = ""
		}
	}
	return events, nil
}

// Check verifies the signature or the bearer token of a request; nil means that it comes from the CRM. A signature is
// the stronger proof and the only one judged when it is there and signing keys are configured.
//
// It does not compare webhook-id with the event's id; Accept does.
func (a *Authenticator) Check(header http.Header, body []byte) *Problem {
	switch {
	case a.signed(header):
		return a.checkSignature(header, body)
	case len(a.tokens) > 0 && header.Get("Authorization") != "":
		return a.checkToken(header)
	case len(a.tokens) == 0:
		return unauthorized("not signed: send webhook-id, webhook-timestamp and webhook-signature")
	case len(a.signing) == 0:
		return unauthorized("no token: send the header Authorization: Bearer with the token of this connector")
	}
	return unauthorized("no proof of origin: sign the request (webhook-id, webhook-timestamp, webhook-signature) or send a bearer token")
}

func (a *Authenticator) signed(header http.Header) bool {
	return len(a.signing) > 0 && header.Get(standardwebhooks.HeaderWebhookSignature) != ""
}

// checkSignature uses the library for the signature itself (constant time, several signatures in the header) and an
// own comparison for the time, because the library's clock cannot be set.
func (a *Authenticator) checkSignature(header http.Header, body []byte) *Problem {
	for _, name := range []string{standardwebhooks.HeaderWebhookID, standardwebhooks.HeaderWebhookTimestamp, standardwebhooks.HeaderWebhookSignature} {
		if n := len(header.Values(name)); n != 1 || header.Get(name) == "" {
			return unauthorized("the header %s must be there exactly once", name)
		}
	}
	seconds, err := strconv.ParseInt(header.Get(standardwebhooks.HeaderWebhookTimestamp), 10, 64)
	if err != nil {
		return unauthorized("webhook-timestamp is not a whole number of seconds since 1970")
	}
	// Whole seconds, because a time.Time made of an absurd number of them overflows.
	now := a.now()
	if seconds < now.Add(-SignatureTolerance).Unix() {
		return unauthorized("webhook-timestamp is more than %s in the past: sign each sending anew, and check the clocks", SignatureTolerance)
	}
	if seconds > now.Add(SignatureTolerance).Unix() {
		return unauthorized("webhook-timestamp is more than %s in the future: check the clocks", SignatureTolerance)
	}
	for _, webhook := range a.signing {
		if webhook.VerifyIgnoringTimestamp(body, header) == nil {
			return nil
		}
	}
	return unauthorized("no signature in webhook-signature is right: sign id.timestamp.body, byte for byte, with the key of this connector")
}

func (a *Authenticator) checkToken(header http.Header) *Problem {
	scheme, token, _ := strings.Cut(header.Get("Authorization"), " ")
	// Hashes have one length, so the comparison tells nothing about the length of the token either.
	sum := sha256.Sum256([]byte(strings.TrimSpace(token)))
	right := 0
	for i := range a.tokens {
		right |= subtle.ConstantTimeCompare(sum[:], a.tokens[i][:])
	}
	if !strings.EqualFold(scheme, "Bearer") || right != 1 {
		return unauthorized("the bearer token is not that of this connector")
	}
	return nil
}

func unauthorized(format string, args ...any) *Problem {
	return NewProblem(http.StatusUnauthorized, format, args...)
}
