package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// SSOMode is the way in which an OA proves who clicked.
// +kubebuilder:validation:Enum=V5Ticket;PortalTicket;SignedLink;JWT;Callback;App;OIDC;OAuth2;CAS;None
type SSOMode string

// Values of SSOMode.
const (
	// SSOV5Ticket is Seeyon's V5 authentication: the OA appends v5ticket to the link, the gateway asks the OA whose it is.
	SSOV5Ticket SSOMode = "V5Ticket"
	// SSOPortalTicket is Seeyon's portal authentication: the OA's server announces a ticket, and then the browser comes with
	// it. Links of items carry a V5 ticket as ever.
	SSOPortalTicket SSOMode = "PortalTicket"
	// SSOSignedLink is a link that the OA signs with a shared secret: Weaver's loginid, stamp and token.
	SSOSignedLink SSOMode = "SignedLink"
	// SSOJWT is a link that carries a JWT of the OA.
	SSOJWT SSOMode = "JWT"
	// SSOCallback is a proof in a parameter of one's own, about which the gateway asks an interface of the OA.
	SSOCallback SSOMode = "Callback"
	// SSOApp is the OA's own sign-in for its apps: Yunzhijia's ticket, and the codes of WeLink, WeCom, DingTalk and Feishu.
	SSOApp SSOMode = "App"
	// SSOOIDC is an OpenID Provider.
	SSOOIDC SSOMode = "OIDC"
	// SSOOAuth2 is an OAuth 2.0 server.
	SSOOAuth2 SSOMode = "OAuth2"
	// SSOCAS is a CAS server.
	SSOCAS SSOMode = "CAS"
	// SSONone leaves the link alone: no gateway runs.
	SSONone SSOMode = "None"
)

