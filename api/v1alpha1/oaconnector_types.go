package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// OAType is the product that a connector talks to.
// +kubebuilder:validation:Enum=Seeyon
type OAType string

// TypeSeeyon is Seeyon (致远) A8/V5.
const TypeSeeyon OAType = "Seeyon"

// SwitchState turns a scenario or the retry rule on and off.
// +kubebuilder:validation:Enum=Enabled;Disabled
type SwitchState string

// Values of SwitchState.
const (
	Enabled  SwitchState = "Enabled"
	Disabled SwitchState = "Disabled"
)

// OAConnectorSpec is one OA account set: one enterprise in one OA.
// +kubebuilder:validation:XValidation:rule="self.type != 'Seeyon' || has(self.seeyon)",message="type Seeyon needs the block spec.seeyon (at least registerCode)"
// +kubebuilder:validation:XValidation:rule="!has(self.sso) || self.sso.mode == 'None' || has(self.sso.crmLogin)",message="spec.sso.crmLogin is needed unless spec.sso.mode is None: the gateway must know how to log the person into the CRM"
type OAConnectorSpec struct {
	// type is the OA product on the other side.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="type is immutable; create a new connector for another OA"
	Type OAType `json:"type,omitempty"`

	// enterpriseID is the CRM enterprise ("ei") whose to-dos are delivered. It is part of every link that an OA user
	// clicks, and the gateway refuses a link of another enterprise.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_-]+$`
	EnterpriseID string `json:"enterpriseID,omitempty"`

	// dataCenterID tells several account sets of one CRM enterprise apart. An event that names another one in its
	// "datacenterid" attribute is refused.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_.-]+$`
	DataCenterID string `json:"dataCenterID,omitempty"`

	// endpoint is where the OA answers.
	// +required
	Endpoint Endpoint `json:"endpoint,omitempty,omitzero"`

	// credentialsSecretRef names the Secret that holds the OA account of this connector. It must be in the connector's
	// namespace and carry the label oabridge.dev/credentials: "true". Keys for type Seeyon: username, password.
	// +required
	CredentialsSecretRef SecretReference `json:"credentialsSecretRef,omitempty,omitzero"`

	// headers are sent with every call to the OA.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Headers []Header `json:"headers,omitempty"`

	// result overrides, key by key, the result format of the templates: where the OA's answer says whether it worked.
	// +optional
	Result ResultFormat `json:"result,omitempty,omitzero"`

	// seeyon holds what only Seeyon needs.
	// +optional
	Seeyon SeeyonSpec `json:"seeyon,omitempty,omitzero"`

	// scenarios are the kinds of item that are pushed, each with its own switch. At most one enabled scenario may
	// serve a kind (Todo, Reminder).
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Scenarios []ScenarioReference `json:"scenarios,omitempty"`

	// accounts selects the AccountBindings of this connector and says what happens to items of unbound people.
	// +required
	Accounts Accounts `json:"accounts,omitempty,omitzero"`

	// delivery says how often, how fast and for how long an item is tried.
	// +optional
	Delivery Delivery `json:"delivery,omitempty,omitzero"`

	// source says how the CRM proves that an event is its own.
	// +required
	Source Source `json:"source,omitempty,omitzero"`

	// dispatcher sizes the workload that pushes.
	// +optional
	Dispatcher Dispatcher `json:"dispatcher,omitempty,omitzero"`

	// sso is the way from a click in the OA to the record in the CRM. Without it, no gateway runs.
	// +optional
	SSO SSO `json:"sso,omitempty,omitzero"`

	// onDelete says what happens to pending items when the connector is deleted.
	// +optional
	OnDelete OnDelete `json:"onDelete,omitempty,omitzero"`
}

// SecretReference names a Secret in the same namespace, labelled oabridge.dev/credentials: "true".
type SecretReference struct {
	// name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`
}

