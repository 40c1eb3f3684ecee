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
	// Revoking is set beside Draining when what the OA shows as open is to be withdrawn. What was not sent yet is not sent then.
	Revoking bool `json:"revoking,omitempty"`
	// Revocable is set while nobody deletes the connector, too, when it will then withdraw what the OA shows as open: what is
	// delivered is recorded with what that takes.
	Revocable bool `json:"revocable,omitempty"`

	// Suspended is the emergency brake: events are accepted, but the OA is not called and nobody is signed in.
	Suspended bool `json:"suspended,omitempty"`

	OA        OA                    `json:"oa"`
	Scenarios []scenario.Definition `json:"scenarios"`
	Accounts  Accounts              `json:"accounts"`
	// Canary says who gets the revision of Scenarios where Stable has an earlier one of the same template and name; nil when
	// there is no trial.
	Canary *Canary               `json:"canary,omitempty"`
	Stable []scenario.Definition `json:"stable,omitempty"`
	// Rollout limits the receivers; nil means that everybody takes part.
	Rollout  *Share   `json:"rollout,omitempty"`
	Delivery Delivery `json:"delivery"`
	// SLO is what is promised of the deliveries; nil in a bundle of an operator that knew none.
	SLO    *SLO   `json:"slo,omitempty"`
	Source Source `json:"source"`
	SSO    *SSO   `json:"sso,omitempty"`

	Queue         Queue          `json:"queue"`
	Records       Records        `json:"records"`
	Notifications *Notifications `json:"notifications,omitempty"`
	// CRM is how the dispatcher asks the CRM; nil when it never has to.
	CRM *CRM `json:"crm,omitempty"`
	// Replays that are not finished, in the order of their creation.
	Replays []Replay `json:"replays,omitempty"`
}

// Queue says where the dispatcher keeps what it has accepted.
type Queue struct {
	// Type is Embedded (streams on the dispatcher's own volume) or NATS (streams in an existing NATS cluster).
	Type string `json:"type"`
	// URLs of the NATS servers, e.g. nats://nats.infra:4222 or tls://….
	URLs []string `json:"urls,omitempty"`
	// Credentials is set when the slot nats holds a proof of identity: creds, or token, or username and password.
	Credentials bool `json:"credentials,omitempty"`
	// CustomCA is set when <secrets>/natsca/ca.crt holds the roots of the NATS servers.
	CustomCA bool `json:"customCA,omitempty"`
	// AllowedCIDRs opens ranges that the egress policy refuses otherwise.
	AllowedCIDRs []string `json:"allowedCIDRs,omitempty"`
	// StreamReplicas is the number of copies of each stream in the NATS cluster.
	StreamReplicas int `json:"streamReplicas,omitempty"`
	// Partitions share the items between the dispatcher's replicas; each is owned by one replica at a time. 1 for Embedded.
	Partitions int `json:"partitions"`
	// MaxBytes bounds all streams of the connector together, for NATS; the size of the volume does for Embedded.
	MaxBytes int64 `json:"maxBytes,omitempty"`
}

// Records is the retention of the records of what became of each item.
type Records struct {
	// MaxAge after which a record is forgotten.
	MaxAge Duration `json:"maxAge"`
	// Postgres is set when <secrets>/index/url holds the connection URL of a PostgreSQL database for the index of the
	// records; otherwise the index is a SQLite file beside the queue.
	Postgres bool `json:"postgres,omitempty"`
	// AllowedCIDRs opens ranges that the egress policy refuses otherwise, for the database.
	AllowedCIDRs []string `json:"allowedCIDRs,omitempty"`
}

// Notifications says who is told about items that could not be delivered (F64–F68).
type Notifications struct {
	// Window in which failures are gathered into one message.
	Window   Duration  `json:"window"`
	Channels []Channel `json:"channels"`
}

// Channel is one way of telling somebody.
type Channel struct {
	// Name of the channel, unique in the list.
	Name string `json:"name"`
	// Type is CRM (a message of the CRM's service account) or Webhook.
	Type string `json:"type"`
	// Recipients are roles (crm-admins, integration-admins) or user:<openUserId>, for CRM.
	Recipients []string `json:"recipients,omitempty"`
	// Secret is the folder below the secrets directory with the keys url and, optionally, signing-key (a Standard Webhooks
	// secret), for Webhook.
	Secret string `json:"secret,omitempty"`
	// AllowedCIDRs opens ranges that the egress policy refuses otherwise, for Webhook.
	AllowedCIDRs []string `json:"allowedCIDRs,omitempty"`
}

// CRM is the CRM's open interface. The slot crm holds the keys appId, appSecret and permanentCode.
type CRM struct {
	// Type is Fxiaoke.
	Type string `json:"type"`
	URL  string `json:"url"`
	// CorpID of the enterprise, and the openUserId in whose name the interface is asked.
	CorpID string `json:"corpID"`
	User   string `json:"user"`
	// Roles lists, for each role that a notification may name, the openUserIds that hold it.
	Roles map[string][]string `json:"roles,omitempty"`
	// AllowedCIDRs opens ranges that the egress policy refuses otherwise.
	AllowedCIDRs []string `json:"allowedCIDRs,omitempty"`
}

