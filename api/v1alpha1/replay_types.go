package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ReplayTemplate says with which template a dead letter goes out again.
// +kubebuilder:validation:Enum=Current;Original
type ReplayTemplate string

// Values of ReplayTemplate.
const (
	// ReplayCurrent renders with the template that is live now.
	ReplayCurrent ReplayTemplate = "Current"
	// ReplayOriginal renders with the revision with which the item failed.
	ReplayOriginal ReplayTemplate = "Original"
)

// ReplayMode says whether a replay sends.
// +kubebuilder:validation:Enum=Send;DryRun
type ReplayMode string

// Values of ReplayMode.
const (
	// ReplaySend delivers.
	ReplaySend ReplayMode = "Send"
	// ReplayDryRun counts and renders, shows examples of what would differ, and sends nothing.
	ReplayDryRun ReplayMode = "DryRun"
)

// ReplayState is what is wanted of a replay.
// +kubebuilder:validation:Enum=Running;Suspended;Cancelled
type ReplayState string

// Values of ReplayState.
const (
	// ReplayRunning lets it go on.
	ReplayRunning ReplayState = "Running"
	// ReplaySuspended pauses it where it is; Running lets it go on from there.
	ReplaySuspended ReplayState = "Suspended"
	// ReplayCancelled ends it where it is; what is already queued goes out.
	ReplayCancelled ReplayState = "Cancelled"
)

// ReplaySpec selects dead letters of one connector that are sent once more.
type ReplaySpec struct {
	// connectorRef names the OAConnector, in the same namespace.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="connectorRef is immutable; create another Replay for another connector"
	ConnectorRef ConnectorReference `json:"connectorRef,omitempty,omitzero"`
	// filter selects dead letters. Default: all of them.
	// +optional
	Filter ReplayFilter `json:"filter,omitempty,omitzero"`
	// template is Current, or Original for the revision with which the item failed.
	// +optional
	// +default="Current"
	Template ReplayTemplate `json:"template,omitempty"`
	// mode DryRun counts and renders, and sends nothing.
	// +optional
	// +default="Send"
	Mode ReplayMode `json:"mode,omitempty"`
	// state Suspended pauses it, Cancelled ends it.
	// +optional
	// +default="Running"
	State ReplayState `json:"state,omitempty"`
	// perSecond paces the replay. Default: the pace of the connector alone.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	PerSecond int32 `json:"perSecond,omitempty"`
}

// ConnectorReference names an OAConnector in the same namespace.
type ConnectorReference struct {
	// name of the OAConnector.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=40
	Name string `json:"name,omitempty"`
}

// ReplayFilter selects dead letters: those that match every list that is set, and any entry of it.
// +kubebuilder:validation:XValidation:rule="!has(self.since) || !has(self.until) || timestamp(self.since) < timestamp(self.until)",message="since must be before until"
// +kubebuilder:validation:MinProperties=1
type ReplayFilter struct {
	// reasons for which items were given up, such as Expired, Unbound, or the class of the last failure.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=64
	Reasons []string `json:"reasons,omitempty"`
	// classes of the last failure, such as BusinessCode.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=64
	Classes []string `json:"classes,omitempty"`
	// kinds of item: Todo, Reminder, Subscription, Alert.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=2
	Kinds []ItemKind `json:"kinds,omitempty"`
	// items by the id that the CRM gave them.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	Items []string `json:"items,omitempty"`
	// receivers by their CRM account.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	Receivers []string `json:"receivers,omitempty"`
	// since selects items that were given up at this time or later.
	// +optional
	Since metav1.Time `json:"since,omitempty,omitzero"`
	// until selects items that were given up before this time.
	// +optional
	Until metav1.Time `json:"until,omitempty,omitzero"`
}

// ReplayStatus is how far a replay came.
// +kubebuilder:validation:MinProperties=1
type ReplayStatus struct {
	// observedGeneration is the generation of the spec that this status speaks of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// conditions of this replay.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// run is the run that is under way, or the last one.
	// +optional
	Run ReplayRun `json:"run,omitempty,omitzero"`
	// matched dead letters.
	// +optional
	Matched *int64 `json:"matched,omitempty"`
	// queued of them so far.
	// +optional
	Queued *int64 `json:"queued,omitempty"`
	// delivered of those.
	// +optional
	Delivered *int64 `json:"delivered,omitempty"`
	// skipped of those: a newer state of the item was delivered already, or nothing has to be sent.
	// +optional
	Skipped *int64 `json:"skipped,omitempty"`
	// dead again of those.
	// +optional
	Dead *int64 `json:"dead,omitempty"`
	// completionTime is when the last run ended.
	// +optional
	CompletionTime metav1.Time `json:"completionTime,omitempty,omitzero"`
	// completedGeneration is the generation of the spec that is done. It never runs again.
	// +optional
	CompletedGeneration int64 `json:"completedGeneration,omitempty"`
	// differences are examples of what a dry run would send, the first 20.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	Differences []ReplayDifference `json:"differences,omitempty"`
}

// ReplayRun is one run over the dead letters.
type ReplayRun struct {
	// generation of the spec that started it.
	// +required
	// +kubebuilder:validation:Minimum=1
	Generation int64 `json:"generation,omitempty"`
	// selection is a hash over what it selects and how. A change of the spec that leaves it as it is (state, perSecond)
	// steers the run that is under way; any other starts a new one.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Selection string `json:"selection,omitempty"`
}

// ReplayDifference is what a dry run would send for one dead letter.
type ReplayDifference struct {
	// itemID is the id that the CRM gave the item.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	ItemID string `json:"itemID,omitempty"`
	// receiver is the CRM account of the person.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Receiver string `json:"receiver,omitempty"`
	// would is what would happen: Send, or Skip and why.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Would string `json:"would,omitempty"`
	// before is the request of the failed attempt in one line, masked and cut.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	Before string `json:"before,omitempty"`
	// after is the request that would be sent in one line, masked and cut.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	After string `json:"after,omitempty"`
}

// Replay sends dead letters of one connector once more. It runs once for each generation of its spec: applying the same
// file again does nothing.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=rpl,categories=oabridge
// +kubebuilder:printcolumn:name="Connector",type=string,JSONPath=`.spec.connectorRef.name`
// +kubebuilder:printcolumn:name="State",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Matched",type=integer,JSONPath=`.status.matched`
// +kubebuilder:printcolumn:name="Delivered",type=integer,JSONPath=`.status.delivered`
// +kubebuilder:printcolumn:name="Skipped",type=integer,JSONPath=`.status.skipped`
// +kubebuilder:printcolumn:name="Dead",type=integer,JSONPath=`.status.dead`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Replay struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`
	// spec is what is wanted.
	// +required
	Spec ReplaySpec `json:"spec,omitempty,omitzero"`
	// status is what was observed.
	// +optional
	// +default={"observedGeneration":-1}
	Status ReplayStatus `json:"status,omitempty,omitzero"`
}

// ReplayList is a list of Replay.
// +kubebuilder:object:root=true
type ReplayList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Replay `json:"items"`
}
