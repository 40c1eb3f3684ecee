package v1alpha1

// CertificateIssuer is an issuer of cert-manager. The operator writes cert-manager's annotations on the Ingress and nothing
// else: cert-manager makes the certificate and its Secret.
type CertificateIssuer struct {
	// name of the issuer.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`
	// kind of the issuer: Issuer, in the connector's namespace, ClusterIssuer, or a kind of another group.
	// +optional
	// +default="Issuer"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[A-Z][A-Za-z0-9]*$`
	Kind string `json:"kind,omitempty"`
	// group of an issuer that is not cert-manager's own. Default: cert-manager.io.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Group string `json:"group,omitempty"`
}
