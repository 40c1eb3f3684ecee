package dispatch

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/dispatch/index"
	"github.com/oabridge/oabridge/internal/dispatch/lanes"
	"github.com/oabridge/oabridge/internal/dispatch/lookup"
	"github.com/oabridge/oabridge/internal/dispatch/record"
)

const (
	// maxTraceSteps bounds the records of a trace, the latest.
	maxTraceSteps = 1000
	// maxTraceScan bounds the waiting deliveries of a partition that are looked at for the item.
	maxTraceScan = 100_000
)

// trace answers the whole story of an item: one line for each delivery, in the order of their acceptance.
func (l local) trace(w http.ResponseWriter, r *http.Request) {
	q, s, ok := l.admit(w, r, lookup.PathTrace)
	if !ok {
		return
	}
	if len(q.items)+len(q.events)+len(q.traces) == 0 {
		p := crm.NewProblem(http.StatusBadRequest, "nothing was looked up: see errors")
		p.Errors = []crm.FieldError{{Field: lookup.ParamItem, Cause: "it is missing", NextStep: "give the id that the CRM gave the item, or else eventID or traceID"}}
		p.WriteTo(w)
		return
	}
	f, problem := q.filter()
	if problem == nil {
		f.Limit = maxTraceSteps
		var hits []index.Hit
		if hits, problem = l.find(r.Context(), s, f); problem == nil {
			l.tell(w, r, s, q, hits)
			return
		}
	}
	problem.WriteTo(w)
}

func (l local) tell(w http.ResponseWriter, r *http.Request, s *session, q query, hits []index.Hit) {
	var t told
	for i := range hits {
		step, _ := s.whole(r.Context(), &hits[i])
		if !t.step(hits[i].Partition, step) {
			break
		}
	}
	if len(hits) == maxTraceSteps {
		t.leftOut("steps beyond the latest %d", maxTraceSteps)
	}
	for _, e := range s.owned() {
		if err := e.waitingFor(r.Context(), q, &t); err != nil {
			l.log.Error(err, "cannot read what waits")
			later(retryBusy, "the store does not answer").WriteTo(w)
			return
		}
	}
	beginLines(w)
	if len(t.missing) > 0 {
		w.Header().Set(lookup.HeaderIncomplete, strings.Join(t.missing, "; "))
	}
	lines := json.NewEncoder(w)
	for _, d := range t.inOrder() {
		l.announced(d)
		_ = lines.Encode(d)
	}
}

// announced says in which digest a dead letter is.
func (l local) announced(d *lookup.Delivery) {
	v := l.live.Load()
	if d.State != string(record.Dead) || v == nil || v.bundle.Notifications == nil || v.bundle.Notifications.Window <= 0 {
		return
	}
	window := v.bundle.Notifications.Window.Std()
	d.Digest = d.Steps[len(d.Steps)-1].At.UTC().Truncate(window).Add(window)
}

// told collects deliveries.
type told struct {
	deliveries []*lookup.Delivery
	bytes      int
	missing    []string
}

func (t *told) leftOut(format string, args ...any) {
	t.missing = append(t.missing, fmt.Sprintf(format, args...)+" were not looked at")
}

// of returns the delivery that a record is about.
func (t *told) of(partition int, r *record.Record) *lookup.Delivery {
	for _, d := range t.deliveries {
		if d.Partition == partition && d.Seq == r.Seq {
			return d
		}
	}
	d := &lookup.Delivery{
		Partition: partition, Seq: r.Seq, Kind: r.Kind, Scenario: r.Scenario, ItemID: r.ItemID, Action: r.Action, Version: r.Version, Source: r.Source, EventID: r.EventID,
		EventTime: r.EventTime, TraceID: index.TraceID(r.TraceParent), Receiver: r.Receiver, AcceptedAt: r.AcceptedAt, State: lookup.Waiting,
		Replay: r.Replay, ReplayOf: r.ReplayOf,
	}
	t.deliveries = append(t.deliveries, d)
	return d
}

