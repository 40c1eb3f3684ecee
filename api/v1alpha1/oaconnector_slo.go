package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// SLO is the service level objective of a connector's deliveries: so many of a hundred items are with the OA so long after
// their acceptance.
// +kubebuilder:validation:MinProperties=1
type SLO struct {
	// objective is the percentage of items that are to be in time, such as "99.9". Items that were skipped on purpose or held
	// until a person is bound do not count.
	// +optional
	// +default="99.9"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=6
	// +kubebuilder:validation:Pattern=`^[0-9]{1,2}(\.[0-9]{1,3})?$`
	// +kubebuilder:validation:XValidation:rule="double(self) >= 1.0",message="objective must be a percentage of at least 1 and below 100, such as \"99.9\"; 100 would leave no error budget"
	Objective string `json:"objective,omitempty"`
	// within is how long an item may take from its acceptance to its delivery.
	// +optional
	// +default="60s"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('100ms') && duration(self) <= duration('24h')",message="within must be between 100ms and 24h"
	Within metav1.Duration `json:"within,omitempty,omitzero"`
}

// SLOStatus says how the deliveries of the last hour do against spec.slo. Figures are rounded to two digits, so that a
// status is not written for noise. After a restart the dispatcher finds the hour before in its records.
// +kubebuilder:validation:MinProperties=1
type SLOStatus struct {
	// objective and within are what was counted against.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=6
	Objective string `json:"objective,omitempty"`
	// within is how long an item may take from its acceptance to its delivery.
	// +optional
	Within metav1.Duration `json:"within,omitempty,omitzero"`
	// window is how far the figures look back.
	// +optional
	Window metav1.Duration `json:"window,omitempty,omitzero"`
	// items got a verdict: in time, late, or dead. An item is late as soon as its time is over, also while it still waits.
	// +optional
	Items *int64 `json:"items,omitempty"`
	// inTime is the percentage of the items that were in time. There is none when there were no items.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=8
	InTime string `json:"inTime,omitempty"`
	// burnRate is how fast the error budget is used up: "1" when just as many items miss the objective as may, "0" when none
	// does.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	BurnRate string `json:"burnRate,omitempty"`
	// latency of deliveries, from acceptance to the OA's answer. There is none when nothing was delivered.
	// +optional
	Latency LatencyStatus `json:"latency,omitempty,omitzero"`
}

// LatencyStatus holds quantiles, at most 5 % off.
// +kubebuilder:validation:MinProperties=1
type LatencyStatus struct {
	// p50 is what half of the deliveries took at most.
	// +optional
	P50 metav1.Duration `json:"p50,omitempty,omitzero"`
	// p95 is what 95 of a hundred deliveries took at most.
	// +optional
	P95 metav1.Duration `json:"p95,omitempty,omitzero"`
	// p99 is what 99 of a hundred deliveries took at most.
	// +optional
	P99 metav1.Duration `json:"p99,omitempty,omitzero"`
}
