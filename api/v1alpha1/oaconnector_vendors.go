package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// OAType is the product that a connector talks to.
// +kubebuilder:validation:Enum=Seeyon;Weaver;Landray;Yunzhijia;WeLink;WeCom;DingTalk;Feishu;Generic
type OAType string

// Values of OAType.
const (
	// TypeSeeyon is Seeyon (致远) A8/V5.
	TypeSeeyon OAType = "Seeyon"
	// TypeWeaver is Weaver (泛微) e-cology with its unified to-do centre.
	TypeWeaver OAType = "Weaver"
	// TypeLandray is Landray (蓝凌) EKP.
	TypeLandray OAType = "Landray"
	// TypeYunzhijia is Yunzhijia (云之家).
	TypeYunzhijia OAType = "Yunzhijia"
	// TypeWeLink is Huawei WeLink.
	TypeWeLink OAType = "WeLink"
	// TypeWeCom is WeCom (企业微信).
	TypeWeCom OAType = "WeCom"
	// TypeDingTalk is DingTalk (钉钉).
	TypeDingTalk OAType = "DingTalk"
	// TypeFeishu is Feishu (飞书), internationally Lark.
	TypeFeishu OAType = "Feishu"
	// TypeGeneric is any other OA with an HTTP interface.
	TypeGeneric OAType = "Generic"
)

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

// SeeyonMode says how to-dos come into Seeyon (消息获取模式).
// +kubebuilder:validation:Enum=Push;Pull;Both
type SeeyonMode string

// Values of SeeyonMode.
const (
	// SeeyonPush: the dispatcher calls Seeyon (第三方推送).
	SeeyonPush SeeyonMode = "Push"
	// SeeyonPull: Seeyon asks the dispatcher from time to time (第三方读取).
	SeeyonPull SeeyonMode = "Pull"
	// SeeyonBoth: items are pushed and can be asked for too.
	SeeyonBoth SeeyonMode = "Both"
)

// SeeyonAccounts says by which accounts Seeyon asks.
// +kubebuilder:validation:Enum=OA;CRM
type SeeyonAccounts string

// Values of SeeyonAccounts.
const (
	// SeeyonAccountsOA are the OA accounts of the AccountBindings, which the preset writes into thirdReceiverId.
	SeeyonAccountsOA SeeyonAccounts = "OA"
	// SeeyonAccountsCRM are the CRM accounts.
	SeeyonAccountsCRM SeeyonAccounts = "CRM"
)

// SeeyonPullStyle is what Seeyon's console calls the way of reading.
// +kubebuilder:validation:Enum=URL;Interface;BuiltIn
type SeeyonPullStyle string

// Values of SeeyonPullStyle.
const (
	// SeeyonPullURL: Seeyon opens an address (URL), a GET.
	SeeyonPullURL SeeyonPullStyle = "URL"
	// SeeyonPullInterface: an interface (接口) of Seeyon, or code of one's own there, posts a question.
	SeeyonPullInterface SeeyonPullStyle = "Interface"
	// SeeyonPullBuiltIn: neither is chosen, and Seeyon's own reader asks the default path of its version (内置接口).
	SeeyonPullBuiltIn SeeyonPullStyle = "BuiltIn"
)

