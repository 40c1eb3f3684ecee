package dispatch

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/mounted"
)

// keys holds the secrets with which others prove themselves to the dispatcher.
type keys struct {
	dir string

	mu     sync.RWMutex
	events *crm.Authenticator
	peer   digests
	pull   digests
	// before are the peer tokens before those, accepted until then.
	before digests
	until  time.Time
}

// peerGrace is how long a token of the gateway is accepted after another one took its place: both sides read it in their own time,
// which is that of the kubelet.
const peerGrace = 3 * time.Minute

// reload reads the keys again. When the new ones cannot be used, the old ones stay: a mistake in a rotation must not
// lock the CRM out.
func (k *keys) reload(s bundle.Source) error {
	var found crm.Keys
	var errs []error
	read := func(slot, key string) []string {
		values := make([]string, 2)
		for i, name := range []string{key, key + v1alpha1.SuffixNext} {
			v, err := mounted.Read(k.dir, slot, name)
			if err != nil && !errors.Is(err, mounted.ErrMissing) {
				errs = append(errs, err)
			}
			values[i] = strings.TrimSpace(v)
		}
		return values
	}
	if s.Signing {
		found.Signing = read(bundle.SlotSigning, v1alpha1.KeySigning)
	}
	if s.Token {
		found.Tokens = read(bundle.SlotToken, v1alpha1.KeyToken)
	}
	var authenticator *crm.Authenticator
	if s.Signing || s.Token {
		var err error
		authenticator, err = crm.NewAuthenticator(found, time.Now)
		if bad, ok := errors.AsType[*crm.KeyError](err); ok && strings.HasSuffix(bad.Key, v1alpha1.SuffixNext) {
			// A mistake in the key that comes must not lock out the one that is there.
			errs = append(errs, fmt.Errorf("the events' proof of origin: %w", err))
			authenticator, err = crm.NewAuthenticator(crm.Keys{Signing: first(found.Signing), Tokens: first(found.Tokens)}, time.Now)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("the events' proof of origin: %w", err))
		}
	}
	peer := digestsOf(read(bundle.SlotPeer, v1alpha1.KeyToken))
	pull := digestsOf(read(bundle.SlotPull, v1alpha1.KeyToken))

	k.mu.Lock()
	defer k.mu.Unlock()
	if authenticator != nil {
		k.events = authenticator
	}
	if len(peer) > 0 && !slices.Equal(peer, k.peer) {
		k.before, k.until, k.peer = k.peer, time.Now().Add(peerGrace), peer
	}
	if len(pull) > 0 {
		k.pull = pull
	}
	return errors.Join(errs...)
}

func first(values []string) []string { return values[:min(len(values), 1)] }

func (k *keys) authenticator() *crm.Authenticator {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.events
}

// isPeer reports whether a request comes from the gateway, isReader whether it comes from an OA that reads its list.
func (k *keys) isPeer(authorization string) bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.peer.match(authorization) || time.Now().Before(k.until) && k.before.match(authorization)
}

func (k *keys) isReader(authorization string) bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.pull.match(authorization)
}

// digests are of the tokens that are accepted.
type digests [][sha256.Size]byte

func digestsOf(tokens []string) (out digests) {
	for _, token := range tokens {
		if token != "" {
			out = append(out, sha256.Sum256([]byte(token)))
		}
	}
	return out
}

// match reports whether a header Authorization bears one of the tokens, in constant time.
func (d digests) match(authorization string) bool {
	token, ok := strings.CutPrefix(authorization, "Bearer ")
	sum := sha256.Sum256([]byte(token))
	right := 0
	for i := range d {
		right |= subtle.ConstantTimeCompare(sum[:], d[i][:])
	}
	return ok && right == 1
}

// credentials is a digest of what the dispatcher shows to the OA: it changes when one of those Secrets does.
func credentials(dir string) (digest [sha256.Size]byte) {
	h := sha256.New()
	for _, slot := range []string{bundle.SlotCredentials, bundle.SlotCA, bundle.SlotHeaders} {
		files, err := os.ReadDir(filepath.Join(dir, slot))
		if err != nil {
			continue // not every connector has every Secret
		}
		for _, f := range files {
			if strings.HasPrefix(f.Name(), "..") {
				continue // how Kubernetes replaces a folder
			}
			value, err := mounted.Read(dir, slot, f.Name())
			if err != nil {
				value = err.Error()
			}
			_, _ = fmt.Fprintf(h, "%s/%s %q\n", slot, f.Name(), value)
		}
	}
	h.Sum(digest[:0])
	return digest
}
