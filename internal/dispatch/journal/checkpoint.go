package journal

import (
	"context"
)

// SaveCheckpoint syncs a summary, which replaces the one before.
func (j *Journal) SaveCheckpoint(ctx context.Context, data []byte) error {
	g := &Group{Messages: []Message{{Subject: subjectCheckpoint, Data: data}}}
	j.checkpoints.Append(ctx, []*Group{g})
	return g.Err
}

// LoadCheckpoint returns the last summary, nil when there is none.
func (j *Journal) LoadCheckpoint(ctx context.Context) ([]byte, error) {
	b, err := j.checkpoints.Bounds(ctx)
	if err != nil || b.Messages == 0 {
		return nil, err
	}
	return j.checkpoints.Get(ctx, b.Last)
}