// Replay sends dead letters once more.
type Replay struct {
	// ID is <uid>/<generation>: a replay is done once for each generation of its object.
	ID string `json:"id"`
	// Name of the Replay object.
	Name   string       `json:"name"`
	Filter ReplayFilter `json:"filter"`
	// Template is Current, or Original: the revision with which the item failed.
	Template string `json:"template"`
	// DryRun counts and renders, and sends nothing.
	DryRun bool `json:"dryRun,omitempty"`
	// Cancelled stops it where it is; what is already queued goes out.
	Cancelled bool `json:"cancelled,omitempty"`
	// Suspended pauses it; it goes on from there.
	Suspended bool `json:"suspended,omitempty"`
	// PerSecond paces the replay; 0 means no pace of its own.
	PerSecond int `json:"perSecond,omitempty"`
}

// ReplayFilter selects dead letters; an empty list selects all.
type ReplayFilter struct {
	Reasons   []string  `json:"reasons,omitempty"`
	Classes   []string  `json:"classes,omitempty"`
	Kinds     []string  `json:"kinds,omitempty"`
	Items     []string  `json:"items,omitempty"`
	Receivers []string  `json:"receivers,omitempty"`
	Since     time.Time `json:"since,omitzero"`
	Until     time.Time `json:"until,omitzero"`
}

// OA is the other side.
type OA struct {
	URL            string   `json:"url"`
	ConnectTimeout Duration `json:"connectTimeout"`
	// RequireTLS refuses plain http.
	RequireTLS bool `json:"requireTLS,omitempty"`
	// AllowedCIDRs opens ranges that the egress policy refuses otherwise.
	AllowedCIDRs []string `json:"allowedCIDRs,omitempty"`
	// CustomCA is set when <secrets>/ca/ca.crt holds the roots.
	CustomCA bool     `json:"customCA,omitempty"`
	Headers  []Header `json:"headers,omitempty"`
	// Exactly one of these is set, that of the bundle's type; Weaver needs none.
	Seeyon    *Seeyon    `json:"seeyon,omitempty"`
	Landray   *Landray   `json:"landray,omitempty"`
	Yunzhijia *Yunzhijia `json:"yunzhijia,omitempty"`
	WeLink    *WeLink    `json:"welink,omitempty"`
	WeCom     *WeCom     `json:"wecom,omitempty"`
	DingTalk  *DingTalk  `json:"dingtalk,omitempty"`
	Feishu    *Feishu    `json:"feishu,omitempty"`
	Generic   *Generic   `json:"generic,omitempty"`
}

// Header is sent with every call to the OA. Either Value is set, or SecretFile: the path below the secrets directory.
type Header struct {
	Name       string `json:"name"`
	Value      string `json:"value,omitempty"`
	SecretFile string `json:"secretFile,omitempty"`
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
	// CatchUp is LatestState (after an outage only the latest state of each item goes out) or EveryState.
	CatchUp string `json:"catchUp"`
	// CatchUpFinished says what happens to an item that was created and finished during an outage: Skip or Deliver.
	CatchUpFinished string `json:"catchUpFinished"`
	// BatchSize is how many items may go into one call where the template and the OA have a call for several; 1 means none.
	BatchSize int `json:"batchSize,omitempty"`
}

// SLO is a service level objective.
type SLO struct {
	// Objective is the percentage of items that are to be in time, such as "99.9".
	Objective string `json:"objective"`
	// Within is how long an item may take from its acceptance to its delivery.
	Within Duration `json:"within"`
}

// Source says which proofs of origin the intake accepts. The secrets are <secrets>/signing/signing-key[.next] and
// <secrets>/token/token[.next].
type Source struct {
	Signing bool `json:"signing,omitempty"`
	Token   bool `json:"token,omitempty"`
	// Callback accepts the CRM's own callbacks (POST /callbacks/fxiaoke). The slot callback holds the key encoding-aes-key,
	// also with .next while it is being replaced: it proves the origin and encrypts (vendor facts 9.8, CRM object event).
	Callback *Callback `json:"callback,omitempty"`
}

// Callback says how the CRM's own callbacks become events.
type Callback struct {
	// EnterpriseAccount that the callbacks must name.
	EnterpriseAccount string `json:"enterpriseAccount"`
	// Rules turn a changed object into an item.
	Rules []CallbackRule `json:"rules"`
}

// CallbackRule maps callbacks about one kind of object to one kind of event. A callback names the object only; its data is
// asked from the CRM, and Fields are paths into it.
type CallbackRule struct {
	// APIName of the CRM object.
	APIName string `json:"apiName"`
	// Kind of the event, the scenario.
	Kind string `json:"kind"`
	// Actions by the callback's event type: created, updated, completed or deleted, e.g. {"add": "created", "update": "updated"}.
	// A key update/done is about objects whose state (see Fields) is done.
	Actions map[string]string `json:"actions"`
	// Fields of the item by path into the object's data. The names are those of an event's data (docs/reference/events.md):
	// id, version, heading, subject, detail, createdAt, object.apiName, object.id, sender.account, sender.name, receivers (one
	// account or a list of them). Without id, the item is the object itself. state is the path to what Actions may depend on.
	Fields map[string]string `json:"fields"`
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
