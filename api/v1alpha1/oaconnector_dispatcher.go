package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Dispatcher sizes the pushing workload and says where it keeps what it has accepted.
// +kubebuilder:validation:XValidation:rule="self.?replicas.orValue(1) == 1 || self.?queue.?type.orValue('Embedded') == 'NATS'",message="more than one replica needs queue.type NATS, because an embedded queue has one writer; set replicas to 1, or use a NATS cluster"
// +kubebuilder:validation:XValidation:rule="!self.?queue.?nats.hasValue() || self.?replicas.orValue(1) <= self.queue.nats.?partitions.orValue(4)",message="replicas must not exceed queue.nats.partitions, because each partition is served by one replica; set fewer replicas, or create the connector with more partitions"
// +kubebuilder:validation:XValidation:rule="self.?queue.?type.orValue('Embedded') == 'Embedded' || !self.?storage.?className.hasValue()",message="storage.className belongs to queue.type Embedded: with NATS the dispatcher has no volume claim"
// +kubebuilder:validation:MinProperties=1
type Dispatcher struct {
	// replicas of the dispatcher. More than one needs queue.type NATS.
	// +optional
	// +default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=32
	Replicas int32 `json:"replicas,omitempty"`
	// queue keeps accepted events, records and dead letters. Default: Embedded.
	// +optional
	Queue Queue `json:"queue,omitempty,omitzero"`
	// records says how long it is known what became of an item.
	// +optional
	Records Records `json:"records,omitempty,omitzero"`
	// storage is the volume of an embedded queue. With queue.type NATS its size bounds the scratch space of each replica,
	// which holds the index of the records and nothing that cannot be made again.
	// +optional
	Storage Storage `json:"storage,omitempty,omitzero"`
	// resources of the dispatcher container. Default: requests of 50m CPU and 128Mi, a limit of 512Mi memory.
	// +optional
	Resources Resources `json:"resources,omitempty,omitzero"`
	// podTemplate says where the dispatcher's pods run, and what is added to them.
	// +optional
	PodTemplate *PodTemplate `json:"podTemplate,omitempty"`
}

// QueueType is where accepted events are kept.
// +kubebuilder:validation:Enum=Embedded;NATS
type QueueType string

// Values of QueueType.
const (
	// QueueEmbedded keeps them in streams on the dispatcher's own volume: one replica, nothing else to run.
	QueueEmbedded QueueType = "Embedded"
	// QueueNATS keeps them in replicated streams of an existing NATS cluster with JetStream, shared by several replicas.
	QueueNATS QueueType = "NATS"
)

// Queue is a union: type NATS has the block nats.
// +kubebuilder:validation:XValidation:rule="(self.type == 'NATS') == has(self.nats)",message="the block nats belongs to type NATS, which needs it (at least urls)"
// +union
type Queue struct {
	// type of the queue.
	// +unionDiscriminator
	// +required
	Type QueueType `json:"type,omitempty"`
	// nats is the NATS cluster that keeps the queue.
	// +unionMember
	// +optional
	NATS NATSQueue `json:"nats,omitempty,omitzero"`
}

