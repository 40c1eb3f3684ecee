package index

import (
	"context"
	"fmt"
	"strings"

	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/scenario"
)

// RevokeSource is the source of the events with which the dispatcher withdraws what it delivered.
const RevokeSource = "/oabridge/revoke"

// RevokePrefix begins the ids of those events.
const RevokePrefix = "oabridge-revoke-"

// Open lists items of a partition that were created or changed in the OA and neither finished nor withdrawn since, oldest
// item id first. Items whose withdrawal was tried and ended some other way are left out: it is not tried for ever. What the
// records do not hold any more is not known.
func (x *Index) Open(ctx context.Context, partition, limit int) (open []Hit, err error) {
	// A replay stands where the dead delivery stood.
	const order = "CASE %[1]s.replay_of WHEN 0 THEN %[1]s.seq ELSE %[1]s.replay_of END"
	const same = "n.connector = r.connector AND n.item = r.item AND n.part = r.part AND n.receiver = r.receiver AND n.kind = r.kind AND n.scenario = r.scenario"
	query := strings.Join([]string{
		"SELECT r.kind, r.item, r.version, r.action, r.receiver, r.scenario, r.seq, r.accepted_at, r.frame, r.idx FROM " + tableRecords + " r",
		"WHERE r.connector = ? AND r.part = ? AND r.outcome = 'Delivered' AND r.action IN ('create', 'update')",
		"AND NOT EXISTS (SELECT 1 FROM " + tableRecords + " n WHERE " + same,
		// of two that opened it the later one counts; what ended it ends it; a withdrawal that ended somehow is not repeated
		"AND (n.outcome = 'Delivered' AND " + fmt.Sprintf(order, "n") + " > " + fmt.Sprintf(order, "r"),
		"OR n.event LIKE '" + RevokePrefix + "%' AND n.outcome IN ('Delivered', 'Dead', 'Skipped') AND n.seq > r.seq))",
		"ORDER BY r.item, r.receiver, r.kind LIMIT ?",
	}, " ")
	err = x.use(ctx, func(ctx context.Context, s *store) error {
		rows, err := s.read.QueryContext(ctx, x.dialect.bind(query), x.connector, partition, limit)
		if err != nil {
			return fmt.Errorf("index: %w", err)
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var r record.Record
			var seq, accepted, frame int64
			h := Hit{Partition: partition}
			var action string
			if err := rows.Scan(&r.Kind, &r.ItemID, &r.Version, &action, &r.Receiver, &r.Scenario, &seq, &accepted, &frame, &h.Index); err != nil {
				return fmt.Errorf("index: %w", err)
			}
			r.Seq, r.AcceptedAt, r.Action = uint64(seq), fromNanos(accepted), scenario.Action(action)
			h.Record, h.Frame = r, uint64(frame)
			open = append(open, h)
		}
		if err := rows.Err(); err != nil {
			return fmt.Errorf("index: %w", err)
		}
		return nil
	})
	return open, err
}
