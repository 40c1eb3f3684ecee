package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// OAConnectorStatus is what the operator observed.
// +kubebuilder:validation:MinProperties=1
type OAConnectorStatus struct {
	// observedGeneration is the generation of the spec that this status speaks of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// lastHandledReconcileAt is the value of the annotation oabridge.dev/reconcile-requested-at that was acted on last.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`
	// conditions of this connector.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// problems are all things that are wrong now, the most urgent first. They are gone from the list when they are mended.
	// +optional
	// +listType=map
	// +listMapKey=reason
	// +listMapKey=object
	// +listMapKey=key
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Problems []Problem `json:"problems,omitempty"`
	// config is the configuration that the operator has written for the workloads.
	// +optional
	Config ConfigStatus `json:"config,omitempty,omitzero"`
	// delivery counts items, as the dispatcher reports them.
	// +optional
	Delivery DeliveryStatus `json:"delivery,omitempty,omitzero"`
	// gateway is what is scaled; it is there when a gateway runs.
	// +optional
	Gateway GatewayStatus `json:"gateway,omitempty,omitzero"`
	// slo says how deliveries do against spec.slo.
	// +optional
	SLO SLOStatus `json:"slo,omitempty,omitzero"`
	// accounts counts the account pairs in use.
	// +optional
	Accounts AccountsStatus `json:"accounts,omitempty,omitzero"`
	// credentials says of each key of the Secrets which value is in use.
	// +optional
	// +listType=map
	// +listMapKey=field
	// +listMapKey=key
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Credentials []CredentialStatus `json:"credentials,omitempty"`
	// addresses are to be pasted into the consoles of the CRM and the OA.
	// +optional
	Addresses AddressStatus `json:"addresses,omitempty,omitzero"`
}

// ConfigStatus describes the bundle.
// +kubebuilder:validation:MinProperties=1
type ConfigStatus struct {
	// hash of the bundle, as the workloads report it back.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Hash string `json:"hash,omitempty"`
	// liveTime is when every pod had reported this hash.
	// +optional
	LiveTime metav1.Time `json:"liveTime,omitempty,omitzero"`
	// settled is a digest of what the children were made from, of the children as they were found to be, and of the program
	// that did both. When it starts again and finds the same, it has nothing to make.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Settled string `json:"settled,omitempty"`
}

// DeliveryStatus counts items. pending, retrying, held and dead are levels; delivered and skipped are totals over the
// life of the queue volume.
// +kubebuilder:validation:MinProperties=1
type DeliveryStatus struct {
	// pending items wait for their first attempt.
	// +optional
	Pending *int64 `json:"pending,omitempty"`
	// retrying items failed at least once and will be tried again.
	// +optional
	Retrying *int64 `json:"retrying,omitempty"`
	// held items wait for a person to be bound.
	// +optional
	Held *int64 `json:"held,omitempty"`
	// dead items are dead letters.
	// +optional
	Dead *int64 `json:"dead,omitempty"`
	// delivered items.
	// +optional
	Delivered *int64 `json:"delivered,omitempty"`
	// skipped items: scenario disabled, or overtaken by a newer state.
	// +optional
	Skipped *int64 `json:"skipped,omitempty"`
	// oldestTime is when the oldest item that still waits was accepted.
	// +optional
	OldestTime metav1.Time `json:"oldestTime,omitempty,omitzero"`
	// lastFailure is the most recent failed attempt.
	// +optional
	LastFailure FailureStatus `json:"lastFailure,omitempty,omitzero"`
}

// FailureStatus is one failed attempt, without anything secret.
type FailureStatus struct {
	// time of the attempt.
	// +required
	Time metav1.Time `json:"time,omitempty,omitzero"`
	// class of the failure.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Class string `json:"class,omitempty"`
	// message says what happened.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`
}

// AccountsStatus counts pairs.
// +kubebuilder:validation:MinProperties=1
type AccountsStatus struct {
	// bound pairs in use.
	// +optional
	Bound *int64 `json:"bound,omitempty"`
	// conflicts are pairs that are not in use because an earlier pair claims the same account.
	// +optional
	Conflicts *int64 `json:"conflicts,omitempty"`
}

