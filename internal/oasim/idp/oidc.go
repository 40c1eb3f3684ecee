package idp

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/oabridge/oabridge/internal/oasim/desk"
)

// keptKeys is how many keys are published: the one in use and the one before.
const keptKeys = 2

type key struct {
	id      string
	private *ecdsa.PrivateKey
}

// rotate makes a new signing key; the old one stays published for a while.
func (p *Provider) rotate() error {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = append([]key{{rand.Text()[:8], private}}, p.keys...)
	p.keys = p.keys[:min(len(p.keys), keptKeys)]
	return nil
}

func (p *Provider) published() jose.JSONWebKeySet {
	p.mu.RLock()
	defer p.mu.RUnlock()
	var set jose.JSONWebKeySet
	for _, k := range p.keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.private.Public(), KeyID: k.id, Algorithm: string(jose.ES256), Use: "sig"})
	}
	return set
}

func (p *Provider) publishKeys(w http.ResponseWriter, _ *http.Request) {
	desk.Reply(w, http.StatusOK, p.published())
}

// discovery is the provider's description of itself (OpenID Connect Discovery 1.0).
func (p *Provider) discovery(w http.ResponseWriter, r *http.Request) {
	base := base(r)
	browser := cmp.Or(p.BrowserURL, base)
	desk.Reply(w, http.StatusOK, map[string]any{
		"issuer": base, "authorization_endpoint": browser + p.Paths.Authorize, "token_endpoint": base + p.Paths.Token,
		"userinfo_endpoint": base + p.Paths.Profile, "jwks_uri": base + p.Paths.Keys,
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{string(jose.ES256)}, "scopes_supported": []string{"openid", "profile"},
		"code_challenge_methods_supported":      []string{"S256"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"},
	})
}

// idToken says who a person is, or, when the settings spoil it, something that no client may believe.
func (p *Provider) idToken(issuer string, client Client, g grant) (string, error) {
	person, _ := p.People.Get(g.person)
	now, settings := p.Desk.Now(), p.Settings()
	claims := map[string]any{
		"iss": issuer, "sub": g.person, "aud": client.ID, "iat": now.Unix(), "exp": now.Add(settings.tokenLife()).Unix(),
		"name": person.Name, "preferred_username": g.person,
	}
	if g.nonce != "" {
		claims["nonce"] = g.nonce
	}
	p.mu.RLock()
	signing := p.keys[0]
	p.mu.RUnlock()
	switch settings.IDToken {
	case "wrongNonce":
		claims["nonce"] = rand.Text()
	case "wrongAudience":
		claims["aud"] = "somebody-else"
	case "wrongIssuer":
		claims["iss"] = "https://issuer.example"
	case "expired":
		claims["iat"], claims["exp"] = now.Add(-2*time.Hour).Unix(), now.Add(-time.Hour).Unix()
	case "notYet":
		claims["iat"], claims["nbf"] = now.Add(time.Hour).Unix(), now.Add(time.Hour).Unix()
		claims["exp"] = now.Add(2 * time.Hour).Unix()
	case "otherKey":
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return "", err
		}
		signing.private = private
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	if settings.IDToken == "unsigned" {
		encode := base64.RawURLEncoding.EncodeToString
		return encode([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + encode(payload) + ".", nil
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: signing.private, KeyID: signing.id}},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}
