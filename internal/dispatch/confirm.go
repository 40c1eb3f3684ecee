package dispatch

import (
	"context"
	"time"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/dispatch/lanes"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/scenario"
)

const (
	// confirmFirst is the delay before the OA is asked for the first time whether it holds an item that it accepted; it
	// doubles with each question up to confirmMax.
	confirmFirst = time.Second
	confirmMax   = 30 * time.Second
	// maxReadBacks is how often it is asked, which takes about a minute. The lane of the item waits meanwhile.
	maxReadBacks = 6
)

// confirmDelay is the pause after n questions.
func (t tuning) confirmDelay(n uint8) time.Duration {
	return min(t.confirmFirst<<min(n, maxReadBacks), confirmMax)
}

// accepted completes the record of an attempt after which the OA may still drop the item: it is delivered when the OA
// says that it holds it, or cannot be asked. confirm says that the template has a question.
func (e *engine) accepted(v *live, r *record.Record, confirm bool, now time.Time) {
	if _, can := v.pusher.(oa.Inspector); !can || !confirm {
		believe(r, "the template has no readBack")
		return
	}
	r.Outcome, r.Reason, r.RetryAt = record.Retrying, record.ReasonAccepted, now.Add(e.tuning.confirmDelay(0))
	r.Message = "the OA accepted the item and is asked in a moment whether it holds it"
}

// believe counts an accepted item as delivered although nobody has seen it at the OA.
func believe(r *record.Record, why string) {
	r.Outcome, r.Class, r.Reason = record.Delivered, "", ""
	r.Message = "the OA accepted the item; whether it holds it is not known: " + why
}

// confirm asks the OA whether it holds an item that it accepted. The item is not sent again unless the OA says no.
func (e *engine) confirm(ctx context.Context, v *live, entry *lanes.Entry, trial bool) {
	d, unreadable, ok := e.load(ctx, entry)
	switch {
	case !ok:
		e.free(trial)
		e.giveBack(entry)
		return
	case unreadable != nil:
		e.free(trial)
		e.settle(v, entry, *unreadable, d)
		return
	}
	r := record.Of(entry.Seq, d)
	r.Attempt, r.ReadBacks = entry.Attempts, entry.ReadBacks
	q, why, ok := e.question(ctx, v, entry, d, &r)
	switch {
	case !ok:
		e.free(trial)
		e.giveBack(entry)
		return
	case why != "":
		e.free(trial)
		believe(&r, why)
		e.record(v, entry, r, d)
		return
	case !e.turn(ctx, trial):
		e.free(trial)
		e.giveBack(entry)
		return
	}
	call, cancel := context.WithTimeout(ctx, v.policy.callTimeout())
	presence, a := q.inspector.Inspect(call, q.request, q.result)
	cancel()
	if presence == scenario.Unknown && ctx.Err() != nil {
		e.free(trial)
		e.giveBack(entry)
		return
	}
	e.observe(v, a, trial)
	e.free(false)
	e.confirmed(v, &r, presence, a)
	e.record(v, entry, r, d)
}

// question is a read-back that is ready to be sent.
type question struct {
	inspector oa.Inspector
	request   scenario.Request
	result    scenario.Result
}

// question makes the read-back of a delivery, or says why there can be none; false when the store does not answer.
func (e *engine) question(ctx context.Context, v *live, entry *lanes.Entry, d *record.Delivery, r *record.Record) (q question, why string, ok bool) {
	if !v.policy.expiry(entry.AcceptedAt).After(time.Now()) {
		return q, "delivery.maxAge is over", true
	}
	s, problem, err := e.scenario(ctx, v, d)
	if err != nil {
		e.log.Error(err, "cannot read a template", "revision", d.Revision)
		return q, "", false
	}
	receiver, state := v.receiver(d)
	q.inspector, _ = v.pusher.(oa.Inspector)
	switch {
	case problem != "":
		return q, problem, true
	case s == nil, q.inspector == nil:
		return q, "the template has no readBack any more", true
	case state != bundle.Bound:
		return q, "the receiver has no OA account any more", true
	}
	r.Trial = e.counted(v, s)
	r.Template, r.Revision, r.ReceiverOA = s.Definition().Template, s.Definition().Revision, receiver
	e.mu.Lock()
	sent := e.lanes.Get(entry.Merged)
	e.mu.Unlock()
	if sent != nil {
		if d, ok = e.merge(ctx, d, sent); !ok {
			return q, "", false
		}
	}
	fields, _ := v.fields(s, d, receiver, e.past(entry, d).state)
	if q.request, q.result, err = s.ReadBack(d.Event.Action, fields); err != nil {
		return q, "the read-back cannot be made: " + err.Error(), true
	}
	return q, "", true
}

// confirmed completes the record of a read-back.
func (e *engine) confirmed(v *live, r *record.Record, p scenario.Presence, a oa.Attempt) {
	now := time.Now()
	write(r, a)
	r.ReadBacks++
	switch {
	case p == scenario.Found:
		r.Outcome, r.Class, r.Reason, r.Message = record.Delivered, "", "", ""
	case r.ReadBacks < maxReadBacks:
		r.Outcome, r.Class, r.Reason, r.RetryAt = record.Retrying, "", record.ReasonAccepted, now.Add(e.tuning.confirmDelay(r.ReadBacks))
		r.Message = "the OA is asked again whether it holds the item: " + a.Message
	case p == scenario.Missing:
		// The OA said yes and lost the item: its failure, like an error of its server.
		lost := oa.Attempt{Class: oa.ServerError}
		outcome, delay := v.policy.judge(lost, r.Attempt)
		r.Outcome, r.Class, r.Reason = outcome, string(lost.Class), record.ReasonNotFoundAtOA
		if outcome == record.Retrying {
			r.RetryAt = now.Add(delay)
		}
	default:
		believe(r, a.Message)
	}
}
