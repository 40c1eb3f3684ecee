package v1alpha1

// Observability says who may look into the workloads of a connector, beside metrics, logs and records. A change restarts
// its pods.
// +kubebuilder:validation:MinProperties=1
type Observability struct {
	// tracing tells an OpenTelemetry collector of each event, of each step of its deliveries, and of each sign-in. Without it,
	// nobody is told.
	// +optional
	Tracing Tracing `json:"tracing,omitempty,omitzero"`
	// profiling serves the profiles of the Go runtime at /debug/pprof/ of port 8081 to whoever has a token. Without it, nobody
	// gets them.
	// +optional
	Profiling Profiling `json:"profiling,omitempty,omitzero"`
}

// Tracing is where spans go.
type Tracing struct {
	// endpoint of a collector that takes OTLP over HTTP, such as http://otel-collector.observability:4318; spans are posted to
	// /v1/traces below it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != ''",message="endpoint must be an absolute http or https URL such as http://otel-collector.observability:4318"
	// +kubebuilder:validation:XValidation:rule="!self.contains('@') && !self.contains('?') && !self.contains('#')",message="endpoint must not hold user info, a query or a fragment; put credentials into headersSecretRef"
	Endpoint string `json:"endpoint,omitempty"`
	// samplingRatio is the part of the traces that is told, between "0" and "1", where the CRM does not decide itself with the
	// trace context of its event.
	// +optional
	// +default="1"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=8
	// +kubebuilder:validation:Pattern=`^(0(\.[0-9]{1,6})?|1)$`
	SamplingRatio string `json:"samplingRatio,omitempty"`
	// headersSecretRef names a labelled Secret. Its key headers holds headers for the collector in the form of
	// OTEL_EXPORTER_OTLP_HEADERS: name=value, separated by commas, with percent-encoded values.
	// +optional
	HeadersSecretRef SecretReference `json:"headersSecretRef,omitempty,omitzero"`
}

// Profiling is who gets profiles.
type Profiling struct {
	// tokenSecretRef names a labelled Secret. Its key token holds the bearer token, at least 16 characters; during a rotation
	// token.next is accepted too.
	// +required
	TokenSecretRef SecretReference `json:"tokenSecretRef,omitempty,omitzero"`
}
