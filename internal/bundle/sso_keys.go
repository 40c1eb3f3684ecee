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
		return []string{v1alpha1.KeyJWKS}, nil // a set holds several keys itself
	case v1alpha1.SSOOIDC, v1alpha1.SSOOAuth2:
		return rotated(v1alpha1.KeyClientSecret)
	case v1alpha1.SSOCallback:
		return nil, []string{v1alpha1.KeyToken, v1alpha1.KeyToken + v1alpha1.SuffixNext}
	}
	return nil, nil
}

// LoginKeys lists the keys of the Secret in spec.sso.crmLogin.keySecretRef.
func LoginKeys(l v1alpha1.CRMLogin) (required, optional []string) {
	switch l.Type {
	case v1alpha1.LoginSignedURL, v1alpha1.LoginOneTimeCode:
		return rotated(v1alpha1.KeyShared)
	case v1alpha1.LoginOpenIDProvider:
		if l.OpenID.Type == v1alpha1.ClientPublic {
			return rotated(v1alpha1.KeyPrivate)
		}
		return rotated(v1alpha1.KeyPrivate, v1alpha1.KeyClientSecret)
	}
	return rotated(v1alpha1.KeyPrivate)
}

// CRMKeys lists the keys of the Secret in spec.source.crm.credentialsSecretRef.
func CRMKeys() (required, optional []string) {
	return rotated(v1alpha1.KeyAppID, v1alpha1.KeyAppSecret, v1alpha1.KeyPermanentCode)
}

// rotated are keys, and where the values stand that are to follow theirs.
func rotated(keys ...string) (required, optional []string) {
	for _, key := range keys {
		optional = append(optional, key+v1alpha1.SuffixNext)
	}
	return keys, optional
}
