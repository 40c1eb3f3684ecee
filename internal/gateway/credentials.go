package gateway

import (
	"fmt"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/crm/login"
	"github.com/oabridge/oabridge/internal/mounted"
	"github.com/oabridge/oabridge/internal/rotation"
	"github.com/oabridge/oabridge/internal/signin/jwt"
	"github.com/oabridge/oabridge/internal/signin/link"
)

// rotators are what the sign-in mode shows to the OA.
func (c *configurator) rotators() (out []rotation.Rotator) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append(out, c.signIn.Rotators...)
}

// accepted are the keys with which the OA and the CRM prove themselves, and those that sign a login.
func (c *configurator) accepted() (out []rotation.KeyState) {
	peer, _ := mounted.Read(c.secretsDir, bundle.SlotPeer, v1alpha1.KeyToken)
	for _, k := range []struct {
		slot, name string
		check      func(string) error
	}{
		{bundle.SlotSSO, v1alpha1.KeyLink, atLeast(link.MinSecret)},
		{bundle.SlotSSO, v1alpha1.KeyShared, atLeast(jwt.MinSharedKey)},
		{bundle.SlotSSO, v1alpha1.KeyJWKS, nil},
		{bundle.SlotLogin, v1alpha1.KeyPrivate, usableKey},
		{bundle.SlotLogin, v1alpha1.KeyShared, longEnough},
		{bundle.SlotLogin, v1alpha1.KeyClientSecret, longEnough},
	} {
		if s, ok := rotation.AcceptedKey(c.secretsDir, peer, k.slot, k.name, k.check); ok {
			out = append(out, s)
		}
	}
	return out
}

func usableKey(pem string) error {
	_, err := login.ParseKey([]byte(pem))
	return err
}

func atLeast(bytes int) func(string) error {
	return func(value string) error {
		if len(value) < bytes {
			return fmt.Errorf("it has less than %d bytes", bytes)
		}
		return nil
	}
}

func longEnough(key string) error {
	if len(key) < login.MinSharedKey {
		return login.ErrShortKey
	}
	return nil
}