// SSO is the way from the OA into the CRM. CRM to OA is not offered.
// +kubebuilder:validation:XValidation:rule="!has(self.additionalHosts) || (self.mode != 'None' && has(self.host) && !(self.host in self.additionalHosts))",message="additionalHosts are further names of a gateway beside host: set mode and host, and take host out of additionalHosts"
// +kubebuilder:validation:XValidation:rule="!has(self.additionalHosts) || self.?crmLogin.?type.orValue('SignedJWT') != 'OpenIDProvider'",message="additionalHosts are not possible with crmLogin.type OpenIDProvider, which has one address; take them out, or use another type"
// +kubebuilder:validation:XValidation:rule="!has(self.pathPrefix) || has(self.host)",message="pathPrefix needs host: it is the part of its address that leads to the gateway"
// +kubebuilder:validation:XValidation:rule="self.mode == 'None' || has(self.host)",message="host is needed unless mode is None"
// +kubebuilder:validation:XValidation:rule="!(self.mode in ['SignedLink', 'JWT', 'OIDC', 'OAuth2']) || has(self.secretRef)",message="this mode needs secretRef: SignedLink the key link-secret, JWT the key jwks.json or shared-key, OIDC and OAuth2 the key client-secret"
// +kubebuilder:validation:XValidation:rule="(self.mode == 'JWT') == has(self.jwt)",message="the block jwt belongs to mode JWT, which needs it"
// +kubebuilder:validation:XValidation:rule="(self.mode == 'Callback') == has(self.callback)",message="the block callback belongs to mode Callback, which needs it"
// +kubebuilder:validation:XValidation:rule="(self.mode == 'OIDC') == has(self.oidc)",message="the block oidc belongs to mode OIDC, which needs it"
// +kubebuilder:validation:XValidation:rule="(self.mode == 'OAuth2') == has(self.oauth2)",message="the block oauth2 belongs to mode OAuth2, which needs it"
// +kubebuilder:validation:XValidation:rule="(self.mode == 'CAS') == has(self.cas)",message="the block cas belongs to mode CAS, which needs it"
// +kubebuilder:validation:XValidation:rule="self.mode == 'SignedLink' || !has(self.signedLink)",message="the block signedLink belongs to mode SignedLink"
// +kubebuilder:validation:XValidation:rule="self.mode == 'App' || (!has(self.app) && !has(self.companies))",message="the blocks app and companies belong to mode App"
// +kubebuilder:validation:XValidation:rule="self.?qr.orValue('Disabled') == 'Disabled' || self.mode in ['App', 'OIDC', 'OAuth2', 'CAS']",message="qr needs a mode in which a browser can sign in by itself: App, OIDC, OAuth2 or CAS; in the others people come from the OA"
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
	// additionalHosts are further names under which people may come, such as one for the office and one for outside. Each
	// signs in by itself: whoever comes under a name is sent back to this name. Links and status.addresses have host.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	// +kubebuilder:validation:items:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue() && self.contains('.') && !self.endsWith('.local') && !isIP(self)",message="must be a full DNS name without scheme and port that OA users can reach; localhost, .local names and IP addresses are refused"
	AdditionalHosts []string `json:"additionalHosts,omitempty"`
	// pathPrefix is the part of the hosts' addresses that leads to the gateway, such as /oa, where a host serves other things
	// as well. It is in every link that is pushed. Default: the gateway has the whole host.
	// +optional
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^(/[A-Za-z0-9_-]+)+$`
	PathPrefix string `json:"pathPrefix,omitempty"`
	// exposure is how the host reaches the gateway.
	// +optional
	// +default={"type":"Ingress"}
	Exposure Exposure `json:"exposure,omitempty,omitzero"`
	// replicas of the gateway. kubectl scale and a HorizontalPodAutoscaler of the connector change this field: leave it out
	// of a file that is applied again and again.
	// +optional
	// +default=2
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=32
	Replicas int32 `json:"replicas,omitempty"`
	// resources of the gateway container. Default: requests of 50m CPU and 64Mi, a limit of 256Mi memory.
	// +optional
	Resources Resources `json:"resources,omitempty,omitzero"`
	// podTemplate says where the gateway's pods run, and what is added to them.
	// +optional
	PodTemplate *PodTemplate `json:"podTemplate,omitempty"`
	// crmLogin is how a verified person is logged into the CRM.
	// +optional
	CRMLogin CRMLogin `json:"crmLogin,omitempty,omitzero"`

	// secretRef names the labelled Secret with what the gateway shares with the OA for sign-in. Keys by mode: SignedLink
	// link-secret; JWT jwks.json or shared-key; OIDC and OAuth2 client-secret; Callback token, if the interface wants one.
	// link-secret and shared-key may have a second value under the same name with .next while they are being replaced.
	// +optional
	SecretRef SecretReference `json:"secretRef,omitempty,omitzero"`
	// maxSkew is how far the time in a signed link or JWT may be from the gateway's clock, in the past and in the future.
	// +optional
	// +default="5m"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('10s') && duration(self) <= duration('15m')",message="maxSkew must be between 10s and 15m"
	MaxSkew metav1.Duration `json:"maxSkew,omitempty,omitzero"`
	// signedLink chooses what is signed.
	// +optional
	SignedLink SignedLinkSSO `json:"signedLink,omitempty,omitzero"`
	// jwt says which JWTs are good.
	// +optional
	JWT JWTSSO `json:"jwt,omitempty,omitzero"`
	// callback is the interface that is asked.
	// +optional
	Callback CallbackSSO `json:"callback,omitempty,omitzero"`
	// oidc is the OpenID Provider.
	// +optional
	OIDC OIDCSSO `json:"oidc,omitempty,omitzero"`
	// oauth2 is the OAuth 2.0 server.
	// +optional
	OAuth2 OAuth2SSO `json:"oauth2,omitempty,omitzero"`
	// cas is the CAS server.
	// +optional
	CAS CASSSO `json:"cas,omitempty,omitzero"`
	// app changes where the OA's own sign-in answers, for a private cloud, and which id of a person is the account.
	// +optional
	App AppSSO `json:"app,omitempty,omitzero"`
	// companies of WeCom beside the connector's own one, which people choose from. An account of them is bound as
	// NAME/USERID, so that equal ids of two companies are never mixed up.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Companies []CompanySSO `json:"companies,omitempty"`

	// home is the page of the CRM on which people land who open the app and not a record. Default: the CRM's own home page.
	// +optional
	Home HomePage `json:"home,omitempty,omitzero"`
	// selfProbe Enabled lets the gateway ask its own public address, at start and every five minutes, whether it leads to it; the
	// condition Exposed says what was found. Disable it where pods cannot reach the address that people reach.
	// +optional
	// +default="Enabled"
	SelfProbe SwitchState `json:"selfProbe,omitempty"`

	// qr Enabled shows a code to scan with the OA's app to people who come with any other browser.
	// +optional
	// +default="Disabled"
	QR SwitchState `json:"qr,omitempty"`
	// trustedProxies are the address ranges of proxies whose X-Forwarded-For header is believed. By default it is nobody's.
	// It tells people apart for rate limits and the log; nothing else is taken from such headers.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=43
	// +kubebuilder:validation:items:XValidation:rule="isCIDR(self)",message="must be a CIDR such as 10.0.0.0/8"
	TrustedProxies []string `json:"trustedProxies,omitempty"`
	// frameAncestors are the origins whose pages may show the gateway's pages in a frame. By default nobody's may.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=255
	// +kubebuilder:validation:items:Pattern=`^https://[A-Za-z0-9.-]+(:[0-9]+)?$`
	FrameAncestors []string `json:"frameAncestors,omitempty"`
	// domainFiles are served at the root of the host, as the consoles of some OAs want it to prove whose host this is
	// (WW_verify_….txt).
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	DomainFiles []DomainFile `json:"domainFiles,omitempty"`
	// consoleDomains repeats what was entered in the OA's console, so that a difference is seen here and not by a person who
	// cannot sign in.
	// +optional
	ConsoleDomains ConsoleDomains `json:"consoleDomains,omitempty,omitzero"`
}