// SeeyonPullSpec says who may ask for to-dos, and how.
// +kubebuilder:validation:XValidation:rule="(self.?style.orValue('URL') == 'BuiltIn') == has(self.path)",message="path belongs to style BuiltIn, which needs it: the default path that your Seeyon shows for its built-in interface"
type SeeyonPullSpec struct {
	// style is how Seeyon asks: URL (GET), Interface (POST), or BuiltIn (the names and the bare list of Seeyon's own provider, at
	// path). Without it, questions in the style URL and Interface are both answered.
	// +optional
	Style SeeyonPullStyle `json:"style,omitempty"`
	// path at which Seeyon's built-in reader asks, for style BuiltIn. Its host is the service address.
	// +optional
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$`
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('/erp/syncdata/') && !self.startsWith('/sso/') && !self.startsWith('/.well-known/') && self != '/events' && !self.startsWith('/callbacks/')",message="path must not be one of the gateway's or the dispatcher's own"
	Path string `json:"path,omitempty"`
	// tokenSecretRef names a labelled Secret whose key token (at least 16 bytes) Seeyon sends as a bearer token. While it is
	// being replaced, the key token.next is accepted too.
	// +required
	TokenSecretRef SecretReference `json:"tokenSecretRef,omitempty,omitzero"`
	// accounts says which ids Seeyon asks by: those that the template writes into thirdReceiverId.
	// +optional
	// +default="OA"
	Accounts SeeyonAccounts `json:"accounts,omitempty"`
	// allowedCIDRs limits the addresses that may ask, beside the token. It is the address of the connection that counts:
	// behind an Ingress, that of the ingress controller. Default: every address.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=43
	// +kubebuilder:validation:items:XValidation:rule="isCIDR(self)",message="must be a CIDR such as 10.1.2.0/24"
	AllowedCIDRs []string `json:"allowedCIDRs,omitempty"`
}

// SeeyonSpec is what only Seeyon needs.
// +kubebuilder:validation:XValidation:rule="(self.?mode.orValue('Push') != 'Push') == has(self.pull)",message="mode Pull and Both need the block pull (at least tokenSecretRef), and Push may not have it"
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
	// mode says how to-dos come into Seeyon: Push (the dispatcher calls Seeyon), Pull (Seeyon asks for the open to-dos of
	// bound people), or Both. Reminders are pushed in every mode.
	// +optional
	// +default="Push"
	Mode SeeyonMode `json:"mode,omitempty"`
	// pull is how Seeyon asks, for mode Pull and Both.
	// +optional
	Pull SeeyonPullSpec `json:"pull,omitempty,omitzero"`
}

// WeaverSpec is what only Weaver needs.
type WeaverSpec struct {
	// sysCode is the code under which the CRM is registered as a system of the unified to-do centre (统一待办中心).
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_.:@-]+$`
	SysCode string `json:"sysCode,omitempty"`
}

// LandrayAuthentication is how calls to Landray prove who makes them.
// +kubebuilder:validation:Enum=Basic;SOAPHeader;None
type LandrayAuthentication string

// Values of LandrayAuthentication.
const (
	// LandrayBasic is HTTP Basic authentication.
	LandrayBasic LandrayAuthentication = "Basic"
	// LandraySOAPHeader is the element RequestSOAPHeader in the header of the envelope; only with protocol Webservice.
	LandraySOAPHeader LandrayAuthentication = "SOAPHeader"
	// LandrayNone trusts the network.
	LandrayNone LandrayAuthentication = "None"
)

// LandrayPassword is the form in which Landray wants its password.
// +kubebuilder:validation:Enum=Plain;MD5
type LandrayPassword string

// Values of LandrayPassword.
const (
	LandrayPlain LandrayPassword = "Plain"
	// LandrayMD5 is the lower-case hexadecimal MD5 of the password, as the vendor's sample client sends it.
	LandrayMD5 LandrayPassword = "MD5"
)

// LandraySpec is what only Landray needs.
type LandraySpec struct {
	// appName is the name of the CRM as a source system of to-dos.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	AppName string `json:"appName,omitempty"`
	// authentication of the calls. Default: SOAPHeader with protocol Webservice, otherwise Basic.
	// +optional
	Authentication LandrayAuthentication `json:"authentication,omitempty"`
	// passwordFormat in which the SOAP header carries the password.
	// +optional
	// +default="Plain"
	PasswordFormat LandrayPassword `json:"passwordFormat,omitempty"`
}

// YunzhijiaSpec is what only Yunzhijia needs.
type YunzhijiaSpec struct {
	// appID is the id of the light app (轻应用).
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_.:@-]+$`
	AppID string `json:"appID,omitempty"`
}

// WeLinkSpec is what only WeLink needs.
type WeLinkSpec struct {
	// clientID is the client_id of the application.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_.:@-]+$`
	ClientID string `json:"clientID,omitempty"`
	// appName is shown beside each to-do.
	// +optional
	// +default="CRM"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	AppName string `json:"appName,omitempty"`
}

// WeComSpec is what only WeCom needs.
type WeComSpec struct {
	// corpID is the id of the enterprise (企业 ID).
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_.:@-]+$`
	CorpID string `json:"corpID,omitempty"`
	// agentID is the number of the application (AgentId).
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=2147483647
	AgentID int64 `json:"agentID,omitempty"`
}

// DingTalkSpec is what only DingTalk needs.
type DingTalkSpec struct {
	// appKey is the AppKey (Client ID) of the application.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_.:@-]+$`
	AppKey string `json:"appKey,omitempty"`
	// agentID is the number of the application (AgentId).
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=99999999999
	AgentID int64 `json:"agentID,omitempty"`
	// apiURL is where the interface with the version in its paths (/v1.0/…) answers; spec.endpoint.url is where the old one
	// does.
	// +optional
	// +default="https://api.dingtalk.com"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != '' && !self.contains('@') && !self.contains('?') && !self.contains('#')",message="apiURL must be an absolute http or https URL without user info, query and fragment"
	APIURL string `json:"apiURL,omitempty"`
}

