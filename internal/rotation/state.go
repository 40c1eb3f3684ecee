package rotation

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// Key is one key of a Secret in a rotation.
type Key struct {
	// Slot and Name of the file that it becomes in a pod.
	Slot, Name string
	// Print is the fingerprint of its value; empty when nothing keys it.
	Print string
	// Sum tells values apart in this process; it is never shown.
	Sum [sha256.Size]byte
}

// NewKey describes a key with its value. peer is the connector's own secret.
func NewKey(peer, slot, name, value string) Key {
	return Key{Slot: slot, Name: name, Print: Print(peer, slot+"/"+name, value), Sum: sha256.Sum256([]byte(value))}
}

// The states of a key.
const (
	// StateCurrent: the value under the key is in use.
	StateCurrent = "Current"
	// StateNext: that under KEY.next was proven and is in use; it can take its place.
	StateNext = "Next"
	// StateBoth: others prove themselves with either, or either is published, or signs.
	StateBoth = "Both"
	// StateProbing: a new value is there and not proven yet; the one before is in use.
	StateProbing = "Probing"
	// StateNextRejected: that under KEY.next was refused; that under the key is in use.
	StateNextRejected = "NextRejected"
	// StateRejected: that under the key was refused; the one before is in use as long as it is good.
	StateRejected = "Rejected"
)

// KeyState is what became of one key.
type KeyState struct {
	Slot  string `json:"slot"`
	Name  string `json:"name"`
	State string `json:"state"`
	// InUse is the fingerprint of the value in use, Next that of the value that waits to be used, if any.
	InUse string `json:"inUse,omitempty"`
	Next  string `json:"next,omitempty"`
	// Message says why a value is not used.
	Message string `json:"message,omitempty"`
}

// Credentials says of each key which value is in use.
func (r *Rotation[T]) Credentials() []KeyState {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.look() != nil {
		return nil
	}
	r.choose()
	var out []KeyState
	for i, k := range r.current.keys {
		s := KeyState{Slot: k.Slot, Name: k.Name, State: StateCurrent, InUse: k.Print}
		other := false
		if i < len(r.used.keys) {
			s.InUse, other = r.used.keys[i].Print, r.used.keys[i].Sum != k.Sum
		}
		var next *Key
		if r.next != nil && i < len(r.next.keys) && r.next.keys[i].Sum != k.Sum {
			next = &r.next.keys[i]
		}
		switch {
		case next != nil && r.used == r.next:
			s.State = StateNext
		case next != nil:
			s.State, s.Next, s.Message = StateProbing, next.Print, r.next.message
			if r.next.refusals > 0 {
				s.State = StateNextRejected
			}
		case r.nextError != "":
			s.State, s.Message = StateNextRejected, r.nextError
		case r.used != r.current && other:
			s.State, s.Next, s.Message = StateProbing, k.Print, r.current.message
			if r.current.refusals > 0 {
				s.State = StateRejected
			}
		}
		out = append(out, s)
	}
	return out
}

// severity orders states: of several processes that see a key differently, the one with the most to say wins.
var severity = map[string]int{StateRejected: 6, StateNextRejected: 5, StateProbing: 4, StateNext: 3, StateBoth: 2, StateCurrent: 1}

// Merge puts lists of states together, with one for each key, ordered by slot and name.
func Merge(lists ...[]KeyState) []KeyState {
	out := slices.Concat(lists...)
	slices.SortStableFunc(out, func(a, b KeyState) int {
		return cmp.Or(cmp.Compare(a.Slot, b.Slot), cmp.Compare(a.Name, b.Name), cmp.Compare(severity[b.State], severity[a.State]))
	})
	return slices.CompactFunc(out, func(a, b KeyState) bool { return a.Slot == b.Slot && a.Name == b.Name })
}

// printBytes is the length of a fingerprint, in bytes: enough to tell the values of one key apart.
const printBytes = 6

// Print returns the fingerprint of a value: sha256: and a short HMAC-SHA-256. The key is the connector's own secret that the
// operator made, so that nobody who reads the status can find out a weak password by trying. Without a key, or without a
// value, there is no fingerprint.
func Print(key, scope, value string) string {
	if key == "" || value == "" {
		return ""
	}
	mac := hmac.New(sha256.New, []byte(key))
	_, _ = mac.Write([]byte("oabridge fingerprint v1\x00" + scope + "\x00" + value))
	return "sha256:" + hex.EncodeToString(mac.Sum(nil)[:printBytes])
}
