package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AccountBindingSpec is a set of pairs of a CRM account and an OA account.
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="[has(self.accounts), has(self.accountsFrom), has(self.match)].filter(given, given).size() == 1",message="set exactly one of accounts, accountsFrom and match"
type AccountBindingSpec struct {
	// accounts are the pairs themselves.
	// +optional
	// +listType=map
	// +listMapKey=crm
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=5000
	Accounts []AccountPair `json:"accounts,omitempty"`
	// accountsFrom reads the pairs from a CSV file in a ConfigMap.
	// +optional
	AccountsFrom AccountsSource `json:"accountsFrom,omitempty,omitzero"`
	// match makes the pairs: it looks for the people of the CRM among those of the OA. A pair that it made stays, whatever
	// becomes of the rule and the directories.
	// +optional
	Match AccountMatch `json:"match,omitempty,omitzero"`
}

// MatchKey is what two records of one person have in common.
// +kubebuilder:validation:Enum=Mobile;Email;EmployeeCode
type MatchKey string

// Match keys, and the columns that they are read from.
const (
	// MatchMobile compares mobile numbers (column mobile) by their digits, with or without +86.
	MatchMobile MatchKey = "Mobile"
	// MatchEmail compares e-mail addresses (column email) without regard to case.
	MatchEmail MatchKey = "Email"
	// MatchEmployeeCode compares employee codes (column code) as they are.
	MatchEmployeeCode MatchKey = "EmployeeCode"
)

// AccountMatch binds people whose records in both directories have a mobile number, an e-mail address or an employee code in
// common. Whoever cannot be told for certain is named in the status and not bound.
type AccountMatch struct {
	// by lists what is compared, in this order: the first key that one person of each side has alone decides.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=3
	// +kubebuilder:validation:XValidation:rule="self.all(key, self.exists_one(other, key == other))",message="name each key once"
	By []MatchKey `json:"by,omitempty"`
	// crm is the directory of the CRM. Its accounts are employee ids.
	// +required
	CRM PeopleDirectory `json:"crm,omitempty,omitzero"`
	// oa is the directory of the OA.
	// +required
	OA PeopleDirectory `json:"oa,omitempty,omitzero"`
	// exclude lists CRM accounts that are not to be matched. A pair that was made of one is given up: this is the way to
	// correct it.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=1000
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	Exclude []string `json:"exclude,omitempty"`
}

// PeopleDirectory is a list of people in CSV files.
type PeopleDirectory struct {
	// configMapKeyRefs name ConfigMaps of the same namespace, labelled oabridge.dev/accounts: "true", and a key in each. The
	// values together are the directory: CSV in UTF-8, each with a header line that names the column account and those of
	// the keys: mobile, email, code. In the OA's, a column company holds the name of a company of spec.sso.companies, or wecom
	// for the connector's own. Further columns, such as name, are for readers.
	// +required
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	ConfigMapKeyRefs []PeopleKeyReference `json:"configMapKeyRefs,omitempty"`
}

// PeopleKeyReference names one key of a labelled ConfigMap in the same namespace.
type PeopleKeyReference struct {
	// name of the ConfigMap.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`
	// key in the ConfigMap.
	// +optional
	// +default="people.csv"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Key string `json:"key,omitempty"`
}

// AccountPair binds one CRM account to one OA account.
type AccountPair struct {
	// crm is the account in the CRM: the employee id that its events name.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	CRM string `json:"crm,omitempty"`
	// oa is the account in the OA. For Seeyon it is the login name, because that is what a verified ticket yields.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	OA string `json:"oa,omitempty"`
}

// AccountsSource is a ConfigMap that holds a CSV file.
type AccountsSource struct {
	// configMapKeyRef names a ConfigMap of the same namespace, labelled oabridge.dev/accounts: "true", and a key. The
	// value is CSV in UTF-8 with a header line that has the columns crm and oa; further columns are ignored.
	// +required
	ConfigMapKeyRef ConfigMapKeyReference `json:"configMapKeyRef,omitempty,omitzero"`
}

// ConfigMapKeyReference names one key of a labelled ConfigMap in the same namespace.
type ConfigMapKeyReference struct {
	// name of the ConfigMap.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`
	// key in the ConfigMap.
	// +optional
	// +default="accounts.csv"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Key string `json:"key,omitempty"`
}

// AccountBindingStatus counts pairs and names what is wrong.
// +kubebuilder:validation:MinProperties=1
type AccountBindingStatus struct {
	// observedGeneration is the generation of the spec that this status speaks of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// conditions of this set.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// bound pairs of this set that are in use.
	// +optional
	Bound *int64 `json:"bound,omitempty"`
	// conflicts are pairs of this set that are not in use because an earlier pair claims one of their accounts.
	// +optional
	Conflicts *int64 `json:"conflicts,omitempty"`
	// invalid rows of the CSV files.
	// +optional
	Invalid *int64 `json:"invalid,omitempty"`
	// unmatched people of the CRM: match found nobody, or more than one, in the OA.
	// +optional
	Unmatched *int64 `json:"unmatched,omitempty"`
	// problems names invalid rows, conflicts and unmatched people, the first 20 of them.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=512
	Problems []string `json:"problems,omitempty"`
}

// AccountBinding is a set of pairs of a CRM account and an OA account.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=ab,categories=oabridge
// +kubebuilder:printcolumn:name="Bound",type=integer,JSONPath=`.status.bound`
// +kubebuilder:printcolumn:name="Conflicts",type=integer,JSONPath=`.status.conflicts`
// +kubebuilder:printcolumn:name="Invalid",type=integer,JSONPath=`.status.invalid`
// +kubebuilder:printcolumn:name="Unmatched",type=integer,JSONPath=`.status.unmatched`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="!has(self.spec.match) || self.metadata.name.size() <= 200",message="the name of an AccountBinding with spec.match may have at most 200 characters: the ConfigMap of its pairs is named after it"
type AccountBinding struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`
	// spec is what is wanted.
	// +required
	Spec AccountBindingSpec `json:"spec,omitempty,omitzero"`
	// status is what was observed.
	// +optional
	// +default={"observedGeneration":-1}
	Status AccountBindingStatus `json:"status,omitempty,omitzero"`
}

// AccountBindingList is a list of AccountBinding.
// +kubebuilder:object:root=true
type AccountBindingList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []AccountBinding `json:"items"`
}