// AddressStatus lists addresses.
// +kubebuilder:validation:MinProperties=1
type AddressStatus struct {
	// events is where the CRM posts its events, inside the cluster; it is there when the connector takes them.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Events string `json:"events,omitempty"`
	// callback is where the CRM sends its callbacks, inside the cluster; it is there when the connector takes them.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Callback string `json:"callback,omitempty"`
	// pendings is where Seeyon asks for open to-dos, in mode Pull and Both: on the host of the gateway's Ingress, or inside
	// the cluster when there is none.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Pendings string `json:"pendings,omitempty"`
	// login is the entry that is registered in the OA for the CRM's main page: the home URL of the application. With Seeyon
	// it is the one for PC.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Login string `json:"login,omitempty"`
	// mobileLogin is the same for the mobile (H5) client of Seeyon, whose entries tell the client.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	MobileLogin string `json:"mobileLogin,omitempty"`
	// record is the pattern of a link to one record, for menus and messages that are made by hand: apiName and dataId are
	// those of the record, isApp is true for the mobile client. Items carry their own link.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Record string `json:"record,omitempty"`
	// return is where the OA sends people back after they signed in there; it is registered in the OA as redirect URI or
	// service, where the sign-in mode has one.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Return string `json:"return,omitempty"`
	// handshake is the interface that Seeyon's server calls, in mode PortalTicket.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Handshake string `json:"handshake,omitempty"`
	// domain is the gateway's host as the consoles of WeCom and others want it, without scheme: trusted domain and
	// callback domain.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Domain string `json:"domain,omitempty"`
	// jwks is where the CRM finds the keys of login tokens.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	JWKS string `json:"jwks,omitempty"`
	// issuer is who signs login tokens, as the CRM must expect it: the claim iss, and with crmLogin.type OpenIDProvider the
	// address of the provider.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Issuer string `json:"issuer,omitempty"`
	// redeem is where the CRM's server redeems a code, with crmLogin.type OneTimeCode.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Redeem string `json:"redeem,omitempty"`
	// domainFiles are the addresses of spec.sso.domainFiles, which the OA's console asks to see whose host this is.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=512
	DomainFiles []string `json:"domainFiles,omitempty"`
	// trustedIPs are spec.endpoint.egressIPs joined by ";", as the consoles of WeCom and others take them.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	TrustedIPs string `json:"trustedIPs,omitempty"`
}

// OAConnector connects one CRM enterprise to one OA: a dispatcher that pushes its to-dos, and an SSO gateway that takes
// a person from the OA to the record in the CRM.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.sso.replicas,statuspath=.status.gateway.replicas,selectorpath=.status.gateway.selector
// +kubebuilder:resource:shortName=oac,categories=oabridge
// +kubebuilder:printcolumn:name="Type",type=string,JSONPath=`.spec.type`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Pending",type=integer,JSONPath=`.status.delivery.pending`
// +kubebuilder:printcolumn:name="Retrying",type=integer,JSONPath=`.status.delivery.retrying`
// +kubebuilder:printcolumn:name="Held",type=integer,JSONPath=`.status.delivery.held`
// +kubebuilder:printcolumn:name="Dead",type=integer,JSONPath=`.status.delivery.dead`
// +kubebuilder:printcolumn:name="Delivered",type=integer,JSONPath=`.status.delivery.delivered`
// +kubebuilder:printcolumn:name="Oldest",type=date,JSONPath=`.status.delivery.oldestTime`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",message="the name of a connector must start with a letter and hold only lower case letters, digits and hyphens: its Services are named after it"
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 40",message="the name of a connector may have at most 40 characters: its children's names are made from it"
type OAConnector struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`
	// spec is what is wanted.
	// +required
	Spec OAConnectorSpec `json:"spec,omitempty,omitzero"`
	// status is what was observed.
	// +optional
	// +default={"observedGeneration":-1}
	Status OAConnectorStatus `json:"status,omitempty,omitzero"`
}

// OAConnectorList is a list of OAConnector.
// +kubebuilder:object:root=true
type OAConnectorList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []OAConnector `json:"items"`
}
