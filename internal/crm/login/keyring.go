package login

import (
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// RetiredFor is how long the public half of a replaced key stays published, so that a token signed with it just before
// can still be checked: the longest lifetime of a token (5 min), and the time for which a key set may be cached.
const RetiredFor = 10 * time.Minute

// KeyRing holds the keys of an issuer over their rotations: the current one signs; the next one and those replaced a
// moment ago are published as well. It is safe for concurrent use.
type KeyRing struct {
	now func() time.Time

	mu            sync.RWMutex
	current, next *Key
	retired       []retiredKey
}

type retiredKey struct {
	key   jose.JSONWebKey
	until time.Time
}

// NewKeyRing returns a ring without keys. Nothing can be signed before Replace.
func NewKeyRing(now func() time.Time) *KeyRing { return &KeyRing{now: now} }

// Replace makes current the key that signs, and publishes next (nil when there is none).
func (r *KeyRing) Replace(current, next *Key) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	r.retired = slices.DeleteFunc(r.retired, func(k retiredKey) bool { return !now.Before(k.until) })
	if r.current != nil && r.current.id != current.id {
		r.retired = append(r.retired, retiredKey{r.current.public(), now.Add(RetiredFor)})
	}
	r.current, r.next = current, next
}

// JWKS is the set of public keys against which a token can be checked now.
func (r *KeyRing) JWKS() jose.JSONWebKeySet {
	r.mu.RLock()
	defer r.mu.RUnlock()
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	add := func(k jose.JSONWebKey) {
		if len(set.Key(k.KeyID)) == 0 {
			set.Keys = append(set.Keys, k)
		}
	}
	if r.current != nil {
		add(r.current.public())
	}
	if r.next != nil {
		add(r.next.public())
	}
	now := r.now()
	for _, k := range r.retired {
		if now.Before(k.until) {
			add(k.key)
		}
	}
	return set
}

func (r *KeyRing) signing() *Key {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.current
}
