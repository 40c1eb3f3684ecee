package dispatch

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/oabridge/oabridge/internal/report"
)

// leftovers answers the operator, which keeps a copy of what a deleted connector did not deliver: one line for each delivery
// that waits or died, and a last one that says how many there were. Without that line the answer is not whole.
func (d *Dispatcher) leftovers(w http.ResponseWriter, r *http.Request) {
	if !d.keys.isPeer(r.Header.Get("Authorization")) {
		http.Error(w, "the bearer token is not that of the connector's peer Secret", http.StatusUnauthorized)
		return
	}
	s := d.session.Load()
	if s == nil {
		http.Error(w, "the store is not open", http.StatusServiceUnavailable)
		return
	}
	beginLines(w)
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	n := 0
	line := func(l report.Leftover) error {
		n++
		return out.Encode(l)
	}
	for _, e := range s.owned() {
		if err := e.undelivered(r.Context(), line); err != nil {
			d.log.Error(err, "the leftovers cannot be read", "partition", e.part.Number)
			return
		}
	}
	if err := s.deadLetters(r.Context(), line); err != nil {
		d.log.Error(err, "the dead letters cannot be read")
		return
	}
	_ = out.Encode(report.LeftoversEnd{End: true, Count: n})
}

// undelivered reads the deliveries that wait, in their order, frame by frame.
func (e *engine) undelivered(ctx context.Context, line func(report.Leftover) error) error {
	e.mu.Lock()
	floor, tail, next := e.progress.Done.Floor(), e.tailSeq, max(e.readFrame, 1)
	if len(e.frames) > 0 {
		next = e.frames[0].seq
	}
	e.mu.Unlock()
	for {
		frames, err := e.part.Events.Frames(ctx, next, readBatch)
		if err != nil || len(frames) == 0 {
			return err
		}
		for _, b := range frames {
			next = b.Frame + 1
			for i := range b.Items {
				number := b.First + uint64(i)
				e.mu.Lock()
				open := number > floor && number <= tail && !e.progress.Done.Has(number)
				e.mu.Unlock()
				if !open {
					continue
				}
				if err := line(report.Leftover{State: report.LeftoverWaiting, Delivery: b.Items[i].Data}); err != nil {
					return err
				}
			}
		}
	}
}

// deadLetters reads those of the partitions that this process owns.
func (s *session) deadLetters(ctx context.Context, line func(report.Leftover) error) error {
	engines := s.owned()
	for from := uint64(1); ; {
		letters, err := s.journal.DeadLetters(ctx, from, deadWindow)
		if err != nil || len(letters) == 0 {
			return err
		}
		for _, stored := range letters {
			from = stored.Seq + 1
			var letter struct {
				Record struct {
					Reason  string `json:"reason"`
					Message string `json:"message"`
				} `json:"record"`
				Delivery json.RawMessage `json:"delivery"`
			}
			for _, e := range engines {
				if !e.part.IsOf(stored) || json.Unmarshal(stored.Data, &letter) != nil || len(letter.Delivery) == 0 {
					continue
				}
				err := line(report.Leftover{State: report.LeftoverDead, Reason: letter.Record.Reason, Message: letter.Record.Message, Delivery: letter.Delivery})
				if err != nil {
					return err
				}
			}
		}
	}
}
