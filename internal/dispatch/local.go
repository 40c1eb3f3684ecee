package dispatch

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/dispatch/record"
)

const (
	// maxScan bounds the messages that one query looks at, from the newest back.
	maxScan = 50_000
	// defaultLimit and maxLimit bound the lines of an answer.
	defaultLimit = 100
	maxLimit     = 10_000
)

// query selects records. Empty fields select everything.
type query struct {
	item, receiver, outcome, class string
	since                          time.Time
	limit                          int
}

func parseQuery(r *http.Request) (query, *crm.Problem) {
	v := r.URL.Query()
	q := query{item: v.Get("item"), receiver: v.Get("receiver"), outcome: v.Get("outcome"), class: v.Get("class"), limit: defaultLimit}
	if s := v.Get("since"); s != "" {
		var err error
		if q.since, err = time.Parse(time.RFC3339, s); err != nil {
			d, err := time.ParseDuration(s)
			if err != nil || d < 0 {
				return q, crm.NewProblem(http.StatusBadRequest, "since: must be a time (RFC 3339) or a duration such as 1h")
			}
			q.since = time.Now().Add(-d)
		}
	}
	if s := v.Get("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > maxLimit {
			return q, crm.NewProblem(http.StatusBadRequest, "limit: must be a number from 1 to %d", maxLimit)
		}
		q.limit = n
	}
	return q, nil
}

func (q query) match(r *record.Record) bool {
	return (q.item == "" || q.item == r.ItemID) &&
		(q.receiver == "" || q.receiver == r.Receiver || q.receiver == r.ReceiverOA) &&
		(q.outcome == "" || q.outcome == string(r.Outcome)) &&
		(q.class == "" || q.class == r.Class) &&
		(q.since.IsZero() || !r.At.Before(q.since))
}

// records answers JSON lines, the newest last.
func (d *Dispatcher) records(w http.ResponseWriter, r *http.Request) {
	answerLines(w, r, d, func(ctx context.Context, s *session, q query) (lines [][]byte, err error) {
		for _, e := range s.owned() {
			b, err := e.part.Records.Bounds(ctx)
			if err != nil {
				return nil, err
			}
			for from := b.First; from <= b.Last; {
				got, err := e.part.Records.Frames(ctx, from, readBatch)
				if err != nil {
					return nil, err
				}
				if len(got) == 0 {
					break
				}
				for _, f := range got {
					for i := range f.Items {
						if rec, err := record.Decode(f.Items[i].Data); err == nil && q.match(&rec) {
							lines = append(lines, f.Items[i].Data)
						}
					}
					from = f.Frame + 1
				}
			}
		}
		return lines, nil
	})
}

// dead answers the dead letters as JSON lines, the newest last.
func (d *Dispatcher) dead(w http.ResponseWriter, r *http.Request) {
	answerLines(w, r, d, func(ctx context.Context, s *session, q query) (lines [][]byte, err error) {
		for from := uint64(1); ; {
			got, err := s.journal.DeadLetters(ctx, from, replayBatch)
			if err != nil || len(got) == 0 {
				return lines, err
			}
			for _, stored := range got {
				var letter DeadLetter
				if err := json.Unmarshal(stored.Data, &letter); err == nil && q.match(&letter.Record) {
					lines = append(lines, stored.Data)
				}
				from = stored.Seq + 1
			}
		}
	})
}

func answerLines(w http.ResponseWriter, r *http.Request, d *Dispatcher, find func(context.Context, *session, query) ([][]byte, error)) {
	q, problem := parseQuery(r)
	if problem != nil {
		problem.WriteTo(w)
		return
	}
	s := d.session.Load()
	if s == nil {
		later(retryBusy, "the store is not open").WriteTo(w)
		return
	}
	lines, err := find(r.Context(), s, q)
	if err != nil {
		later(retryBusy, "the store does not answer").WriteTo(w)
		return
	}
	w.Header().Set("Content-Type", "application/jsonl; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	for _, line := range lines[max(0, len(lines)-q.limit):] {
		_, _ = w.Write(append(line, '\n'))
	}
}
