package dispatch

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/dispatch/journal"
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
	answerLines(w, r, d.journal.Records, func(data []byte) (*record.Record, error) {
		rec, err := record.Decode(data)
		return &rec, err
	})
}

// dead answers the dead letters as JSON lines, the newest last.
func (d *Dispatcher) dead(w http.ResponseWriter, r *http.Request) {
	answerLines(w, r, d.journal.Dead, func(data []byte) (*record.Record, error) {
		var letter DeadLetter
		err := json.Unmarshal(data, &letter)
		return &letter.Record, err
	})
}

func answerLines(w http.ResponseWriter, r *http.Request, log *journal.Log, parse func([]byte) (*record.Record, error)) {
	q, problem := parseQuery(r)
	if problem != nil {
		problem.WriteTo(w)
		return
	}
	lines, err := scan(r.Context(), log, q, parse)
	if err != nil {
		later(retryBusy, "the store does not answer").WriteTo(w)
		return
	}
	w.Header().Set("Content-Type", "application/jsonl; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	for _, line := range lines {
		_, _ = w.Write(append(line, '\n'))
	}
}

// scan goes back from the newest message, block by block, until there are enough matches or too many were looked at.
func scan(ctx context.Context, log *journal.Log, q query, parse func([]byte) (*record.Record, error)) ([][]byte, error) {
	b, err := log.Bounds(ctx)
	if err != nil || b.Messages == 0 {
		return nil, err
	}
	least := max(b.First, b.Last-min(b.Last, maxScan)+1)
	var blocks [][][]byte
	found := 0
	for end := b.Last + 1; end > least && found < q.limit; {
		start := max(least, end-min(end, readBatch))
		var block [][]byte
		for at := start; at < end; {
			got, err := log.Read(ctx, at, int(end-at))
			if err != nil {
				return nil, err
			}
			if len(got) == 0 {
				break
			}
			for _, s := range got {
				if s.Seq >= end {
					break
				}
				if rec, err := parse(s.Data); err == nil && q.match(rec) {
					block = append(block, s.Data)
				}
			}
			at = got[len(got)-1].Seq + 1
		}
		blocks = append(blocks, block)
		found += len(block)
		end = start
	}
	lines := make([][]byte, 0, found)
	for i := len(blocks) - 1; i >= 0; i-- {
		lines = append(lines, blocks[i]...)
	}
	return lines[max(0, len(lines)-q.limit):], nil
}
