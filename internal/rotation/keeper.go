package rotation

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/mounted"
)

// Every is how often a Keeper looks again: a value that was refused may be good by now.
const Every = 10 * time.Second

// Rotator is a credential that is shown to somebody else.
type Rotator interface {
	// Rotate proves new values and uses those that are accepted. It is called when a Secret changed, and every now and then.
	Rotate(ctx context.Context)
	// Credentials says which value of each key is in use.
	Credentials() []KeyState
}

// Keeper has the credentials of a process proven, and knows which are in use.
type Keeper struct {
	// Rotators are those that are shown to others now, and Accepted the keys with which others prove themselves.
	Rotators func() []Rotator
	Accepted func() []KeyState
	// Changed is called when a state is another one.
	Changed func()

	look   chan struct{}
	mu     sync.Mutex
	states []KeyState
}

// NewKeeper returns a Keeper.
func NewKeeper(rotators func() []Rotator, accepted func() []KeyState, changed func()) *Keeper {
	return &Keeper{Rotators: rotators, Accepted: accepted, Changed: changed, look: make(chan struct{}, 1)}
}

// Look has the Secrets looked at at once.
func (k *Keeper) Look() {
	select {
	case k.look <- struct{}{}:
	default:
	}
}

// States of all keys.
func (k *Keeper) States() []KeyState {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.states
}

// Run looks until ctx ends.
func (k *Keeper) Run(ctx context.Context) {
	tick := time.NewTicker(Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.look:
		case <-tick.C:
		}
		lists := [][]KeyState{k.Accepted()}
		for _, r := range k.Rotators() {
			r.Rotate(ctx)
			lists = append(lists, r.Credentials())
		}
		k.take(Merge(lists...))
	}
}

func (k *Keeper) take(states []KeyState) {
	k.mu.Lock()
	changed := !slices.Equal(k.states, states)
	k.states = states
	k.mu.Unlock()
	if changed {
		k.Changed()
	}
}

// AcceptedKey is the state of a key with which others prove themselves, or that signs: the next value counts beside the
// current one. check says what is wrong with a next value, which then does not count; nil means nothing can be. ok is false
// when there is no such key.
func AcceptedKey(dir, peer, slot, name string, check func(value string) error) (s KeyState, ok bool) {
	current, err := mounted.Read(dir, slot, name)
	if err != nil || current == "" {
		return s, false
	}
	scope := slot + "/" + name
	s = KeyState{Slot: slot, Name: name, State: StateCurrent, InUse: Print(peer, scope, current)}
	next, err := mounted.Read(dir, slot, name+v1alpha1.SuffixNext)
	if err != nil || next == "" || next == current {
		return s, true
	}
	s.State, s.Next = StateBoth, Print(peer, scope, next)
	if check != nil {
		if err := check(next); err != nil {
			s.State, s.Message = StateNextRejected, err.Error()
		}
	}
	return s, true
}
