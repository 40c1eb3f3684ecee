package journal

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// A checkpoint is cut into parts, because a message has a limit. Each part begins with the number of the checkpoint, its
// own number and the number of parts, 8 + 4 + 4 bytes. A checkpoint counts when all its parts are there.
const checkpointHeader = 16

// SaveCheckpoint syncs a summary, which replaces the one before.
func (p *Partition) SaveCheckpoint(ctx context.Context, data []byte) error {
	size := p.journal.maxMessage() - checkpointHeader
	parts := max((len(data)+size-1)/size, 1)
	id := rand.Uint64() // two owners in a takeover never mix their parts
	var first uint64
	for i := range parts {
		own := data[min(i*size, len(data)):min((i+1)*size, len(data))]
		b := make([]byte, checkpointHeader, checkpointHeader+len(own))
		binary.LittleEndian.PutUint64(b, id)
		binary.LittleEndian.PutUint32(b[8:], uint32(i))
		binary.LittleEndian.PutUint32(b[12:], uint32(parts))
		seq, err := p.journal.store(ctx, &nats.Msg{Subject: p.subject(subjectCheckpoint), Data: append(b, own...)})
		if err != nil {
			return fmt.Errorf("checkpoint: %w", err)
		}
		if i == 0 {
			first = seq
		}
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if err := p.journal.checkpoints.stream.Purge(ctx, jetstream.WithPurgeSubject(p.subject(subjectCheckpoint)), jetstream.WithPurgeSequence(first)); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return nil
}

// LoadCheckpoint returns the last complete summary, nil when there is none.
func (p *Partition) LoadCheckpoint(ctx context.Context) (found []byte, err error) {
	var current uint64
	var parts [][]byte
	var have uint32
	err = p.journal.checkpoints.each(ctx, func(m Stored) error {
		if m.Subject != p.subject(subjectCheckpoint) || len(m.Data) < checkpointHeader {
			return nil
		}
		number, part, of := binary.LittleEndian.Uint64(m.Data), binary.LittleEndian.Uint32(m.Data[8:]), binary.LittleEndian.Uint32(m.Data[12:])
		if part == 0 {
			current, parts, have = number, nil, 0
		}
		if number != current || part != have {
			return nil
		}
		parts, have = append(parts, m.Data[checkpointHeader:]), have+1
		if have == of {
			found = nil
			for _, b := range parts {
				found = append(found, b...)
			}
			if found == nil {
				found = []byte{}
			}
		}
		return nil
	})
	return found, err
}