// ExposureType is how the gateway is reached from outside.
// +kubebuilder:validation:Enum=Ingress;HTTPRoute;None
type ExposureType string

// Values of ExposureType.
const (
	ExposureIngress   ExposureType = "Ingress"
	ExposureHTTPRoute ExposureType = "HTTPRoute"
	ExposureNone      ExposureType = "None"
)

// Exposure is how the gateway is reached from outside.
// +kubebuilder:validation:XValidation:rule="self.type == 'Ingress' || (!has(self.className) && !has(self.tls))",message="className and tls belong to type Ingress; with HTTPRoute TLS ends at the Gateway, which also carries the annotations of cert-manager, and with None at what you put in front"
// +kubebuilder:validation:XValidation:rule="(self.type == 'HTTPRoute') == has(self.parentRefs)",message="parentRefs belongs to type HTTPRoute, which needs it: name the Gateway that serves the host"
// +kubebuilder:validation:XValidation:rule="self.type != 'None' || (!has(self.annotations) && !has(self.labels))",message="annotations and labels are those of the Ingress or HTTPRoute, and type None makes neither; take them out"
// +kubebuilder:validation:XValidation:rule="!self.?tls.?issuerRef.hasValue() || !has(self.annotations) || self.annotations.all(k, !(k in ['cert-manager.io/issuer', 'cert-manager.io/cluster-issuer', 'cert-manager.io/issuer-kind', 'cert-manager.io/issuer-group']))",message="tls.issuerRef writes the annotations that name cert-manager's issuer; take them out of annotations, or leave issuerRef out"
type Exposure struct {
	// type Ingress makes an Ingress; HTTPRoute a route of the Gateway API; None leaves the Service for something else to
	// expose.
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
	// annotations of the Ingress or HTTPRoute, for its controller, such as nginx.ingress.kubernetes.io/proxy-read-timeout.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('oabridge.dev/'))",message="annotations that begin with oabridge.dev/ are the operator's; choose another prefix"
	Annotations map[string]string `json:"annotations,omitempty"`
	// labels of the Ingress or HTTPRoute, for whoever selects it.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('oabridge.dev/') && !k.startsWith('app.kubernetes.io/'))",message="labels that begin with oabridge.dev/ or app.kubernetes.io/ are the operator's; choose another prefix"
	Labels map[string]string `json:"labels,omitempty"`
	// parentRefs are the Gateways that the HTTPRoute attaches to. TLS ends at their listeners: links are https.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	ParentRefs []GatewayReference `json:"parentRefs,omitempty"`
}

// GatewayReference names a Gateway of the Gateway API, or one listener of it.
type GatewayReference struct {
	// name of the Gateway.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`
	// namespace of the Gateway, which must allow routes from the connector's. Default: the connector's own.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace,omitempty"`
	// sectionName is the listener. Default: every listener that fits the host.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	SectionName string `json:"sectionName,omitempty"`
}

// IngressTLS names a TLS Secret, and who makes it.
type IngressTLS struct {
	// secretName of a kubernetes.io/tls Secret. Only the ingress controller reads it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	SecretName string `json:"secretName,omitempty"`
	// issuerRef has cert-manager make the Secret. Default: the Secret is there already.
	// +optional
	IssuerRef CertificateIssuer `json:"issuerRef,omitempty,omitzero"`
}
