package v1alpha1

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
