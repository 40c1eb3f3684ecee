package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// PodTemplate is what a company adds to the pods of one workload: where they run, and what its own tools want to find on
// them. What is set here wins over the operator's own choice; what keeps a pod to its contract cannot be set at all: image,
// command, ports, probes, volumes, security context, and the labels by which it is found. An empty one adds nothing.
// +kubebuilder:validation:MinProperties=0
type PodTemplate struct {
	// metadata is added to each pod.
	// +optional
	Metadata PodMetadata `json:"metadata,omitempty,omitzero"`
	// spec says where and how the pods run.
	// +optional
	Spec PodSpec `json:"spec,omitempty,omitzero"`
}

// PodMetadata are labels and annotations of pods. They must leave a pod within the Pod Security Standard "restricted".
// +kubebuilder:validation:MinProperties=1
type PodMetadata struct {
	// labels of the pods.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('oabridge.dev/') && !k.startsWith('app.kubernetes.io/'))",message="labels that begin with oabridge.dev/ or app.kubernetes.io/ are the operator's: it finds the pods by them; choose another prefix"
	Labels map[string]string `json:"labels,omitempty"`
	// annotations of the pods.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('oabridge.dev/'))",message="annotations that begin with oabridge.dev/ are the operator's; choose another prefix"
	Annotations map[string]string `json:"annotations,omitempty"`
}

// PodSpec is the part of a pod's spec that depends on the cluster and not on OA Bridge. The fields mean what they mean in
// a Pod.
// +kubebuilder:validation:MinProperties=1
type PodSpec struct {
	// nodeSelector limits the pods to nodes with these labels.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=16
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`
	// tolerations let the pods onto tainted nodes.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`
	// affinity as in a Pod: nodeAffinity, podAffinity and podAntiAffinity. The operator checks it; its fields are those of
	// kubectl explain pod.spec.affinity.
	// +optional
	// +kubebuilder:pruning:PreserveUnknownFields
	Affinity runtime.RawExtension `json:"affinity,omitempty,omitzero"`
	// topologySpreadConstraints spread the pods of the workload. They replace the operator's own constraint, which prefers
	// one pod on each node.
	// +optional
	// +listType=map
	// +listMapKey=topologyKey
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=4
	TopologySpreadConstraints []TopologySpread `json:"topologySpreadConstraints,omitempty"`
	// priorityClassName of the pods.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	PriorityClassName string `json:"priorityClassName,omitempty"`
	// runtimeClassName of the pods.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	RuntimeClassName string `json:"runtimeClassName,omitempty"`
	// imagePullSecrets with which the image is pulled. They need no label: only the kubelet reads them.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	ImagePullSecrets []PullSecret `json:"imagePullSecrets,omitempty"`
	// hostAliases are lines of /etc/hosts, for an OA whose name no DNS server knows.
	// +optional
	// +listType=map
	// +listMapKey=ip
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	HostAliases []HostAlias `json:"hostAliases,omitempty"`
	// env of the container, such as TZ. A variable that the operator sets by its own choice (GOMEMLIMIT) is replaced. Values
	// are plain text: secrets do not belong here.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Env []EnvVar `json:"env,omitempty"`
}

// TopologySpread spreads the pods of a workload over a topology.
type TopologySpread struct {
	// topologyKey is the node label whose values are the places, such as topology.kubernetes.io/zone.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=317
	TopologyKey string `json:"topologyKey,omitempty"`
	// maxSkew is by how many pods two places may differ.
	// +optional
	// +default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=32
	MaxSkew int32 `json:"maxSkew,omitempty"`
	// whenUnsatisfiable ScheduleAnyway prefers the spread; DoNotSchedule lets a pod wait for it.
	// +optional
	// +default="ScheduleAnyway"
	// +kubebuilder:validation:Enum=ScheduleAnyway;DoNotSchedule
	WhenUnsatisfiable corev1.UnsatisfiableConstraintAction `json:"whenUnsatisfiable,omitempty"`
}

// PullSecret names a Secret of the type kubernetes.io/dockerconfigjson in the same namespace.
type PullSecret struct {
	// name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`
}

// HostAlias is one line of /etc/hosts.
type HostAlias struct {
	// ip address of the hosts.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=45
	// +kubebuilder:validation:XValidation:rule="isIP(self)",message="must be an IP address such as 10.20.30.40"
	IP string `json:"ip,omitempty"`
	// hostnames that have this address.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	Hostnames []string `json:"hostnames,omitempty"`
}

// EnvVar is one environment variable.
type EnvVar struct {
	// name of the variable.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z_][A-Za-z0-9_]*$`
	// +kubebuilder:validation:XValidation:rule="self != 'POD_NAME' && !self.startsWith('OABRIDGE_')",message="POD_NAME and names that begin with OABRIDGE_ are set by OA Bridge itself; choose another name"
	Name string `json:"name,omitempty"`
	// value in plain text. Default: empty.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	Value string `json:"value,omitempty"`
}

// GatewayStatus is what the scale subresource shows of the gateway.
// +kubebuilder:validation:MinProperties=1
type GatewayStatus struct {
	// replicas of the gateway that exist.
	// +optional
	Replicas *int32 `json:"replicas,omitempty"`
	// selector of the gateway's pods, as text: an autoscaler measures them.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Selector string `json:"selector,omitempty"`
}
