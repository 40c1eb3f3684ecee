// Package rotation chooses between the values of a credential while it is replaced: the one under a key of a Secret, the
// one that is to follow it under KEY.next, and the one that was good until somebody wrote over it. A value is proven before
// it is used, calls go on with the one that works, and a wrong one is tried a few times only: OA systems lock accounts.
package rotation

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// Version is which of the values of a key is meant.
type Version int

// The versions. Next is the value under KEY.next, or that under KEY where there is no next one.
const (
	Current Version = iota
	Next
)

// Verdict of a proof.
type Verdict int

// The verdicts. Unknown is when it could not be found out, for example because nobody answered.
const (
	Unknown Verdict = iota
	Accepted
	Refused
)

const (
	// freeAttempts is how often a value may be refused before there is a pause: fewer than lock an account.
	freeAttempts = 3
	// pauseFirst is the pause before a refused value is tried again without a reason; it doubles up to pauseMax.
	pauseFirst = 30 * time.Second
	pauseMax   = 10 * time.Minute
	// Grace is how long a value that is not in the Secret any more is used, while the one that took its place is not
	// accepted and nothing else ends it.
	Grace = 15 * time.Minute
)

// MaxFallbacks bounds how often a call that was refused goes out with another value: the one that it falls back to may be
// replaced just then.
const MaxFallbacks = 2

// Value is a credential as a whole, such as an account with its password.
type Value[T any] interface{ Equal(T) bool }

// Config of a Rotation.
type Config[T Value[T]] struct {
	// Read returns what stands in the Secret now. Its errors are shown to people and hold no value.
	Read func(Version) (T, error)
	// Keys describes the keys that Read read, with their fingerprints; nil means none. The same keys come in the same order.
	Keys func(Version) []Key
	// Prove asks the other side whether it accepts a value. The message says why not, without a value. nil means that only a
	// real call tells.
	Prove func(context.Context, T) (Verdict, string)
	// Alive reports whether a value that left the Secret may still be used, such as one whose token lives; nil means for
	// Grace.
	Alive func(T) bool
	// Now is the clock; default time.Now.
	Now func() time.Time
}

// Rotation of one credential. It is safe for concurrent use.
type Rotation[T Value[T]] struct {
	c       Config[T]
	flights singleflight.Group

	mu sync.Mutex
	// known are the values in the Secret and the one in use: three at most.
	known []*candidate[T]
	// used is the one in use, nil before the first call; current and next are those in the Secret, next nil without one.
	used, current, next *candidate[T]
	// nextError says why the next value cannot be read.
	nextError string
}

// candidate is a value and what is known of it.
type candidate[T any] struct {
	value T
	keys  []Key
	// accepted: the other side took it, the last time that it said anything.
	accepted bool
	// refusals in a row, and why.
	refusals int
	message  string
	// again is when it may be tried without a reason.
	again time.Time
	// left is when it was first seen missing in the Secret.
	left time.Time
}

// New returns a Rotation.
func New[T Value[T]](c Config[T]) *Rotation[T] {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Keys == nil {
		c.Keys = func(Version) []Key { return nil }
	}
	return &Rotation[T]{c: c}
}

// Use returns the value for a call: the one that was accepted last while it is in the Secret, and also afterwards while what
// took its place is not accepted yet.
func (r *Rotation[T]) Use() (T, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.look(); err != nil {
		var none T
		return none, err
	}
	r.choose()
	return r.used.value, nil
}

// look reads the Secret.
func (r *Rotation[T]) look() error {
	// The next value comes first: one that has just moved to its key is then seen in one place at least.
	following, unreadable := r.c.Read(Next)
	current, err := r.c.Read(Current)
	if err != nil {
		return err
	}
	r.current, r.next, r.nextError = r.candidate(current, Current), nil, ""
	switch {
	case unreadable != nil:
		r.nextError = unreadable.Error()
	case !following.Equal(current):
		r.next = r.candidate(following, Next)
	}
	return nil
}

