package index

import (
	"context"
	"fmt"
	"time"

	"github.com/oabridge/oabridge/internal/dispatch/record"
)

// Summary counts what happened since some time.
type Summary struct {
	// Outcomes counts records, one for each step of a delivery.
	Outcomes map[record.Outcome]int64
	// Reasons counts the records with the outcome Dead by reason.
	Reasons map[string]int64
	// DeliveredLate of those delivered needed more than one attempt.
	DeliveredLate int64
	// Latency, from acceptance to delivery, of the half, of 95 % and of 99 % of those delivered: at most maxLatencies of
	// them, the youngest.
	Latency [3]time.Duration
}

// percentiles of Summary.Latency.
var percentiles = [3]float64{.50, .95, .99}

// maxLatencies bounds the rows that are sorted for the percentiles.
const maxLatencies = 100_000

// Summarize counts the records of some partitions since a time.
func (x *Index) Summarize(ctx context.Context, partitions []int, since time.Time) (out Summary, err error) {
	out.Outcomes, out.Reasons = map[record.Outcome]int64{}, map[string]int64{}
	if len(partitions) == 0 {
		return out, nil
	}
	w := where{}
	w.add("connector = ?", x.connector)
	w.add("at >= ?", since.UnixNano())
	args := make([]any, len(partitions))
	for i, p := range partitions {
		args[i] = p
	}
	w.add("part IN ("+marks(len(args))+")", args...)
	err = x.use(ctx, func(ctx context.Context, s *store) error {
		if err := x.countOutcomes(ctx, s, w, &out); err != nil {
			return fmt.Errorf("index: %w", err)
		}
		if err := x.percentiles(ctx, s, w, &out); err != nil {
			return fmt.Errorf("index: %w", err)
		}
		return nil
	})
	return out, err
}

func (x *Index) countOutcomes(ctx context.Context, s *store, w where, out *Summary) error {
	rows, err := s.read.QueryContext(ctx, x.dialect.bind("SELECT outcome, CASE WHEN outcome = 'Dead' THEN reason ELSE '' END AS why, "+
		"count(*), sum(CASE WHEN attempt > 1 THEN 1 ELSE 0 END) FROM "+tableRecords+" WHERE "+w.String()+" GROUP BY 1, 2"), w.args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var outcome record.Outcome
		var why string
		var n, again int64
		if err := rows.Scan(&outcome, &why, &n, &again); err != nil {
			return err
		}
		out.Outcomes[outcome] += n
		switch outcome {
		case record.Dead:
			out.Reasons[why] += n
		case record.Delivered:
			out.DeliveredLate = again
		}
	}
	return rows.Err()
}

func (x *Index) percentiles(ctx context.Context, s *store, w where, out *Summary) error {
	n := min(out.Outcomes[record.Delivered], maxLatencies)
	if n == 0 {
		return nil
	}
	query := x.dialect.bind("SELECT took FROM (SELECT at - accepted_at AS took FROM " + tableRecords + " WHERE " + w.String() +
		" AND outcome = 'Delivered' ORDER BY at DESC LIMIT ?) AS latest ORDER BY took LIMIT 1 OFFSET ?")
	for i, p := range percentiles {
		var took int64
		args := append(append([]any{}, w.args...), n, int64(p*float64(n-1)))
		if err := s.read.QueryRowContext(ctx, query, args...).Scan(&took); err != nil {
			return err
		}
		out.Latency[i] = time.Duration(max(took, 0))
	}
	return nil
}
