package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// UnboundPolicy says what happens to an item whose receiver has no OA account.
// +kubebuilder:validation:Enum=Hold;DeadLetter;Fallback
type UnboundPolicy string

// Values of UnboundPolicy.
const (
	// UnboundHold keeps the item until the person is bound or maxAge is over.
	UnboundHold UnboundPolicy = "Hold"
	// UnboundDeadLetter puts it among the dead letters at once.
	UnboundDeadLetter UnboundPolicy = "DeadLetter"
	// UnboundFallback sends it with the CRM account in place of the OA account (Seeyon matches it against login name,
	// staff code, mobile or e-mail: the noneBinding fields).
	UnboundFallback UnboundPolicy = "Fallback"
)

// Accounts selects account bindings.
type Accounts struct {
	// selector picks AccountBindings of the connector's namespace by their labels.
	// +required
	Selector metav1.LabelSelector `json:"selector,omitempty,omitzero"`
	// unbound says what happens to an item whose receiver is in none of them.
	// +optional
	// +default="Hold"
	Unbound UnboundPolicy `json:"unbound,omitempty"`
}

// ErrorClass is the kind of a failed attempt.
// +kubebuilder:validation:Enum=Network;Timeout;ServerError;RateLimited;AuthExpired;BusinessCode
type ErrorClass string

// Values of ErrorClass that retry.classes may name.
const (
	// ClassNetwork: DNS, TCP or TLS failed, or the connection broke.
	ClassNetwork ErrorClass = "Network"
	// ClassTimeout: no complete answer in time.
	ClassTimeout ErrorClass = "Timeout"
	// ClassServerError: HTTP 5xx, or an answer that is not what the OA's interface promises (such as an HTML page).
	ClassServerError ErrorClass = "ServerError"
	// ClassRateLimited: HTTP 429.
	ClassRateLimited ErrorClass = "RateLimited"
	// ClassAuthExpired: the OA does not accept the token or the account.
	ClassAuthExpired ErrorClass = "AuthExpired"
	// ClassBusinessCode: the OA answered, and its code is not the success code.
	ClassBusinessCode ErrorClass = "BusinessCode"
)

// BackoffPolicy is how the delay between attempts grows.
// +kubebuilder:validation:Enum=Exponential;Linear
type BackoffPolicy string

// Values of BackoffPolicy.
const (
	BackoffExponential BackoffPolicy = "Exponential"
	BackoffLinear      BackoffPolicy = "Linear"
)

// Delivery uses Knative's words.
// +kubebuilder:validation:MinProperties=1
type Delivery struct {
	// retry says whether and after which failures an item is tried again.
	// +optional
	// +default={"state":"Enabled"}
	Retry Retry `json:"retry,omitempty,omitzero"`
	// backoffPolicy is how the delay between attempts grows.
	// +optional
	// +default="Exponential"
	BackoffPolicy BackoffPolicy `json:"backoffPolicy,omitempty"`
	// backoffDelay is the delay before the second attempt.
	// +optional
	// +default="5s"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('10ms') && duration(self) <= duration('1h')",message="backoffDelay must be between 10ms and 1h"
	BackoffDelay metav1.Duration `json:"backoffDelay,omitempty,omitzero"`
	// backoffMax caps the delay between two attempts.
	// +optional
	// +default="10m"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('10ms') && duration(self) <= duration('24h')",message="backoffMax must be between 10ms and 24h"
	BackoffMax metav1.Duration `json:"backoffMax,omitempty,omitzero"`
	// retryAfterMax caps the delay that an OA may ask for with Retry-After.
	// +optional
	// +default="5m"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="retryAfterMax must be between 1s and 24h"
	RetryAfterMax metav1.Duration `json:"retryAfterMax,omitempty,omitzero"`
	// maxAge is how long after its acceptance an item is tried or held before it becomes a dead letter.
	// +optional
	// +default="24h"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('10s') && duration(self) <= duration('720h')",message="maxAge must be between 10s and 720h (30 days)"
	MaxAge metav1.Duration `json:"maxAge,omitempty,omitzero"`
	// timeout bounds one call to the OA, from the first byte sent to the last byte read.
	// +optional
	// +default="60s"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('100ms') && duration(self) <= duration('10m')",message="timeout must be between 100ms and 10m"
	Timeout metav1.Duration `json:"timeout,omitempty,omitzero"`
	// concurrency is how many calls to the OA may be under way at once.
	// +optional
	// +default=16
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1024
	Concurrency int32 `json:"concurrency,omitempty"`
	// rateLimit paces the calls. Default: no limit.
	// +optional
	RateLimit RateLimit `json:"rateLimit,omitempty,omitzero"`
}

