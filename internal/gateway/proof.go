package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	// proofTTL is how long the dispatcher remembers a used proof: longer than an OA accepts a ticket that nobody used.
	proofTTL = "10m"
	// proofTimeout bounds one call to the dispatcher.
	proofTimeout = 2 * time.Second
	// maxProofAnswer bounds what is read of the dispatcher's answer, so that the connection can be used again.
	maxProofAnswer = 4 << 10
)

// ProofStore remembers used proofs for all replicas of a gateway.
type ProofStore interface {
	// Reserve remembers a proof. fresh is false when it was remembered before. On an error nothing may be assumed: the
	// person is not let in.
	Reserve(ctx context.Context, key string) (fresh bool, err error)
	// Release forgets a proof that this caller reserved and the OA was never asked about.
	Release(ctx context.Context, key string) error
}

// proofKey stands for a ticket in the store, which never sees the ticket itself. It differs between connectors.
func proofKey(oaType, connector, ticket string) string {
	sum := sha256.Sum256([]byte(oaType + "|" + connector + "|" + ticket))
	return hex.EncodeToString(sum[:])
}

// peerProofs is the store in the dispatcher of the same connector.
type peerProofs struct {
	client *http.Client
	url    string
	token  string
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

func (p peerProofs) Reserve(ctx context.Context, key string) (bool, error) {
	status, err := p.do(ctx, http.MethodPut, "/"+key+"?ttl="+proofTTL)
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
	status, err := p.do(ctx, http.MethodDelete, "/"+key)
	if err == nil && status/100 != 2 && status != http.StatusNotFound {
		err = fmt.Errorf("the dispatcher answered %d to the release of a proof", status)
	}
	return err
}

func (p peerProofs) do(ctx context.Context, method, path string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, proofTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(p.url, "/")+path, nil)
	if err != nil {
		return 0, errors.New("sso.proofsURL is not a URL")
	}
	req.Header.Set("Authorization", "Bearer "+p.token)
	resp, err := p.client.Do(req)
	if errors.Is(err, context.DeadlineExceeded) {
		return 0, errors.New("the dispatcher did not answer in time; is it running?")
	}
	if err != nil {
		// Not quoted: an answer that is not HTTP would be, and could hold anything.
		return 0, errors.New("the dispatcher cannot be reached; is it running, and may the gateway connect to it?")
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxProofAnswer))
	return resp.StatusCode, nil
}
