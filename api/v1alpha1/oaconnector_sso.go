package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// SSOMode is the way in which an OA proves who clicked.
// +kubebuilder:validation:Enum=V5Ticket;None
type SSOMode string

// Values of SSOMode.
const (
	// SSOV5Ticket is Seeyon's V5 authentication: the OA appends v5ticket to the link, the gateway asks the OA whose it is.
	SSOV5Ticket SSOMode = "V5Ticket"
	// SSONone leaves the link alone: no gateway runs.
	SSONone SSOMode = "None"
)

// SSO is the way from the OA into the CRM. CRM to OA is not offered.
// +kubebuilder:validation:XValidation:rule="self.mode == 'None' || has(self.host)",message="host is needed unless mode is None"
type SSO struct {
	// mode is how the OA proves who clicked.
	// +required
	Mode SSOMode `json:"mode,omitempty"`
	// host is the public name of the gateway, without scheme. It is in every link that is pushed.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue() && self.contains('.') && !self.endsWith('.local') && !isIP(self)",message="host must be a full DNS name without scheme and port that OA users can reach; localhost, .local names and IP addresses are refused"
	Host string `json:"host,omitempty"`
	// exposure is how the host reaches the gateway.
	// +optional
	// +default={"type":"Ingress"}
	Exposure Exposure `json:"exposure,omitempty,omitzero"`
	// replicas of the gateway.
	// +optional
	// +default=2
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=32
	Replicas int32 `json:"replicas,omitempty"`
	// crmLogin is how a verified person is logged into the CRM.
	// +optional
	CRMLogin CRMLogin `json:"crmLogin,omitempty,omitzero"`
}

// ExposureType is how the gateway is reached from outside.
// +kubebuilder:validation:Enum=Ingress;None
type ExposureType string

// Values of ExposureType.
const (
	ExposureIngress ExposureType = "Ingress"
	ExposureNone    ExposureType = "None"
)

// Exposure is how the gateway is reached from outside.
// +kubebuilder:validation:XValidation:rule="self.type == 'Ingress' || (!has(self.className) && !has(self.tls))",message="className and tls belong to type Ingress"
type Exposure struct {
	// type Ingress makes an Ingress; None leaves the Service for something else to expose.
	// +required
	Type ExposureType `json:"type,omitempty"`
	// className of the Ingress. Default: the cluster's default class.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	ClassName string `json:"className,omitempty"`
	// tls ends TLS at the Ingress. Without it links are plain http: for trials only.
	// +optional
	TLS IngressTLS `json:"tls,omitempty,omitzero"`
}

// IngressTLS names a TLS Secret.
type IngressTLS struct {
	// secretName of a kubernetes.io/tls Secret. Only the ingress controller reads it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	SecretName string `json:"secretName,omitempty"`
}

// CRMLoginType is how the gateway vouches for a person.
// +kubebuilder:validation:Enum=SignedJWT
type CRMLoginType string

// LoginSignedJWT is a short-lived, one-time JWT whose keys are published at /.well-known/jwks.json.
const LoginSignedJWT CRMLoginType = "SignedJWT"

// CRMLogin is how a verified person is logged into the CRM.
type CRMLogin struct {
	// type of the login issuer.
	// +required
	Type CRMLoginType `json:"type,omitempty"`
	// url of the CRM that takes the login token in the query parameter "token". It is also the token's audience.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != ''",message="url must be an absolute http or https URL"
	// +kubebuilder:validation:XValidation:rule="!self.contains('@') && !self.contains('?') && !self.contains('#')",message="url must not hold user info, a query or a fragment"
	URL string `json:"url,omitempty"`
	// keySecretRef names the Secret with the key key.pem (and, while it is being replaced, key.pem.next).
	// +required
	KeySecretRef SecretReference `json:"keySecretRef,omitempty,omitzero"`
	// lifetime of a login token.
	// +optional
	// +default="60s"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('5s') && duration(self) <= duration('5m')",message="lifetime must be between 5s and 5m"
	Lifetime metav1.Duration `json:"lifetime,omitempty,omitzero"`
}
