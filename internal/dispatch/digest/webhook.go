package digest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/mounted"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/outbound"
)

const (
	// eventType is what a webhook is told in the member type.
	eventType = "dev.oabridge.digest"
	// connectTimeout bounds DNS, TCP and TLS together.
	connectTimeout = 10 * time.Second
	// maxAnswer bounds what is read of an answer, in bytes; what it says does not matter.
	maxAnswer = 64 << 10
	// maxConns bounds the connections to a webhook.
	maxConns = 2
)

// webhook is a Sink that posts JSON, signed as Standard Webhooks asks for when there is a key. Its address is a secret: it
// is in no message.
type webhook struct {
	secrets, slot string
	http          *http.Client
}

// NewWebhook returns a sink for a channel of type Webhook. It reads the Secret for each digest.
func NewWebhook(secrets string, c bundle.Channel) (Sink, error) {
	client, err := outbound.NewClient(outbound.Config{ConnectTimeout: connectTimeout, AllowedCIDRs: c.AllowedCIDRs, MaxConnsPerHost: maxConns})
	if err != nil {
		return nil, fmt.Errorf("channel %s: allowedCIDRs holds something that is not a CIDR such as 10.0.0.0/8", c.Name)
	}
	return &webhook{secrets: secrets, slot: c.Secret, http: client}, nil
}

// payload is the body, as Standard Webhooks recommends it.
type payload struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      struct {
		*Digest
		Text string `json:"text"`
	} `json:"data"`
}

// Send implements Sink.
func (w *webhook) Send(ctx context.Context, d *Digest) *Failure {
	address, failure := w.address()
	if failure != nil {
		return failure
	}
	signers, failure := w.signers()
	if failure != nil {
		return failure
	}
	// The time of the window, not of this attempt: the same digest has the same body whenever it is sent.
	p := payload{Type: eventType, Timestamp: d.To}
	p.Data.Digest, p.Data.Text = d, d.Text()
	body, err := json.Marshal(p)
	if err != nil {
		return &Failure{Message: "the message cannot be written as JSON"}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return badAddress()
	}
	now := time.Now()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(standardwebhooks.HeaderWebhookID, d.ID)
	req.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	var signatures []string
	for _, signer := range signers {
		signature, err := signer.Sign(d.ID, now, body)
		if err != nil {
			return &Failure{Message: "the message cannot be signed: check the key signing-key of its Secret"}
		}
		signatures = append(signatures, signature)
	}
	if len(signatures) > 0 {
		req.Header.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	}
	resp, err := w.http.Do(req)
	if err != nil {
		return unreachable(err)
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = outbound.ReadBody(resp, maxAnswer) // so that the connection can be used again
	if resp.StatusCode/100 != 2 {
		return &Failure{Message: fmt.Sprintf("the webhook answered HTTP %d: check the receiver and the key url of the Secret", resp.StatusCode),
			RetryAfter: min(oa.RetryAfter(resp.Header, "", now), retryMax)}
	}
	return nil
}

// address reads where messages are posted, as the Secret is mounted now.
func (w *webhook) address() (string, *Failure) {
	address, err := mounted.Read(w.secrets, w.slot, v1alpha1.KeyURL)
	if address = strings.TrimSpace(address); errors.Is(err, mounted.ErrMissing) || err == nil && address == "" {
		return "", &Failure{Message: "the key url of the Secret is missing: add the address to which messages are posted"}
	}
	if err != nil {
		return "", &Failure{Message: "the key url of the Secret cannot be read"}
	}
	if u, err := url.Parse(address); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", badAddress()
	}
	return address, nil
}

// signers are those of signing-key and, while that is being replaced, of the next one: a message has a signature of each, and a
// receiver of Standard Webhooks takes it when it knows one of them. A next one that cannot be used harms nobody.
func (w *webhook) signers() (signers []*standardwebhooks.Webhook, failure *Failure) {
	next, _ := w.signer(v1alpha1.KeySigning + v1alpha1.SuffixNext) // before the current one, whose place it takes
	current, err := w.signer(v1alpha1.KeySigning)
	if err != nil {
		return nil, &Failure{Message: "the key signing-key of the Secret is no Standard Webhooks secret: write whsec_ and the base64 of at least 24 random bytes"}
	}
	return slices.DeleteFunc([]*standardwebhooks.Webhook{current, next}, func(s *standardwebhooks.Webhook) bool { return s == nil }), nil
}

// signer of a key; nil when there is none.
func (w *webhook) signer(name string) (*standardwebhooks.Webhook, error) {
	key, err := mounted.Read(w.secrets, w.slot, name)
	if key = strings.TrimSpace(key); errors.Is(err, mounted.ErrMissing) || err == nil && key == "" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return crm.NewWebhook(key)
}

func badAddress() *Failure {
	return &Failure{Message: "the key url of the Secret is no absolute http or https URL: write the address to which messages are posted"}
}

// unreachable says why there was no answer, without the address: it may hold a token.
func unreachable(err error) *Failure {
	egress, denied := errors.AsType[*outbound.EgressError](err)
	timeout, isNet := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	switch {
	case denied:
		return &Failure{Message: fmt.Sprintf("the webhook's address %s is refused by the egress policy (%s): list it in the channel's allowedCIDRs if it is meant", egress.Addr, egress.Cause)}
	case errors.Is(err, context.DeadlineExceeded), isNet && timeout.Timeout():
		return &Failure{Message: "the webhook did not answer in time: check that it is reachable from the cluster"}
	}
	return &Failure{Message: "the connection to the webhook failed: check the receiver, the key url of the Secret and the network"}
}
