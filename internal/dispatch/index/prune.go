package index

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"
)

// pruneRows bounds the rows that one transaction removes, so that nobody waits long for it.
const pruneRows = 5000

// Prune removes what the log of a partition no longer holds: everything before firstFrame.
func (x *Index) Prune(ctx context.Context, partition int, firstFrame uint64) error {
	find := x.dialect.bind("SELECT frame FROM " + tableRecords + " WHERE connector = ? AND part = ? AND frame < ? ORDER BY frame, idx LIMIT 1 OFFSET ?")
	remove := x.dialect.bind("DELETE FROM " + tableRecords + " WHERE connector = ? AND part = ? AND frame < ?")
	for more := true; more; {
		err := x.use(ctx, func(ctx context.Context, s *store) error {
			before := int64(firstFrame)
			// Up to and with the frame that holds the last row of this round.
			switch err := s.read.QueryRowContext(ctx, find, x.connector, partition, before, pruneRows).Scan(&before); {
			case errors.Is(err, sql.ErrNoRows):
				more = false
			case err != nil:
				return fmt.Errorf("index: %w", err)
			default:
				before++
			}
			if _, err := s.write.ExecContext(ctx, remove, x.connector, partition, before); err != nil {
				return fmt.Errorf("index: %w", err)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Shrink removes the oldest tenth of what the index has of a partition, although the log may still hold it.
func (x *Index) Shrink(ctx context.Context, partition int) error {
	var first, last int64
	err := x.use(ctx, func(ctx context.Context, s *store) error {
		// Two statements, because the database finds each end in its key at once.
		for _, end := range []struct {
			function string
			to       *int64
		}{{"min", &first}, {"max", &last}} {
			if err := s.read.QueryRowContext(ctx, x.dialect.bind("SELECT coalesce("+end.function+"(frame), 0) FROM "+tableRecords+" WHERE connector = ? AND part = ?"),
				x.connector, partition).Scan(end.to); err != nil {
				return fmt.Errorf("index: %w", err)
			}
		}
		return nil
	})
	if err != nil || last == 0 {
		return err
	}
	return x.Prune(ctx, partition, uint64(first+max((last-first)/10, 1)))
}

// Forget removes all that is known of a partition, its position too: the log is another one than it was.
func (x *Index) Forget(ctx context.Context, partition int) error {
	if err := x.Prune(ctx, partition, math.MaxInt64); err != nil {
		return err
	}
	return x.use(ctx, func(ctx context.Context, s *store) error {
		for _, table := range []string{tablePendings, tablePositions} {
			if _, err := s.write.ExecContext(ctx, x.dialect.bind("DELETE FROM "+table+" WHERE connector = ? AND part = ?"), x.connector, partition); err != nil {
				return fmt.Errorf("index: %w", err)
			}
		}
		return nil
	})
}

// Bytes is the space that the records take; in PostgreSQL those of all connectors in the database.
func (x *Index) Bytes(ctx context.Context) (n int64, err error) {
	err = x.use(ctx, func(ctx context.Context, s *store) error {
		if n, err = x.dialect.bytes(ctx, s); err != nil {
			return fmt.Errorf("index: %w", err)
		}
		return nil
	})
	return n, err
}

// Stats describes what the index holds for the connector.
type Stats struct {
	Records int64
	// Oldest and Newest are the times of records, zero when there is none.
	Oldest, Newest time.Time
	// Bytes on disk; in PostgreSQL those of all connectors in the database.
	Bytes int64
	// Positions by partition.
	Positions map[int]uint64
}

// Stats counts the rows, which takes a while in a large index.
func (x *Index) Stats(ctx context.Context) (out Stats, err error) {
	err = x.use(ctx, func(ctx context.Context, s *store) error {
		var oldest, newest int64
		if err := s.read.QueryRowContext(ctx, x.dialect.bind("SELECT count(*), coalesce(min(at), 0), coalesce(max(at), 0) FROM "+tableRecords+" WHERE connector = ?"),
			x.connector).Scan(&out.Records, &oldest, &newest); err != nil {
			return fmt.Errorf("index: %w", err)
		}
		out.Oldest, out.Newest = fromNanos(oldest), fromNanos(newest)
		rows, err := s.read.QueryContext(ctx, x.dialect.bind("SELECT part, frame FROM "+tablePositions+" WHERE connector = ?"), x.connector)
		if err != nil {
			return fmt.Errorf("index: %w", err)
		}
		defer func() { _ = rows.Close() }()
		out.Positions = map[int]uint64{}
		for rows.Next() {
			var part int
			var frame int64
			if err := rows.Scan(&part, &frame); err != nil {
				return fmt.Errorf("index: %w", err)
			}
			out.Positions[part] = uint64(frame)
		}
		if err := rows.Err(); err != nil {
			return fmt.Errorf("index: %w", err)
		}
		if out.Bytes, err = x.dialect.bytes(ctx, s); err != nil {
			return fmt.Errorf("index: %w", err)
		}
		return nil
	})
	return out, err
}
