// Package credential holds what a simulated OA hands out and later recognises: access tokens and one-time codes. Unlike
// a bare expiring map it knows an expired credential from one that never was, because the vendors answer the two
// differently.
package credential

import (
	"crypto/rand"
	"sync"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/expiry"
)

// State is what is known of a credential.
type State int

// The states. A used one-time code is Unknown.
const (
	Unknown State = iota
	Alive
	Expired
)

const (
	// memory is how long an expired credential is still known as such.
	memory = 24 * time.Hour
	// held bounds the credentials of one book.
	held = 50_000
)

// Book is the credentials of one kind. It is safe for concurrent use.
type Book[T any] struct {
	now     func() time.Time
	prefix  string
	entries *expiry.Map[entry[T]]
}

type entry[T any] struct {
	value T
	until time.Time
}

// NewBook returns an empty book whose credentials start with prefix.
func NewBook[T any](now func() time.Time, prefix string) *Book[T] {
	return &Book[T]{now: now, prefix: prefix, entries: expiry.New[entry[T]](now, held)}
}

// Issue returns a fresh credential for a value that lives for life.
func (b *Book[T]) Issue(value T, life time.Duration) string {
	id := b.prefix + rand.Text()
	b.entries.Put(id, entry[T]{value, b.now().Add(life)}, life+memory)
	return id
}

// Look returns what a credential stands for; the value is also given when it has expired.
func (b *Book[T]) Look(id string) (T, State) {
	return b.judge(b.entries.Get(id))
}

// Take is Look for a one-time credential: it is unknown afterwards.
func (b *Book[T]) Take(id string) (T, State) {
	return b.judge(b.entries.Take(id))
}

func (b *Book[T]) judge(e entry[T], known bool) (T, State) {
	switch {
	case !known:
		return e.value, Unknown
	case b.now().Before(e.until):
		return e.value, Alive
	default:
		return e.value, Expired
	}
}

// Left is how long a credential still lives.
func (b *Book[T]) Left(id string) time.Duration {
	e, _ := b.entries.Get(id)
	return e.until.Sub(b.now())
}

// Expire ends the life of a credential now.
func (b *Book[T]) Expire(id string) {
	if e, ok := b.entries.Get(id); ok {
		e.until = b.now()
		b.entries.Put(id, e, memory)
	}
}

// Clear forgets every credential, as a vendor does that ends tokens before their time.
func (b *Book[T]) Clear() { b.entries.Clear() }

// Tokens are the access tokens of apps. An app that asks again is given its old token while enough of its life is left.
type Tokens struct {
	*Book[string]

	mu      sync.Mutex
	current map[string]string // app → token
}

// NewTokens returns an empty book of tokens that start with prefix.
func NewTokens(now func() time.Time, prefix string) *Tokens {
	return &Tokens{Book: NewBook[string](now, prefix), current: map[string]string{}}
}

// For returns the token of an app and how long it lives: the old one while it lives for more than renew, otherwise a
// fresh one beside it.
func (t *Tokens) For(app string, life, renew time.Duration) (string, time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	id := t.current[app]
	if _, state := t.Look(id); state == Alive && t.Left(id) > renew {
		return id, t.Left(id)
	}
	id = t.Issue(app, life)
	t.current[app] = id
	return id, life
}