// SecretKeyReference names one key of a labelled Secret in the same namespace.
type SecretKeyReference struct {
	// name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`
	// key in the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	Key string `json:"key,omitempty"`
}

// Endpoint is the address of an OA and how it is reached.
type Endpoint struct {
	// url is scheme, host and optional port and path prefix of the OA. Plain http with any port is allowed.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != ''",message="url must be an absolute http or https URL such as http://oa.corp.example:8080"
	// +kubebuilder:validation:XValidation:rule="!self.contains('@') && !self.contains('?') && !self.contains('#')",message="url must not hold user info, a query or a fragment; put credentials into credentialsSecretRef"
	URL string `json:"url,omitempty"`

	// caSecretRef names a labelled Secret whose key ca.crt holds the PEM certificates that sign the OA's TLS
	// certificate. Default: the system's roots.
	// +optional
	CASecretRef SecretReference `json:"caSecretRef,omitempty,omitzero"`

	// connectTimeout bounds DNS, TCP and TLS together.
	// +optional
	// +default="15s"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('100ms') && duration(self) <= duration('2m')",message="connectTimeout must be between 100ms and 2m"
	ConnectTimeout metav1.Duration `json:"connectTimeout,omitempty,omitzero"`

	// allowedCIDRs opens address ranges that are refused otherwise: loopback, link-local and cloud metadata addresses.
	// Private ranges need no entry. The check is made on the address that is dialled, after DNS.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=43
	// +kubebuilder:validation:items:XValidation:rule="isCIDR(self)",message="must be a CIDR such as 127.0.0.0/8"
	AllowedCIDRs []string `json:"allowedCIDRs,omitempty"`
}

// Header is one HTTP header with a value or a reference to one.
// +kubebuilder:validation:XValidation:rule="has(self.value) != has(self.valueFrom)",message="set exactly one of value and valueFrom"
type Header struct {
	// name of the header.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9!#$%&'*+.^_|~-]+$`
	// +kubebuilder:validation:XValidation:rule="!(self.lowerAscii() in ['host', 'content-length', 'transfer-encoding', 'connection', 'token'])",message="this header is set by OA Bridge itself"
	Name string `json:"name,omitempty"`
	// value in plain text.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	// +kubebuilder:validation:XValidation:rule="!self.contains('\\n') && !self.contains('\\r')",message="a header value must not hold line breaks"
	Value string `json:"value,omitempty"`
	// valueFrom takes the value from a Secret; it is never shown in status, records or logs.
	// +optional
	ValueFrom HeaderSource `json:"valueFrom,omitempty,omitzero"`
}

// HeaderSource is where a header's value is kept.
type HeaderSource struct {
	// secretKeyRef is a key of a labelled Secret.
	// +required
	SecretKeyRef SecretKeyReference `json:"secretKeyRef,omitempty,omitzero"`
}

// ResultFormat tells how an answer says that it worked. The names are those of the CRM's own console.
// +kubebuilder:validation:MinProperties=1
type ResultFormat struct {
	// codeName is the path of the field that holds the code, e.g. "success" or "result.code".
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	CodeName string `json:"codeName,omitempty"`
	// msgName is the path of the field that holds the message.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	MsgName string `json:"msgName,omitempty"`
	// dataName is the path of the object in which codeName and msgName are looked up. Default: the whole answer.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	DataName string `json:"dataName,omitempty"`
	// successCode is the code that means success. It is compared as text, so "0" matches 0 and "0", "true" matches true.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	SuccessCode string `json:"successCode,omitempty"`
}

// SeeyonVersion selects the address at which Seeyon checks a ticket.
// +kubebuilder:validation:Enum=V70SP2;BeforeV70SP2
type SeeyonVersion string

// Values of SeeyonVersion.
const (
	// SeeyonV70SP2 is V7.0SP2 and everything later.
	SeeyonV70SP2       SeeyonVersion = "V70SP2"
	SeeyonBeforeV70SP2 SeeyonVersion = "BeforeV70SP2"
)

