// Package crm takes in what a CRM sends: CloudEvents about to-dos and reminders, with a proof of origin. The contract is
// docs/reference/events.md.
package crm

import (
	"strings"
	"time"

	"github.com/oabridge/oabridge/internal/scenario"
)

// Kinds of items.
const (
	Todo         = "Todo"
	Reminder     = "Reminder"
	Subscription = "Subscription"
	Alert        = "Alert"
)

// Event says that something happened to one item of the CRM.
type Event struct {
	// ID is unique per Source: the pair tells a repeat from news.
	ID     string `json:"id"`
	Source string `json:"source"`
	// Type as sent, e.g. dev.oabridge.todo.created; Kind and Action are its meaning.
	Type   string          `json:"type"`
	Kind   string          `json:"kind"`
	Action scenario.Action `json:"action"`
	// Time at which the CRM says it happened; zero when it does not say.
	Time time.Time `json:"time,omitzero"`
	// DataCenterID names the account set that the event is meant for; empty when it does not say.
	DataCenterID string `json:"dataCenterID,omitempty"`
	// TraceParent is a valid W3C trace context: the CRM's, or one that began at the intake.
	TraceParent string `json:"traceParent,omitempty"`
	// Untraced: the trace context is not the CRM's. It is known at the intake only.
	Untraced bool `json:"-"`

	Item scenario.Item `json:"item"`
}

// types are the meanings of the event types.
var types = map[string]struct {
	kind   string
	action scenario.Action
}{
	"dev.oabridge.todo.created":         {Todo, scenario.Create},
	"dev.oabridge.todo.updated":         {Todo, scenario.Update},
	"dev.oabridge.todo.completed":       {Todo, scenario.Complete},
	"dev.oabridge.todo.deleted":         {Todo, scenario.Delete},
	"dev.oabridge.reminder.created":     {Reminder, scenario.Create},
	"dev.oabridge.subscription.created": {Subscription, scenario.Create},
	"dev.oabridge.alert.created":        {Alert, scenario.Create},
}

// Meaning returns the type and the action of an event by its kind and the last word of its type, e.g. Todo and created.
func Meaning(kind, word string) (typ string, action scenario.Action, ok bool) {
	typ = "dev.oabridge." + strings.ToLower(kind) + "." + word
	meaning, ok := types[typ]
	return typ, meaning.action, ok && meaning.kind == kind
}

// Limits bound a request. All sizes are in bytes.
type Limits struct {
	Request int // the body
	Event   int // one event with its attributes (structured, batch) or its data (binary)
	Batch   int // events in one batch
}

// The limits of docs/reference/events.md.
const (
	MaxRequestBytes = 4 << 20
	MaxEventBytes   = 256 << 10
	MaxBatchEvents  = 1000
)

// DefaultLimits returns the documented limits.
func DefaultLimits() Limits {
	return Limits{Request: MaxRequestBytes, Event: MaxEventBytes, Batch: MaxBatchEvents}
}

// Bounds of the attributes, in bytes. They keep keys and headers that are made of them small.
const (
	maxIDBytes           = 256
	maxSourceBytes       = 512
	maxDataCenterIDBytes = 64
)
