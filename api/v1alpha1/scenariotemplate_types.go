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

// Actions are the calls of a scenario.
type Actions struct {
	// create writes a new item.
	// +required
	Create Call `json:"create,omitempty,omitzero"`
	// update changes an open item. Without it, changes are recorded as skipped.
	// +optional
	Update Call `json:"update,omitempty,omitzero"`
	// complete marks an item as done. Without it, completions are recorded as skipped.
	// +optional
	Complete Call `json:"complete,omitempty,omitzero"`
	// delete withdraws an item. Without it, deletions are recorded as skipped.
	// +optional
	Delete Call `json:"delete,omitempty,omitzero"`
}

// Call is one HTTP request to the OA. Placeholders (#F001 …) take the item's fields; see the placeholder dictionary.
type Call struct {
	// method of the request.
	// +optional
	// +default="POST"
	// +kubebuilder:validation:Enum=GET;POST;PUT;PATCH;DELETE
	Method string `json:"method,omitempty"`
	// path below the connector's endpoint, with an optional query. Values of placeholders are percent-encoded.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.startsWith('/') && !self.startsWith('//')",message="path must start with exactly one slash; the host comes from the connector's endpoint"
	Path string `json:"path,omitempty"`
	// headers of this call, added to those of the connector.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Headers []CallHeader `json:"headers,omitempty"`
	// body is a JSON document or, with protocol Webservice, an XML document. Placeholders stand inside strings of JSON, and
	// inside text, CDATA and attribute values of XML; whatever the data holds, it cannot leave its place. A SOAP envelope
	// goes out with the Content-Type of its version; a header SOAPAction of this call becomes the action.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	Body string `json:"body,omitempty"`
	// batch is the form of this call that takes several items at once; how many is the connector's
	// spec.delivery.batchSize. Without it every item goes alone.
	// +optional
	Batch BatchCall `json:"batch,omitempty,omitzero"`
	// readBack asks the OA afterwards whether it holds the item. With it, a success of this call only means that the OA
	// accepted the item; it is delivered when the OA says that it is there.
	// +optional
	ReadBack ReadBack `json:"readBack,omitempty,omitzero"`
	// lookup is made before this call and finds values for it, which the call writes ${lookup.NAME}.
	// +optional
	Lookup Lookup `json:"lookup,omitempty,omitzero"`
	// capture keeps values of the OA's answer for later calls about the same item and receiver, which write them
	// ${captured.NAME}. They are forgotten when some 50,000 other items were delivered.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Capture []Capture `json:"capture,omitempty"`
	// missing says what happens when a value of the lookup or of an earlier answer is not there: Fail makes a dead letter,
	// Skip counts the item as delivered because the OA does not have it, Create makes the call for create instead.
	// Default: Fail.
	// +optional
	Missing MissingPolicy `json:"missing,omitempty"`
}

// MissingPolicy says what happens when a value that a call needs is not there.
// +kubebuilder:validation:Enum=Fail;Skip;Create
type MissingPolicy string

// Values of MissingPolicy.
const (
	MissingFail   MissingPolicy = "Fail"
	MissingSkip   MissingPolicy = "Skip"
	MissingCreate MissingPolicy = "Create"
)

// Lookup asks the OA for values that a call needs, such as the OA's own id of an item. It must not change anything.
type Lookup struct {
	// method of the request.
	// +optional
	// +default="GET"
	// +kubebuilder:validation:Enum=GET;POST
	Method string `json:"method,omitempty"`
	// path below the connector's endpoint, with an optional query. Values of placeholders are percent-encoded.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.startsWith('/') && !self.startsWith('//')",message="path must start with exactly one slash; the host comes from the connector's endpoint"
	Path string `json:"path,omitempty"`
	// headers of this call, added to those of the connector.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Headers []CallHeader `json:"headers,omitempty"`
	// body is a JSON document, with placeholders inside its strings.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	Body string `json:"body,omitempty"`
	// result tells where the answer says that it worked. Without it, every answer that can be read may have the values.
	// +optional
	Result ResultFormat `json:"result,omitempty,omitzero"`
	// values of the answer.
	// +required
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Values []LookupValue `json:"values,omitempty"`
}

// LookupValue is a value of the answer to a lookup.
type LookupValue struct {
	// name of the value, written ${lookup.NAME}.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z][A-Za-z0-9_]*$`
	Name string `json:"name,omitempty"`
	// path of the value in the answer, e.g. result.userid.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Path string `json:"path,omitempty"`
}

// Capture is a value of an answer that later calls need.
type Capture struct {
	// name of the value, written ${captured.NAME}.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z][A-Za-z0-9_]*$`
	Name string `json:"name,omitempty"`
	// path of the value in the answer.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Path string `json:"path,omitempty"`
	// use says how often the value works: Once means that the first call that succeeds with it uses it up. Default: Always.
	// +optional
	Use CaptureUse `json:"use,omitempty"`
}

// CaptureUse is how often a captured value works.
// +kubebuilder:validation:Enum=Always;Once
type CaptureUse string

// Values of CaptureUse.
const (
	CaptureAlways CaptureUse = "Always"
	CaptureOnce   CaptureUse = "Once"
)