// TokenPlacement is where a token travels.
// +kubebuilder:validation:Enum=Header;Query
type TokenPlacement string

// Values of TokenPlacement.
const (
	TokenInHeader TokenPlacement = "Header"
	TokenInQuery  TokenPlacement = "Query"
)

// SeeyonSpec is what only Seeyon needs.
type SeeyonSpec struct {
	// registerCode is the code under which the CRM is registered as a third-party application in Seeyon.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	RegisterCode string `json:"registerCode,omitempty"`
	// version selects the address of the ticket check: V70SP2 (and later) or BeforeV70SP2.
	// +optional
	// +default="V70SP2"
	Version SeeyonVersion `json:"version,omitempty"`
	// tokenPlacement is where calls carry the REST token.
	// +optional
	// +default="Header"
	TokenPlacement TokenPlacement `json:"tokenPlacement,omitempty"`
	// tokenIdleTimeout is how long a REST token lives without a call.
	// +optional
	// +default="15m"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('10s') && duration(self) <= duration('24h')",message="tokenIdleTimeout must be between 10s and 24h"
	TokenIdleTimeout metav1.Duration `json:"tokenIdleTimeout,omitempty,omitzero"`
}

// TemplateReference names a ScenarioTemplate, looked up in the connector's namespace first, then in the operator's.
type TemplateReference struct {
	// name of the ScenarioTemplate.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`
}

// ScenarioReference switches one scenario on or off for this connector.
type ScenarioReference struct {
	// templateRef names the ScenarioTemplate.
	// +required
	TemplateRef TemplateReference `json:"templateRef,omitempty,omitzero"`
	// state Enabled pushes the items of this scenario; Disabled records them as skipped. Default: Enabled.
	// +optional
	State SwitchState `json:"state,omitempty"`
	// parameters are the values of the template's parameters.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=32
	Parameters map[string]string `json:"parameters,omitempty"`
}

// UnboundPolicy says what happens to an item whose receiver has no OA account.
// +kubebuilder:validation:Enum=Hold;DeadLetter;Fallback
type UnboundPolicy string

// Values of UnboundPolicy.
const (
	// UnboundHold keeps the item until the person is bound or maxAge is over.
	UnboundHold UnboundPolicy = "Hold"
	// UnboundDeadLetter puts it among the dead letters at once.
	UnboundDeadLetter UnboundPolicy = "DeadLetter"
	// UnboundFallback sends it with the CRM account in place of the OA account (Seeyon matches it against login name,
	// staff code, mobile or e-mail: the noneBinding fields).
	UnboundFallback UnboundPolicy = "Fallback"
)

// Accounts selects account bindings.
type Accounts struct {
	// selector picks AccountBindings of the connector's namespace by their labels.
	// +required
	Selector metav1.LabelSelector `json:"selector,omitempty,omitzero"`
	// unbound says what happens to an item whose receiver is in none of them.
	// +optional
	// +default="Hold"
	Unbound UnboundPolicy `json:"unbound,omitempty"`
}

// ErrorClass is the kind of a failed attempt.
// +kubebuilder:validation:Enum=Network;Timeout;ServerError;RateLimited;AuthExpired;BusinessCode
type ErrorClass string

// Values of ErrorClass that retry.classes may name.
const (
	// ClassNetwork: DNS, TCP or TLS failed, or the connection broke.
	ClassNetwork ErrorClass = "Network"
	// ClassTimeout: no complete answer in time.
	ClassTimeout ErrorClass = "Timeout"
	// ClassServerError: HTTP 5xx, or an answer that is not what the OA's interface promises (such as an HTML page).
	ClassServerError ErrorClass = "ServerError"
	// ClassRateLimited: HTTP 429.
	ClassRateLimited ErrorClass = "RateLimited"
	// ClassAuthExpired: the OA does not accept the token or the account.
	ClassAuthExpired ErrorClass = "AuthExpired"
	// ClassBusinessCode: the OA answered, and its code is not the success code.
	ClassBusinessCode ErrorClass = "BusinessCode"
)

