package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// NetworkPolicy asks for a NetworkPolicy for each workload of the connector. Policies only ever add up: where a cluster has
// narrower ones of its own, this one would widen what they allow, so there is none unless it is asked for.
type NetworkPolicy struct {
	// state Enabled makes the policies; Disabled takes them away.
	// +required
	State SwitchState `json:"state,omitempty"`
	// eventsFrom says who may post events and callbacks to the dispatcher (port 8080). Default: everybody; each event has to
	// prove its origin in any case.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	EventsFrom []NetworkPeer `json:"eventsFrom,omitempty"`
	// signInFrom says who may reach the gateway (port 8080): the ingress controller or Gateway. With seeyon.mode Pull and Both
	// they may reach the dispatcher as well. Default: everybody.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	SignInFrom []NetworkPeer `json:"signInFrom,omitempty"`
	// metricsFrom says who may read metrics (port 8081), beside the operator, which reads reports there. Default: every pod
	// of the cluster.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	MetricsFrom []NetworkPeer `json:"metricsFrom,omitempty"`
	// to says where the workloads may connect to, beside DNS (port 53) and each other: the OA, the CRM, and what else is
	// configured (sign-in servers, NATS, PostgreSQL, webhooks). Default: every pod of the cluster and every address, but for
	// loopback, link-local and cloud metadata addresses that no allowedCIDRs opens.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	To []NetworkPeer `json:"to,omitempty"`
}

// NetworkPeer is a part of the cluster's pods, or a range of addresses outside of the cluster. It means what the peer of a
// NetworkPolicy means: a podSelector alone is about the connector's namespace, a namespaceSelector alone about every pod of
// these namespaces, and both together about these pods of these namespaces.
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="has(self.cidr) != (has(self.namespaceSelector) || has(self.podSelector))",message="set either cidr, or namespaceSelector and podSelector or one of them; an empty namespaceSelector is every namespace"
type NetworkPeer struct {
	// namespaceSelector chooses namespaces by their labels, such as kubernetes.io/metadata.name.
	// +optional
	NamespaceSelector *metav1.LabelSelector `json:"namespaceSelector,omitempty"`
	// podSelector chooses pods by their labels.
	// +optional
	PodSelector *metav1.LabelSelector `json:"podSelector,omitempty"`
	// cidr is a range of addresses, such as 10.20.0.0/16.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=43
	// +kubebuilder:validation:XValidation:rule="isCIDR(self)",message="must be a CIDR such as 10.20.0.0/16"
	CIDR string `json:"cidr,omitempty"`
}
