package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// SwitchState turns a scenario or the retry rule on and off.
// +kubebuilder:validation:Enum=Enabled;Disabled
type SwitchState string

// Values of SwitchState.
const (
	Enabled  SwitchState = "Enabled"
	Disabled SwitchState = "Disabled"
)

// OAConnectorSpec is one OA account set: one enterprise in one OA.
// +kubebuilder:validation:XValidation:rule="(self.type == 'Seeyon') == has(self.seeyon)",message="type Seeyon needs the block spec.seeyon (at least registerCode), and no other type may have it"
// +kubebuilder:validation:XValidation:rule="(self.type == 'Weaver') == has(self.weaver)",message="type Weaver needs the block spec.weaver (at least sysCode), and no other type may have it"
// +kubebuilder:validation:XValidation:rule="(self.type == 'Landray') == has(self.landray)",message="type Landray needs the block spec.landray (at least appName), and no other type may have it"
// +kubebuilder:validation:XValidation:rule="(self.type == 'Yunzhijia') == has(self.yunzhijia)",message="type Yunzhijia needs the block spec.yunzhijia (at least appID), and no other type may have it"
// +kubebuilder:validation:XValidation:rule="(self.type == 'WeLink') == has(self.welink)",message="type WeLink needs the block spec.welink (at least clientID), and no other type may have it"
// +kubebuilder:validation:XValidation:rule="(self.type == 'WeCom') == has(self.wecom)",message="type WeCom needs the block spec.wecom (at least corpID and agentID), and no other type may have it"
// +kubebuilder:validation:XValidation:rule="(self.type == 'DingTalk') == has(self.dingtalk)",message="type DingTalk needs the block spec.dingtalk (at least appKey and agentID), and no other type may have it"
// +kubebuilder:validation:XValidation:rule="(self.type == 'Feishu') == has(self.feishu)",message="type Feishu needs the block spec.feishu (at least appID), and no other type may have it"
// +kubebuilder:validation:XValidation:rule="(self.type == 'Generic') == has(self.generic)",message="type Generic needs the block spec.generic (at least authentication), and no other type may have it"
// +kubebuilder:validation:XValidation:rule="has(self.endpoint) && has(self.endpoint.url) || self.type in ['Yunzhijia', 'WeLink', 'WeCom', 'DingTalk', 'Feishu']",message="spec.endpoint.url is needed for this type; only Yunzhijia, WeLink, WeCom, DingTalk and Feishu have a public address of their own"
// +kubebuilder:validation:XValidation:rule="has(self.credentialsSecretRef) || self.type == 'Weaver' || (self.type == 'Landray' && has(self.landray) && self.landray.?authentication.orValue('SOAPHeader') == 'None') || (self.type == 'Generic' && has(self.generic) && self.generic.authentication.type == 'None')",message="spec.credentialsSecretRef is needed: this type calls the OA with an account"
// +kubebuilder:validation:XValidation:rule="!has(self.sso) || self.sso.mode == 'None' || has(self.sso.crmLogin)",message="spec.sso.crmLogin is needed unless spec.sso.mode is None: the gateway must know how to log the person into the CRM"
// +kubebuilder:validation:XValidation:rule="!has(self.sso) || !(self.sso.mode in ['V5Ticket', 'PortalTicket']) || self.type == 'Seeyon'",message="spec.sso.mode V5Ticket and PortalTicket are Seeyon's; use SignedLink, OIDC, OAuth2, CAS, JWT, Callback, or App for this type"
// +kubebuilder:validation:XValidation:rule="!has(self.sso) || self.sso.mode != 'App' || self.type in ['Yunzhijia', 'WeLink', 'WeCom', 'DingTalk', 'Feishu']",message="spec.sso.mode App is for the types Yunzhijia, WeLink, WeCom, DingTalk and Feishu, which have a sign-in of their own"
// +kubebuilder:validation:XValidation:rule="!has(self.sso) || !has(self.sso.companies) || self.type == 'WeCom'",message="spec.sso.companies is for type WeCom"
// +kubebuilder:validation:XValidation:rule="!has(self.sso) || self.sso.mode != 'App' || self.type != 'Yunzhijia' || self.sso.?qr.orValue('Disabled') == 'Disabled'",message="spec.sso.qr is not possible with Yunzhijia's tickets: people come from its app"
// +kubebuilder:validation:XValidation:rule="self.?dispatcher.?queue.?nats.hasValue() == oldSelf.?dispatcher.?queue.?nats.hasValue()",message="spec.dispatcher.queue.type is immutable, because what is accepted would stay behind; create a new connector and delete this one, which delivers what is left"
// +kubebuilder:validation:XValidation:rule="self.?delivery.?concurrency.orValue(16) >= self.?dispatcher.?queue.?nats.?partitions.orValue(1)",message="spec.delivery.concurrency must be at least spec.dispatcher.queue.nats.partitions: each partition gets its share"
// +kubebuilder:validation:XValidation:rule="!self.?delivery.?rateLimit.hasValue() || self.delivery.rateLimit.?burst.orValue(self.delivery.rateLimit.perSecond) >= self.?dispatcher.?queue.?nats.?partitions.orValue(1)",message="spec.delivery.rateLimit.burst (default: perSecond) must be at least spec.dispatcher.queue.nats.partitions: each partition gets its share"
// +kubebuilder:validation:XValidation:rule="!has(self.notifications) || has(self.source.crm) || self.notifications.channels.all(c, c.type != 'CRM')",message="a notification channel of type CRM needs spec.source.crm: the message is sent through the CRM's open interface"
// +kubebuilder:validation:XValidation:rule="self.?protocol.orValue('REST') == 'Webservice' || !self.?result.?xmlJsonField.hasValue()",message="spec.result.xmlJsonField is only for protocol Webservice"
// +kubebuilder:validation:XValidation:rule="self.?seeyon.?mode.orValue('Push') == 'Push' || !self.?dispatcher.?queue.?nats.hasValue() || self.?dispatcher.?records.?indexSecretRef.hasValue()",message="spec.seeyon.mode Pull and Both with a queue in NATS need spec.dispatcher.records.indexSecretRef: the replicas share the list that Seeyon reads"
// +kubebuilder:validation:XValidation:rule="!self.?sso.?pathPrefix.hasValue() || self.?seeyon.?mode.orValue('Push') == 'Push'",message="spec.sso.pathPrefix is not possible with spec.seeyon.mode Pull and Both: the list that Seeyon reads has a fixed path; give the connector a host of its own"
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

	// endpoint is where the OA answers. Yunzhijia, WeLink, WeCom, DingTalk and Feishu have a public address, which is the
	// default of url.
	// +optional
	Endpoint Endpoint `json:"endpoint,omitempty,omitzero"`

	// credentialsSecretRef names the Secret that holds the OA account of this connector. It must be in the connector's
	// namespace and carry the label oabridge.dev/credentials: "true". Keys for Seeyon, Landray and HTTP Basic: username,
	// password; for Yunzhijia, WeLink, WeCom, DingTalk and Feishu: appSecret; for Generic see generic.authentication.
	// Weaver needs none.
	// +optional
	CredentialsSecretRef SecretReference `json:"credentialsSecretRef,omitempty,omitzero"`

	// protocol of the OA's interface. The templates of this connector must have the same one. Default: REST.
	// +optional
	Protocol Protocol `json:"protocol,omitempty"`

	// headers are sent with every call to the OA: pushes, token calls, and the gateway's questions about who clicked. What the
	// person's browser asks has none of them.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Headers []Header `json:"headers,omitempty"`

	// result overrides, key by key, the result format of the templates: where the OA's answer says whether it worked.
	// +optional
	Result ResultFormat `json:"result,omitempty,omitzero"`

	// seeyon holds what only Seeyon (致远) needs.
	// +optional
	Seeyon SeeyonSpec `json:"seeyon,omitempty,omitzero"`
	// weaver holds what only Weaver (泛微 e-cology) needs.
	// +optional
	Weaver WeaverSpec `json:"weaver,omitempty,omitzero"`
	// landray holds what only Landray (蓝凌 EKP) needs.
	// +optional
	Landray LandraySpec `json:"landray,omitempty,omitzero"`
	// yunzhijia holds what only Yunzhijia (云之家) needs.
	// +optional
	Yunzhijia YunzhijiaSpec `json:"yunzhijia,omitempty,omitzero"`
	// welink holds what only WeLink needs.
	// +optional
	WeLink WeLinkSpec `json:"welink,omitempty,omitzero"`
	// wecom holds what only WeCom (企业微信) needs.
	// +optional
	WeCom WeComSpec `json:"wecom,omitempty,omitzero"`
	// dingtalk holds what only DingTalk (钉钉) needs.
	// +optional
	DingTalk DingTalkSpec `json:"dingtalk,omitempty,omitzero"`
	// feishu holds what only Feishu (飞书, Lark) needs.
	// +optional
	Feishu FeishuSpec `json:"feishu,omitempty,omitzero"`
	// generic describes an OA that has no type of its own.
	// +optional
	Generic GenericSpec `json:"generic,omitempty,omitzero"`

	// scenarios say what becomes of the CRM's items, each with its own switch. Several may serve a kind (Todo, Reminder,
	// Subscription, Alert): an item then goes to each of them, with an outcome of its own. At most one enabled scenario without
	// a name may serve a kind.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Scenarios []ScenarioReference `json:"scenarios,omitempty"`

	// accounts selects the AccountBindings of this connector and says what happens to items of unbound people.
	// +required
	Accounts Accounts `json:"accounts,omitempty,omitzero"`

	// rollout limits the connector to a part of the people. Without it, everybody takes part.
	// +optional
	Rollout Rollout `json:"rollout,omitempty,omitzero"`

	// delivery says how often, how fast and for how long an item is tried.
	// +optional
	Delivery Delivery `json:"delivery,omitempty,omitzero"`

	// slo is what is promised of the deliveries. status.slo says how they do.
	// +optional
	SLO SLO `json:"slo,omitempty,omitzero"`

	// notifications says who is told about items that were given up. Without it, nobody is: conditions and metrics tell.
	// +optional
	Notifications Notifications `json:"notifications,omitempty,omitzero"`

	// source says where events come from and how the CRM proves that they are its own.
	// +required
	Source Source `json:"source,omitempty,omitzero"`

	// dispatcher sizes the workload that pushes.
	// +optional
	Dispatcher Dispatcher `json:"dispatcher,omitempty,omitzero"`

	// sso is the way from a click in the OA to the record in the CRM. Without it, no gateway runs.
	// +optional
	SSO SSO `json:"sso,omitempty,omitzero"`

	// networkPolicy asks for a NetworkPolicy for each workload. Without it there is none.
	// +optional
	NetworkPolicy NetworkPolicy `json:"networkPolicy,omitempty,omitzero"`

	// suspend is the emergency brake. While it is true, the OA is not called and nobody is signed in; events are accepted and
	// kept, and go out in their order afterwards.
	// +optional
	Suspend *bool `json:"suspend,omitempty"`

	// observability says who may look into the workloads: traces and profiles.
	// +optional
	Observability Observability `json:"observability,omitempty,omitzero"`

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

