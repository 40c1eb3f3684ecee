package v1alpha1

// Rollout says who takes part. Deliveries to other receivers are recorded as Skipped with the reason NotInRollout; items
// that the OA already shows to them are still changed and finished, so that nothing stays open there for ever.
// +kubebuilder:validation:MinProperties=1
type Rollout struct {
	RolloutShare `json:",inline"`
}

// RolloutShare is a part of the receivers: the listed people and a percentage of all. Who is in at one percentage is in at
// every higher one.
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