// FeishuSpec is what only Feishu needs.
type FeishuSpec struct {
	// appID is the App ID of the application.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_.:@-]+$`
	AppID string `json:"appID,omitempty"`
	// approvalCode is the code of the third-party approval definition (三方审批定义) under which to-dos are shown. Templates that use it need it.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_.:@-]+$`
	ApprovalCode string `json:"approvalCode,omitempty"`
}

// GenericAuthenticationType is how calls to a generic OA prove who makes them.
// +kubebuilder:validation:Enum=None;Basic;Static;Token;ClientCredentials
type GenericAuthenticationType string

// Values of GenericAuthenticationType.
const (
	// GenericNone trusts the network or the connector's headers.
	GenericNone GenericAuthenticationType = "None"
	// GenericBasic is HTTP Basic with the keys username and password.
	GenericBasic GenericAuthenticationType = "Basic"
	// GenericStatic is a fixed token, under the key token.
	GenericStatic GenericAuthenticationType = "Static"
	// GenericToken asks the OA for a token with the keys username and password.
	GenericToken GenericAuthenticationType = "Token"
	// GenericClientCredentials is the OAuth 2.0 grant client_credentials with the keys username (client id) and password.
	GenericClientCredentials GenericAuthenticationType = "ClientCredentials"
)

// GenericPlacement is where a token travels.
// +kubebuilder:validation:Enum=Bearer;Header;Query
type GenericPlacement string

// Values of GenericPlacement.
const (
	PlacementBearer GenericPlacement = "Bearer"
	PlacementHeader GenericPlacement = "Header"
	PlacementQuery  GenericPlacement = "Query"
)

// GenericSpec describes an OA that has no type of its own.
type GenericSpec struct {
	// authentication of the calls.
	// +required
	Authentication GenericAuthentication `json:"authentication,omitempty,omitzero"`
	// probePath is asked with GET to find out whether the OA works, when there is no token to ask for. Any answer below
	// 500 counts, except 401 when calls carry an account or a fixed token: choose a path that checks it.
	// +optional
	// +default="/"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.startsWith('/') && !self.startsWith('//')",message="probePath must start with exactly one slash"
	ProbePath string `json:"probePath,omitempty"`
}

// GenericAuthentication is how calls to a generic OA prove who makes them.
// +kubebuilder:validation:XValidation:rule="(self.type in ['Token', 'ClientCredentials']) == has(self.tokenRequest)",message="tokenRequest belongs to the types Token and ClientCredentials, which need it"
// +kubebuilder:validation:XValidation:rule="self.type in ['Static', 'Token', 'ClientCredentials'] || !has(self.placement)",message="placement belongs to the types that have a token"
// +kubebuilder:validation:XValidation:rule="has(self.name) == (self.?placement.orValue('Bearer') in ['Header', 'Query'])",message="name is the name of the header or query parameter, for placement Header and Query"
type GenericAuthentication struct {
	// type of the authentication.
	// +required
	Type GenericAuthenticationType `json:"type,omitempty"`
	// placement of the token. Default: Bearer.
	// +optional
	Placement GenericPlacement `json:"placement,omitempty"`
	// name of the header or query parameter that carries the token.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_.-]+$`
	Name string `json:"name,omitempty"`
	// tokenRequest asks for a token.
	// +optional
	TokenRequest TokenRequest `json:"tokenRequest,omitempty,omitzero"`
}

// TokenRequest is the call that fetches a token: a JSON document with the account for type Token, a form for
// ClientCredentials.
type TokenRequest struct {
	// path below the endpoint.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.startsWith('/') && !self.startsWith('//')",message="path must start with exactly one slash; the host comes from spec.endpoint.url"
	Path string `json:"path,omitempty"`
	// usernameField and passwordField are the names of the account in the JSON document.
	// +optional
	// +default="username"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	UsernameField string `json:"usernameField,omitempty"`
	// passwordField is the name of the password in the JSON document.
	// +optional
	// +default="password"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	PasswordField string `json:"passwordField,omitempty"`
	// tokenName is the path of the token in the answer.
	// +optional
	// +default="access_token"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	TokenName string `json:"tokenName,omitempty"`
	// lifeName is the path of the token's life in seconds in the answer.
	// +optional
	// +default="expires_in"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	LifeName string `json:"lifeName,omitempty"`
	// life of a token when the answer does not say it.
	// +optional
	// +default="1h"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('10s') && duration(self) <= duration('720h')",message="life must be between 10s and 720h"
	Life metav1.Duration `json:"life,omitempty,omitzero"`
}
