package dispatch

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/dispatch/journal"
	"github.com/oabridge/oabridge/internal/dispatch/lanes"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/report"
)

const (
	// replayBatch is how many dead letters are looked at before the place is written down.
	replayBatch = 64
	// maxDifferences bounds the examples of a dry run, maxDifference their requests, in characters.
	maxDifferences = 20
	maxDifference  = 2000
)

// replayState is how far a replay came in this partition.
type replayState struct {
	// Until is the youngest dead letter when it began: what dies again is not replayed by it once more.
	Until uint64 `json:"until"`
	// Cursor is the last dead letter that was looked at.
	Cursor  uint64 `json:"cursor"`
	Matched int64  `json:"matched"`
	Queued  int64  `json:"queued"`
	Scanned bool   `json:"scanned"`
	// Broken counts dead letters that hold nothing that could be sent.
	Broken int64 `json:"broken,omitempty"`

	differences []report.Difference
	message     string
	revision    uint64
}

// replay does what the Replay objects of the live bundle ask for, one after the other, until ctx ends.
func (e *engine) replay(ctx context.Context) {
	for {
		again := e.replayAll(ctx)
		var retry <-chan time.Time
		if again {
			retry = time.After(storeRetry)
		}
		select {
		case <-ctx.Done():
			return
		case <-e.replays:
		case <-retry:
		}
	}
}

// replayAll goes through the replays; true when one has to be tried again.
func (e *engine) replayAll(ctx context.Context) (again bool) {
	v := e.live.Load()
	if v == nil {
		return false
	}
	e.forgetReplays(ctx, v.bundle.Replays)
	for _, r := range v.bundle.Replays {
		s, err := e.replayState(ctx, r)
		if err == nil && !s.Scanned && !r.Suspended {
			err = e.replayOne(ctx, v, r, s)
		}
		if ctx.Err() != nil {
			return false
		}
		if err != nil {
			e.log.Error(err, "a replay does not go on", "replay", r.Name)
			again = true
		}
		e.mu.Lock()
		if s != nil {
			s.message = ""
			switch {
			case err != nil:
				s.message = "it is tried again: " + err.Error()
			case s.Broken > 0:
				s.message = fmt.Sprintf("%d dead letters hold nothing that could be sent and were left", s.Broken)
			}
		}
		e.mu.Unlock()
		nudge(e.dirty)
		if err != nil {
			return again // in their order
		}
	}
	return again
}

// stateKey makes a text fit for a key of the store's small state.
func stateKey(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, s)
}

func (e *engine) replayKey(id string) string {
	return "replay." + strconv.Itoa(e.part.Number) + "." + stateKey(id)
}

