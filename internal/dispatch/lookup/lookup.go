// Package lookup is how people and programs ask a dispatcher what became of items: the answers of its local port, and a
// client for them. All answers but Summary are JSON lines.
//
// A dispatcher answers for the partitions of the queue that it owns; the answers of all replicas together are the whole.
package lookup

import (
	"time"

	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/scenario"
)

// Paths of the local port.
const (
	PathRecords = "/records"
	PathDead    = "/dead"
	PathTrace   = "/trace"
	PathSummary = "/summary"
	PathSignIns = "/signins"
)

// Names of the parameters of a query. Those that select may be repeated: one of their values must fit. Empty selects all.
const (
	// ParamItem is the id of an item, ParamReceiver a CRM or OA account, ParamKind the kind of item.
	ParamItem     = "item"
	ParamReceiver = "receiver"
	ParamKind     = "kind"
	// ParamScenario is the name of a scenario in spec.scenarios.
	ParamScenario = "scenario"
	// ParamOutcome, ParamReason and ParamClass are about the step of the delivery.
	ParamOutcome = "outcome"
	ParamReason  = "reason"
	ParamClass   = "class"
	// ParamEvent is the id of the event, ParamTrace its W3C trace id, ParamReplay the id of a replay.
	ParamEvent  = "eventID"
	ParamTrace  = "traceID"
	ParamReplay = "replay"
	// ParamAccount (an OA or CRM account), ParamCRMAccount, ParamCode, ParamMode and ParamTraceEnd (the end of a trace id, at
	// least the 12 digits that the error page shows) select sign-ins.
	ParamAccount    = "account"
	ParamCRMAccount = "crmAccount"
	ParamCode       = "code"
	ParamMode       = "mode"
	ParamTraceEnd   = "trace"
	// ParamSince (within) and ParamUntil (not within) are RFC 3339 times, or durations before now.
	ParamSince = "since"
	ParamUntil = "until"
	// ParamLimit bounds the lines: the newest are taken. ParamCursor is where the page before ended.
	ParamLimit  = "limit"
	ParamCursor = "cursor"
)

// Parameters that each answer knows.
var Parameters = map[string][]string{
	PathRecords: {ParamItem, ParamReceiver, ParamKind, ParamScenario, ParamOutcome, ParamReason, ParamClass, ParamEvent, ParamTrace, ParamReplay,
		ParamSince, ParamUntil, ParamLimit, ParamCursor},
	PathDead: {ParamItem, ParamReceiver, ParamKind, ParamScenario, ParamReason, ParamClass, ParamEvent, ParamTrace, ParamReplay,
		ParamSince, ParamUntil, ParamLimit, ParamCursor},
	PathTrace:   {ParamItem, ParamReceiver, ParamKind, ParamEvent, ParamTrace, ParamSince, ParamUntil},
	PathSummary: {ParamSince},
	PathSignIns: {ParamAccount, ParamCRMAccount, ParamCode, ParamMode, ParamTraceEnd, ParamSince, ParamUntil, ParamLimit, ParamCursor},
}

const (
	// DefaultLimit of the lines of an answer.
	DefaultLimit = 100
	// MaxLimit of the lines of an answer.
	MaxLimit = 10_000
	// MaxAnswer bounds an answer, in bytes: a page ends before it is longer, and Link leads to the next one.
	MaxAnswer = 16 << 20
	// HeaderIncomplete says, in an answer to a trace, what was not looked at.
	HeaderIncomplete = "Oab-Incomplete"
)

// Record is a line of /records: one step of a delivery.
type Record struct {
	// Partition of the queue; with seq it tells deliveries apart.
	Partition int `json:"partition"`
	record.Record
	// Partial: the log does not hold the record any more, only the index knows of it; it has no bodies.
	Partial bool `json:"partial,omitempty"`
}

// Letter is a line of /dead: a dead letter, with the delivery that a replay would send once more.
type Letter struct {
	Partition int              `json:"partition"`
	Record    record.Record    `json:"record"`
	Delivery  *record.Delivery `json:"delivery,omitempty"`
}

// Delivery is a line of /trace: what became of one event for one receiver, from its acceptance to its end.
type Delivery struct {
	Partition int    `json:"partition"`
	Seq       uint64 `json:"seq"`

	Kind      string          `json:"kind"`
	Scenario  string          `json:"scenario,omitempty"`
	ItemID    string          `json:"itemID"`
	Action    scenario.Action `json:"action"`
	Version   int64           `json:"version,omitempty"`
	Source    string          `json:"source,omitempty"`
	EventID   string          `json:"eventID"`
	EventTime time.Time       `json:"eventTime,omitzero"`
	TraceID   string          `json:"traceID,omitempty"`
	Receiver  string          `json:"receiver"`
	// ReceiverOA is the OA account of the last step that knew it.
	ReceiverOA string `json:"receiverOA,omitempty"`

	AcceptedAt time.Time `json:"acceptedAt"`
	// State is the outcome of the last step, or Waiting when there was none.
	State string `json:"state"`
	// Note says, in words, what it waits for.
	Note string `json:"note,omitempty"`
	// Digest is, for a dead letter, the end of the window whose digest names it, when notifications are on.
	Digest time.Time `json:"digest,omitzero"`
	// Replay is the id of the replay that sent it, ReplayOf the seq of the dead letter that it repeats.
	Replay   string `json:"replay,omitempty"`
	ReplayOf uint64 `json:"replayOf,omitempty"`

	// Steps in their order: attempts, and decisions without one.
	Steps []record.Record `json:"steps"`
}

// Waiting is the State of a delivery without a step.
const Waiting = "Waiting"

// Summary is the answer of /summary: what happened since a time.
type Summary struct {
	// Outcomes counts steps by outcome.
	Outcomes map[record.Outcome]int64 `json:"outcomes"`
	// DeadReasons counts what was given up by reason.
	DeadReasons map[string]int64 `json:"deadReasons,omitempty"`
	// DeliveredLate of those delivered needed more than one attempt.
	DeliveredLate int64 `json:"deliveredLate"`
	// P50, P95 and P99 are the latencies from acceptance to delivery, in milliseconds; 0 when nothing was delivered.
	P50 int64 `json:"p50MS"`
	P95 int64 `json:"p95MS"`
	P99 int64 `json:"p99MS"`
	// SignIns counts finished sign-ins by code. SignInsShared: every dispatcher of the connector counts all of them, because
	// they share one database.
	SignIns       map[string]int64 `json:"signIns,omitempty"`
	SignInsShared bool             `json:"signInsShared,omitempty"`
}
