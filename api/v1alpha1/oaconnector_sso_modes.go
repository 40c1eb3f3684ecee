package v1alpha1

// SignedLinkAlgorithm is what is signed, and how.
// +kubebuilder:validation:Enum=SHA1;HMACSHA256
type SignedLinkAlgorithm string

// Values of SignedLinkAlgorithm.
const (
	// LinkSHA1 is Weaver's: token = SHA-1 of secret, loginid and stamp. It does not sign which record is opened.
	LinkSHA1 SignedLinkAlgorithm = "SHA1"
	// LinkHMACSHA256 signs host, path, loginid, stamp and a nonce.
	LinkHMACSHA256 SignedLinkAlgorithm = "HMACSHA256"
)

// SignedLinkSSO is mode SignedLink.
// +kubebuilder:validation:MinProperties=1
type SignedLinkSSO struct {
	// algorithm of the signature.
	// +optional
	// +default="SHA1"
	Algorithm SignedLinkAlgorithm `json:"algorithm,omitempty"`
}

// JWTAlgorithm is a signature algorithm.
// +kubebuilder:validation:Enum=ES256;RS256;PS256;EdDSA;HS256
type JWTAlgorithm string

// AlgorithmHS256 is the one that needs a shared key.
const AlgorithmHS256 JWTAlgorithm = "HS256"

// JWTSSO is mode JWT.
type JWTSSO struct {
	// parameter of the link that holds the JWT.
	// +optional
	// +default="token"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_.-]+$`
	Parameter string `json:"parameter,omitempty"`
	// issuer that the claim iss must be.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Issuer string `json:"issuer,omitempty"`
	// audience that the claim aud must be, alone. Default: https:// and spec.sso.host.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Audience string `json:"audience,omitempty"`
	// algorithm is the only one that is accepted.
	// +required
	Algorithm JWTAlgorithm `json:"algorithm,omitempty"`
	// accountClaim holds the OA account.
	// +optional
	// +default="sub"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="!(self in ['email', 'phone_number', 'name', 'nickname', 'mail', 'mobile', 'phone'])",message="choose something that never changes hands, such as sub; an e-mail address, phone number or name does"
	AccountClaim string `json:"accountClaim,omitempty"`
}

// CallbackMethod is how the interface is asked.
// +kubebuilder:validation:Enum=GET;POST
type CallbackMethod string

// CallbackSSO is mode Callback.
type CallbackSSO struct {
	// parameter of the link that holds the proof, and under which it is sent to the interface.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_.-]+$`
	Parameter string `json:"parameter,omitempty"`
	// url of the interface, with a query of its own if need be.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != '' && !self.contains('@') && !self.contains('#')",message="url must be an absolute http or https URL without user info and fragment"
	URL string `json:"url,omitempty"`
	// method GET sends the proof in the query, POST in a form.
	// +optional
	// +default="POST"
	Method CallbackMethod `json:"method,omitempty"`
	// accountPath is the path of the account in a JSON answer, e.g. data.loginName. Default: the whole answer is the account.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	AccountPath string `json:"accountPath,omitempty"`
}

// OIDCSSO is mode OIDC. Register https://HOST/sso/callback/oidc as redirect URI there.
type OIDCSSO struct {
	// issuerURL of the provider; its document is at /.well-known/openid-configuration below it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != '' && !self.contains('@') && !self.contains('?') && !self.contains('#')",message="issuerURL must be an absolute http or https URL without user info, query and fragment"
	IssuerURL string `json:"issuerURL,omitempty"`
	// clientID of the gateway at the provider.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	ClientID string `json:"clientID,omitempty"`
	// scopes beside openid.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	Scopes []string `json:"scopes,omitempty"`
	// accountClaim of the ID token that holds the OA account.
	// +optional
	// +default="sub"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="!(self in ['email', 'phone_number', 'name', 'nickname', 'mail', 'mobile', 'phone'])",message="choose something that never changes hands, such as sub; an e-mail address, phone number or name does"
	AccountClaim string `json:"accountClaim,omitempty"`
}

// ClientSecretPlacement is where a client's secret travels.
// +kubebuilder:validation:Enum=Basic;Form
type ClientSecretPlacement string

// Values of ClientSecretPlacement.
const (
	SecretBasic ClientSecretPlacement = "Basic"
	SecretForm  ClientSecretPlacement = "Form"
)

// OAuth2SSO is mode OAuth2. Register https://HOST/sso/callback/oauth2 as redirect URI there.
type OAuth2SSO struct {
	// authorizeURL is where the browser is sent.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != '' && !self.contains('@') && !self.contains('#')",message="authorizeURL must be an absolute http or https URL without user info and fragment"
	AuthorizeURL string `json:"authorizeURL,omitempty"`
	// tokenURL exchanges the code.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != '' && !self.contains('@') && !self.contains('#')",message="tokenURL must be an absolute http or https URL without user info and fragment"
	TokenURL string `json:"tokenURL,omitempty"`
	// userInfoURL says whose access token it is.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != '' && !self.contains('@') && !self.contains('#')",message="userInfoURL must be an absolute http or https URL without user info and fragment"
	UserInfoURL string `json:"userInfoURL,omitempty"`
	// clientID of the gateway at the server.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	ClientID string `json:"clientID,omitempty"`
	// scopes to ask for.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	Scopes []string `json:"scopes,omitempty"`
	// accountPath of the OA account in the answer of userInfoURL.
	// +optional
	// +default="id"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="!(self in ['email', 'phone_number', 'name', 'nickname', 'mail', 'mobile', 'phone'])",message="choose something that never changes hands, such as sub; an e-mail address, phone number or name does"
	AccountPath string `json:"accountPath,omitempty"`
	// pkce Disabled is for servers that refuse parameters which they do not know.
	// +optional
	// +default="Enabled"
	PKCE SwitchState `json:"pkce,omitempty"`
	// clientSecretPlacement is where the token request carries the client's secret.
	// +optional
	// +default="Basic"
	ClientSecretPlacement ClientSecretPlacement `json:"clientSecretPlacement,omitempty"`
	// tokenPlacement is where the question to userInfoURL carries the access token: Header (Bearer), or Query
	// (access_token), as servers in the style of CAS want it.
	// +optional
	// +default="Header"
	TokenPlacement TokenPlacement `json:"tokenPlacement,omitempty"`
}