// NATSQueue is an existing NATS cluster with JetStream.
type NATSQueue struct {
	// urls of the servers, such as nats://nats-0.nats.infra:4222 or tls://nats.example:4222; ws:// and wss:// work too.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=256
	// +kubebuilder:validation:items:XValidation:rule="isURL(self) && url(self).getScheme() in ['nats', 'tls', 'ws', 'wss'] && url(self).getHostname() != ''",message="must be a URL of a NATS server such as nats://nats.infra:4222, with the scheme nats, tls, ws or wss"
	// +kubebuilder:validation:items:XValidation:rule="!self.contains('@') && !self.contains('?') && !self.contains('#')",message="must not hold user info, a query or a fragment; put credentials into credentialsSecretRef"
	// +kubebuilder:validation:XValidation:rule="self.all(u, u.startsWith('ws')) || !self.exists(u, u.startsWith('ws'))",message="ws and wss cannot be mixed with nats and tls"
	URLs []string `json:"urls,omitempty"`
	// credentialsSecretRef names the Secret that proves who the dispatcher is: the key creds (a NATS credentials file), or
	// token, or username and password. Default: none.
	// +optional
	CredentialsSecretRef SecretReference `json:"credentialsSecretRef,omitempty,omitzero"`
	// caSecretRef names the Secret whose key ca.crt holds the PEM certificates that sign the servers' TLS certificates.
	// Default: the system's roots.
	// +optional
	CASecretRef SecretReference `json:"caSecretRef,omitempty,omitzero"`
	// allowedCIDRs opens address ranges that are refused otherwise: loopback, link-local and cloud metadata addresses.
	// Private ranges need no entry. The check is made on the address that is dialled, after DNS.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=43
	// +kubebuilder:validation:items:XValidation:rule="isCIDR(self)",message="must be a CIDR such as 127.0.0.0/8"
	AllowedCIDRs []string `json:"allowedCIDRs,omitempty"`
	// streamReplicas is the number of copies of each stream. What is accepted survives the loss of one server with 3, of
	// two with 5.
	// +optional
	// +default=3
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=5
	// +kubebuilder:validation:XValidation:rule="self in [3, 5]",message="streamReplicas must be 3 or 5: a single copy is not durable, and an even number survives no more than the odd one below it"
	StreamReplicas int32 `json:"streamReplicas,omitempty"`
	// partitions share the items between the replicas: each partition is served by one replica at a time. It cannot be
	// changed, because it decides where an item's events are.
	// +optional
	// +default=4
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=32
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="partitions is immutable, because it decides where an item's events are; create a new connector for another number"
	Partitions int32 `json:"partitions,omitempty"`
	// maxBytes bounds all streams of the connector together, each copy of them. When they are full, no events are taken.
	// +optional
	// +default="1Gi"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="isQuantity(self) && quantity(self).compareTo(quantity('64Mi')) >= 0",message="maxBytes must be a quantity of at least 64Mi, such as 1Gi"
	MaxBytes string `json:"maxBytes,omitempty"`
}

// Records is the retention of what became of each item (同步记录).
// +kubebuilder:validation:XValidation:rule="has(self.indexSecretRef) || !has(self.allowedCIDRs)",message="allowedCIDRs is for the database of indexSecretRef; a file needs none"
// +kubebuilder:validation:MinProperties=1
type Records struct {
	// maxAge after which a record is forgotten, even if there is room for it.
	// +optional
	// +default="720h"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1h') && duration(self) <= duration('8760h')",message="maxAge must be between 1h and 8760h (a year)"
	MaxAge metav1.Duration `json:"maxAge,omitempty,omitzero"`
	// indexSecretRef names the Secret whose key url holds the connection URL of a PostgreSQL database, which then keeps the
	// index of the records. Default: a SQLite file in each replica.
	// +optional
	IndexSecretRef SecretReference `json:"indexSecretRef,omitempty,omitzero"`
	// allowedCIDRs opens address ranges that are refused otherwise: loopback, link-local and cloud metadata addresses.
	// Private ranges need no entry. The check is made on the address that is dialled, after DNS. Only with
	// indexSecretRef.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=43
	// +kubebuilder:validation:items:XValidation:rule="isCIDR(self)",message="must be a CIDR such as 127.0.0.0/8"
	AllowedCIDRs []string `json:"allowedCIDRs,omitempty"`
}

// Storage is a volume claim.
// +kubebuilder:validation:MinProperties=1
type Storage struct {
	// size of the volume. It may grow where the storage class allows it.
	// +optional
	// +default="1Gi"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="isQuantity(self) && quantity(self).compareTo(quantity('64Mi')) >= 0",message="size must be a quantity of at least 64Mi, such as 1Gi"
	// +kubebuilder:validation:XValidation:rule="!isQuantity(self) || !isQuantity(oldSelf) || quantity(self).compareTo(quantity(oldSelf)) >= 0",message="size may grow but not shrink"
	Size string `json:"size,omitempty"`
	// className of the storage class. Default: the cluster's default class.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="className is immutable; a volume cannot move to another class"
	ClassName string `json:"className,omitempty"`
}

// Resources are the requests and limits of one container.
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="!has(self.memoryRequest) || !has(self.memoryLimit) || !isQuantity(self.memoryRequest) || !isQuantity(self.memoryLimit) || quantity(self.memoryRequest).compareTo(quantity(self.memoryLimit)) <= 0",message="memoryRequest must not exceed memoryLimit"
type Resources struct {
	// cpuRequest such as 50m.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="isQuantity(self)",message="must be a quantity such as 100m"
	CPURequest string `json:"cpuRequest,omitempty"`
	// memoryRequest such as 128Mi.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="isQuantity(self)",message="must be a quantity such as 128Mi"
	MemoryRequest string `json:"memoryRequest,omitempty"`
	// memoryLimit such as 512Mi.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="isQuantity(self)",message="must be a quantity such as 512Mi"
	MemoryLimit string `json:"memoryLimit,omitempty"`
}
