package dispatch

import (
	"context"
	"errors"
	"fmt"

	"github.com/oabridge/oabridge/internal/dispatch/journal"
	"github.com/oabridge/oabridge/internal/oa/tokens"
)

// keyToken is where the OA's token lies in the store's small state, sealed; further kinds of tokens have a name behind it.
const keyToken = "token"

// errStoreClosed: the store is not open now.
var errStoreClosed = errors.New("the store is not open")

// tokenStore keeps the OA's token in the store that is open: all replicas of a queue see it, and a restart finds it.
type tokenStore struct {
	dispatcher *Dispatcher
	key        string
}

// tokenStore returns the store of one kind of tokens.
func (d *Dispatcher) tokenStore(name string) tokens.Store {
	if name == "" {
		return tokenStore{d, keyToken}
	}
	return tokenStore{d, keyToken + "-" + name}
}

// Load implements tokens.Store.
func (t tokenStore) Load(ctx context.Context) ([]byte, uint64, error) {
	s := t.dispatcher.session.Load()
	if s == nil {
		return nil, 0, errStoreClosed
	}
	return s.journal.Get(ctx, t.key)
}

// Save implements tokens.Store.
func (t tokenStore) Save(ctx context.Context, sealed []byte, revision uint64) (uint64, error) {
	s := t.dispatcher.session.Load()
	if s == nil {
		return 0, errStoreClosed
	}
	next, err := s.journal.Put(ctx, t.key, sealed, revision)
	if errors.Is(err, journal.ErrConflict) {
		return 0, fmt.Errorf("%w: %w", tokens.ErrConflict, err)
	}
	return next, err
}