// replayState returns how far a replay came, from the store the first time.
func (e *engine) replayState(ctx context.Context, r bundle.Replay) (*replayState, error) {
	e.mu.Lock()
	s := e.replaying[r.ID]
	e.mu.Unlock()
	if s == nil {
		s = &replayState{}
		data, revision, err := e.journal.Get(ctx, e.replayKey(r.ID))
		if err != nil {
			return nil, err
		}
		if s.revision = revision; data != nil {
			if err := json.Unmarshal(data, s); err != nil {
				return nil, fmt.Errorf("replay %s: %w", r.Name, err)
			}
		} else if s.Until, err = e.journal.LastDead(ctx); err != nil {
			return nil, err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.replaying[r.ID] = s
	return s, nil
}

func (e *engine) saveReplay(ctx context.Context, r bundle.Replay, s *replayState) error {
	e.mu.Lock()
	data, err := json.Marshal(s)
	e.mu.Unlock()
	if err != nil {
		return err
	}
	s.revision, err = e.journal.Put(ctx, e.replayKey(r.ID), data, s.revision)
	return err
}

// replayOne looks at the dead letters in their order and queues those that match once more. Queued, then written down,
// then removed: after a crash at any point each is there, and a second queueing is a duplicate.
func (e *engine) replayOne(ctx context.Context, v *live, r bundle.Replay, s *replayState) error {
	if err := e.clear(ctx, r, 1, s.Cursor); err != nil {
		return err
	}
	pace := rate.NewLimiter(rate.Inf, 1)
	if r.PerSecond > 0 {
		pace = rate.NewLimiter(rate.Limit(r.PerSecond)/rate.Limit(e.of), 1)
	}
	for s.Cursor < s.Until && !r.Cancelled {
		if now := e.live.Load(); now != v {
			return nil // perhaps suspended or cancelled: the caller comes again
		}
		letters, err := e.journal.DeadLetters(ctx, s.Cursor+1, replayBatch)
		if err != nil {
			return err
		}
		if len(letters) == 0 {
			break
		}
		before := s.Cursor
		next := *s
		for _, stored := range letters {
			if stored.Seq > s.Until {
				break
			}
			next.Cursor = stored.Seq
			letter, ok := e.matches(stored, r)
			switch {
			case !ok:
				continue
			case letter.Delivery == nil:
				next.Matched++
				next.Broken++
				continue
			}
			next.Matched++
			if r.DryRun {
				next.differences = e.difference(ctx, v, r, letter, next.differences)
				continue
			}
			if err := pace.Wait(ctx); err != nil {
				return err
			}
			if err := e.queueAgain(ctx, r, letter); err != nil {
				return err
			}
			next.Queued++
		}
		if next.Cursor == before {
			break
		}
		e.mu.Lock()
		*s = next
		e.mu.Unlock()
		if err := e.saveReplay(ctx, r, s); err != nil {
			return err
		}
		if err := e.clear(ctx, r, before+1, s.Cursor); err != nil {
			return err
		}
		nudge(e.dirty)
	}
	e.mu.Lock()
	s.Scanned = true
	e.mu.Unlock()
	return e.saveReplay(ctx, r, s)
}

// matches reads a dead letter and reports whether the replay means it.
func (e *engine) matches(stored journal.Stored, r bundle.Replay) (letter DeadLetter, ok bool) {
	if !e.part.IsOf(stored) || json.Unmarshal(stored.Data, &letter) != nil {
		return letter, false
	}
	f, rec := r.Filter, &letter.Record
	in := func(list []string, values ...string) bool {
		return len(list) == 0 || slices.ContainsFunc(values, func(v string) bool { return slices.Contains(list, v) })
	}
	ok = in(f.Reasons, rec.Reason) && in(f.Classes, rec.Class) && in(f.Kinds, rec.Kind) && in(f.Items, rec.ItemID) &&
		in(f.Receivers, rec.Receiver, rec.ReceiverOA) &&
		(f.Since.IsZero() || !rec.At.Before(f.Since)) && (f.Until.IsZero() || rec.At.Before(f.Until))
	return letter, ok
}

// queueAgain puts the delivery of a dead letter at the end of the log.
func (e *engine) queueAgain(ctx context.Context, r bundle.Replay, letter DeadLetter) error {
	d := *letter.Delivery
	d.Replay, d.ReplayOf, d.AcceptedAt = r.ID, letter.Record.Seq, time.Now()
	if letter.Record.ReplayOf != 0 {
		d.ReplayOf = letter.Record.ReplayOf // it died again: its place in the order is that of the first time
	}
	if d.Revision = ""; r.Template == "Original" {
		d.Revision = letter.Record.Revision
	}
	_, err := e.accept(ctx, []*record.Delivery{&d})
	return err
}

// clear removes the dead letters from one number to another that were queued again.
func (e *engine) clear(ctx context.Context, r bundle.Replay, from, to uint64) error {
	if r.DryRun {
		return nil
	}
	for from <= to {
		letters, err := e.journal.DeadLetters(ctx, from, replayBatch)
		if err != nil || len(letters) == 0 {
			return err
		}
		for _, stored := range letters {
			if from = stored.Seq + 1; stored.Seq > to {
				return nil
			}
			if letter, ok := e.matches(stored, r); !ok || letter.Delivery == nil {
				continue
			}
			if err := e.journal.RemoveDead(ctx, stored.Seq); err != nil {
				return err
			}
			e.mu.Lock()
			e.deadLetters--
			e.mu.Unlock()
		}
	}
	return nil
}

// difference adds an example of what a dry run would send.
func (e *engine) difference(ctx context.Context, v *live, r bundle.Replay, letter DeadLetter, all []report.Difference) []report.Difference {
	if len(all) >= maxDifferences {
		return all
	}
	d := *letter.Delivery
	d.ReplayOf, d.AcceptedAt = letter.Record.Seq, time.Now()
	if r.Template == "Original" {
		d.Revision = letter.Record.Revision
	}
	out := report.Difference{ItemID: letter.Record.ItemID, Receiver: letter.Record.Receiver, Before: oneLine(letter.Record.Request)}
	entry := &lanes.Entry{Seq: e.tailSeqNow() + 1, Key: d.Key()}
	s, problem, err := e.scenario(ctx, v, &d)
	if err != nil {
		problem = err.Error()
	}
	if problem != "" {
		out.Would = "Dead: " + problem
		return append(all, out)
	}
	decision := v.decide(s, &d, entry, e.past(entry, &d), time.Now())
	if out.Would = "Send"; decision.decided {
		out.Would = string(decision.record.Outcome) + ": " + decision.record.Message
	} else {
		out.After = oneLine(string(decision.request.Body))
	}
	return append(all, out)
}

func (e *engine) tailSeqNow() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.tailSeq
}

func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > maxDifference {
		s = string(runes[:maxDifference]) + "…"
	}
	return s
}

// replayReport says how far the replays came in this partition. The lock is held.
func (e *engine) replayReport() map[string]report.Replay {
	out := make(map[string]report.Replay, len(e.replaying))
	for id, s := range e.replaying {
		ended := e.progress.Replays[id]
		out[id] = report.Replay{
			Done:    s.Scanned && ended.Delivered+ended.Skipped+ended.Dead >= s.Queued,
			Matched: s.Matched, Queued: s.Queued, Delivered: ended.Delivered, Skipped: ended.Skipped, Dead: ended.Dead,
			Message: s.message, Differences: s.differences,
		}
	}
	return out
}

// forgetReplays lets go of replays that are not in the live bundle any more.
func (e *engine) forgetReplays(ctx context.Context, present []bundle.Replay) {
	e.mu.Lock()
	var old []string
	for id := range e.replaying {
		if !slices.ContainsFunc(present, func(r bundle.Replay) bool { return r.ID == id }) {
			old = append(old, id)
			delete(e.replaying, id)
			delete(e.progress.Replays, id)
		}
	}
	e.mu.Unlock()
	for _, id := range old {
		if err := e.journal.Delete(ctx, e.replayKey(id), 0); err != nil {
			e.log.Error(err, "cannot forget a finished replay")
		}
	}
}
