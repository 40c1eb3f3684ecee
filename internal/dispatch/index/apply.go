package index

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/oabridge/oabridge/internal/dispatch/record"
)

// Located is a record and where the log has it.
type Located struct {
	Partition int
	// Frame is the message of the partition's log, Index the record in it, from 0.
	Frame  uint64
	Index  int
	Record *record.Record
}

// Apply takes in records, in one transaction, and remembers for each partition that its frames up to the highest one are
// in. The records of a frame come together. Applying again what is there changes nothing; about a thousand records at a
// time is a good number.
//
// After ErrRestarted, or whenever it is unclear what is in, ask for the Position and go on from there.
func (x *Index) Apply(ctx context.Context, batch []Located) error {
	if len(batch) == 0 {
		return nil
	}
	// One order for everybody: two replicas that apply the same records never wait for one another in a circle.
	batch = slices.Clone(batch)
	slices.SortFunc(batch, func(a, b Located) int {
		return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Frame, b.Frame), cmp.Compare(a.Index, b.Index))
	})
	args := make([]any, 0, len(batch)*len(columns))
	last := map[int]uint64{}
	for _, l := range batch {
		args = x.row(args, l)
		last[l.Partition] = l.Frame
	}
	return x.use(ctx, func(ctx context.Context, s *store) error {
		tx, err := s.write.BeginTx(ctx, nil)
		if err != nil {
			return fmt.Errorf("index: %w", err)
		}
		defer tx.Rollback() //nolint:errcheck // after a commit it has nothing to say
		if err := s.insert(ctx, tx, args); err != nil {
			return fmt.Errorf("index: %w", err)
		}
		newcomers, err := s.people.add(ctx, tx, x, batch)
		if err != nil {
			return fmt.Errorf("index: %w", err)
		}
		if err := x.list(ctx, tx, batch); err != nil {
			return fmt.Errorf("index: %w", err)
		}
		for _, p := range slices.Sorted(maps.Keys(last)) {
			if _, err := tx.ExecContext(ctx, x.dialect.bind("INSERT INTO "+tablePositions+" AS p (connector, part, frame) VALUES (?, ?, ?) "+
				"ON CONFLICT (connector, part) DO UPDATE SET frame = excluded.frame WHERE p.frame < excluded.frame"),
				x.connector, p, int64(last[p])); err != nil {
				return fmt.Errorf("index: %w", err)
			}
		}
		if err := tx.Commit(); err != nil {
			return fmt.Errorf("index: %w", err)
		}
		s.people.remember(newcomers)
		return nil
	})
}

// insert uses the largest prepared statements that fit.
func (s *store) insert(ctx context.Context, tx *sql.Tx, args []any) error {
	for _, i := range s.inserts {
		n := i.rows * len(columns)
		if len(args) < n {
			continue
		}
		statement := tx.StmtContext(ctx, i.statement)
		for ; len(args) >= n; args = args[n:] {
			if _, err := statement.ExecContext(ctx, args[:n]...); err != nil {
				return err
			}
		}
	}
	return nil
}

// row appends the values of columns.
func (x *Index) row(to []any, l Located) []any {
	r := l.Record
	return append(to, x.connector, l.Partition, int64(l.Frame), l.Index,
		int64(r.Seq), clean(r.Kind), clean(r.EventID), clean(r.ItemID), r.Version, clean(string(r.Action)),
		clean(r.Receiver), clean(r.ReceiverOA), r.Attempt, clean(string(r.Outcome)), clean(r.Reason),
		clean(r.Class), short(clean(r.Message)), clean(r.Template), clean(r.Revision), r.Status,
		r.LatencyMS, nanos(r.AcceptedAt), nanos(r.At), TraceID(r.TraceParent),
		clean(r.Replay), int64(r.ReplayOf), clean(r.Scenario), clean(r.About))
}

// TraceID is the trace id of a W3C traceparent, which was checked when the event was accepted; empty when there is none.
func TraceID(traceparent string) string {
	const start, end = len("00-"), len("00-") + 32
	if len(traceparent) < end {
		return ""
	}
	return clean(traceparent[start:end])
}

// clean makes a text that every database takes: PostgreSQL knows neither U+0000 nor broken UTF-8, and one such record must
// not stop all that follow.
func clean(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// short cuts a clean text to maxMessage.
func short(s string) string {
	if len(s) <= maxMessage {
		return s
	}
	end := maxMessage
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

// nanos since 1970, 0 for no time.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func fromNanos(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// Position is the highest frame of a partition that is in, 0 when none is: the log is to be applied from the next one.
func (x *Index) Position(ctx context.Context, partition int) (frame uint64, err error) {
	err = x.use(ctx, func(ctx context.Context, s *store) error {
		var n int64
		err := s.read.QueryRowContext(ctx, x.dialect.bind("SELECT frame FROM "+tablePositions+" WHERE connector = ? AND part = ?"),
			x.connector, partition).Scan(&n)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("index: %w", err)
		}
		frame = uint64(n)
		return nil
	})
	return frame, err
}
