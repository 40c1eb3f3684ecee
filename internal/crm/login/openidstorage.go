package login

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// opStorage implements op.Storage for one client, without a database: a request travels sealed through the browser, a code
// is kept in the vault, which gives it back once, and access tokens are good for nothing.
type opStorage struct {
	provider *OpenIDProvider
	keys     *KeyRing
	client   Client
}

// opaque makes codes and access tokens random: what they stand for is in the vault.
type opaque struct{}

func opaqueText() string { return rand.Text() + rand.Text() }

// Encrypt implements op.Crypto.
func (opaque) Encrypt(string) (string, error) { return opaqueText(), nil }

// Decrypt implements op.Crypto.
func (opaque) Decrypt(string) (string, error) { return "", errUnsupported }

var errUnsupported = errors.New("not supported")

// CreateAuthRequest takes what the CRM asks for: the code flow with PKCE, or nothing.
func (s *opStorage) CreateAuthRequest(_ context.Context, a *oidc.AuthRequest, _ string) (op.AuthRequest, error) {
	switch {
	case a.ResponseType != oidc.ResponseTypeCode:
		return nil, oidc.ErrInvalidRequest().WithDescription("response_type must be code")
	case a.ResponseMode != "" && a.ResponseMode != oidc.ResponseModeQuery:
		return nil, oidc.ErrInvalidRequest().WithDescription("response_mode must be query")
	case !slices.Contains(a.Scopes, oidc.ScopeOpenID):
		return nil, oidc.ErrInvalidScope().WithDescription("the scope openid is needed")
	case a.CodeChallenge == "" || a.CodeChallengeMethod != oidc.CodeChallengeMethodS256:
		return nil, oidc.ErrInvalidRequest().WithDescription("PKCE with S256 is needed")
	}
	r := &request{
		ID: opaqueText(), Asked: s.provider.config.Now(), ClientID: a.ClientID, RedirectURI: a.RedirectURI, State: a.State,
		Nonce: a.Nonce, Challenge: a.CodeChallenge,
	}
	var err error
	if r.sealed, err = s.provider.sealer.Seal(r); err != nil {
		return nil, oidc.ErrServerError()
	}
	return r, nil
}

// AuthRequestByID opens a request.
func (s *opStorage) AuthRequestByID(_ context.Context, id string) (op.AuthRequest, error) {
	r := &request{sealed: id}
	if err := s.provider.open(id, r); err != nil {
		return nil, oidc.ErrInvalidRequest().WithDescription("the request is not good (any more)")
	}
	return r, nil
}

// SaveAuthCode keeps a done request under its code. A request gets one code only.
func (s *opStorage) SaveAuthCode(ctx context.Context, id, code string) error {
	var r request
	if err := s.provider.open(id, &r); err != nil || r.Person == nil {
		return oidc.ErrInvalidRequest().WithDescription("the request is not good (any more)")
	}
	first, err := s.provider.vault.Once(ctx, "request|"+r.ID, requestLife)
	if err != nil {
		return oidc.ErrServerError()
	}
	if !first {
		return oidc.ErrInvalidRequest().WithDescription("the request was answered before")
	}
	value, err := json.Marshal(r)
	if err != nil {
		return oidc.ErrServerError()
	}
	if err := s.provider.vault.Keep(ctx, codeName(code), value, codeLife); err != nil {
		return oidc.ErrServerError()
	}
	return nil
}

// AuthRequestByCode takes the request of a code, once.
func (s *opStorage) AuthRequestByCode(ctx context.Context, code string) (op.AuthRequest, error) {
	value, err := s.provider.vault.Take(ctx, codeName(code))
	if err != nil {
		return nil, oidc.ErrServerError()
	}
	var r request
	if value == nil || json.Unmarshal(value, &r) != nil || r.Person == nil {
		return nil, oidc.ErrInvalidGrant()
	}
	return &r, nil
}

// DeleteAuthRequest has nothing to do: the code was taken.
func (s *opStorage) DeleteAuthRequest(context.Context, string) error { return nil }

// CreateAccessToken: nothing can be asked with an access token, but the protocol wants one.
func (s *opStorage) CreateAccessToken(context.Context, op.TokenRequest) (string, time.Time, error) {
	return opaqueText(), time.Now().Add(codeLife), nil
}

// GetClientByClientID knows one client.
func (s *opStorage) GetClientByClientID(_ context.Context, id string) (op.Client, error) {
	if id != s.client.ID {
		return nil, errors.New("unknown client")
	}
	return opClient{s}, nil
}

// AuthorizeClientIDSecret compares in constant time.
func (s *opStorage) AuthorizeClientIDSecret(_ context.Context, id, secret string) error {
	want, err := s.client.Secret()
	right := 0
	for _, w := range want {
		if len(w) >= MinSharedKey {
			right |= subtle.ConstantTimeCompare([]byte(w), []byte(secret))
		}
	}
	if err != nil || id != s.client.ID || right != 1 {
		return errors.New("unknown client or wrong secret")
	}
	return nil
}

// SetUserinfoFromScopes adds nothing: SetUserinfoFromRequest does.
func (s *opStorage) SetUserinfoFromScopes(context.Context, *oidc.UserInfo, string, string, []string) error {
	return nil
}

