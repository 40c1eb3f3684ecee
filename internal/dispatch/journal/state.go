package journal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// MaxProofTTL bounds how long a used proof is remembered, and a grant kept.
const MaxProofTTL = time.Hour

// MaxGrant bounds the value of a grant, in bytes.
const MaxGrant = 8 << 10

// Keys of the small state.
const (
	keyProofs = "proof."
	keyGrants = "grant."
)

// ErrConflict says that somebody else has changed the entry in between.
var ErrConflict = errors.New("the entry was changed by somebody else")

// Get returns an entry of the small state, with its revision; nil and 0 when there is none.
func (j *Journal) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	e, err := j.state.Get(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("state %s: %w", key, err)
	}
	return e.Value(), e.Revision(), nil
}

// Put changes an entry whose revision is still the given one (0: there is none), and returns the new revision;
// ErrConflict when it is not.
func (j *Journal) Put(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	var next uint64
	var err error
	if revision == 0 {
		next, err = j.state.Create(ctx, key, value)
	} else {
		next, err = j.state.Update(ctx, key, value, revision)
	}
	if conflict(err) {
		return 0, fmt.Errorf("state %s: %w", key, ErrConflict)
	}
	if err != nil {
		return 0, fmt.Errorf("state %s: %w", key, err)
	}
	return next, nil
}

// Set changes an entry whatever it was.
func (j *Journal) Set(ctx context.Context, key string, value []byte) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if _, err := j.state.Put(ctx, key, value); err != nil {
		return fmt.Errorf("state %s: %w", key, err)
	}
	return nil
}

// Delete removes an entry; revision 0 means whatever it is.
func (j *Journal) Delete(ctx context.Context, key string, revision uint64) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	var opts []jetstream.KVDeleteOpt
	if revision > 0 {
		opts = append(opts, jetstream.LastRevision(revision))
	}
	err := j.state.Delete(ctx, key, opts...)
	if conflict(err) {
		return fmt.Errorf("state %s: %w", key, ErrConflict)
	}
	if err != nil {
		return fmt.Errorf("state %s: %w", key, err)
	}
	return nil
}

// Watch returns what changes below a key; the present entries come first. Nil marks their end.
func (j *Journal) Watch(ctx context.Context, keys string) (jetstream.KeyWatcher, error) {
	w, err := j.state.Watch(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("state %s: %w", keys, err)
	}
	return w, nil
}

func conflict(err error) bool {
	var api *jetstream.APIError
	return errors.Is(err, jetstream.ErrKeyExists) ||
		errors.As(err, &api) && (api.ErrorCode == codeWrongLast || api.ErrorCode == codeWrongLastConstant)
}

// UseProof remembers a proof for ttl (at most MaxProofTTL) and reports whether this was its first use. Of many calls at
// the same time exactly one is first.
func (j *Journal) UseProof(ctx context.Context, sha256hex string, ttl time.Duration) (first bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	// The server counts whole seconds; rounding up forgets later, never earlier.
	ttl = (ttl + time.Second - 1).Truncate(time.Second)
	_, err = j.state.Create(ctx, keyProofs+sha256hex, nil, jetstream.KeyTTL(ttl))
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
	return j.Delete(ctx, keyProofs+sha256hex, 0)
}

// KeepGrant keeps a value for ttl (at most MaxProofTTL) until it is taken. first is false when there is one already.
func (j *Journal) KeepGrant(ctx context.Context, sha256hex string, value []byte, ttl time.Duration) (first bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	// Rounded down: a grant may be forgotten early, never late.
	_, err = j.state.Create(ctx, keyGrants+sha256hex, value, jetstream.KeyTTL(max(time.Second, ttl.Truncate(time.Second))))
	if errors.Is(err, jetstream.ErrKeyExists) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("grants: %w", err)
	}
	return true, nil
}

// TakeGrant returns a kept value and forgets it. Of many calls at the same time exactly one gets it; the others get nil,
// as for a grant that does not exist.
func (j *Journal) TakeGrant(ctx context.Context, sha256hex string) ([]byte, error) {
	value, revision, err := j.Get(ctx, keyGrants+sha256hex)
	if err != nil || revision == 0 {
		return nil, err
	}
	err = j.Delete(ctx, keyGrants+sha256hex, revision)
	if errors.Is(err, ErrConflict) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return value, nil
}
