package bundle

import "github.com/oabridge/oabridge/api/v1alpha1"

// SSOKeys lists the keys of the Secret in spec.sso.secretRef: those that the sign-in mode needs, and those that may be
// there as well.
func SSOKeys(s v1alpha1.SSO) (required, optional []string) {
	switch s.Mode {
	case v1alpha1.SSOSignedLink:
		return rotated(v1alpha1.KeyLink)
	case v1alpha1.SSOJWT:
		if s.JWT.Algorithm == v1alpha1.AlgorithmHS256 {
			return rotated(v1alpha1.KeyShared)
		}
		return []string{v1alpha1.KeyJWKS}, nil
	case v1alpha1.SSOOIDC, v1alpha1.SSOOAuth2:
		return []string{v1alpha1.KeyClientSecret}, nil
	case v1alpha1.SSOCallback:
		return nil, []string{v1alpha1.KeyToken}
	}
	return nil, nil
}

// LoginKeys lists the keys of the Secret in spec.sso.crmLogin.keySecretRef.
func LoginKeys(l v1alpha1.CRMLogin) (required, optional []string) {
	switch l.Type {
	case v1alpha1.LoginSignedURL, v1alpha1.LoginOneTimeCode:
		return rotated(v1alpha1.KeyShared)
	case v1alpha1.LoginOpenIDProvider:
		required, optional = rotated(v1alpha1.KeyPrivate)
		if l.OpenID.Type != v1alpha1.ClientPublic {
			required = append(required, v1alpha1.KeyClientSecret)
		}
		return required, optional
	}
	return rotated(v1alpha1.KeyPrivate)
}

func rotated(key string) (required, optional []string) {
	return []string{key}, []string{key + v1alpha1.SuffixNext}
}
