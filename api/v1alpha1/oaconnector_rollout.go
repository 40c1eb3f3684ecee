package v1alpha1

// Rollout says who takes part. Deliveries to other receivers are recorded as Skipped with the reason NotInRollout; items
// that the OA already shows to them are still changed and finished, so that nothing stays open there for ever.
// +kubebuilder:validation:MinProperties=1
type Rollout struct {
	RolloutShare `json:",inline"`
	// canary gives a changed template to a part of the receivers first. Without it, a changed template is live for everybody at
	// once.
	// +optional
	Canary Canary `json:"canary,omitempty,omitzero"`
}

// Canary says who gets the new revision of a template first, and when it is promoted or rolled back. First attempts are
// counted, in each partition of the queue: one that the OA refuses or fails at (BusinessCode, ServerError), or for which no
// request can be made (Internal), is a failure. A revision that was rolled back stays so until the template changes again.
// +kubebuilder:validation:XValidation:rule="has(self.people) || self.?percent.orValue(0) > 0",message="a canary needs people, or a percent above 0"
// +kubebuilder:validation:MinProperties=1
type Canary struct {
	RolloutShare `json:",inline"`
	// minDeliveries is how many first attempts decide.
	// +optional
	// +default=20
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	MinDeliveries int32 `json:"minDeliveries,omitempty"`
	// maxFailurePercent of them may fail.
	// +optional
	// +default=10
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=99
	MaxFailurePercent *int32 `json:"maxFailurePercent,omitempty"`
}

// RolloutShare is a part of the receivers: the listed people and a percentage of all. Who is in at one percentage is in at
// every higher one.
// +kubebuilder:validation:MinProperties=1
type RolloutShare struct {
	// people are CRM accounts.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=1000
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	People []string `json:"people,omitempty"`
	// percent of the receivers, chosen by a hash of their CRM account. 0 means the listed people only, 100 everybody.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	Percent *int32 `json:"percent,omitempty"`
}
