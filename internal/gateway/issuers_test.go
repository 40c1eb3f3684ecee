package gateway

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/bundle"
)

// What a login issuer needs is looked at before anybody comes: the report names the key that is missing or can be guessed, and
// never quotes it.
func TestKeysOfTheLoginIssuers(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		issuer, file, content, want string
	}{
		"a shared key that is missing":           {"SignedURL", "", "", "shared-key"},
		"a shared key that can be guessed":       {"OneTimeCode", "shared-key", "canary", "shared-key in the Secret of spec.sso.crmLogin.keySecretRef: a shared key needs at least 32 bytes"},
		"a client secret that is missing":        {"OpenIDProvider", "", "", "client-secret is missing"},
		"a client secret that can be guessed":    {"OpenIDProvider", "client-secret", "canary", "client-secret in the Secret of spec.sso.crmLogin.keySecretRef: a shared key needs at least 32 bytes"},
		"a signing key that is missing":          {"SignedJWT", "", "", "key.pem is missing"},
		"an issuer of a newer operator's":        {"Telepathy", "", "", "is unknown"},
		"a signing key of the OpenID Provider's": {"OpenIDProvider", "client-secret", crmSecret, "key.pem is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if c.file != "" {
				writeFile(t, filepath.Join(dir, bundle.SlotLogin, c.file), []byte(c.content))
			}
			sso := &bundle.SSO{URL: gatewayURL, LoginURL: loginURL, LoginLifetime: bundle.Duration(time.Minute), Login: c.issuer,
				OpenID: &bundle.OpenID{ClientID: "crm", RedirectURIs: []string{"https://crm.example/oidc/callback"}}}
			_, _, err := (&configurator{handler: w.handler, secretsDir: dir}).newIssuer(sso, w.handler.live.Load())
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "canary") {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}
