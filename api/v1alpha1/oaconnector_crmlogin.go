package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CRMLoginType is how the gateway vouches for a person.
// +kubebuilder:validation:Enum=SignedJWT;SignedURL;OneTimeCode;OpenIDProvider
type CRMLoginType string

// Values of CRMLoginType.
const (
	// LoginSignedJWT is a short-lived, one-time JWT whose keys are published at /.well-known/jwks.json.
	LoginSignedJWT CRMLoginType = "SignedJWT"
	// LoginSignedURL is an address whose parameters are signed with a shared key.
	LoginSignedURL CRMLoginType = "SignedURL"
	// LoginOneTimeCode is a code that the CRM's server redeems at the gateway.
	LoginOneTimeCode CRMLoginType = "OneTimeCode"
	// LoginOpenIDProvider makes the gateway an OpenID Provider, at which the CRM signs people in.
	LoginOpenIDProvider CRMLoginType = "OpenIDProvider"
)

// CRMLogin is how a verified person is logged into the CRM.
// +kubebuilder:validation:XValidation:rule="(self.type == 'OpenIDProvider') == has(self.openID)",message="the block openID belongs to type OpenIDProvider, which needs it"
type CRMLogin struct {
	// type of the login issuer.
	// +required
	Type CRMLoginType `json:"type,omitempty"`
	// url of the CRM that takes the person: with the query parameter token (SignedJWT), signed parameters (SignedURL), code
	// (OneTimeCode), or as the address that begins a login (OpenIDProvider, initiate_login_uri).
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != '' && !self.contains('@') && !self.contains('?') && !self.contains('#')",message="url must be an absolute http or https URL without user info, query and fragment"
	URL string `json:"url,omitempty"`
	// keySecretRef names the labelled Secret with the key key.pem (SignedJWT, OpenIDProvider), or shared-key (SignedURL,
	// OneTimeCode), each with .next while it is being replaced. For OpenIDProvider, client-secret is the CRM's own.
	// +required
	KeySecretRef SecretReference `json:"keySecretRef,omitempty,omitzero"`
	// lifetime of a login token.
	// +optional
	// +default="60s"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('5s') && duration(self) <= duration('5m')",message="lifetime must be between 5s and 5m"
	Lifetime metav1.Duration `json:"lifetime,omitempty,omitzero"`
	// openID is the CRM as a client of the gateway.
	// +optional
	OpenID OpenIDClient `json:"openID,omitempty,omitzero"`
}

// OpenIDClientType says whether a client can keep a secret.
// +kubebuilder:validation:Enum=Confidential;Public
type OpenIDClientType string

// Values of OpenIDClientType.
const (
	ClientConfidential OpenIDClientType = "Confidential"
	ClientPublic       OpenIDClientType = "Public"
)

// OpenIDClient is the CRM as a client of the gateway. PKCE is asked of every client.
type OpenIDClient struct {
	// clientID of the CRM.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_.-]+$`
	ClientID string `json:"clientID,omitempty"`
	// redirectURIs to which the person may be sent back; they are compared as they are, character by character.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=512
	// +kubebuilder:validation:items:XValidation:rule="isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != '' && !self.contains('@') && !self.contains('#') && !self.contains('*')",message="a redirect URI must be an absolute http or https URL without user info, fragment and wildcard"
	RedirectURIs []string `json:"redirectURIs,omitempty"`
	// type Confidential proves itself with client-secret; Public has no secret.
	// +optional
	// +default="Confidential"
	Type OpenIDClientType `json:"type,omitempty"`
}
