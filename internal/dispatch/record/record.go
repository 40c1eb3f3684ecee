// Package record is what a dispatcher writes down: deliveries as they were accepted, and what became of them.
package record

import (
	"crypto/sha256"
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	jsonv2 "github.com/go-json-experiment/json"

	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/scenario"
)

// Delivery is one accepted event for one receiver. Which template, OA account and credentials it goes out with is decided
// when its turn comes, not here.
type Delivery struct {
	// Event as accepted, with this receiver as the only one.
	Event      crm.Event `json:"event"`
	AcceptedAt time.Time `json:"acceptedAt"`
	// Scenario is the name of the scenario that it goes to; empty is the one without a name.
	Scenario string `json:"scenario,omitempty"`
	// Replay is the ID of the Replay that sends a dead letter once more, and ReplayOf the number of the delivery that died.
	Replay   string `json:"replay,omitempty"`
	ReplayOf uint64 `json:"replayOf,omitempty"`
	// Revision of the template to use, for a replay with the original one; empty means the present one.
	Revision string `json:"revision,omitempty"`
}

// Receiver is the CRM account that the delivery is for.
func (d *Delivery) Receiver() string { return d.Event.Item.Receivers[0].Account }

// DecodeDelivery reads a stored delivery. Like the other decoders here it uses json/v2, which is twice as fast as
// encoding/json; a long backlog is read with it.
func DecodeDelivery(data []byte, d *Delivery) error { return jsonv2.Unmarshal(data, d) }

// Key is what deliveries have in common that must stay in order: the item, its receiver and the scenario.
type Key [16]byte

// Key of the delivery.
func (d *Delivery) Key() Key { return keyOf(d.Event.Kind, d.Event.Item.ID, d.Receiver(), d.Scenario) }

func keyOf(kind, item, receiver, scenario string) Key {
	return Key(hash(withName([]string{kind, item, receiver}, scenario)...)[:16])
}

// withName adds the name of a scenario to what is hashed; without a name the hash is that of the time before names.
func withName(parts []string, scenario string) []string {
	if scenario == "" {
		return parts
	}
	return append(parts, scenario)
}

// ID tells deliveries apart.
type ID [16]byte

// ID of the delivery. A repeat of the event has the same one, whatever else it says. A replay has one of its own.
func (d *Delivery) ID() ID {
	if d.Replay != "" {
		return ID(hash("replay", d.Replay, strconv.FormatUint(d.ReplayOf, 10))[:16])
	}
	return ID(hash(withName([]string{d.Event.Source, d.Event.ID, d.Receiver()}, d.Scenario)...)[:16])
}

// hash is of the parts with their lengths, so that two lists never run into one another.
func hash(parts ...string) []byte {
	h := sha256.New()
	for _, p := range parts {
		h.Write(strconv.AppendInt(nil, int64(len(p)), 10))
		h.Write([]byte{':'})
		h.Write([]byte(p))
	}
	return h.Sum(nil)
}

// FanOut makes one delivery for each receiver of an event and each of the scenarios that it goes to; a receiver that is named
// twice gets one.
func FanOut(e crm.Event, scenarios []string, now time.Time) []*Delivery {
	receivers := e.Item.Receivers
	out := make([]*Delivery, 0, len(receivers)*len(scenarios))
	seen := make(map[string]bool, len(receivers))
	for _, r := range receivers {
		if seen[r.Account] {
			continue
		}
		seen[r.Account] = true
		own := e
		own.Item.Receivers = []scenario.Person{r}
		for _, name := range scenarios {
			out = append(out, &Delivery{Event: own, AcceptedAt: now, Scenario: name})
		}
	}
	return out
}

// Outcome of a delivery.
type Outcome string

// The outcomes: a closed set. Delivered, Dead and Skipped are final.
const (
	Delivered Outcome = "Delivered"
	Retrying  Outcome = "Retrying"
	Held      Outcome = "Held"
	Dead      Outcome = "Dead"
	Skipped   Outcome = "Skipped"
)

// Final reports whether nothing more happens to the delivery.
func (o Outcome) Final() bool { return o == Delivered || o == Dead || o == Skipped }

// Reasons of outcomes other than a failed attempt, whose reason is its class.
const (
	// Retrying. ReasonAccepted: the OA accepted the item and is asked at RetryAt whether it holds it; no attempt failed.
	ReasonAccepted = "Accepted"
	// Retrying or Dead. ReasonNotFoundAtOA: the OA accepted the item, and does not hold it.
	ReasonNotFoundAtOA = "NotFoundAtOA"
	// Held.
	ReasonUnbound         = "Unbound"
	ReasonBindingConflict = "BindingConflict"
	// Skipped.
	ReasonScenarioDisabled = "ScenarioDisabled"
	ReasonNoScenario       = "NoScenario"
	ReasonNoCall           = "NoCall"
	ReasonNotInRollout     = "NotInRollout"
	ReasonSuperseded       = "Superseded"
	// ReasonRevoked: the connector is being deleted and withdraws its items.
	ReasonRevoked = "Revoked"
	// ReasonCaughtUp: after an outage a later state of the item went out instead.
	ReasonCaughtUp = "CaughtUp"
	// ReasonCameAndWent: the item was created and finished during an outage.
	ReasonCameAndWent = "CameAndWent"
	// Dead.
	ReasonExpired    = "Expired"
	ReasonUnreadable = "Unreadable"
	// ReasonRevisionGone: a replay asks for a template revision that is not kept any more.
	ReasonRevisionGone = "RevisionGone"
)

// MaxBody bounds the request and the answer that a record keeps, in bytes each.
const MaxBody = 16 << 10

