package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Problem is one thing that is wrong now. Conditions say the most urgent of them; the list has all.
type Problem struct {
	// reason is that of a condition, such as SecretNotFound.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Reason string `json:"reason,omitempty"`
	// object in which it is wrong, in the namespace of the connector, such as Secret/hq-seeyon.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=316
	Object string `json:"object,omitempty"`
	// key in the object: a field, a key of a Secret, or else the condition that says it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Key string `json:"key,omitempty"`
	// message says what is wrong and what to do next.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`
	// since is when the operator saw it for the first time.
	// +required
	Since metav1.Time `json:"since,omitempty,omitzero"`
}