// CASVersion is the version of the protocol.
// +kubebuilder:validation:Enum="2";"3"
type CASVersion string

// CASSSO is mode CAS. Register https://HOST/sso/callback/cas as a service there.
type CASSSO struct {
	// url of the server, without /login and /serviceValidate.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != '' && !self.contains('@') && !self.contains('?') && !self.contains('#')",message="url must be an absolute http or https URL without user info, query and fragment"
	URL string `json:"url,omitempty"`
	// version of the protocol.
	// +optional
	// +default="3"
	Version CASVersion `json:"version,omitempty"`
	// attribute that holds the OA account, for version 3. Default: the user.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="!(self in ['email', 'phone_number', 'name', 'nickname', 'mail', 'mobile', 'phone'])",message="choose something that never changes hands, such as sub; an e-mail address, phone number or name does"
	Attribute string `json:"attribute,omitempty"`
}

// AppAccountID is which id of a person is the OA account.
// +kubebuilder:validation:Enum=UserID;UnionID;OpenID
type AppAccountID string

// Values of AppAccountID.
const (
	AppUserID  AppAccountID = "UserID"
	AppUnionID AppAccountID = "UnionID"
	AppOpenID  AppAccountID = "OpenID"
)

// AppSSO is mode App. Every address has a default in the vendor's cloud.
// +kubebuilder:validation:MinProperties=1
type AppSSO struct {
	// accountID is which id of a person the bindings hold. Default: DingTalk UnionID (to-dos are pushed to it), Feishu OpenID;
	// the other types have one id only.
	// +optional
	AccountID AppAccountID `json:"accountID,omitempty"`
	// authorizeURL of the sign-in inside of the OA's app (WeCom).
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != '' && !self.contains('@') && !self.contains('#')",message="authorizeURL must be an absolute http or https URL without user info and fragment"
	AuthorizeURL string `json:"authorizeURL,omitempty"`
	// webAuthorizeURL of the sign-in in any other browser (WeCom, WeLink, DingTalk, Feishu).
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != '' && !self.contains('@') && !self.contains('#')",message="webAuthorizeURL must be an absolute http or https URL without user info and fragment"
	WebAuthorizeURL string `json:"webAuthorizeURL,omitempty"`
	// scriptURL of the script inside of the OA's app (WeLink).
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != '' && !self.contains('@') && !self.contains('#')",message="scriptURL must be an absolute http or https URL without user info and fragment"
	ScriptURL string `json:"scriptURL,omitempty"`
	// title of the connector's own company, shown to people who choose.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Title string `json:"title,omitempty"`
}

// CompanySSO is one more company of WeCom with an application of its own.
type CompanySSO struct {
	// name is the first part of the accounts of this company, and of its address of return. It stays when the company is
	// renamed.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`
	// +kubebuilder:validation:XValidation:rule="self != 'wecom'",message="the name wecom is that of the connector's own company"
	Name string `json:"name,omitempty"`
	// title is shown to people who choose. Default: the name.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Title string `json:"title,omitempty"`
	// corpID of the company.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_.:@-]+$`
	CorpID string `json:"corpID,omitempty"`
	// agentID of the application in that company.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=2147483647
	AgentID int64 `json:"agentID,omitempty"`
	// secretRef names the labelled Secret with the key appSecret.
	// +required
	SecretRef SecretReference `json:"secretRef,omitempty,omitzero"`
}

// DomainFile is a small text at the root of the host.
type DomainFile struct {
	// name of the file.
	// +required
	// +kubebuilder:validation:MinLength=5
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_-]+\.(txt|html)$`
	Name string `json:"name,omitempty"`
	// content of the file.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Content string `json:"content,omitempty"`
}

// ConsoleDomains is what the OA's console holds, without scheme; with a port where it has one.
// +kubebuilder:validation:MinProperties=1
type ConsoleDomains struct {
	// trusted is the trusted domain (可信域名) of the application.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=260
	// +kubebuilder:validation:XValidation:rule="!self.contains('/') && !self.startsWith('http:') && !self.startsWith('https:')",message="a trusted domain is entered without http:// or https:// and without a path, here as in the console"
	Trusted string `json:"trusted,omitempty"`
	// callback is the authorised callback domain (授权回调域).
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=260
	// +kubebuilder:validation:XValidation:rule="!self.contains('/') && !self.startsWith('http:') && !self.startsWith('https:')",message="a callback domain is entered without http:// or https:// and without a path, here as in the console"
	Callback string `json:"callback,omitempty"`
}