// SetUserinfoFromRequest writes the claims of a login token into the ID token.
func (s *opStorage) SetUserinfoFromRequest(_ context.Context, info *oidc.UserInfo, r op.IDTokenRequest, _ []string) error {
	own, ok := r.(*request)
	if !ok || own.Person == nil {
		return errUnsupported
	}
	info.Subject = own.Person.CRMAccount
	info.AppendClaims("ei", own.Person.EnterpriseID)
	info.AppendClaims("target", own.Person.Target)
	info.AppendClaims("oa", own.Person.OA)
	info.AppendClaims("tid", own.Person.TraceID)
	return nil
}

// SigningKey is the current key of the ring.
func (s *opStorage) SigningKey(context.Context) (op.SigningKey, error) {
	key := s.keys.signing()
	if key == nil {
		return nil, ErrNoKey
	}
	return opKey{key}, nil
}

// SignatureAlgorithms of the current key.
func (s *opStorage) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	key := s.keys.signing()
	if key == nil {
		return nil, ErrNoKey
	}
	return []jose.SignatureAlgorithm{key.alg}, nil
}

// KeySet: the gateway publishes the keys itself.
func (s *opStorage) KeySet(context.Context) ([]op.Key, error) { return nil, nil }

// Health implements op.Storage.
func (s *opStorage) Health(context.Context) error { return nil }

// The rest of op.Storage belongs to grants and endpoints that are not served.

func (s *opStorage) CreateAccessAndRefreshTokens(context.Context, op.TokenRequest, string) (string, string, time.Time, error) {
	return "", "", time.Time{}, errUnsupported
}

func (s *opStorage) TokenRequestByRefreshToken(context.Context, string) (op.RefreshTokenRequest, error) {
	return nil, op.ErrInvalidRefreshToken
}

func (s *opStorage) TerminateSession(context.Context, string, string) error { return errUnsupported }

func (s *opStorage) RevokeToken(context.Context, string, string, string) *oidc.Error {
	return oidc.ErrInvalidRequest()
}

func (s *opStorage) GetRefreshTokenInfo(context.Context, string, string) (string, string, error) {
	return "", "", op.ErrInvalidRefreshToken
}

func (s *opStorage) SetUserinfoFromToken(context.Context, *oidc.UserInfo, string, string, string) error {
	return errUnsupported
}

func (s *opStorage) SetIntrospectionFromToken(context.Context, *oidc.IntrospectionResponse, string, string, string) error {
	return errUnsupported
}

func (s *opStorage) GetPrivateClaimsFromScopes(context.Context, string, string, []string) (map[string]any, error) {
	return nil, nil
}

func (s *opStorage) GetKeyByIDAndClientID(context.Context, string, string) (*jose.JSONWebKey, error) {
	return nil, errUnsupported
}

func (s *opStorage) ValidateJWTProfileScopes(context.Context, string, []string) ([]string, error) {
	return nil, errUnsupported
}

// opKey implements op.SigningKey.
type opKey struct{ key *Key }

func (k opKey) SignatureAlgorithm() jose.SignatureAlgorithm { return k.key.alg }
func (k opKey) Key() any                                    { return k.key.private }
func (k opKey) ID() string                                  { return k.key.id }

// opClient implements op.Client.
type opClient struct{ *opStorage }

func (c opClient) GetID() string                       { return c.client.ID }
func (c opClient) RedirectURIs() []string              { return c.client.RedirectURIs }
func (c opClient) PostLogoutRedirectURIs() []string    { return nil }
func (c opClient) ApplicationType() op.ApplicationType { return op.ApplicationTypeWeb }
func (c opClient) ResponseTypes() []oidc.ResponseType {
	return []oidc.ResponseType{oidc.ResponseTypeCode}
}
func (c opClient) GrantTypes() []oidc.GrantType         { return []oidc.GrantType{oidc.GrantTypeCode} }
func (c opClient) AccessTokenType() op.AccessTokenType  { return op.AccessTokenTypeBearer }
func (c opClient) IDTokenLifetime() time.Duration       { return c.provider.config.Lifetime }
func (c opClient) IsScopeAllowed(string) bool           { return false }
func (c opClient) IDTokenUserinfoClaimsAssertion() bool { return true }
func (c opClient) ClockSkew() time.Duration             { return 0 }

// DevMode allows redirect URIs with plain http, which a CRM inside a company may have.
func (c opClient) DevMode() bool { return true }

func (c opClient) AuthMethod() oidc.AuthMethod {
	if c.client.Public {
		return oidc.AuthMethodNone
	}
	return oidc.AuthMethodBasic
}

// LoginURL is where the person is recognised.
func (c opClient) LoginURL(id string) string {
	return c.provider.config.GatewayURL + c.provider.resume + id
}

func (c opClient) RestrictAdditionalIdTokenScopes() func([]string) []string { //nolint:revive // the library spells it so
	return func(scopes []string) []string { return scopes }
}

func (c opClient) RestrictAdditionalAccessTokenScopes() func([]string) []string {
	return func(scopes []string) []string { return scopes }
}
