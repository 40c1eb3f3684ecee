package journal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// UseProof remembers a proof for ttl (at most MaxProofTTL) and reports whether this was its first use. Of many calls at
// the same time exactly one is first.
func (j *Journal) UseProof(ctx context.Context, sha256hex string, ttl time.Duration) (first bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	// The server counts whole seconds; rounding up forgets later, never earlier.
	ttl = (ttl + time.Second - 1).Truncate(time.Second)
	_, err = j.proofs.Create(ctx, sha256hex, nil, jetstream.KeyTTL(ttl))
	if errors.Is(err, jetstream.ErrKeyExists) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("proofs: %w", err)
	}
	return true, nil
}

// ReleaseProof forgets a proof, e.g. because its verification could not be finished.
func (j *Journal) ReleaseProof(ctx context.Context, sha256hex string) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if err := j.proofs.Delete(ctx, sha256hex); err != nil {
		return fmt.Errorf("proofs: %w", err)
	}
	return nil
}
