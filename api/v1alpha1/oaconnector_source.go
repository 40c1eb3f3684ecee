package v1alpha1

// Source says where events come from and how they are authenticated.
// +kubebuilder:validation:XValidation:rule="has(self.signingSecretRef) || has(self.tokenSecretRef) || has(self.callback)",message="set signingSecretRef, tokenSecretRef or callback: unauthenticated events are never accepted"
// +kubebuilder:validation:XValidation:rule="!has(self.callback) || has(self.crm)",message="callback needs crm: a callback names an object only, and its data is asked from the CRM; set spec.source.crm"
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
	// crm is the CRM's open interface, for what the dispatcher has to ask it or tell it.
	// +optional
	CRM CRMInterface `json:"crm,omitempty,omitzero"`
	// callback accepts the CRM's own callbacks about changed objects.
	// +optional
	Callback Callback `json:"callback,omitempty,omitzero"`
}

// CRMType is the product that sends the events.
// +kubebuilder:validation:Enum=Fxiaoke
type CRMType string

// CRMFxiaoke is Fxiaoke (纷享销客).
const CRMFxiaoke CRMType = "Fxiaoke"

// CRMInterface is the open interface of a CRM and the account with which it is used.
type CRMInterface struct {
	// type is the CRM product.
	// +required
	Type CRMType `json:"type,omitempty"`
	// url is scheme and host of the open interface. It differs between the clouds of Fxiaoke.
	// +optional
	// +default="https://open.fxiaoke.com"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != ''",message="url must be an absolute http or https URL such as https://open.fxiaoke.com"
	// +kubebuilder:validation:XValidation:rule="!self.contains('@') && !self.contains('?') && !self.contains('#')",message="url must not hold user info, a query or a fragment; put credentials into credentialsSecretRef"
	URL string `json:"url,omitempty"`
	// corpID of the enterprise, such as FSCID_….
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_.-]+$`
	CorpID string `json:"corpID,omitempty"`
	// openUserID of the person in whose name the interface is asked, such as FSUID_…: that person's rights apply.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_.-]+$`
	OpenUserID string `json:"openUserID,omitempty"`
	// credentialsSecretRef names the Secret with the keys appId, appSecret and permanentCode.
	// +required
	CredentialsSecretRef SecretReference `json:"credentialsSecretRef,omitempty,omitzero"`
	// roles say who holds the roles that a notification may name. crm-admins and integration-admins are the ones that a
	// channel of type CRM tells when it names nobody else.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Roles []CRMRole `json:"roles,omitempty"`
	// allowedCIDRs opens address ranges that are refused otherwise: loopback, link-local and cloud metadata addresses.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=43
	// +kubebuilder:validation:items:XValidation:rule="isCIDR(self)",message="must be a CIDR such as 127.0.0.0/8"
	AllowedCIDRs []string `json:"allowedCIDRs,omitempty"`
}

// CRMRole is a name for some people of the CRM.
type CRMRole struct {
	// name of the role.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name,omitempty"`
	// openUserIDs of the people that hold it.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=500
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	// +kubebuilder:validation:items:Pattern=`^[A-Za-z0-9_.-]+$`
	OpenUserIDs []string `json:"openUserIDs,omitempty"`
}

// Callback is the CRM's own way of telling that an object changed (CRM 对象事件).
type Callback struct {
	// secretRef names the Secret with the key encoding-aes-key (and encoding-aes-key.next): the key that the CRM's console
	// shows for the subscription. It proves the origin of a callback and encrypts it.
	// +required
	SecretRef SecretReference `json:"secretRef,omitempty,omitzero"`
	// enterpriseAccount that every callback must name.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_.-]+$`
	EnterpriseAccount string `json:"enterpriseAccount,omitempty"`
	// rules turn a changed object into an item. A callback about an object without a rule is answered and counted.
	// +required
	// +listType=map
	// +listMapKey=apiName
	// +listMapKey=kind
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Rules []CallbackRule `json:"rules,omitempty"`
}

// CallbackRule turns changes of one kind of object into items of one kind.
// +kubebuilder:validation:XValidation:rule="'state' in self.fields || self.actions.all(k, !k.contains('/'))",message="an event type with a state, such as update/done, needs fields.state: the path to the state"
// +kubebuilder:validation:XValidation:rule="self.kind == 'Todo' || self.actions.all(k, self.actions[k] == 'created')",message="only a Todo has other actions than created"
type CallbackRule struct {
	// apiName of the CRM object, such as ApprovalTaskObj.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_]+$`
	APIName string `json:"apiName,omitempty"`
	// kind of the item: it selects the scenario.
	// +required
	Kind ItemKind `json:"kind,omitempty"`
	// actions say what an event type of the callback does to the item: created, updated, completed or deleted. update/done
	// means the event type update of an object whose state (fields.state) is done. An event type that is not named here is
	// answered and counted.
	// +required
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.size() <= 64 && self[k] in ['created', 'updated', 'completed', 'deleted'])",message="each event type maps to created, updated, completed or deleted"
	Actions map[string]string `json:"actions,omitempty"`
	// fields of the item, each as a path into the object's data: id, version, heading, subject, detail, createdAt,
	// object.apiName, object.id, sender.account, sender.name and receivers (one account or a list of them). Without id the
	// item is the object itself, and without object.… it leads to that. state is the path to what actions may depend on.
	// +required
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="'receivers' in self",message="fields must name receivers: the path to the accounts that get the item"
	// +kubebuilder:validation:XValidation:rule="self.all(k, k in ['id', 'version', 'heading', 'subject', 'detail', 'createdAt', 'object.apiName', 'object.id', 'sender.account', 'sender.name', 'receivers', 'state'])",message="fields may name id, version, heading, subject, detail, createdAt, object.apiName, object.id, sender.account, sender.name, receivers and state"
	// +kubebuilder:validation:XValidation:rule="self.all(k, self[k].size() > 0 && self[k].size() <= 256)",message="a path has 1 to 256 characters"
	Fields map[string]string `json:"fields,omitempty"`
}
