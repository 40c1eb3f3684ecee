package gateway

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/oabridge/oabridge/internal/outbound"
	"github.com/oabridge/oabridge/internal/rotation"
	"github.com/oabridge/oabridge/internal/tracing"
)

const (
	// proofTTL is how long the dispatcher remembers a used proof whose verifier names no time: longer than an OA accepts a
	// ticket that nobody used.
	proofTTL = 10 * time.Minute
	// proofTimeout bounds one call to the dispatcher.
	proofTimeout = 2 * time.Second
	// maxProofAnswer bounds the dispatcher's answer, in bytes: a grant fits in.
	maxProofAnswer = 16 << 10
)

// ProofStore remembers used proofs for all replicas of a gateway, and keeps what one of them grants to another.
type ProofStore interface {
	// Reserve remembers a proof for ttl. fresh is false when it was remembered before. On an error nothing may be assumed:
	// the person is not let in.
	Reserve(ctx context.Context, key string, ttl time.Duration) (fresh bool, err error)
	// Release forgets a proof that this caller reserved and the OA was never asked about.
	Release(ctx context.Context, key string) error
	// Keep keeps a value for ttl until it is taken; it is an error when there is one.
	Keep(ctx context.Context, key string, value []byte, ttl time.Duration) error
	// Take returns a kept value and forgets it: of several callers exactly one gets it. It is nil when there is none.
	Take(ctx context.Context, key string) ([]byte, error)
}

// proofKey stands for a proof in the store, which never sees the proof itself. It differs between connectors and kinds.
func proofKey(kind, connector, proof string) string {
	sum := sha256.Sum256([]byte(kind + "|" + connector + "|" + proof))
	return hex.EncodeToString(sum[:])
}

// peerProofs is the store in the dispatcher of the same connector.
type peerProofs struct {
	client *http.Client
	base   string // ends in a slash; proofs/ and grants/ are below it
	// token is replaced by the operator. Both sides read the new one in their own time, so each goes on with the old one for a
	// while.
	token *rotation.Secret
}

// newPeerProofs takes the address of the proofs; that of the grants is beside it.
func newPeerProofs(client *http.Client, proofsURL string, token *rotation.Secret) peerProofs {
	return peerProofs{client: client, base: strings.TrimSuffix(strings.TrimRight(proofsURL, "/"), "proofs"), token: token}
}

// newPeerClient returns the client for a peerProofs. It follows no redirect: the peer token goes to one host only.
func newPeerClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			MaxIdleConnsPerHost: maxInFlight, MaxIdleConns: maxInFlight, IdleConnTimeout: time.Minute,
			ResponseHeaderTimeout: proofTimeout, MaxResponseHeaderBytes: 16 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (p peerProofs) Reserve(ctx context.Context, key string, ttl time.Duration) (bool, error) {
	status, _, err := p.do(ctx, http.MethodPut, "proofs/"+key+"?ttl="+ttl.String(), nil)
	switch {
	case err != nil:
		return false, err
	case status == http.StatusCreated:
		return true, nil
	case status == http.StatusConflict:
		return false, nil
	}
	return false, fmt.Errorf("the dispatcher answered %d to a proof", status)
}

func (p peerProofs) Release(ctx context.Context, key string) error {
	status, _, err := p.do(ctx, http.MethodDelete, "proofs/"+key, nil)
	if err == nil && status/100 != 2 && status != http.StatusNotFound {
		err = fmt.Errorf("the dispatcher answered %d to the release of a proof", status)
	}
	return err
}

func (p peerProofs) Keep(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	status, _, err := p.do(ctx, http.MethodPut, "grants/"+key+"?ttl="+ttl.String(), value)
	if err == nil && status != http.StatusCreated {
		err = fmt.Errorf("the dispatcher answered %d to a grant", status)
	}
	return err
}

func (p peerProofs) Take(ctx context.Context, key string) ([]byte, error) {
	status, body, err := p.do(ctx, http.MethodDelete, "grants/"+key, nil)
	switch {
	case err != nil:
		return nil, err
	case status == http.StatusOK:
		return body, nil
	case status == http.StatusNotFound:
		return nil, nil
	}
	return nil, fmt.Errorf("the dispatcher answered %d to the taking of a grant", status)
}

// do returns the status and the body of an answer, whatever the status.
func (p peerProofs) do(ctx context.Context, method, path string, body []byte) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, proofTimeout)
	defer cancel()
	type answer struct {
		status int
		body   []byte
	}
	a, err := rotation.Try(ctx, p.token, func(token rotation.Text) (answer, error) {
		status, text, err := p.ask(ctx, method, path, string(token), body)
		if err == nil && status == http.StatusUnauthorized {
			err = errStranger
		}
		return answer{status, text}, err
	}, func(err error) rotation.Verdict {
		if errors.Is(err, errStranger) {
			return rotation.Refused
		}
		return rotation.Accepted
	})
	if errors.Is(err, errStranger) {
		err = nil // the status says it
	}
	return a.status, a.body, err
}

// errStranger: the dispatcher does not accept the token.
var errStranger = errors.New("the dispatcher does not accept the peer token")

func (p peerProofs) ask(ctx context.Context, method, path, token string, body []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, p.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, errors.New("sso.proofsURL is not a URL")
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if parent := tracing.Parent(ctx); parent != "" {
		req.Header.Set("Traceparent", parent)
	}
	resp, err := p.client.Do(req)
	if errors.Is(err, context.DeadlineExceeded) {
		return 0, nil, errors.New("the dispatcher did not answer in time; is it running?")
	}
	if err != nil {
		// Not quoted: an answer that is not HTTP would be, and could hold anything.
		return 0, nil, errors.New("the dispatcher cannot be reached; is it running, and may the gateway connect to it?")
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := outbound.ReadBody(resp, maxProofAnswer)
	if err != nil {
		return 0, nil, errors.New("the answer of the dispatcher is not complete")
	}
	return resp.StatusCode, answer, nil
}
