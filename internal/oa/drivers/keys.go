package drivers

import (
	"path"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/rotation"
)

// account lists the keys of the OA account, as bundle.CredentialKeys does for the operator.
func (c config) account() []string {
	switch v1alpha1.OAType(c.bundle.Type) {
	case v1alpha1.TypeWeaver:
		return nil
	case v1alpha1.TypeYunzhijia, v1alpha1.TypeWeLink, v1alpha1.TypeWeCom, v1alpha1.TypeDingTalk, v1alpha1.TypeFeishu:
		return []string{v1alpha1.KeyAppSecret}
	case v1alpha1.TypeLandray:
		if own := c.bundle.OA.Landray; own == nil || own.Authentication == string(v1alpha1.LandrayNone) {
			return nil
		}
	case v1alpha1.TypeGeneric:
		switch own := c.bundle.OA.Generic; {
		case own == nil || own.Authentication == string(v1alpha1.GenericNone):
			return nil
		case own.Authentication == string(v1alpha1.GenericStatic):
			return []string{v1alpha1.KeyToken}
		}
	}
	return []string{v1alpha1.KeyUsername, v1alpha1.KeyPassword}
}

// keys describes what calls to the OA show: the account and the headers.
func (c config) keys(v rotation.Version) []rotation.Key {
	var out []rotation.Key
	for _, name := range c.account() {
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
