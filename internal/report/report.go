// Package report is what a workload tells the operator: GET /report answers one Report.
//
// The operator learns of changes without polling: it sends the ETag of the report that it knows (If-None-Match) and
// ?wait=25s, and the workload answers as soon as its report differs, at the latest after the wait (304).
package report

import (
	"time"

	"github.com/oabridge/oabridge/internal/rotation"
	"github.com/oabridge/oabridge/internal/slo"
)

// Report is the state of one workload process. It never holds anything secret.
type Report struct {
	// Component is dispatcher or gateway.
	Component string `json:"component"`
	Config    Config `json:"config"`
	// OA is how the workload sees the OA; nil when it never talks to it.
	OA *OA `json:"oa,omitempty"`
	// Delivery counts items; nil for a gateway.
	Delivery *Delivery `json:"delivery,omitempty"`
	// SLO is how the deliveries of the last hour do against the objective of the bundle; nil for a gateway.
	SLO *slo.Figures `json:"slo,omitempty"`
	// Store is the state of the dispatcher's queue; nil for a gateway.
	Store *Store `json:"store,omitempty"`
	// Replays by Replay.ID, those of the live bundle. A replica counts what belongs to its own partitions; the sums are
	// the truth.
	Replays map[string]Replay `json:"replays,omitempty"`
	// Trials are the new revisions of templates that are tried, by bundle.Trial. Replicas count for their own partitions.
	Trials map[string]Trial `json:"trials,omitempty"`
	// Notifications is the state of the digest; nil when there is none.
	Notifications *Notifications `json:"notifications,omitempty"`
	// Revoke says how far the withdrawal of open items is; nil when nobody asked for it.
	Revoke *Revoke `json:"revoke,omitempty"`
	// Exposure is what a gateway found at its public address; nil when it has not asked.
	Exposure *Exposure `json:"exposure,omitempty"`
	// Credentials says of each key of the Secrets which value is in use, as a fingerprint.
	Credentials []rotation.KeyState `json:"credentials,omitempty"`
}

// Revoke is the withdrawal of what the OA shows as open.
type Revoke struct {
	// Done: no item that the records know as open is left, in the partitions of this replica.
	Done bool `json:"done"`
}

// Exposure is whether the gateway reached itself at its public address.
type Exposure struct {
	// State is True, False, or Unknown where nothing can be told from inside.
	State string `json:"state"`
	// Reason is a CamelCase word of api/v1alpha1; empty for True.
	Reason string `json:"reason,omitempty"`
	// Message is one sentence: the stage (DNS, TCP, TLS, HTTP), the cause, and what to do next. It holds no random part.
	Message string `json:"message"`
}

// Trial is how the new revision of a template does.
type Trial struct {
	// Template, Revision on trial, and Stable one.
	Template string `json:"template"`
	Revision string `json:"revision"`
	Stable   string `json:"stable"`
	// State is Canary, Promoted or RolledBack.
	State string `json:"state"`
	// Delivered and Failed count first attempts.
	Delivered int64 `json:"delivered"`
	Failed    int64 `json:"failed"`
}

// Replay is how far a replay came.
type Replay struct {
	// Done: every dead letter was looked at (or the replay was cancelled) and what was sent has ended.
	Done bool `json:"done"`
	// Matched dead letters; Queued of them so far; and what became of those.
	Matched   int64 `json:"matched"`
	Queued    int64 `json:"queued"`
	Delivered int64 `json:"delivered"`
	Skipped   int64 `json:"skipped"`
	Dead      int64 `json:"dead"`
	// Message says why it does not go on, if so.
	Message string `json:"message,omitempty"`
	// Differences of a dry run, a few examples.
	Differences []Difference `json:"differences,omitempty"`
}

// Difference is what a dry run would send for one dead letter.
type Difference struct {
	ItemID   string `json:"itemID"`
	Receiver string `json:"receiver"`
	// Would is what would happen: Send, or Skip and why.
	Would string `json:"would"`
	// Before and After are the requests of the failed attempt and of the replay, one line each, masked and cut.
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// Notifications is the state of the digest.
type Notifications struct {
	// Problem says why the last digest could not be sent, if so.
	Problem string `json:"problem,omitempty"`
	// LastSent is when the last digest was taken by every channel.
	LastSent *time.Time `json:"lastSent,omitempty"`
}

// Config says which bundle is live.
type Config struct {
	// Hash of the bundle in use.
	Hash string `json:"hash"`
	// Problem says why newer files on disk are not in use, if so.
	Problem string `json:"problem,omitempty"`
}

// OA is the reachability of the OA.
type OA struct {
	// State is True, False or Unknown.
	State string `json:"state"`
	// Reason is a CamelCase word of api/v1alpha1 (TokenRejected, ConnectionRefused …).
	Reason string `json:"reason"`
	// Message is one sentence: cause, and what to do next. It holds no random part.
	Message string `json:"message"`
}

// Delivery counts items. Pending, Retrying, Held and Dead are levels; Delivered and Skipped are totals over the life of
// the store.
type Delivery struct {
	Pending   int64 `json:"pending"`
	Retrying  int64 `json:"retrying"`
	Held      int64 `json:"held"`
	Dead      int64 `json:"dead"`
	Delivered int64 `json:"delivered"`
	Skipped   int64 `json:"skipped"`
	// Lost counts accepted items that the store does not have any more because it was damaged, since the process took over
	// their partition.
	Lost int64 `json:"lost,omitempty"`
	// OldestTime is when the oldest item that still waits (pending, retrying or held) was accepted.
	OldestTime *time.Time `json:"oldestTime,omitempty"`
	// HeldReasons counts held items by reason (Unbound, BindingConflict …).
	HeldReasons map[string]int64 `json:"heldReasons,omitempty"`
	LastFailure *Failure         `json:"lastFailure,omitempty"`
}

// Failure is the most recent failed attempt.
type Failure struct {
	Time    time.Time `json:"time"`
	Class   string    `json:"class"`
	Message string    `json:"message"`
}

// Store is the state of the dispatcher's volume.
type Store struct {
	// Reason is a CamelCase word of api/v1alpha1 (StoreFull, StoreBroken, QueueUnreachable, QueueNotDurable …); empty
	// when all is well.
	Reason string `json:"reason,omitempty"`
	// Problem says why the intake does not take events now, if so.
	Problem string `json:"problem,omitempty"`
	// Records says why records cannot be looked up, or are late to be, if so. Deliveries go on all the same.
	Records string `json:"records,omitempty"`
	// Partitions that this replica owns.
	Partitions []int `json:"partitions,omitempty"`
}
