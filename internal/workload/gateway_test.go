package workload_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/workload"
)

// A gateway gets the Secrets of its sign-in mode and of its login issuer, key by key, and no other.
func TestSecretsOfTheGatewayByMode(t *testing.T) {
	secret := func(name string) v1alpha1.SecretReference { return v1alpha1.SecretReference{Name: name} }
	const own = "peer/token hq-peer, login/key.pem hq-login, login/key.pem.next hq-login"
	for name, c := range map[string]struct {
		change func(*v1alpha1.OAConnectorSpec)
		want   string
	}{
		"V5Ticket":    {func(s *v1alpha1.OAConnectorSpec) { s.Type, s.SSO.Mode = v1alpha1.TypeSeeyon, v1alpha1.SSOV5Ticket }, own},
		"signed link": {func(s *v1alpha1.OAConnectorSpec) { s.SSO.Mode = v1alpha1.SSOSignedLink }, own + ", sso/link-secret hq-sso, sso/link-secret.next hq-sso"},
		"JWT":         {func(s *v1alpha1.OAConnectorSpec) { s.SSO.Mode, s.SSO.JWT.Algorithm = v1alpha1.SSOJWT, "ES256" }, own + ", sso/jwks.json hq-sso"},
		"JWT, shared": {func(s *v1alpha1.OAConnectorSpec) { s.SSO.Mode, s.SSO.JWT.Algorithm = v1alpha1.SSOJWT, "HS256" },
			own + ", sso/shared-key hq-sso, sso/shared-key.next hq-sso"},
		"callback": {func(s *v1alpha1.OAConnectorSpec) { s.SSO.Mode = v1alpha1.SSOCallback }, own + ", sso/token hq-sso, sso/token.next hq-sso"},
		"OIDC":     {func(s *v1alpha1.OAConnectorSpec) { s.SSO.Mode = v1alpha1.SSOOIDC }, own + ", sso/client-secret hq-sso, sso/client-secret.next hq-sso"},
		"CAS":      {func(s *v1alpha1.OAConnectorSpec) { s.SSO.Mode = v1alpha1.SSOCAS }, own},
		"WeCom, two companies": {func(s *v1alpha1.OAConnectorSpec) {
			s.Type, s.SSO.Mode = v1alpha1.TypeWeCom, v1alpha1.SSOApp
			s.SSO.Companies = []v1alpha1.CompanySSO{{Name: "b", SecretRef: secret("b-app")}}
		}, "credentials/appSecret hq-app, credentials/appSecret.next hq-app, " + own + ", company-0/appSecret b-app, company-0/appSecret.next b-app"},
		"signed URL": {func(s *v1alpha1.OAConnectorSpec) {
			s.SSO.Mode, s.SSO.CRMLogin.Type = v1alpha1.SSOCAS, v1alpha1.LoginSignedURL
		},
			"peer/token hq-peer, login/shared-key hq-login, login/shared-key.next hq-login"},
		"OpenID Provider": {func(s *v1alpha1.OAConnectorSpec) {
			s.SSO.Mode, s.SSO.CRMLogin.Type = v1alpha1.SSOCAS, v1alpha1.LoginOpenIDProvider
		},
			own + ", login/client-secret hq-login, login/client-secret.next hq-login"},
	} {
		in := minimal()
		spec := &in.Connector.Spec
		spec.CredentialsSecretRef, spec.SSO.SecretRef, spec.SSO.CRMLogin.KeySecretRef = secret("hq-app"), secret("hq-sso"), secret("hq-login")
		spec.SSO.Host, spec.SSO.CRMLogin.Type = "sso.crm.example", v1alpha1.LoginSignedJWT
		c.change(spec)
		pod := templates(t, workload.Build(in))[workload.GatewayName("hq")]
		mounted := map[string]bool{}
		for _, v := range pod.Spec.Volumes {
			if v.Projected == nil {
				continue
			}
			for _, source := range v.Projected.Sources {
				if source.Secret == nil {
					continue
				}
				for _, item := range source.Secret.Items {
					mounted[strings.TrimPrefix(v.Name, "secret-")+"/"+item.Path+" "+source.Secret.Name] = true
				}
			}
		}
		want := map[string]bool{}
		for s := range strings.SplitSeq(c.want, ", ") {
			want[strings.Replace(s, "hq-peer", workload.PeerName("hq"), 1)] = true
		}
		if !maps.Equal(mounted, want) {
			t.Errorf("%s: mounted %v, want %v", name, slices.Sorted(maps.Keys(mounted)), slices.Sorted(maps.Keys(want)))
		}
	}
}
