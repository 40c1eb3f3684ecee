package index

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/oabridge/oabridge/internal/dispatch/record"
)

// Account is a bound person.
type Account struct{ CRM, OA string }

// Pending is an open item in the list that an OA reads.
type Pending struct {
	// Item as the OA gets it.
	Item string
	// at and lane are its place in the list.
	at   int64
	lane string
}

// After names the place behind an item of the list, for the page after it.
func (p *Pending) After() string { return fmt.Sprintf("%d.%s", p.at, p.lane) }

// list brings the list of open items up to date with the records of a batch. What is in already is not applied again: an old
// record would bring back what a newer one took off.
func (x *Index) list(ctx context.Context, tx *sql.Tx, batch []Located) error {
	positions := map[int]int64{}
	for _, l := range batch {
		r := l.Record
		if r.Listed == nil || r.Outcome != record.Delivered && !r.Awaited() {
			continue
		}
		position, known := positions[l.Partition]
		if !known {
			var err error
			if position, err = x.lockPosition(ctx, tx, l.Partition); err != nil {
				return err
			}
			positions[l.Partition] = position
		}
		if int64(l.Frame) <= position {
			continue
		}
		key := r.Key()
		lane := hex.EncodeToString(key[:])
		var err error
		if r.Listed.Item == "" {
			_, err = tx.ExecContext(ctx, x.dialect.bind("DELETE FROM "+tablePendings+" WHERE connector = ? AND lane = ?"), x.connector, lane)
		} else {
			_, err = tx.ExecContext(ctx, x.dialect.bind("INSERT INTO "+tablePendings+" (connector, lane, part, receiver, receiver_oa, accepted_at, item) VALUES (?, ?, ?, ?, ?, ?, ?) "+
				"ON CONFLICT (connector, lane) DO UPDATE SET receiver_oa = excluded.receiver_oa, item = excluded.item"),
				x.connector, lane, l.Partition, clean(r.Receiver), clean(r.ReceiverOA), nanos(r.AcceptedAt), clean(r.Listed.Item))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// lockPosition returns the position of a partition and keeps others from moving it until the transaction ends: two replicas
// may apply the same records while a partition changes its owner.
func (x *Index) lockPosition(ctx context.Context, tx *sql.Tx, partition int) (frame int64, err error) {
	err = tx.QueryRowContext(ctx, x.dialect.bind("INSERT INTO "+tablePositions+" AS p (connector, part, frame) VALUES (?, ?, 0) "+
		"ON CONFLICT (connector, part) DO UPDATE SET frame = p.frame RETURNING frame"), x.connector, partition).Scan(&frame)
	return frame, err
}

// Pendings returns the open items of people, the oldest first, beginning after a place that Pending.After gave; empty is
// the beginning. An item that was listed under another OA account than the person has now is left out.
func (x *Index) Pendings(ctx context.Context, people []Account, after string, limit int) (page []Pending, total int64, err error) {
	if len(people) == 0 {
		return nil, 0, nil
	}
	from := Pending{at: -1}
	if after != "" {
		if n, err := fmt.Sscanf(after, "%d.%s", &from.at, &from.lane); err != nil || n != 2 {
			return nil, 0, ErrPlace
		}
	}
	args := []any{x.connector}
	for _, p := range people {
		args = append(args, clean(p.CRM), clean(p.OA))
	}
	where := " FROM " + tablePendings + " WHERE connector = ? AND (receiver, receiver_oa) IN (VALUES " +
		strings.TrimSuffix(strings.Repeat("(?,?),", len(people)), ",") + ")"
	err = x.use(ctx, func(ctx context.Context, s *store) error {
		if err := s.read.QueryRowContext(ctx, x.dialect.bind("SELECT count(*)"+where), args...).Scan(&total); err != nil {
			return fmt.Errorf("index: %w", err)
		}
		rows, err := s.read.QueryContext(ctx, x.dialect.bind("SELECT accepted_at, lane, item"+where+
			" AND (accepted_at, lane) > (?, ?) ORDER BY accepted_at, lane LIMIT ?"), append(args, from.at, from.lane, limit)...)
		if err != nil {
			return fmt.Errorf("index: %w", err)
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var p Pending
			if err := rows.Scan(&p.at, &p.lane, &p.Item); err != nil {
				return fmt.Errorf("index: %w", err)
			}
			page = append(page, p)
		}
		if err := rows.Err(); err != nil {
			return fmt.Errorf("index: %w", err)
		}
		return nil
	})
	return page, total, err
}

// ErrPlace is returned for a place that no answer gave.
var ErrPlace = errors.New("is not a place that an answer gave")
