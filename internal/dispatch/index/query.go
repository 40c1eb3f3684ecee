package index

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/scenario"
)

// Hit is what the index knows about a record.
type Hit struct {
	Partition int
	Frame     uint64
	Index     int
	// Record without what only the log has: the bodies and the whole message, among others.
	Record record.Record
}

// Cursor of the hit, for the page after it.
func (h *Hit) Cursor() *Cursor {
	return &Cursor{at: nanos(h.Record.At), partition: h.Partition, frame: h.Frame, index: h.Index}
}

// Query returns the hits of a filter.
func (x *Index) Query(ctx context.Context, f Filter) (hits []Hit, err error) {
	err = x.use(ctx, func(ctx context.Context, s *store) error {
		people, err := s.people.named(ctx, s.read, x, f.Receivers)
		if err != nil {
			return fmt.Errorf("index: %w", err)
		}
		query, args, err := x.query(f, people)
		if err != nil {
			return err
		}
		rows, err := s.read.QueryContext(ctx, query, args...)
		if err != nil {
			return fmt.Errorf("index: %w", err)
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var h Hit
			var frame, seq, accepted, at, replayOf int64
			var action, outcome string
			r := &h.Record
			if err := rows.Scan(&h.Partition, &frame, &h.Index, &seq, &r.Kind, &r.EventID, &r.ItemID, &r.Version, &action, &r.Receiver, &r.ReceiverOA,
				&r.Attempt, &outcome, &r.Reason, &r.Class, &r.Message, &r.Template, &r.Revision, &r.Status, &r.LatencyMS, &accepted, &at,
				&r.Replay, &replayOf, &r.Scenario, &r.About); err != nil {
				return fmt.Errorf("index: %w", err)
			}
			h.Frame, r.Seq, r.ReplayOf = uint64(frame), uint64(seq), uint64(replayOf)
			r.Action, r.Outcome, r.AcceptedAt, r.At = scenario.Action(action), record.Outcome(outcome), fromNanos(accepted), fromNanos(at)
			hits = append(hits, h)
		}
		if err := rows.Err(); err != nil {
			return fmt.Errorf("index: %w", err)
		}
		return nil
	})
	return hits, err
}

// Cursor is a place in the order of records.
type Cursor struct {
	at        int64
	partition int
	frame     uint64
	index     int
}

// String is what ParseCursor reads; it means nothing to anybody else.
func (c *Cursor) String() string {
	data, err := json.Marshal([]int64{c.at, int64(c.partition), int64(c.frame), int64(c.index)})
	if err != nil {
		panic("index: numbers are always JSON: " + err.Error())
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

// maxCursor bounds the text of a cursor, in bytes.
const maxCursor = 200

// ParseCursor reads the text of a cursor.
func ParseCursor(s string) (*Cursor, error) {
	bad := errors.New("is not a cursor that an answer gave")
	if len(s) > maxCursor {
		return nil, bad
	}
	data, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return nil, bad
	}
	var n []int64
	if err := json.Unmarshal(data, &n); err != nil || len(n) != 4 {
		return nil, bad
	}
	return &Cursor{at: n[0], partition: int(n[1]), frame: uint64(n[2]), index: int(n[3])}, nil
}
