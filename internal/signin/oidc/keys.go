package oidc

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/outbound"
	"github.com/oabridge/oabridge/internal/signin"
)

// maxKeys bounds a provider's key set, in bytes.
const maxKeys = 256 << 10

// keySet is for one token. It tells keys that could not be read from a signature that is not good: the library's verifier drops the
// cause, and whoever looks for it would blame the person or the token.
type keySet struct {
	oidc.KeySet
	// unread is why the keys could not be read, nil when they were.
	unread error
}

// VerifySignature implements oidc.KeySet.
func (k *keySet) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	payload, err := k.KeySet.VerifySignature(ctx, token)
	if unasked, ok := errors.AsType[*oa.VerifyError](err); ok {
		k.unread = unasked
	} else if _, ok := errors.AsType[*url.Error](err); ok || errors.Is(err, context.DeadlineExceeded) {
		k.unread = signin.Unasked("UnexpectedAnswer", "the provider's keys cannot be read: check jwks_uri in the document of %s, and that the gateway reaches it", fieldURL)
	}
	return payload, err
}

// keysOnly returns a client to which anything but a key set is an error: the library keeps the cause of no other one.
func keysOnly(client *http.Client) *http.Client {
	only := *client
	only.Transport = keyTransport{cmp.Or(client.Transport, http.DefaultTransport)}
	return &only
}

type keyTransport struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t keyTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := outbound.ReadBody(resp, maxKeys)
	switch {
	case err != nil:
		return nil, err
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("the provider answers %d", resp.StatusCode)
	case !json.Valid(data):
		return nil, errors.New("the answer is no JSON")
	}
	resp.Body = io.NopCloser(bytes.NewReader(data))
	return resp, nil
}
