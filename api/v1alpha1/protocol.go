package v1alpha1

// Protocol is the call style of an OA's interface (F8).
// +kubebuilder:validation:Enum=REST;Webservice
type Protocol string

// Values of Protocol.
const (
	// ProtocolREST: bodies are JSON.
	ProtocolREST Protocol = "REST"
	// ProtocolWebservice: bodies are XML, as a rule SOAP 1.1 or 1.2 envelopes.
	ProtocolWebservice Protocol = "Webservice"
)