// Record is what became of one step of a delivery: an attempt, or a decision without one. It holds nothing secret.
type Record struct {
	// Seq of the delivery in EVENTS.
	Seq        uint64          `json:"seq"`
	Kind       string          `json:"kind,omitempty"`
	Source     string          `json:"source,omitempty"`
	EventID    string          `json:"eventID,omitempty"`
	ItemID     string          `json:"itemID,omitempty"`
	Version    int64           `json:"version,omitempty"`
	EventTime  time.Time       `json:"eventTime,omitzero"`
	Action     scenario.Action `json:"action,omitempty"`
	Receiver   string          `json:"receiver,omitempty"`
	ReceiverOA string          `json:"receiverOA,omitempty"`
	// About is the record of the CRM behind the item, see AboutObject: what a click on its link tells.
	About string `json:"about,omitempty"`

	// Scenario is the name of the scenario; empty is the one without a name.
	Scenario string `json:"scenario,omitempty"`

	// Trial is the trial of a template revision that the result counts for, see bundle.Trial.
	Trial string `json:"trial,omitempty"`

	// Attempt counts the calls so far, this one included; 0 when none was made.
	Attempt int     `json:"attempt"`
	Outcome Outcome `json:"outcome"`
	// Reason is a class for a failed attempt, or one of the Reason constants.
	Reason  string `json:"reason,omitempty"`
	Class   string `json:"class,omitempty"`
	Message string `json:"message,omitempty"`

	Template string `json:"template,omitempty"`
	Revision string `json:"revision,omitempty"`
	Method   string `json:"method,omitempty"`
	URL      string `json:"url,omitempty"`
	Request  string `json:"request,omitempty"`
	Answer   string `json:"answer,omitempty"`
	Status   int    `json:"status,omitempty"`
	// LatencyMS of the call, in milliseconds.
	LatencyMS float64 `json:"latencyMS,omitempty"`

	AcceptedAt time.Time `json:"acceptedAt,omitzero"`
	At         time.Time `json:"at"`
	// ReadBacks is how often the OA was asked whether it holds the item after it accepted it.
	ReadBacks uint8 `json:"readBacks,omitempty"`
	// RetryAt is when the next attempt is due, for Retrying.
	RetryAt time.Time `json:"retryAt,omitzero"`
	// TargetDown: the attempt failed because of the OA as a whole, not because of this item.
	TargetDown  bool   `json:"targetDown,omitempty"`
	TraceParent string `json:"traceParent,omitempty"`
	// Sent is the item.version that went out, when the template uses live values.
	Sent int64 `json:"sent,omitempty"`
	// Captured are values of the OA's answer that later calls need; an empty one is used up.
	Captured map[string]string `json:"captured,omitempty"`

	// Merged is the Seq of the delivery whose state this one goes out with from now on, 0 when that is its own.
	Merged uint64 `json:"merged,omitempty"`
	// Item is what was delivered, without its receivers, when the connector is to withdraw it in the end.
	Item *scenario.Item `json:"item,omitempty"`
	// Listed is what the delivery changed in the list that the OA reads, nil when that is nothing.
	Listed *Listed `json:"listed,omitempty"`

	// Replay is the ID of the replay that the delivery belongs to, ReplayOf the Seq of the dead one that it repeats.
	Replay   string `json:"replay,omitempty"`
	ReplayOf uint64 `json:"replayOf,omitempty"`
}

// Listed is a change of the list that the OA reads.
type Listed struct {
	// Item as the OA gets it, a JSON object; empty takes it off the list.
	Item string `json:"item,omitempty"`
}

// AboutObject names a record of the CRM, empty when there is none.
func AboutObject(apiName, id string) string {
	if apiName == "" && id == "" {
		return ""
	}
	return apiName + "/" + id
}

// Of starts a record about a delivery.
func Of(seq uint64, d *Delivery) Record {
	e := &d.Event
	return Record{
		Seq: seq, Kind: e.Kind, Source: e.Source, EventID: e.ID, ItemID: e.Item.ID, Version: e.Item.Version, EventTime: e.Time,
		Action: e.Action, Receiver: d.Receiver(), AcceptedAt: d.AcceptedAt, TraceParent: e.TraceParent,
		About: AboutObject(e.Item.Object.APIName, e.Item.Object.ID), Scenario: d.Scenario, Replay: d.Replay, ReplayOf: d.ReplayOf,
	}
}

// Awaited reports whether the OA has accepted the item and has not said yet whether it holds it.
func (r *Record) Awaited() bool { return r.Outcome == Retrying && r.Reason == ReasonAccepted }

// Key of the delivery that the record is about.
func (r *Record) Key() Key { return keyOf(r.Kind, r.ItemID, r.Receiver, r.Scenario) }

// Encode returns the record as it is stored.
func (r *Record) Encode() ([]byte, error) { return json.Marshal(r) }

// Decode reads a stored record.
func Decode(data []byte) (r Record, err error) {
	err = jsonv2.Unmarshal(data, &r)
	return r, err
}

// DecodeHead reads a stored record without the request and the answer, which are most of it.
func DecodeHead(data []byte) (Record, error) {
	var head struct {
		Record
		Request unread `json:"request"`
		Answer  unread `json:"answer"`
	}
	err := jsonv2.Unmarshal(data, &head)
	return head.Record, err
}

// unread is a member that is passed over.
type unread struct{}

// UnmarshalJSON implements json.Unmarshaler.
func (*unread) UnmarshalJSON([]byte) error { return nil }

// Cut bounds a body for a record, at the border of a character.
func Cut(b []byte) string {
	if len(b) <= MaxBody {
		return string(b)
	}
	b = b[:MaxBody]
	for len(b) > 0 && !utf8.RuneStart(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	if len(b) > 0 && b[len(b)-1] >= utf8.RuneSelf {
		b = b[:len(b)-1]
	}
	return string(b) + "…"
}