// BackoffPolicy is how the delay between attempts grows.
// +kubebuilder:validation:Enum=Exponential;Linear
type BackoffPolicy string

// Values of BackoffPolicy.
const (
	BackoffExponential BackoffPolicy = "Exponential"
	BackoffLinear      BackoffPolicy = "Linear"
)

// Delivery uses Knative's words.
// +kubebuilder:validation:MinProperties=1
type Delivery struct {
	// retry says whether and after which failures an item is tried again.
	// +optional
	// +default={"state":"Enabled"}
	Retry Retry `json:"retry,omitempty,omitzero"`
	// backoffPolicy is how the delay between attempts grows.
	// +optional
	// +default="Exponential"
	BackoffPolicy BackoffPolicy `json:"backoffPolicy,omitempty"`
	// backoffDelay is the delay before the second attempt.
	// +optional
	// +default="5s"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('10ms') && duration(self) <= duration('1h')",message="backoffDelay must be between 10ms and 1h"
	BackoffDelay metav1.Duration `json:"backoffDelay,omitempty,omitzero"`
	// backoffMax caps the delay between two attempts.
	// +optional
	// +default="10m"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('10ms') && duration(self) <= duration('24h')",message="backoffMax must be between 10ms and 24h"
	BackoffMax metav1.Duration `json:"backoffMax,omitempty,omitzero"`
	// retryAfterMax caps the delay that an OA may ask for with Retry-After.
	// +optional
	// +default="5m"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="retryAfterMax must be between 1s and 24h"
	RetryAfterMax metav1.Duration `json:"retryAfterMax,omitempty,omitzero"`
	// maxAge is how long after its acceptance an item is tried or held before it becomes a dead letter.
	// +optional
	// +default="24h"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('10s') && duration(self) <= duration('720h')",message="maxAge must be between 10s and 720h (30 days)"
	MaxAge metav1.Duration `json:"maxAge,omitempty,omitzero"`
	// timeout bounds one call to the OA, from the first byte sent to the last byte read.
	// +optional
	// +default="60s"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('100ms') && duration(self) <= duration('10m')",message="timeout must be between 100ms and 10m"
	Timeout metav1.Duration `json:"timeout,omitempty,omitzero"`
	// concurrency is how many calls to the OA may be under way at once.
	// +optional
	// +default=16
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1024
	Concurrency int32 `json:"concurrency,omitempty"`
	// rateLimit paces the calls. Default: no limit.
	// +optional
	RateLimit RateLimit `json:"rateLimit,omitempty,omitzero"`
}

// Retry selects what is tried again.
// +kubebuilder:validation:MinProperties=1
type Retry struct {
	// state Disabled makes every failed first attempt a dead letter.
	// +optional
	// +default="Enabled"
	State SwitchState `json:"state,omitempty"`
	// classes of failure that are tried again.
	// +optional
	// +listType=set
	// +default=["Network","Timeout","ServerError","RateLimited","AuthExpired"]
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=6
	Classes []ErrorClass `json:"classes,omitempty"`
}

// RateLimit is a token bucket.
type RateLimit struct {
	// perSecond is the steady number of calls in one second.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	PerSecond int32 `json:"perSecond,omitempty"`
	// burst is how many calls may go out at once after a pause. Default: perSecond.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	Burst int32 `json:"burst,omitempty"`
}

