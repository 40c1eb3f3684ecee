package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ItemKind is the kind of a CRM item.
// +kubebuilder:validation:Enum=Todo;Reminder;Subscription;Alert
type ItemKind string

// Values of ItemKind.
const (
	// KindTodo is a to-do (待办): it is created, may change, and ends.
	KindTodo ItemKind = "Todo"
	// KindReminder is a reminder (提醒): it is sent once.
	KindReminder ItemKind = "Reminder"
	// KindSubscription is news of something that a person follows (订阅): it is sent once.
	KindSubscription ItemKind = "Subscription"
	// KindAlert is a warning of the CRM's (预警): it is sent once.
	KindAlert ItemKind = "Alert"
)

// ItemKinds are all values of ItemKind.
var ItemKinds = []ItemKind{KindTodo, KindReminder, KindSubscription, KindAlert}

// ScenarioTemplateSpec says how one kind of item is written for one OA.
// +kubebuilder:validation:XValidation:rule="self.kind == 'Todo' || (!has(self.actions.update) && !has(self.actions.complete) && !has(self.actions.delete))",message="only a Todo has other actions than create"
// +kubebuilder:validation:XValidation:rule="!has(self.actions.create.body) || self.actions.create.body.trim().startsWith('<') == (self.?protocol.orValue('REST') == 'Webservice')",message="actions.create.body must be an XML document with protocol Webservice, and a JSON document with protocol REST (the default)"
// +kubebuilder:validation:XValidation:rule="!has(self.actions.update) || !has(self.actions.update.body) || self.actions.update.body.trim().startsWith('<') == (self.?protocol.orValue('REST') == 'Webservice')",message="actions.update.body must be an XML document with protocol Webservice, and a JSON document with protocol REST (the default)"
// +kubebuilder:validation:XValidation:rule="!has(self.actions.complete) || !has(self.actions.complete.body) || self.actions.complete.body.trim().startsWith('<') == (self.?protocol.orValue('REST') == 'Webservice')",message="actions.complete.body must be an XML document with protocol Webservice, and a JSON document with protocol REST (the default)"
// +kubebuilder:validation:XValidation:rule="!has(self.actions.delete) || !has(self.actions.delete.body) || self.actions.delete.body.trim().startsWith('<') == (self.?protocol.orValue('REST') == 'Webservice')",message="actions.delete.body must be an XML document with protocol Webservice, and a JSON document with protocol REST (the default)"
// +kubebuilder:validation:XValidation:rule="self.?protocol.orValue('REST') == 'REST' || !(self.actions.?create.?batch.hasValue() || self.actions.?update.?batch.hasValue() || self.actions.?complete.?batch.hasValue() || self.actions.?delete.?batch.hasValue())",message="batch is a list of JSON bodies; with protocol Webservice every item goes alone"
// +kubebuilder:validation:XValidation:rule="self.?protocol.orValue('REST') == 'Webservice' || !(self.?result.?xmlJsonField.hasValue() || self.actions.?create.?readBack.?result.?xmlJsonField.hasValue() || self.actions.?update.?readBack.?result.?xmlJsonField.hasValue() || self.actions.?complete.?readBack.?result.?xmlJsonField.hasValue() || self.actions.?delete.?readBack.?result.?xmlJsonField.hasValue())",message="xmlJsonField is only for protocol Webservice"
type ScenarioTemplateSpec struct {
	// type is the OA product that this template writes for.
	// +required
	Type OAType `json:"type,omitempty"`
	// protocol of the calls: with REST bodies are JSON, with Webservice they are XML, as a rule SOAP envelopes. It must be
	// that of the connector. Default: REST.
	// +optional
	Protocol Protocol `json:"protocol,omitempty"`
	// kind of the items.
	// +required
	Kind ItemKind `json:"kind,omitempty"`
	// parameters that a connector may or must set. In paths, headers and bodies they are written ${name}; the
	// connector's own values are ${connector.enterpriseID}, ${connector.dataCenterID}, ${connector.ssoURL} and those of the
	// OA: registerCode (Seeyon), sysCode (Weaver), appName (Landray, WeLink), appID (Yunzhijia, Feishu), clientID (WeLink),
	// corpID (WeCom), appKey (DingTalk), agentID (WeCom, DingTalk) and approvalCode (Feishu).
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Parameters []Parameter `json:"parameters,omitempty"`
	// actions are the calls, one for each thing that can happen to an item.
	// +required
	Actions Actions `json:"actions,omitempty,omitzero"`
	// result tells where the OA's answer says whether the call worked.
	// +optional
	Result ResultFormat `json:"result,omitempty,omitzero"`
	// timeZone of rendered dates, an IANA name.
	// +optional
	// +default="Asia/Shanghai"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	TimeZone string `json:"timeZone,omitempty"`
	// dateFormat of rendered dates in the letters yyyy MM dd HH mm ss SSS.
	// +optional
	// +default="yyyy-MM-dd HH:mm"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	DateFormat string `json:"dateFormat,omitempty"`
	// tests are run by the operator on every change. A template with a failing test is not used; what was live stays
	// live.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Tests []TemplateTest `json:"tests,omitempty"`
}

// Parameter is a value that a connector sets for a template.
type Parameter struct {
	// name of the parameter, written ${name} in the template.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z][A-Za-z0-9_]*$`
	Name string `json:"name,omitempty"`
	// description for the person who sets it.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Description string `json:"description,omitempty"`
	// default value. Without one, the connector must set the parameter.
	// +optional
	// +kubebuilder:validation:MinLength=0
	// +kubebuilder:validation:MaxLength=4096
	Default *string `json:"default,omitempty"`
	// pattern that a value must match as a whole (RE2).
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Pattern string `json:"pattern,omitempty"`
}

// ScenarioTemplateStatus is what the operator found out about a template.
// +kubebuilder:validation:MinProperties=1
type ScenarioTemplateStatus struct {
	// observedGeneration is the generation of the spec that this status speaks of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// conditions of this template.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// revision is a short hash of the spec; attempt records name it.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Revision string `json:"revision,omitempty"`
	// tests passed and in all, such as 3/3.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	Tests string `json:"tests,omitempty"`
	// usedBy counts the connectors that refer to this template.
	// +optional
	UsedBy *int64 `json:"usedBy,omitempty"`
}

// ScenarioTemplate says how one kind of item (to-do, reminder) is written for one OA.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=st,categories=oabridge
// +kubebuilder:printcolumn:name="Type",type=string,JSONPath=`.spec.type`
// +kubebuilder:printcolumn:name="Kind",type=string,JSONPath=`.spec.kind`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Tests",type=string,JSONPath=`.status.tests`
// +kubebuilder:printcolumn:name="UsedBy",type=integer,JSONPath=`.status.usedBy`
// +kubebuilder:printcolumn:name="Revision",type=string,JSONPath=`.status.revision`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type ScenarioTemplate struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`
	// spec is what is wanted.
	// +required
	Spec ScenarioTemplateSpec `json:"spec,omitempty,omitzero"`
	// status is what was observed.
	// +optional
	// +default={"observedGeneration":-1}
	Status ScenarioTemplateStatus `json:"status,omitempty,omitzero"`
}

// ScenarioTemplateList is a list of ScenarioTemplate.
// +kubebuilder:object:root=true
type ScenarioTemplateList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ScenarioTemplate `json:"items"`
}
