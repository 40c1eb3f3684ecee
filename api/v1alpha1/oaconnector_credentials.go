package v1alpha1

// CredentialState is which value of a key is in use.
// +kubebuilder:validation:Enum=Current;Next;Both;Probing;NextRejected;Rejected
type CredentialState string

// CredentialStatus is what became of one key of a Secret. It never holds a value.
type CredentialStatus struct {
	// field is where the connector refers to the Secret, such as spec.credentialsSecretRef.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Field string `json:"field,omitempty"`
	// key of the Secret. What is to follow its value stands under the same key with .next at its end.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Key string `json:"key,omitempty"`
	// secret is the name of the Secret.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Secret string `json:"secret,omitempty"`
	// state says which value is in use. Current: that of the key. Next: that of KEY.next, which was proven; it can take the
	// place of the other. Both: others prove themselves with either, or either is published, or signs. Probing: a new value is not
	// proven yet, and the one before is in use. NextRejected: that of KEY.next is refused, and the other in use. Rejected: that of the
	// key is refused, and the one before in use as long as it is good.
	// +required
	State CredentialState `json:"state,omitempty"`
	// inUse is the fingerprint of the value in use: sha256: and 12 hex digits of an HMAC with a secret of the operator, so that
	// equal values of two connectors look different and a weak one cannot be found by trying.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	InUse string `json:"inUse,omitempty"`
	// next is the fingerprint of the value that waits, is refused, or is accepted beside the one in use.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Next string `json:"next,omitempty"`
	// message says why a value is not used.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Message string `json:"message,omitempty"`
}
