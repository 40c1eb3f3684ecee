package scenario

import "slices"

// Definition is a scenario as it stands in a bundle: a template whose parameters have been filled in. Its calls still
// hold the placeholders (#F001 …).
type Definition struct {
	// Name tells scenarios for the same kind apart; at most one enabled one for a kind has none.
	Name string `json:"name,omitempty"`
	// Sources are the kinds of item that go here; empty means Kind.
	Sources []string `json:"sources,omitempty"`
	// Template is "namespace/name" of the ScenarioTemplate, Revision the short hash of its spec.
	Template string `json:"template"`
	Revision string `json:"revision"`
	// Kind is Todo, Reminder, Subscription or Alert: what the template is written for.
	Kind string `json:"kind"`
	// Protocol is Webservice when bodies are XML; empty, which is REST, when they are JSON.
	Protocol string `json:"protocol,omitempty"`
	Enabled  bool   `json:"enabled"`
	// Calls by action. An action without a call is skipped.
	Calls  map[Action]Call `json:"calls"`
	Result Result          `json:"result"`
	// TimeZone is an IANA name, DateFormat is written in the letters yyyy MM dd HH mm ss SSS.
	TimeZone   string `json:"timeZone"`
	DateFormat string `json:"dateFormat"`
}

// Serves reports whether items of a kind go to the scenario.
func (d *Definition) Serves(kind string) bool { return slices.Contains(d.Kinds(), kind) }

// Kinds are the kinds of item that go to the scenario.
func (d *Definition) Kinds() []string {
	if len(d.Sources) == 0 {
		return []string{d.Kind}
	}
	return d.Sources
}

// Call is one request of a scenario, with placeholders.
type Call struct {
	Method  string   `json:"method"`
	Path    string   `json:"path"`
	Headers []Header `json:"headers,omitempty"`
	Body    string   `json:"body,omitempty"`
	// Batch is the form of the call that takes several items; nil when the OA has none.
	Batch *Batch `json:"batch,omitempty"`
	// ReadBack asks the OA afterwards whether it holds the item; nil when its success is believed.
	ReadBack *ReadBack `json:"readBack,omitempty"`
	// Lookup is made before the call and finds values for it; nil when the call needs none.
	Lookup *Lookup `json:"lookup,omitempty"`
	// Capture lists values of the answer that later calls for the same item and receiver need.
	Capture []Capture `json:"capture,omitempty"`
	// Missing says what happens when a value of the lookup or of an earlier answer is not there: Skip, Create (the call for
	// create is made instead), or empty, which is a failure.
	Missing string `json:"missing,omitempty"`
}

// Values of Call.Missing.
const (
	MissingSkip   = "Skip"
	MissingCreate = "Create"
)

// Lookup asks the OA for values that a call needs. It changes nothing.
type Lookup struct {
	Method  string   `json:"method"`
	Path    string   `json:"path"`
	Headers []Header `json:"headers,omitempty"`
	Body    string   `json:"body,omitempty"`
	// Result of an answer that has the values; without a code every answer that can be read may have them.
	Result Result `json:"result,omitzero"`
	// Values are paths into the answer by the name behind LookupPrefix.
	Values map[string]string `json:"values"`
}

// Capture is a value of an answer by its path. With Once it is gone when a call that used it has succeeded.
type Capture struct {
	Name string `json:"name"`
	Path string `json:"path"`
	Once bool   `json:"once,omitempty"`
}

// Batch is the form of a call that takes several items at once (F93). Method and headers are those of the call, and its
// body is a list of the bodies that the items would have alone.
type Batch struct {
	// Path holds no placeholders: it is the same for all items.
	Path string `json:"path"`
	// ListName is the key of the list; empty when the body is the list itself.
	ListName string `json:"listName,omitempty"`
	// Failures is zero when answers do not name the items that failed in a way that can be relied on.
	Failures Failures `json:"failures,omitzero"`
}

// Failures says how the answer to a batch names the items that failed. It promises that the OA has taken every item that
// is not named.
type Failures struct {
	// ListName is the path of the list of failures in the answer.
	ListName string `json:"listName"`
	// IDName is the path of the item's id in an entry of that list, MsgName that of the message.
	IDName  string `json:"idName"`
	MsgName string `json:"msgName,omitempty"`
	// ItemIDName is the path of the id in the body of an item.
	ItemIDName string `json:"itemIDName"`
}

// ReadBack is a call that asks whether the OA holds what another call wrote.
type ReadBack struct {
	Method  string   `json:"method"`
	Path    string   `json:"path"`
	Headers []Header `json:"headers,omitempty"`
	Body    string   `json:"body,omitempty"`
	// Result of an answer that says that the item is there, as it should be.
	Result Result `json:"result"`
}

// Header is one header of a call; its value may hold placeholders.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Result tells where an answer says that it worked (F10–F16).
type Result struct {
	CodeName    string `json:"codeName,omitempty"`
	MsgName     string `json:"msgName,omitempty"`
	DataName    string `json:"dataName,omitempty"`
	SuccessCode string `json:"successCode,omitempty"`
	// XMLJSONField is the local name of the element whose text is the JSON of an XML answer (F15). Empty: the answer is
	// JSON, and XML is not an answer (F16).
	XMLJSONField string `json:"xmlJsonField,omitempty"`
}
