package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/crm/login"
	"github.com/oabridge/oabridge/internal/mounted"
)

// newIssuer makes the login issuer of a bundle, and takes its keys as they are now.
func (c *configurator) newIssuer(s *bundle.SSO, l *live) (issuer login.Issuer, warning, err error) {
	config := login.Config{GatewayURL: s.URL, LoginURL: s.LoginURL, Lifetime: s.LoginLifetime.Std(), Now: c.handler.now}
	switch v1alpha1.CRMLoginType(s.Login) {
	case v1alpha1.LoginSignedJWT:
		if issuer, err = login.NewSignedJWT(config, c.handler.keys); err == nil {
			warning, err = c.takeKeys()
		}
	case v1alpha1.LoginSignedURL:
		if issuer, err = login.NewSignedURL(config, c.sharedKey); err == nil {
			_, err = c.sharedKey()
		}
	case v1alpha1.LoginOneTimeCode:
		if issuer, err = login.NewOneTimeCode(config, vault{l}, c.sharedKeys); err == nil {
			_, err = c.sharedKeys()
		}
	case v1alpha1.LoginOpenIDProvider:
		if s.OpenID == nil {
			err = errors.New("spec.sso.crmLogin.openID is missing: the CRM must be known as a client")
			break
		}
		client := login.Client{ID: s.OpenID.ClientID, RedirectURIs: s.OpenID.RedirectURIs, Public: s.OpenID.Public, Secret: c.clientSecrets}
		issuer, err = login.NewOpenIDProvider(config, c.handler.keys, client, vault{l}, issuerSeal{l.seal}, PathAuthorize+"?"+paramRequest+"=")
		if err == nil && !client.Public {
			_, err = c.clientSecrets()
		}
		if err == nil {
			warning, err = c.takeKeys()
		}
	default:
		err = fmt.Errorf("login issuer %q is unknown: use a gateway of the operator's version", s.Login)
	}
	if err != nil {
		return nil, nil, err
	}
	return issuer, warning, nil
}

// sharedKey is the key that the CRM knows as well.
func (c *configurator) sharedKey() (string, error) {
	keys, err := c.sharedKeys()
	if err != nil {
		return "", err
	}
	return keys[0], nil
}

// sharedKeys are the current key, and the next one while it is being replaced.
func (c *configurator) sharedKeys() ([]string, error) {
	keys, err := c.loginKeys(v1alpha1.KeyShared)
	if err != nil || keys[0] == "" {
		return nil, login.ErrNoSharedKey
	}
	if len(keys[0]) < login.MinSharedKey {
		return nil, fmt.Errorf("%s in the Secret of spec.sso.crmLogin.keySecretRef: %w", v1alpha1.KeyShared, login.ErrShortKey)
	}
	return keys, nil
}

// clientSecrets prove the CRM at the gateway: the current one, and the next one while it is being replaced.
func (c *configurator) clientSecrets() ([]string, error) {
	secrets, err := c.loginKeys(v1alpha1.KeyClientSecret)
	if err != nil || secrets[0] == "" {
		return nil, fmt.Errorf("%s is missing in the Secret of spec.sso.crmLogin.keySecretRef: put there what the CRM sends as its client secret", v1alpha1.KeyClientSecret)
	}
	if len(secrets[0]) < login.MinSharedKey {
		return nil, fmt.Errorf("%s in the Secret of spec.sso.crmLogin.keySecretRef: %w", v1alpha1.KeyClientSecret, login.ErrShortKey)
	}
	return secrets, nil
}

func (c *configurator) loginKeys(name string) ([]string, error) {
	next, missing := mounted.Read(c.secretsDir, bundle.SlotLogin, name+v1alpha1.SuffixNext) // before the current one, whose place it takes
	key, err := mounted.Read(c.secretsDir, bundle.SlotLogin, name)
	if err != nil {
		return nil, err
	}
	keys := []string{strings.TrimSpace(key)}
	if missing == nil {
		keys = append(keys, strings.TrimSpace(next))
	}
	return keys, nil
}

// takeKeys hands the mounted keys over to the key ring.
func (c *configurator) takeKeys() (warning, err error) {
	current, following, warning, err := readKeys(c.secretsDir)
	if err == nil {
		c.handler.keys.Replace(current, following)
	}
	return warning, err
}

// readKeys reads the signing key and the one that will replace it. A bad next key hurts nobody today, so it is only a
// warning.
func readKeys(secretsDir string) (current, next *login.Key, warning, err error) {
	data, err := mounted.Read(secretsDir, bundle.SlotLogin, v1alpha1.KeyPrivate)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("%s is missing: put a PEM private key into the Secret of spec.sso.crmLogin.keySecretRef", v1alpha1.KeyPrivate)
	}
	if current, err = login.ParseKey([]byte(data)); err != nil {
		return nil, nil, nil, fmt.Errorf("%s in the Secret of spec.sso.crmLogin.keySecretRef: %w", v1alpha1.KeyPrivate, err)
	}
	name := v1alpha1.KeyPrivate + v1alpha1.SuffixNext
	data, err = mounted.Read(secretsDir, bundle.SlotLogin, name)
	if errors.Is(err, mounted.ErrMissing) {
		return current, nil, nil, nil
	}
	if err == nil {
		next, err = login.ParseKey([]byte(data))
	}
	if err != nil {
		return current, nil, fmt.Errorf("%s in the Secret of spec.sso.crmLogin.keySecretRef is not published: %w", name, err), nil
	}
	return current, next, nil, nil
}

// vault lets a login issuer keep values in the proof store, sealed.
type vault struct{ *live }

// Once implements login.Vault.
func (v vault) Once(ctx context.Context, name string, life time.Duration) (bool, error) {
	return v.proofs.Reserve(ctx, proofKey("issuer", v.connector, name), life)
}

// Keep implements login.Vault.
func (v vault) Keep(ctx context.Context, name string, value []byte, life time.Duration) error {
	sealed, err := v.seal.seal(purposeVault, value)
	if err != nil {
		return err
	}
	return v.proofs.Keep(ctx, proofKey("issuer", v.connector, name), []byte(sealed), life)
}

// Take implements login.Vault.
func (v vault) Take(ctx context.Context, name string) ([]byte, error) {
	sealed, err := v.proofs.Take(ctx, proofKey("issuer", v.connector, name))
	if err != nil || sealed == nil {
		return nil, err
	}
	var value []byte
	err = v.seal.open(purposeVault, string(sealed), &value)
	return value, err
}

// issuerSeal seals what the login issuer sends through the browser.
type issuerSeal struct{ *sealer }

// Seal implements login.Sealer.
func (s issuerSeal) Seal(v any) (string, error) { return s.seal(purposeIssuer, v) }

// Open implements login.Sealer.
func (s issuerSeal) Open(text string, v any) error { return s.open(purposeIssuer, text, v) }