// BatchCall is the form of a call that takes several items at once. Method and headers are those of the call; the body is
// a list of the bodies that the items would have alone.
type BatchCall struct {
	// path below the connector's endpoint, with an optional query. It must hold no placeholder, nor must the headers of
	// the call.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.startsWith('/') && !self.startsWith('//')",message="path must start with exactly one slash; the host comes from the connector's endpoint"
	Path string `json:"path,omitempty"`
	// listName is the key of the list in the body. Without it the body is the list itself.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	ListName string `json:"listName,omitempty"`
	// failures says how the answer names the items that failed. Set it only if the OA has taken every item that its answer
	// does not name. Without it, the items of a refused batch are sent once more, each alone.
	// +optional
	Failures BatchFailures `json:"failures,omitempty,omitzero"`
}

// BatchFailures says how the answer to a batch names the items that failed.
type BatchFailures struct {
	// listName is the path of the list of failures in the answer.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	ListName string `json:"listName,omitempty"`
	// idName is the path of the item's id in an entry of that list.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	IDName string `json:"idName,omitempty"`
	// msgName is the path of the message in an entry of that list.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	MsgName string `json:"msgName,omitempty"`
	// itemIDName is the path of the id in the body of an item.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	ItemIDName string `json:"itemIDName,omitempty"`
}

// ReadBack is a call that asks whether the OA holds what another call wrote. It must not change anything.
type ReadBack struct {
	// method of the request.
	// +optional
	// +default="GET"
	// +kubebuilder:validation:Enum=GET;POST
	Method string `json:"method,omitempty"`
	// path below the connector's endpoint, with an optional query. Values of placeholders are percent-encoded.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.startsWith('/') && !self.startsWith('//')",message="path must start with exactly one slash; the host comes from the connector's endpoint"
	Path string `json:"path,omitempty"`
	// headers of this call, added to those of the connector.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Headers []CallHeader `json:"headers,omitempty"`
	// body is a JSON document or, with protocol Webservice, an XML document, with placeholders as in the body of a call.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	Body string `json:"body,omitempty"`
	// result tells where the answer shows that the item is there, as it should be. An answer that can be read and does not
	// show it means that the item is missing.
	// +required
	Result ResultFormat `json:"result,omitempty,omitzero"`
}

// CallHeader is a header of a call. Its value may hold placeholders.
type CallHeader struct {
	// name of the header.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9!#$%&'*+.^_|~-]+$`
	Name string `json:"name,omitempty"`
	// value of the header.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	Value string `json:"value,omitempty"`
}

// TemplateTest gives an item and says what must go out for it and what an answer must mean.
type TemplateTest struct {
	// name of the test.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Name string `json:"name,omitempty"`
	// action that happened.
	// +optional
	// +default="create"
	// +kubebuilder:validation:Enum=create;update;complete;delete
	Action string `json:"action,omitempty"`
	// fields are the values of the placeholders by their number, e.g. F012: T-1, and of live values by their name, e.g.
	// item.version or lookup.taskId. Dates are RFC 3339.
	// +required
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=256
	Fields map[string]string `json:"fields,omitempty"`
	// parameters of the template, and of the connector as connector.enterpriseID and so on.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=64
	Parameters map[string]string `json:"parameters,omitempty"`
	// request that must go out.
	// +optional
	Request TestRequest `json:"request,omitempty,omitzero"`
	// answer of the OA, and what it must mean.
	// +optional
	Answer TestAnswer `json:"answer,omitempty,omitzero"`
	// readBack that must be asked, and what an answer to it must mean.
	// +optional
	ReadBack TestReadBack `json:"readBack,omitempty,omitzero"`
}

// TestRequest is what must go out. Only what is given is compared.
// +kubebuilder:validation:MinProperties=1
type TestRequest struct {
	// method of the request.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	Method string `json:"method,omitempty"`
	// path with query.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	Path string `json:"path,omitempty"`
	// lookupPath is the path of the lookup that must be asked before. With it, nothing else of the request is known.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	LookupPath string `json:"lookupPath,omitempty"`
	// body is compared as JSON: spaces and the order of keys do not matter; or as XML: spaces between elements, the order of
	// attributes and the choice of prefixes do not matter.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	Body string `json:"body,omitempty"`
	// batch is the call that takes several items, made for this item alone.
	// +optional
	Batch TestBatch `json:"batch,omitempty,omitzero"`
}

// TestBatch is the call for several items that must go out.
type TestBatch struct {
	// path with query.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	Path string `json:"path,omitempty"`
	// body with a list of one, compared as JSON.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	Body string `json:"body,omitempty"`
}

// TestReadBack is the read-back that must be asked, an answer to it, and what that must mean.
// +kubebuilder:validation:MinProperties=1
type TestReadBack struct {
	// path with query.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	Path string `json:"path,omitempty"`
	// status code of the answer. Default 200.
	// +optional
	// +kubebuilder:validation:Minimum=100
	// +kubebuilder:validation:Maximum=599
	Status int32 `json:"status,omitempty"`
	// body of the answer.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	Body string `json:"body,omitempty"`
	// state that the answer must show.
	// +optional
	// +kubebuilder:validation:Enum=Found;Missing;Unknown
	State string `json:"state,omitempty"`
}

// TestAnswer is an answer of the OA and the outcome that it must have.
type TestAnswer struct {
	// status code. Default 200.
	// +optional
	// +default=200
	// +kubebuilder:validation:Minimum=100
	// +kubebuilder:validation:Maximum=599
	Status int32 `json:"status,omitempty"`
	// body of the answer.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	Body string `json:"body,omitempty"`
	// outcome that this answer must have: Delivered or an error class.
	// +required
	// +kubebuilder:validation:Enum=Delivered;Network;Timeout;ServerError;RateLimited;AuthExpired;BusinessCode
	Outcome string `json:"outcome,omitempty"`
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
