package bundle

// SSO is the policy of the gateway.
type SSO struct {
	// Mode is one of v1alpha1.SSOMode but None. The block of the same name is set where the mode has one.
	Mode string `json:"mode"`
	// URL is scheme, host and path prefix under which OA users reach the gateway, without a slash at the end.
	URL string `json:"url"`
	// OtherURLs are the same for further hosts, under which people may come as well.
	OtherURLs []string `json:"otherURLs,omitempty"`
	// Login is how the gateway vouches for people: SignedJWT, SignedURL, OneTimeCode or OpenIDProvider.
	Login string `json:"login"`
	// LoginURL of the CRM takes the login token; it is the token's audience.
	LoginURL      string   `json:"loginURL"`
	LoginLifetime Duration `json:"loginLifetime"`
	// OpenID is set for OpenIDProvider.
	OpenID *OpenID `json:"openID,omitempty"`
	// ProofsURL is where the dispatcher of this connector remembers used proofs for all gateway replicas.
	ProofsURL string `json:"proofsURL"`

	// MaxSkew bounds how far the time in a signed link may be from ours, both ways.
	MaxSkew Duration `json:"maxSkew"`
	// TrustedProxies are the ranges whose forwarding headers are believed; none by default.
	TrustedProxies []string `json:"trustedProxies,omitempty"`
	// FrameAncestors are the origins that may show the gateway's pages in a frame; none by default.
	FrameAncestors []string `json:"frameAncestors,omitempty"`
	// Files by name, served at the root of the host.
	Files map[string]string `json:"files,omitempty"`
	// QR shows a code to scan to people outside of the OA's app.
	QR bool `json:"qr,omitempty"`

	// HomePath and HomeMobilePath are the CRM's page for the home entry; empty for its own home page. Never a host.
	HomePath       string `json:"homePath,omitempty"`
	HomeMobilePath string `json:"homeMobilePath,omitempty"`
	// SelfProbe has the gateway ask its own public address.
	SelfProbe bool `json:"selfProbe,omitempty"`

	SignedLink *SignedLink `json:"signedLink,omitempty"`
	JWT        *JWT        `json:"jwt,omitempty"`
	Callback   *AuthCall   `json:"callback,omitempty"`
	OIDC       *OIDC       `json:"oidc,omitempty"`
	OAuth2     *OAuth2     `json:"oauth2,omitempty"`
	CAS        *CAS        `json:"cas,omitempty"`
	App        *App        `json:"app,omitempty"`
	// Companies beside the connector's own one, in one OA (F189).
	Companies []Company `json:"companies,omitempty"`
}

// OpenID is the CRM as a client of the gateway. <secrets>/login/client-secret proves it, unless Public is set.
type OpenID struct {
	ClientID     string   `json:"clientID"`
	RedirectURIs []string `json:"redirectURIs"`
	// Public is set when the client has no secret; PKCE is needed either way.
	Public bool `json:"public,omitempty"`
}

// SignedLink is mode SignedLink; the secret is <secrets>/sso/link-secret[.next].
type SignedLink struct {
	// Algorithm is SHA1 (loginid, stamp, token as the seed has it) or HMACSHA256.
	Algorithm string `json:"algorithm"`
}

// JWT in the link: the keys are <secrets>/sso/jwks.json, or <secrets>/sso/shared-key.
type JWT struct {
	Parameter string `json:"parameter"`
	Issuer    string `json:"issuer"`
	Audience  string `json:"audience"`
	// Algorithm is the only one that is accepted, e.g. ES256.
	Algorithm    string `json:"algorithm"`
	AccountClaim string `json:"accountClaim"`
}

// AuthCall is an interface of the OA that says whose proof it is (F110). <secrets>/sso/token, when it is there, goes along
// as a bearer token.
type AuthCall struct {
	// Parameter of the link that holds the proof, and under which it is sent.
	Parameter string `json:"parameter"`
	URL       string `json:"url"`
	// Method is GET (in the query) or POST (as a form).
	Method string `json:"method"`
	// AccountPath of the account in a JSON answer; empty when the answer is the account.
	AccountPath string `json:"accountPath,omitempty"`
}

// OIDC is mode OIDC; the secret is <secrets>/sso/client-secret.
type OIDC struct {
	IssuerURL    string   `json:"issuerURL"`
	ClientID     string   `json:"clientID"`
	Scopes       []string `json:"scopes,omitempty"`
	AccountClaim string   `json:"accountClaim"`
}

// OAuth2 is mode OAuth2; the secret is <secrets>/sso/client-secret.
type OAuth2 struct {
	AuthorizeURL string   `json:"authorizeURL"`
	TokenURL     string   `json:"tokenURL"`
	UserInfoURL  string   `json:"userInfoURL"`
	ClientID     string   `json:"clientID"`
	Scopes       []string `json:"scopes,omitempty"`
	// AccountPath of the account in the answer of UserInfoURL.
	AccountPath string `json:"accountPath"`
	PKCE        bool   `json:"pkce,omitempty"`
	// SecretInForm and TokenInQuery place what otherwise goes into the header Authorization.
	SecretInForm bool `json:"secretInForm,omitempty"`
	TokenInQuery bool `json:"tokenInQuery,omitempty"`
}

// CAS is the base URL of a CAS server, to which /login and /serviceValidate are added.
type CAS struct {
	URL string `json:"url"`
	// Version is 2 or 3.
	Version string `json:"version"`
	// Attribute that holds the account; empty for cas:user.
	Attribute string `json:"attribute,omitempty"`
}

// App is where a vendor's own sign-in answers, when that is not the vendor's cloud.
type App struct {
	// AccountID is UserID, UnionID or OpenID; empty for the type's own choice.
	AccountID string `json:"accountID,omitempty"`
	// AuthorizeURL of the sign-in inside of the OA's app, and of that in any other browser.
	AuthorizeURL    string `json:"authorizeURL,omitempty"`
	WebAuthorizeURL string `json:"webAuthorizeURL,omitempty"`
	// ScriptURL is the vendor's script inside of its app.
	ScriptURL string `json:"scriptURL,omitempty"`
	// Title of the connector's own company, when there are several.
	Title string `json:"title,omitempty"`
}

// Company is one more company of the same OA, with an app of its own. Its secret is <secrets>/<Secret>/….
type Company struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	// CorpID and AgentID of the app in that company.
	CorpID  string `json:"corpID"`
	AgentID string `json:"agentID"`
	Secret  string `json:"secret"`
}
