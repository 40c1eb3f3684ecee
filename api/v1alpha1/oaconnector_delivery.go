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
// +kubebuilder:validation:Enum=Network;Timeout;ServerError;RateLimited;AuthExpired;BusinessCode;ReceiverUnknown
type ErrorClass string

// Values of ErrorClass that retry.classes may name.
const (
	// ClassNetwork: DNS, TCP or TLS failed, or the connection broke.
	ClassNetwork ErrorClass = "Network"
	// ClassTimeout: no complete answer in time.
	ClassTimeout ErrorClass = "Timeout"
	// ClassServerError: HTTP 5xx, or an answer that is not what the OA's interface promises (such as an HTML page).
	ClassServerError ErrorClass = "ServerError"
	// ClassRateLimited: HTTP 429, or the OA's own code for too many calls.
	ClassRateLimited ErrorClass = "RateLimited"
	// ClassAuthExpired: the OA does not accept the token or the account.
	ClassAuthExpired ErrorClass = "AuthExpired"
	// ClassBusinessCode: the OA answered, and its code is not the success code.
	ClassBusinessCode ErrorClass = "BusinessCode"
	// ClassReceiverUnknown: the OA does not know the receiver, or the application may not reach them.
	ClassReceiverUnknown ErrorClass = "ReceiverUnknown"
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
	// catchUp says what goes out after an outage of the OA.
	// +optional
	CatchUp CatchUp `json:"catchUp,omitempty,omitzero"`
	// batchSize is how many items may go into one call where the template and the OA have a call for several; 1 means none.
	// +optional
	// +default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	BatchSize int32 `json:"batchSize,omitempty"`
}

// CatchUpPolicy says which states of an item go out after an outage.
// +kubebuilder:validation:Enum=LatestState;EveryState
type CatchUpPolicy string

// Values of CatchUpPolicy.
const (
	// CatchUpLatestState sends the latest state of each item; the states before it are recorded as superseded.
	CatchUpLatestState CatchUpPolicy = "LatestState"
	// CatchUpEveryState sends every state in its order.
	CatchUpEveryState CatchUpPolicy = "EveryState"
)

// FinishedPolicy says what happens to an item that was created and finished during an outage.
// +kubebuilder:validation:Enum=Skip;Deliver
type FinishedPolicy string

// Values of FinishedPolicy.
const (
	// FinishedSkip sends nothing: nobody has to do it any more.
	FinishedSkip FinishedPolicy = "Skip"
	// FinishedDeliver creates the item in the OA and finishes it at once.
	FinishedDeliver FinishedPolicy = "Deliver"
)

// CatchUp says what goes out after an outage of the OA.
// +kubebuilder:validation:XValidation:rule="!has(self.finished) || !has(self.policy) || self.policy == 'LatestState'",message="finished belongs to policy LatestState: EveryState delivers every state anyway"
// +kubebuilder:validation:MinProperties=1
type CatchUp struct {
	// policy LatestState sends the latest state of each item, EveryState its whole history.
	// +optional
	// +default="LatestState"
	Policy CatchUpPolicy `json:"policy,omitempty"`
	// finished says what happens to an item that was created and finished during the outage. Default: Skip.
	// +optional
	Finished FinishedPolicy `json:"finished,omitempty"`
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

// OnDeletePolicy says what happens to pending items of a deleted connector.
// +kubebuilder:validation:Enum=Drain;Abandon;Revoke
type OnDeletePolicy string

// Values of OnDeletePolicy.
const (
	// DeleteDrain delivers what can be delivered until the timeout. If something is left then, the queue volume is kept
	// and named in an Event; a new connector of the same name takes it over.
	DeleteDrain OnDeletePolicy = "Drain"
	// DeleteAbandon deletes at once, with the volume, and says how many items went with it.
	DeleteAbandon OnDeletePolicy = "Abandon"
	// DeleteRevoke withdraws every item that the OA shows as open, with the template's action delete, and sends nothing else any
	// more, until the timeout. What is left then is treated as with Drain. Items that the records do not hold any more are not known
	// (spec.dispatcher.records.maxAge). What is delivered under this policy is recorded with all that its withdrawal needs; of what
	// was delivered before, id, receiver and version are known.
	DeleteRevoke OnDeletePolicy = "Revoke"
)

// OnDelete says what happens to pending items of a deleted connector.
// +kubebuilder:validation:MinProperties=1
type OnDelete struct {
	// policy for what is pending.
	// +optional
	// +default="Drain"
	Policy OnDeletePolicy `json:"policy,omitempty"`
	// timeout of a drain, or of a withdrawal.
	// +optional
	// +default="30m"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s') && duration(self) <= duration('24h')",message="timeout must be between 0s and 24h"
	Timeout metav1.Duration `json:"timeout,omitempty,omitzero"`
}