// Source says how events are authenticated.
// +kubebuilder:validation:XValidation:rule="has(self.signingSecretRef) || has(self.tokenSecretRef)",message="set signingSecretRef or tokenSecretRef: unauthenticated events are never accepted"
// +kubebuilder:validation:MinProperties=1
type Source struct {
	// signingSecretRef names the Secret with the key signing-key (and, while it is being replaced, signing-key.next): a
	// Standard Webhooks secret. The CRM signs each request with it.
	// +optional
	SigningSecretRef SecretReference `json:"signingSecretRef,omitempty,omitzero"`
	// tokenSecretRef names the Secret with the key token (and token.next): a bearer token of at least 16 characters,
	// for sources that cannot sign.
	// +optional
	TokenSecretRef SecretReference `json:"tokenSecretRef,omitempty,omitzero"`
}

// Dispatcher sizes the pushing workload.
// +kubebuilder:validation:MinProperties=1
type Dispatcher struct {
	// storage is the volume that holds accepted events, records and dead letters.
	// +optional
	Storage Storage `json:"storage,omitempty,omitzero"`
	// resources of the dispatcher container. Default: requests of 50m CPU and 128Mi, a limit of 512Mi memory.
	// +optional
	Resources Resources `json:"resources,omitempty,omitzero"`
}

// Storage is a volume claim.
// +kubebuilder:validation:MinProperties=1
type Storage struct {
	// size of the volume. It may grow where the storage class allows it.
	// +optional
	// +default="1Gi"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="isQuantity(self) && quantity(self).compareTo(quantity('64Mi')) >= 0",message="size must be a quantity of at least 64Mi, such as 1Gi"
	// +kubebuilder:validation:XValidation:rule="!isQuantity(self) || !isQuantity(oldSelf) || quantity(self).compareTo(quantity(oldSelf)) >= 0",message="size may grow but not shrink"
	Size string `json:"size,omitempty"`
	// className of the storage class. Default: the cluster's default class.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="className is immutable; a volume cannot move to another class"
	ClassName string `json:"className,omitempty"`
}

// Resources are the requests and limits of one container.
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="!has(self.memoryRequest) || !has(self.memoryLimit) || !isQuantity(self.memoryRequest) || !isQuantity(self.memoryLimit) || quantity(self.memoryRequest).compareTo(quantity(self.memoryLimit)) <= 0",message="memoryRequest must not exceed memoryLimit"
type Resources struct {
	// cpuRequest such as 50m.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="isQuantity(self)",message="must be a quantity such as 100m"
	CPURequest string `json:"cpuRequest,omitempty"`
	// memoryRequest such as 128Mi.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="isQuantity(self)",message="must be a quantity such as 128Mi"
	MemoryRequest string `json:"memoryRequest,omitempty"`
	// memoryLimit such as 512Mi.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule="isQuantity(self)",message="must be a quantity such as 512Mi"
	MemoryLimit string `json:"memoryLimit,omitempty"`
}

// SSOMode is the way in which an OA proves who clicked.
// +kubebuilder:validation:Enum=V5Ticket;None
type SSOMode string

// Values of SSOMode.
const (
	// SSOV5Ticket is Seeyon's V5 authentication: the OA appends v5ticket to the link, the gateway asks the OA whose it is.
	SSOV5Ticket SSOMode = "V5Ticket"
	// SSONone leaves the link alone: no gateway runs.
	SSONone SSOMode = "None"
)

// SSO is the way from the OA into the CRM. CRM to OA is not offered.
// +kubebuilder:validation:XValidation:rule="self.mode == 'None' || has(self.host)",message="host is needed unless mode is None"
type SSO struct {
	// mode is how the OA proves who clicked.
	// +required
	Mode SSOMode `json:"mode,omitempty"`
	// host is the public name of the gateway, without scheme. It is in every link that is pushed.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue() && self.contains('.') && !self.endsWith('.local') && !isIP(self)",message="host must be a full DNS name without scheme and port that OA users can reach; localhost, .local names and IP addresses are refused"
	Host string `json:"host,omitempty"`
	// exposure is how the host reaches the gateway.
	// +optional
	// +default={"type":"Ingress"}
	Exposure Exposure `json:"exposure,omitempty,omitzero"`
	// replicas of the gateway.
	// +optional
	// +default=2
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=32
	Replicas int32 `json:"replicas,omitempty"`
	// crmLogin is how a verified person is logged into the CRM.
	// +optional
	CRMLogin CRMLogin `json:"crmLogin,omitempty,omitzero"`
}

