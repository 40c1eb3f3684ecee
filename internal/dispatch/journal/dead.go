package journal

import (
	"context"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Bury keeps a dead letter of a partition; number is that of the delivery, and a repeat of it is kept once.
func (p *Partition) Bury(ctx context.Context, number uint64, data []byte) error {
	m := &nats.Msg{Subject: p.subject(subjectDead), Data: data, Header: nats.Header{
		jetstream.MsgIDHeader: {strconv.Itoa(p.Number) + "." + strconv.FormatUint(number, 10)},
	}}
	if err := p.journal.request(ctx, m); err != nil {
		return fmt.Errorf("dead letter: %w", err)
	}
	return nil
}

// DeadLetters returns up to limit dead letters from sequence number from on, of all partitions.
func (j *Journal) DeadLetters(ctx context.Context, from uint64, limit int) ([]Stored, error) {
	return j.dead.Read(ctx, from, limit)
}

// IsOf reports whether a dead letter belongs to the partition.
func (p *Partition) IsOf(s Stored) bool { return s.Subject == p.subject(subjectDead) }

// LastDead is the sequence number of the youngest dead letter, 0 when there never was one.
func (j *Journal) LastDead(ctx context.Context) (uint64, error) {
	b, err := j.dead.Bounds(ctx)
	return b.Last, err
}

// DeadRange is the sequence numbers of the oldest and the youngest dead letter; there may be gaps in between.
func (j *Journal) DeadRange(ctx context.Context) (oldest, youngest uint64, err error) {
	b, err := j.dead.Bounds(ctx)
	return b.First, b.Last, err
}

// RemoveDead removes a dead letter.
func (j *Journal) RemoveDead(ctx context.Context, seq uint64) error { return j.dead.Remove(ctx, seq) }

// CountDead is the number of dead letters of a partition.
func (p *Partition) CountDead(ctx context.Context) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	info, err := p.journal.dead.stream.Info(ctx, jetstream.WithSubjectFilter(p.subject(subjectDead)))
	if err != nil {
		return 0, fmt.Errorf("dead letters: %w", err)
	}
	return int64(info.State.Subjects[p.subject(subjectDead)]), nil
}
