package dispatch

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/dispatch/lanes"
	"github.com/oabridge/oabridge/internal/dispatch/progress"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/scenario"
)

// skipped is the decision not to send what a later state made needless.
func skipped(e *lanes.Entry, d *record.Delivery, reason string) decision {
	out := decision{record: record.Of(e.Seq, d), decided: true}
	out.record.Attempt, out.record.Outcome, out.record.Reason = e.Attempts, record.Skipped, reason
	out.record.Message = "after an outage the latest state of the item goes out instead of this one"
	if reason == record.ReasonCameAndWent {
		out.record.Merged = e.Noted
		out.record.Message = "the item was created and finished during an outage, so the OA need not know it (spec.delivery.catchUp.finished)"
	}
	return out
}

// noting is the decision to write down that a delivery goes out with the state of a later one. After that it never goes out
// with an older one, not even when the process ends before it knows what became of the call.
func noting(e *lanes.Entry, d *record.Delivery, state uint64, now time.Time) decision {
	out := decision{record: record.Of(e.Seq, d), decided: true}
	out.record.Attempt, out.record.Outcome, out.record.Reason = e.Attempts, record.Retrying, record.ReasonCaughtUp
	out.record.Merged, out.record.RetryAt = state, now
	out.record.Message = "after an outage it goes out with the latest state of the item"
	return out
}

// decide looks at a delivery with the bundle of this moment. s is its scenario, nil when there is none.
func (v *live) decide(s *scenario.Scenario, d *record.Delivery, e *lanes.Entry, before past, now time.Time) decision {
	out := decision{record: record.Of(e.Seq, d)}
	r := &out.record
	r.Attempt = e.Attempts
	end := func(o record.Outcome, reason, format string, args ...any) decision {
		out.decided = true
		r.Outcome, r.Reason, r.Message = o, reason, fmt.Sprintf(format, args...)
		return out
	}

	// What may have reached the OA goes on to its end, so that it can be withdrawn.
	if v.bundle.Revoking && d.Event.Action != scenario.Delete && e.Attempts == 0 && !e.Accepted {
		return end(record.Skipped, record.ReasonRevoked, "the connector is being deleted and withdraws its items, so this one is not sent any more")
	}
	if s == nil && d.Scenario != "" {
		return end(record.Skipped, record.ReasonNoScenario, "the connector has no scenario %s for %s any more", d.Scenario, d.Event.Kind)
	}
	if s == nil {
		return end(record.Skipped, record.ReasonNoScenario, "the connector has no scenario for %s: list one in spec.scenarios to send them", d.Event.Kind)
	}
	definition := s.Definition()
	r.Template, r.Revision = definition.Template, definition.Revision
	if !definition.Enabled {
		return end(record.Skipped, record.ReasonScenarioDisabled, "the scenario is disabled: set its state to Enabled in spec.scenarios to send new events")
	}
	if _, ok := definition.Calls[d.Event.Action]; !ok {
		return end(record.Skipped, record.ReasonNoCall, "the template has no call for %s", d.Event.Action)
	}
	if !v.bundle.Rollout.Includes(d.Receiver()) && !before.state.IsOpen() {
		return end(record.Skipped, record.ReasonNotInRollout, "CRM account %q does not take part: see spec.rollout", d.Receiver())
	}
	if before.superseded {
		return end(record.Skipped, record.ReasonSuperseded, "a newer state of the item was delivered before")
	}
	if !v.policy.expiry(d.AcceptedAt).After(now) {
		r.Class = e.Class
		return end(record.Dead, record.ReasonExpired, "not delivered within delivery.maxAge (%s)%s", v.policy.MaxAge.Std(), lastWords(e))
	}

	receiver, state := v.receiver(d)
	if state != bundle.Bound {
		switch {
		case state == bundle.Conflicting:
			// Never to be guessed, whatever the policy: it could reach another person.
			return end(record.Held, record.ReasonBindingConflict, "the binding of CRM account %q conflicts with an earlier one: correct the AccountBinding", d.Receiver())
		case v.bundle.Accounts.Unbound == "DeadLetter":
			return end(record.Dead, record.ReasonUnbound, "CRM account %q has no OA account: add it to an AccountBinding before the next event, or set spec.accounts.unbound to Hold", d.Receiver())
		default:
			return end(record.Held, record.ReasonUnbound, "CRM account %q has no OA account: add it to an AccountBinding", d.Receiver())
		}
	}
	r.ReceiverOA = receiver
	fields, sent := v.fields(s, d, receiver, before.state)
	r.Sent = sent
	if v.listed(definition.Kind) {
		var err error
		if r.Listed, err = list(s, d.Event.Action, fields); err != nil {
			r.Class = string(oa.Internal)
			return end(record.Dead, string(oa.Internal), "the item could not be made from template %s: %v", definition.Template, err)
		}
		if v.bundle.OA.Seeyon.PullOnly {
			return end(record.Delivered, "", "it stands in the list that the OA reads, or was taken off it")
		}
	}
	request, err := s.Render(d.Event.Action, fields)
	switch {
	case errors.Is(err, scenario.ErrMissing):
		return end(record.Delivered, "", "%v", err)
	case errors.Is(err, scenario.ErrNoCall):
		return end(record.Skipped, record.ReasonNoCall, "the template has no call for %s", d.Event.Action)
	case err != nil:
		r.Class = string(oa.Internal)
		return end(record.Dead, string(oa.Internal), "the request could not be made from template %s: %v", definition.Template, err)
	}
	out.request, out.result = request, definition.Result
	return out
}

// receiver is the OA account of the receiver.
func (v *live) receiver(d *record.Delivery) (string, bundle.Binding) {
	account, state := v.accounts.OA(d.Receiver())
	if state == bundle.Unbound && v.bundle.Accounts.Unbound == "Fallback" {
		return d.Receiver(), bundle.Bound
	}
	return account, state
}

// fields are the values of the placeholders, and the item.version that goes out when the template uses it.
func (v *live) fields(s *scenario.Scenario, d *record.Delivery, receiver string, before progress.State) (fields scenario.Fields, sent int64) {
	// A sender without an OA account is no reason to wait: the OA shows the sender's name anyway.
	sender, state := v.accounts.OA(d.Event.Item.Sender.Account)
	if state != bundle.Bound {
		sender = ""
	}
	item := d.Event.Item
	item.EnterpriseID = cmp.Or(item.EnterpriseID, v.bundle.EnterpriseID) // intake refuses another one
	fields = item.Fields(receiver, sender)
	if !s.Live(d.Event.Action) {
		return fields, 0
	}
	m := scenario.Moment{EventTime: d.Event.Time, Reopened: int(before.Reopened), Captured: before.Captured}
	if m.EventTime.IsZero() {
		m.EventTime = d.AcceptedAt
	}
	if before.Opens(d.Event.Action) {
		m.Reopened++
	}
	// The order in which states go out is that of the CRM's versions; a clock that went back must not make the OA ignore one.
	m.Version = max(m.EventTime.UnixMilli(), before.Sent+1)
	return fields.With(m), m.Version
}

func lastWords(e *lanes.Entry) string {
	switch {
	case e.Message != "":
		return "; last failure: " + e.Message
	case e.HeldFor != "":
		return "; held: " + e.HeldFor
	}
	return ""
}