// ExposureType is how the gateway is reached from outside.
// +kubebuilder:validation:Enum=Ingress;None
type ExposureType string

// Values of ExposureType.
const (
	ExposureIngress ExposureType = "Ingress"
	ExposureNone    ExposureType = "None"
)

// Exposure is how the gateway is reached from outside.
// +kubebuilder:validation:XValidation:rule="self.type == 'Ingress' || (!has(self.className) && !has(self.tls))",message="className and tls belong to type Ingress"
type Exposure struct {
	// type Ingress makes an Ingress; None leaves the Service for something else to expose.
	// +required
	Type ExposureType `json:"type,omitempty"`
	// className of the Ingress. Default: the cluster's default class.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	ClassName string `json:"className,omitempty"`
	// tls ends TLS at the Ingress. Without it links are plain http: for trials only.
	// +optional
	TLS IngressTLS `json:"tls,omitempty,omitzero"`
}

// IngressTLS names a TLS Secret.
type IngressTLS struct {
	// secretName of a kubernetes.io/tls Secret. Only the ingress controller reads it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	SecretName string `json:"secretName,omitempty"`
}

// CRMLoginType is how the gateway vouches for a person.
// +kubebuilder:validation:Enum=SignedJWT
type CRMLoginType string

// LoginSignedJWT is a short-lived, one-time JWT whose keys are published at /.well-known/jwks.json.
const LoginSignedJWT CRMLoginType = "SignedJWT"

// CRMLogin is how a verified person is logged into the CRM.
type CRMLogin struct {
	// type of the login issuer.
	// +required
	Type CRMLoginType `json:"type,omitempty"`
	// url of the CRM that takes the login token in the query parameter "token". It is also the token's audience.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != ''",message="url must be an absolute http or https URL"
	// +kubebuilder:validation:XValidation:rule="!self.contains('@') && !self.contains('?') && !self.contains('#')",message="url must not hold user info, a query or a fragment"
	URL string `json:"url,omitempty"`
	// keySecretRef names the Secret with the key key.pem (and, while it is being replaced, key.pem.next).
	// +required
	KeySecretRef SecretReference `json:"keySecretRef,omitempty,omitzero"`
	// lifetime of a login token.
	// +optional
	// +default="60s"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('5s') && duration(self) <= duration('5m')",message="lifetime must be between 5s and 5m"
	Lifetime metav1.Duration `json:"lifetime,omitempty,omitzero"`
}

// OnDeletePolicy says what happens to pending items of a deleted connector.
// +kubebuilder:validation:Enum=Drain;Abandon
type OnDeletePolicy string

// Values of OnDeletePolicy.
const (
	// DeleteDrain delivers what can be delivered until the timeout. If something is left then, the queue volume is kept
	// and named in an Event; a new connector of the same name takes it over.
	DeleteDrain OnDeletePolicy = "Drain"
	// DeleteAbandon deletes at once, with the volume, and says how many items went with it.
	DeleteAbandon OnDeletePolicy = "Abandon"
)

// OnDelete says what happens to pending items of a deleted connector.
// +kubebuilder:validation:MinProperties=1
type OnDelete struct {
	// policy for what is pending.
	// +optional
	// +default="Drain"
	Policy OnDeletePolicy `json:"policy,omitempty"`
	// timeout of a drain.
	// +optional
	// +default="30m"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s') && duration(self) <= duration('24h')",message="timeout must be between 0s and 24h"
	Timeout metav1.Duration `json:"timeout,omitempty,omitzero"`
}
