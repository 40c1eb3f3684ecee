package fxiaoke

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/mounted"
)

// credentials of the enterprise's own app [SEED1 §9.2]: the keys of the slot crm.
type credentials struct{ appID, appSecret, permanentCode string }

// readCredentials reads the Secret as it is mounted now, so that a replaced one counts with the next call.
func readCredentials(dir string) (credentials, error) {
	var c credentials
	for key, value := range map[string]*string{"appId": &c.appID, "appSecret": &c.appSecret, "permanentCode": &c.permanentCode} {
		text, err := mounted.Read(dir, bundle.SlotCRM, key)
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
