package drivers

import (
	"path"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/rotation"
)

// keys describes what calls to the OA show: the account and the headers.
func (c config) keys(v rotation.Version) []rotation.Key {
	var out []rotation.Key
	for _, name := range c.bundle.OA.AccountKeys(v1alpha1.OAType(c.bundle.Type)) {
		out = append(out, c.secrets.key(bundle.SlotCredentials, name, v))
	}
	return append(out, c.headerKeys(v)...)
}

// headerKeys describes the secret headers.
func (c config) headerKeys(v rotation.Version) (out []rotation.Key) {
	for _, h := range c.bundle.OA.Headers {
		if slot, name := path.Split(h.SecretFile); name != "" {
			out = append(out, c.secrets.key(path.Clean(slot), name, v))
		}
	}
	return out
}

func (s secrets) key(slot, name string, v rotation.Version) rotation.Key {
	value, _ := s.versioned(slot, name, v) // a missing one has no fingerprint
	peer, _ := s.files.read(bundle.SlotPeer, v1alpha1.KeyToken)
	return rotation.NewKey(peer, slot, name, value)
}