// step adds a record; they come the latest first. False when there is no room for it.
func (t *told) step(partition int, r record.Record) bool {
	if t.bytes += len(r.Request) + len(r.Answer) + len(r.Message); t.bytes > lookup.MaxAnswer {
		t.leftOut("earlier steps")
		return false
	}
	d := t.of(partition, &r)
	d.Steps = append(d.Steps, r)
	if d.ReceiverOA == "" {
		d.ReceiverOA = r.ReceiverOA
	}
	return true
}

// inOrder returns the deliveries by their acceptance, each with its steps in order and its state.
func (t *told) inOrder() []*lookup.Delivery {
	for _, d := range t.deliveries {
		slices.Reverse(d.Steps)
		if n := len(d.Steps); n > 0 {
			d.State = string(d.Steps[n-1].Outcome)
		}
	}
	slices.SortFunc(t.deliveries, func(a, b *lookup.Delivery) int {
		return cmp.Or(a.AcceptedAt.Compare(b.AcceptedAt), cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Seq, b.Seq))
	})
	return t.deliveries
}

// waitingFor adds the deliveries that have no record yet, and says of each that is not done what it waits for.
func (e *engine) waitingFor(ctx context.Context, q query, t *told) error {
	needles := stored(slices.Concat(q.items, q.events, q.traces))
	e.mu.Lock()
	floor, tail, next := e.progress.Done.Floor(), e.tailSeq, max(e.readFrame, 1)
	if len(e.frames) > 0 {
		next = e.frames[0].seq
	}
	e.mu.Unlock()
	for scanned := 0; ; {
		frames, err := e.part.Events.Frames(ctx, next, readBatch)
		if err != nil {
			return err
		}
		if len(frames) == 0 {
			break
		}
		for _, b := range frames {
			next = b.Frame + 1
			for i := range b.Items {
				number := b.First + uint64(i)
				if number <= floor || number > tail {
					continue
				}
				if scanned++; scanned > maxTraceScan {
					t.leftOut("waiting deliveries beyond the first %d of partition %d", maxTraceScan, e.part.Number)
					e.explain(t)
					return nil
				}
				if slices.ContainsFunc(needles, func(n []byte) bool { return bytes.Contains(b.Items[i].Data, n) }) {
					e.acceptedOnly(number, b.Items[i].Data, q, t)
				}
			}
		}
	}
	e.explain(t)
	return nil
}

// stored returns texts as they stand in a stored delivery, to find those that are worth decoding.
func stored(texts []string) (out [][]byte) {
	for _, text := range texts {
		data, err := json.Marshal(text)
		if err != nil {
			panic("dispatch: a text is always JSON: " + err.Error())
		}
		out = append(out, data[1:len(data)-1])
	}
	return out
}

// acceptedOnly adds a delivery that may have no record yet.
func (e *engine) acceptedOnly(number uint64, data []byte, q query, t *told) {
	d := new(record.Delivery)
	if json.Unmarshal(data, d) != nil || len(d.Event.Item.Receivers) != 1 {
		return
	}
	r := record.Of(number, d)
	r.At = r.AcceptedAt
	e.mu.Lock()
	done := e.progress.Done.Has(number)
	e.mu.Unlock()
	if !done && q.match(&r) {
		t.of(e.part.Number, &r)
	}
}

// explain says what the deliveries of the partition wait for.
func (e *engine) explain(t *told) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, d := range t.deliveries {
		if d.Partition != e.part.Number || e.progress.Done.Has(d.Seq) {
			continue
		}
		d.Note = e.waits(e.lanes.Get(d.Seq))
	}
}

// waits says what an entry waits for, in words. The lock is held.
func (e *engine) waits(entry *lanes.Entry) string {
	switch {
	case entry == nil:
		return "it is on disk and comes into memory when there is room"
	case entry.State() == lanes.Held:
		return "it goes out when the receiver is bound to an OA account"
	case entry.State() == lanes.Taken:
		return "it is being sent"
	case e.gate.state != gateOpen:
		return "it goes out when the OA takes deliveries again: " + e.gate.oa.Message
	case entry.State() == lanes.Queued:
		return "an earlier delivery of this item to this person comes first"
	case entry.State() == lanes.Retrying:
		return "it is tried again"
	}
	return "its turn comes at once"
}