// candidate returns what is known of a value, and forgets the values that are neither in the Secret nor in use.
func (r *Rotation[T]) candidate(v T, version Version) *candidate[T] {
	if c := r.find(v); c != nil {
		return c
	}
	c := &candidate[T]{value: v, keys: r.c.Keys(version)}
	kept := []*candidate[T]{c}
	for _, old := range r.known {
		if old == r.used || old == r.current || old == r.next {
			kept = append(kept, old)
		}
	}
	r.known = kept
	return c
}

// choose makes the right value the one in use.
func (r *Rotation[T]) choose() {
	u := r.used
	switch {
	case u == nil:
		r.used = r.current
	case u == r.current || u == r.next:
		u.left = time.Time{}
	case r.current.accepted:
		r.used = r.current
	case !u.accepted || !r.alive(u):
		r.used = r.current
	}
}

func (r *Rotation[T]) alive(c *candidate[T]) bool {
	if r.c.Alive != nil {
		return r.c.Alive(c.value)
	}
	now := r.c.Now()
	if c.left.IsZero() {
		c.left = now
	}
	return now.Sub(c.left) < Grace
}

// Present reports whether a value is in the Secret.
func (r *Rotation[T]) Present(v T) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.look() == nil && (r.current.value.Equal(v) || r.next != nil && r.next.value.Equal(v))
}

// Worked notes that the other side accepted a value in a real call: from now on it is the one in use.
func (r *Rotation[T]) Worked(v T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.used != nil && r.used.accepted && r.used.value.Equal(v) {
		return
	}
	c := r.find(v)
	if c == nil {
		return
	}
	c.note(Accepted, "", r.c.Now())
	if r.used == nil || !r.used.accepted { // a call in flight that ends with the old value changes nothing
		r.used = c
	}
}

func (r *Rotation[T]) find(v T) *candidate[T] {
	for _, c := range r.known {
		if c.value.Equal(v) {
			return c
		}
	}
	return nil
}

// note takes in what the other side said.
func (c *candidate[T]) note(verdict Verdict, message string, now time.Time) {
	if verdict == Accepted {
		c.accepted, c.refusals, c.message, c.again = true, 0, "", time.Time{}
		return
	}
	c.message, c.again = message, now.Add(min(pauseFirst<<min(c.refusals, 10), pauseMax))
	if verdict == Refused {
		c.accepted = false
		c.refusals++
	}
}

// Rotate proves what waits to be used: the next value, and one that took the place of the value in use. It is called when a
// Secret changed, and every now and then.
func (r *Rotation[T]) Rotate(ctx context.Context) {
	for _, c := range r.waiting() {
		if r.prove(ctx, c) == Accepted {
			return
		}
	}
}

// waiting lists the values that may be tried now and are not in use, the next one first.
func (r *Rotation[T]) waiting() (out []*candidate[T]) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.c.Prove == nil || r.look() != nil {
		return nil
	}
	r.choose()
	now := r.c.Now()
	due := func(c *candidate[T]) {
		if c != nil && c != r.used && !now.Before(c.again) {
			out = append(out, c)
		}
	}
	due(r.next)
	if r.used != r.next {
		due(r.current)
	}
	return out
}

// prove asks once for all who want to know at the same time, and uses a value that is accepted.
func (r *Rotation[T]) prove(ctx context.Context, c *candidate[T]) Verdict {
	verdict, _, _ := r.flights.Do(fmt.Sprintf("%p", c), func() (any, error) {
		r.mu.Lock()
		done := r.used == c && c.accepted
		r.mu.Unlock()
		if done {
			return Accepted, nil
		}
		verdict, message := r.c.Prove(ctx, c.value)
		r.mu.Lock()
		defer r.mu.Unlock()
		c.note(verdict, message, r.c.Now())
		if verdict == Accepted {
			r.used = c
		}
		return verdict, nil
	})
	return verdict.(Verdict)
}