// TLSRequirement says whether calls to the OA have to be encrypted.
// +kubebuilder:validation:Enum=Optional;Required
type TLSRequirement string

// Values of TLSRequirement.
const (
	// TLSOptional takes plain http as well; the condition EndpointSecure then warns of it.
	TLSOptional TLSRequirement = "Optional"
	// TLSRequired refuses plain http, in the URL and at each call.
	TLSRequired TLSRequirement = "Required"
)

// Endpoint is the address of an OA and how it is reached.
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="self.?tls.orValue('Optional') != 'Required' || !has(self.url) || url(self.url).getScheme() == 'https'",message="tls is Required, but url begins with http://: write an https URL, or set tls to Optional"
type Endpoint struct {
	// url is scheme, host and optional port and path prefix of the OA. Plain http with any port is allowed, unless tls is
	// Required.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != ''",message="url must be an absolute http or https URL such as http://oa.corp.example:8080"
	// +kubebuilder:validation:XValidation:rule="!self.contains('@') && !self.contains('?') && !self.contains('#')",message="url must not hold user info, a query or a fragment; put credentials into credentialsSecretRef"
	URL string `json:"url,omitempty"`

	// tls Required refuses plain http here and at every call to the OA. Optional takes it, with a warning: tokens, to-dos and
	// tickets can be read on the way.
	// +optional
	// +default="Optional"
	TLS TLSRequirement `json:"tls,omitempty"`

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

	// egressIPs are the addresses with which calls leave the cluster, those of its NAT or egress gateway. OAs that call them
	// trusted IPs get them from status.addresses.trustedIPs; nothing else depends on them.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=45
	// +kubebuilder:validation:items:XValidation:rule="isIP(self)",message="must be an IP address such as 203.0.113.7"
	EgressIPs []string `json:"egressIPs,omitempty"`
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
	// xmlJsonField is the local name of the element of a web service's answer whose text is a JSON document. Only with
	// protocol Webservice. Default: out.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	XMLJSONField string `json:"xmlJsonField,omitempty"`
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
	// name tells scenarios for the same kind apart. What is delivered under one name knows nothing of what was delivered
	// under another: a changed name begins anew.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`
	Name string `json:"name,omitempty"`
	// templateRef names the ScenarioTemplate.
	// +required
	TemplateRef TemplateReference `json:"templateRef,omitempty,omitzero"`
	// sources are the kinds of item that go to this scenario. Default: the kind of the template. With a template of the kind
	// Reminder, for example, to-dos are told as notices when they are created.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=4
	Sources []ItemKind `json:"sources,omitempty"`
	// state Enabled pushes the items of this scenario; Disabled records them as skipped. Default: Enabled.
	// +optional
	State SwitchState `json:"state,omitempty"`
	// parameters are the values of the template's parameters.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=32
	Parameters map[string]string `json:"parameters,omitempty"`
}
