package fxiaoke

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"github.com/oabridge/oabridge/api/v1alpha1"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/mounted"
	"github.com/oabridge/oabridge/internal/rotation"
)

// credentials of the enterprise's own app [SEED1 §9.2]: the keys of the slot crm.
type credentials struct{ appID, appSecret, permanentCode string }

// Equal implements rotation.Value.
func (c credentials) Equal(o credentials) bool { return c == o }

// keyNames in the order of their fields.
var keyNames = [...]string{v1alpha1.KeyAppID, v1alpha1.KeyAppSecret, v1alpha1.KeyPermanentCode}

// readCredentials reads the Secret as it is mounted now, or as it is to be.
func readCredentials(dir string, version rotation.Version) (credentials, error) {
	var c credentials
	for i, value := range [...]*string{&c.appID, &c.appSecret, &c.permanentCode} {
		key := keyNames[i]
		text, err := readKey(dir, key, version)
		*value = strings.TrimSpace(text)
		switch {
		case errors.Is(err, mounted.ErrMissing) || err == nil && *value == "":
			return credentials{}, misconfigured(fmt.Sprintf("the key %s of the Secret in spec.source.crm.credentialsSecretRef is missing: copy it from the CRM's own app (企业自建应用)", key))
		case err != nil:
			return credentials{}, misconfigured(fmt.Sprintf("the key %s of the Secret in spec.source.crm.credentialsSecretRef cannot be read", key))
		}
	}
	return c, nil
}

// readKey returns the value of a key, or the one that is to follow it where there is one.
func readKey(dir, key string, version rotation.Version) (string, error) {
	if version == rotation.Next {
		if text, err := mounted.Read(dir, bundle.SlotCRM, key+v1alpha1.SuffixNext); err == nil && strings.TrimSpace(text) != "" {
			return text, nil
		}
	}
	return mounted.Read(dir, bundle.SlotCRM, key)
}

// describe the keys for a status.
func describe(dir string, version rotation.Version) (out []rotation.Key) {
	peer, _ := mounted.Read(dir, bundle.SlotPeer, v1alpha1.KeyToken)
	for _, key := range keyNames {
		text, _ := readKey(dir, key, version) // a missing one has no fingerprint
		out = append(out, rotation.NewKey(peer, bundle.SlotCRM, key, strings.TrimSpace(text)))
	}
	return out
}

// id tells credentials apart without keeping them.
func (c credentials) id() [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%q %q %q", c.appID, c.appSecret, c.permanentCode))
}

// mask takes the secrets and a token out of a text.
func (c credentials) mask(token string) *strings.Replacer {
	pairs := []string{c.appSecret, "…", c.permanentCode, "…"}
	if token != "" {
		pairs = append(pairs, token, "…")
	}
	return strings.NewReplacer(pairs...)
}
