package tokens

import (
	"context"
	"errors"
)

// ErrConflict is returned by Store.Save when another writer was faster.
var ErrConflict = errors.New("the stored token has another revision")

// Store keeps the sealed token of one connector where all replicas of its dispatcher see it and where it outlives them,
// such as one key of a NATS bucket. It holds nothing that can be read without the OA account.
//
// A store that fails or hangs costs a token call, never a delivery: each process then uses a token of its own.
type Store interface {
	// Load returns what was saved last and its revision; nil and 0 when there is nothing.
	Load(ctx context.Context) (sealed []byte, revision uint64, err error)
	// Save replaces the entry if its revision is still the given one (0: there is none), and returns the new revision. It
	// returns ErrConflict (errors.Is) when it is not.
	Save(ctx context.Context, sealed []byte, revision uint64) (uint64, error)
}
