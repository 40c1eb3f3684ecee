// Package bundle is the contract between the operator and the workloads: one self-contained, versioned document that
// holds everything a dispatcher and a gateway need, except secrets.
//
// The operator compiles it from the Kubernetes objects (a pure function) and writes it into ConfigMaps; the workloads
// load it from a directory and know nothing of Kubernetes.
package bundle

import (
	"time"

	"github.com/oabridge/oabridge/internal/scenario"
)

// Format is the version of the document. A workload refuses a format that it does not know.
const Format = 1

// FileName is the name of the root document in a bundle directory. The account shards lie beside it.
const FileName = "bundle.json"

// Bundle is the root document. Its hash (Hash) stands for the whole bundle, because it holds the hashes of the shards.
type Bundle struct {
	Format int `json:"format"`
	// Namespace and Name of the connector.
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Type of the OA, e.g. Seeyon.
	Type         string `json:"type"`
	EnterpriseID string `json:"enterpriseID"`
	DataCenterID string `json:"dataCenterID,omitempty"`

	// Draining is set while the connector is being deleted: no new events are taken, what is pending still goes out.
	Draining bool `json:"draining,omitempty"`

	OA        OA                    `json:"oa"`
	Scenarios []scenario.Definition `json:"scenarios"`
	Accounts  Accounts              `json:"accounts"`
	Delivery  Delivery              `json:"delivery"`
	Source    Source                `json:"source"`
	SSO       *SSO                  `json:"sso,omitempty"`
}

// OA is the other side.
type OA struct {
	URL            string   `json:"url"`
	ConnectTimeout Duration `json:"connectTimeout"`
	// AllowedCIDRs opens ranges that the egress policy refuses otherwise.
	AllowedCIDRs []string `json:"allowedCIDRs,omitempty"`
	// CustomCA is set when <secrets>/ca/ca.crt holds the roots.
	CustomCA bool     `json:"customCA,omitempty"`
	Headers  []Header `json:"headers,omitempty"`
	Seeyon   *Seeyon  `json:"seeyon,omitempty"`
}

// Header is sent with every call to the OA. Either Value is set, or SecretFile: the path below the secrets directory.
type Header struct {
	Name       string `json:"name"`
	Value      string `json:"value,omitempty"`
	SecretFile string `json:"secretFile,omitempty"`
}

// Seeyon is what only Seeyon needs.
type Seeyon struct {
	RegisterCode string `json:"registerCode"`
	// Version is V70SP2 or BeforeV70SP2.
	Version string `json:"version"`
	// TokenPlacement is Header or Query.
	TokenPlacement   string   `json:"tokenPlacement"`
	TokenIdleTimeout Duration `json:"tokenIdleTimeout"`
}

// Accounts says where the pairs are. They lie in shards by hash of the CRM account, so that one changed pair rewrites
// one shard.
type Accounts struct {
	// Unbound is Hold, DeadLetter or Fallback.
	Unbound string  `json:"unbound"`
	Shards  []Shard `json:"shards,omitempty"`
}

// Shard is one file of account pairs.
type Shard struct {
	// File name in the bundle directory.
	File string `json:"file"`
	// SHA256 of the file, hex.
	SHA256 string `json:"sha256"`
	Pairs  int    `json:"pairs"`
}

// Delivery is the policy of the dispatcher.
type Delivery struct {
	Retry bool `json:"retry"`
	// RetryOn lists error classes.
	RetryOn []string `json:"retryOn,omitempty"`
	// Backoff is Exponential or Linear.
	Backoff       string   `json:"backoff"`
	BackoffDelay  Duration `json:"backoffDelay"`
	BackoffMax    Duration `json:"backoffMax"`
	RetryAfterMax Duration `json:"retryAfterMax"`
	MaxAge        Duration `json:"maxAge"`
	Timeout       Duration `json:"timeout"`
	Concurrency   int      `json:"concurrency"`
	// RatePerSecond 0 means no limit.
	RatePerSecond int `json:"ratePerSecond,omitempty"`
	RateBurst     int `json:"rateBurst,omitempty"`
}

// Source says which proofs of origin the intake accepts. The secrets are <secrets>/signing/signing-key[.next] and
// <secrets>/token/token[.next].
type Source struct {
	Signing bool `json:"signing,omitempty"`
	Token   bool `json:"token,omitempty"`
}

// SSO is the policy of the gateway.
type SSO struct {
	// Mode is V5Ticket.
	Mode string `json:"mode"`
	// URL is scheme and host under which OA users reach the gateway, without a slash at the end.
	URL string `json:"url"`
	// LoginURL of the CRM takes the login token; it is the token's audience.
	LoginURL      string   `json:"loginURL"`
	LoginLifetime Duration `json:"loginLifetime"`
	// ProofsURL is where the dispatcher of this connector remembers used proofs for all gateway replicas.
	ProofsURL string `json:"proofsURL"`
}

// Duration is written as a Go duration string ("15s").
type Duration time.Duration

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// Std returns d as a time.Duration.
func (d Duration) Std() time.Duration { return time.Duration(d) }
