package bundle

// Seeyon is what only Seeyon needs.
type Seeyon struct {
	RegisterCode string `json:"registerCode"`
	// Version is V70SP2 or BeforeV70SP2.
	Version string `json:"version"`
	// TokenPlacement is Header or Query.
	TokenPlacement   string   `json:"tokenPlacement"`
	TokenIdleTimeout Duration `json:"tokenIdleTimeout"`
	// Pull is set when Seeyon asks for the open to-dos; PullOnly, when they are not pushed as well.
	Pull     *Pull `json:"pull,omitempty"`
	PullOnly bool  `json:"pullOnly,omitempty"`
}

// Pull says who may ask for open to-dos. The secret is <secrets>/pull/token[.next].
type Pull struct {
	// Accounts is OA or CRM: by which accounts Seeyon asks.
	Accounts string `json:"accounts"`
	// Style is URL, Interface or BuiltIn; empty means that the first two are answered.
	Style string `json:"style,omitempty"`
	// Path at which Seeyon asks.
	Path string `json:"path"`
	// AllowedCIDRs limits the addresses that may ask; empty means all.
	AllowedCIDRs []string `json:"allowedCIDRs,omitempty"`
}

// Landray is what only Landray needs.
type Landray struct {
	// Authentication is Basic, SOAPHeader or None.
	Authentication string `json:"authentication"`
	// PasswordFormat is Plain or MD5.
	PasswordFormat string `json:"passwordFormat"`
}

// Yunzhijia is what only Yunzhijia needs.
type Yunzhijia struct {
	AppID string `json:"appID"`
}

// WeLink is what only WeLink needs.
type WeLink struct {
	ClientID string `json:"clientID"`
}

// WeCom is what only WeCom needs.
type WeCom struct {
	CorpID  string `json:"corpID"`
	AgentID int64  `json:"agentID"`
}

// DingTalk is what only DingTalk needs.
type DingTalk struct {
	AppKey  string `json:"appKey"`
	AgentID int64  `json:"agentID"`
	// APIURL is where paths that begin with a version (/v1.0/…) live.
	APIURL string `json:"apiURL"`
}

// Feishu is what only Feishu needs.
type Feishu struct {
	AppID string `json:"appID"`
}

// Generic describes an OA that has no type of its own.
type Generic struct {
	// Authentication is None, Basic, Static, Token or ClientCredentials.
	Authentication string `json:"authentication"`
	// Placement of the token is Bearer, Header or Query; Name is that of the header or query parameter.
	Placement    string        `json:"placement,omitempty"`
	Name         string        `json:"name,omitempty"`
	TokenRequest *TokenRequest `json:"tokenRequest,omitempty"`
	ProbePath    string        `json:"probePath"`
}

// TokenRequest is the call that fetches a token from a generic OA.
type TokenRequest struct {
	Path          string   `json:"path"`
	UsernameField string   `json:"usernameField"`
	PasswordField string   `json:"passwordField"`
	TokenName     string   `json:"tokenName"`
	LifeName      string   `json:"lifeName"`
	Life          Duration `json:"life"`
}
