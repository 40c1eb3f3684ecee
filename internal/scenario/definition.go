package scenario

// Definition is a scenario as it stands in a bundle: a template whose parameters have been filled in. Its calls still
// hold the placeholders (#F001 …).
type Definition struct {
	// Template is "namespace/name" of the ScenarioTemplate, Revision the short hash of its spec.
	Template string `json:"template"`
	Revision string `json:"revision"`
	// Kind is Todo or Reminder.
	Kind    string `json:"kind"`
	Enabled bool   `json:"enabled"`
	// Calls by action. An action without a call is skipped.
	Calls  map[Action]Call `json:"calls"`
	Result Result          `json:"result"`
	// TimeZone is an IANA name, DateFormat is written in the letters yyyy MM dd HH mm ss SSS.
	TimeZone   string `json:"timeZone"`
	DateFormat string `json:"dateFormat"`
}

// Call is one request of a scenario, with placeholders.
type Call struct {
	Method  string   `json:"method"`
	Path    string   `json:"path"`
	Headers []Header `json:"headers,omitempty"`
	Body    string   `json:"body,omitempty"`
}

// Header is one header of a call; its value may hold placeholders.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Result tells where an answer says that it worked (F10–F14).
type Result struct {
	CodeName    string `json:"codeName,omitempty"`
	MsgName     string `json:"msgName,omitempty"`
	DataName    string `json:"dataName,omitempty"`
	SuccessCode string `json:"successCode,omitempty"`
}
