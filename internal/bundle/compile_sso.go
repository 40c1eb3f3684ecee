package bundle

import (
	"strconv"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// compileSSO returns nil when no gateway runs.
func compileSSO(s v1alpha1.SSO, proofsURL string) *SSO {
	if s.Mode == "" || s.Mode == v1alpha1.SSONone {
		return nil
	}
	out := &SSO{
		Mode:           string(s.Mode),
		URL:            linkURL(s),
		Login:          string(or(s.CRMLogin.Type, v1alpha1.LoginSignedJWT)),
		LoginURL:       s.CRMLogin.URL,
		LoginLifetime:  durationOr(s.CRMLogin.Lifetime.Duration, DefaultLoginLifetime),
		ProofsURL:      proofsURL,
		MaxSkew:        durationOr(s.MaxSkew.Duration, DefaultMaxSkew),
		TrustedProxies: s.TrustedProxies,
		FrameAncestors: s.FrameAncestors,
		QR:             s.QR == v1alpha1.Enabled,

		HomePath: s.Home.Path, HomeMobilePath: or(s.Home.MobilePath, s.Home.Path),
		SelfProbe: or(s.SelfProbe, v1alpha1.Enabled) == v1alpha1.Enabled,
	}
	for _, host := range s.AdditionalHosts {
		out.OtherURLs = append(out.OtherURLs, publicURL(s, host))
	}
	if s.CRMLogin.Type == v1alpha1.LoginOpenIDProvider {
		c := s.CRMLogin.OpenID
		out.OpenID = &OpenID{ClientID: c.ClientID, RedirectURIs: c.RedirectURIs, Public: c.Type == v1alpha1.ClientPublic}
	}
	for _, f := range s.DomainFiles {
		if out.Files == nil {
			out.Files = map[string]string{}
		}
		out.Files[f.Name] = f.Content
	}
	compileMode(out, s)
	return out
}

// compileMode fills in the block of the mode.
func compileMode(out *SSO, s v1alpha1.SSO) {
	switch s.Mode {
	case v1alpha1.SSOSignedLink:
		out.SignedLink = &SignedLink{Algorithm: string(or(s.SignedLink.Algorithm, v1alpha1.LinkSHA1))}
	case v1alpha1.SSOJWT:
		out.JWT = &JWT{
			Parameter: or(s.JWT.Parameter, DefaultJWTParameter), Issuer: s.JWT.Issuer, Audience: or(s.JWT.Audience, "https://"+s.Host),
			Algorithm: string(s.JWT.Algorithm), AccountClaim: or(s.JWT.AccountClaim, DefaultAccountClaim),
		}
	case v1alpha1.SSOCallback:
		out.Callback = &AuthCall{
			Parameter: s.Callback.Parameter, URL: s.Callback.URL, Method: string(or(s.Callback.Method, DefaultCallbackMethod)),
			AccountPath: s.Callback.AccountPath,
		}
	case v1alpha1.SSOOIDC:
		out.OIDC = &OIDC{
			IssuerURL: s.OIDC.IssuerURL, ClientID: s.OIDC.ClientID, Scopes: s.OIDC.Scopes,
			AccountClaim: or(s.OIDC.AccountClaim, DefaultAccountClaim),
		}
	case v1alpha1.SSOOAuth2:
		out.OAuth2 = &OAuth2{
			AuthorizeURL: s.OAuth2.AuthorizeURL, TokenURL: s.OAuth2.TokenURL, UserInfoURL: s.OAuth2.UserInfoURL,
			ClientID: s.OAuth2.ClientID, Scopes: s.OAuth2.Scopes, AccountPath: or(s.OAuth2.AccountPath, DefaultAccountPath),
			PKCE:         s.OAuth2.PKCE != v1alpha1.Disabled,
			SecretInForm: s.OAuth2.ClientSecretPlacement == v1alpha1.SecretForm, TokenInQuery: s.OAuth2.TokenPlacement == v1alpha1.TokenInQuery,
		}
	case v1alpha1.SSOCAS:
		out.CAS = &CAS{URL: s.CAS.URL, Version: string(or(s.CAS.Version, DefaultCASVersion)), Attribute: s.CAS.Attribute}
	case v1alpha1.SSOApp:
		compileApp(out, s)
	}
}

func compileApp(out *SSO, s v1alpha1.SSO) {
	out.App = &App{
		AccountID: string(s.App.AccountID), AuthorizeURL: s.App.AuthorizeURL, WebAuthorizeURL: s.App.WebAuthorizeURL,
		ScriptURL: s.App.ScriptURL, Title: s.App.Title,
	}
	for i, c := range s.Companies {
		out.Companies = append(out.Companies, Company{
			Name: c.Name, Title: or(c.Title, c.Name), CorpID: c.CorpID, AgentID: strconv.FormatInt(c.AgentID, 10), Secret: CompanySlot(i),
		})
	}
}

// CompanySlot is the folder with the secret of a company.
func CompanySlot(i int) string { return SlotCompany + strconv.Itoa(i) }

// linkURL is scheme, host and path prefix of the links that are pushed, or "".
func linkURL(s v1alpha1.SSO) string {
	if s.Host == "" {
		return ""
	}
	return publicURL(s, s.Host)
}

// publicURL is the address of the gateway under one of its hosts. An Ingress without TLS makes it http. With an HTTPRoute TLS
// ends at the Gateway, and without either something else exposes the host, with TLS as a rule; with mode None the host is not
// ours at all (F109).
func publicURL(s v1alpha1.SSO, host string) string {
	scheme := "https://"
	if s.Mode != v1alpha1.SSONone && or(s.Exposure.Type, DefaultExposure) == v1alpha1.ExposureIngress && s.Exposure.TLS.SecretName == "" {
		scheme = "http://"
	}
	return scheme + host + s.PathPrefix
}
