package v1alpha1

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