// Retry selects what is tried again.
// +kubebuilder:validation:MinProperties=1
type Retry struct {
	// state Disabled makes every failed first attempt a dead letter.
	// +optional
	// +default="Enabled"
	State SwitchState `json:"state,omitempty"`
	// classes of failure that are tried again.
	// +optional
	// +listType=set
	// +default=["Network","Timeout","ServerError","RateLimited","AuthExpired"]
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=6
	Classes []ErrorClass `json:"classes,omitempty"`
}

// RateLimit is a token bucket.
type RateLimit struct {
	// perSecond is the steady number of calls in one second.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	PerSecond int32 `json:"perSecond,omitempty"`
	// burst is how many calls may go out at once after a pause. Default: perSecond.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	Burst int32 `json:"burst,omitempty"`
}

// Source says how events are authenticated.
// +kubebuilder:validation:XValidation:rule="has(self.signingSecretRef) || has(self.tokenSecretRef)",message="set signingSecretRef or tokenSecretRef: unauthenticated events are never accepted"
// +kubebuilder:validation:MinProperties=1
type Source struct {
	// signingSecretRef names the Secret with the key signing-key (and, while it is being replaced, signing-key.next): a
	// Standard Webhooks secret. The CRM signs each request with it.
	// +optional
	SigningSecretRef SecretReference `json:"signingSecretRef,omitempty,omitzero"`
	// tokenSecretRef names the Secret with the key token (and token.next): a bearer token of at least 16 characters,
	// for sources that cannot sign.
	// +optional
	TokenSecretRef SecretReference `json:"tokenSecretRef,omitempty,omitzero"`
}

// Dispatcher sizes the pushing workload.
// +kubebuilder:validation:MinProperties=1
type Dispatcher struct {
	// storage is the volume that holds accepted events, records and dead letters.
	// +optional
	Storage Storage `json:"storage,omitempty,omitzero"`
	// resources of the dispatcher container. Default: requests of 50m CPU and 128Mi, a limit of 512Mi memory.
	// +optional
	Resources Resources `json:"resources,omitempty,omitzero"`
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

// OnDeletePolicy says what happens to pending items of a deleted connector.
// +kubebuilder:validation:Enum=Drain;Abandon
type OnDeletePolicy string

// Values of OnDeletePolicy.
const (
	// DeleteDrain delivers what can be delivered until the timeout. If something is left then, the queue volume is kept
	// and named in an Event; a new connector of the same name takes it over.
	DeleteDrain OnDeletePolicy = "Drain"
	// DeleteAbandon deletes at once, with the volume, and says how many items went with it.
	DeleteAbandon OnDeletePolicy = "Abandon"
)

// OnDelete says what happens to pending items of a deleted connector.
// +kubebuilder:validation:MinProperties=1
type OnDelete struct {
	// policy for what is pending.
	// +optional
	// +default="Drain"
	Policy OnDeletePolicy `json:"policy,omitempty"`
	// timeout of a drain.
	// +optional
	// +default="30m"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s') && duration(self) <= duration('24h')",message="timeout must be between 0s and 24h"
	Timeout metav1.Duration `json:"timeout,omitempty,omitzero"`
}
