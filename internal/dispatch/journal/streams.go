package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Shares of Config.MaxBytes, in per cent. The rest is for checkpoints, ids and the small state.
const (
	shareEvents  = 55
	shareRecords = 25
	shareDead    = 10
)

// Streams and their subjects. In a NATS cluster both carry the connector's name in front.
const (
	streamEvents     = "EVENTS_"  // one for each partition
	streamRecords    = "RECORDS_" // one for each partition
	streamDead       = "DEAD"
	streamCheckpoint = "CHECKPOINT"
	streamIDs        = "IDS"
	bucketState      = "STATE"

	subjectEvents     = "ev"
	subjectRecords    = "rec"
	subjectDead       = "dead"
	subjectCheckpoint = "cp"
	subjectIDs        = "ids"
)

// idsMaxAge is how long remembered ids stay: the window and one part of it.
const idsMaxAge = DedupeWindow + 2*DedupeWindow/idGenerations

func (j *Journal) streamConfig(name, subject string, share int64) jetstream.StreamConfig {
	c := jetstream.StreamConfig{
		Name: j.prefix + name, Subjects: []string{j.subjects + subject},
		Retention: jetstream.LimitsPolicy, Storage: jetstream.FileStorage, Discard: jetstream.DiscardNew,
		AllowDirect: true, Replicas: j.config.replicas(), MaxBytes: -1,
	}
	if share > 0 {
		c.MaxBytes = j.config.MaxBytes / 100 * share
	}
	return c
}

// openShared opens the streams that all partitions share.
func (j *Journal) openShared(ctx context.Context) error {
	dead := j.streamConfig(streamDead, subjectDead+".*", shareDead)
	dead.Duplicates = DedupeWindow
	checkpoints := j.streamConfig(streamCheckpoint, subjectCheckpoint+".*", 0)
	remembered := j.streamConfig(streamIDs, subjectIDs+".*", 0)
	remembered.MaxAge, remembered.Discard = idsMaxAge, jetstream.DiscardOld
	for _, s := range []struct {
		config jetstream.StreamConfig
		log    **Log
	}{{dead, &j.dead}, {checkpoints, &j.checkpoints}, {remembered, &j.ids}} {
		log, err := j.openStream(ctx, s.config)
		if err != nil {
			return err
		}
		*s.log = log
	}
	state, err := again(ctx, func(ctx context.Context) (jetstream.KeyValue, error) {
		return j.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
			Bucket:         j.prefix + bucketState,
			Description:    "used sign-in proofs, owners, tokens, notices",
			History:        1,
			LimitMarkerTTL: time.Second,
			Storage:        jetstream.FileStorage,
			Replicas:       j.config.replicas(),
		})
	})
	if err != nil {
		return fmt.Errorf("cannot open bucket %s: %w", j.prefix+bucketState, volume(err))
	}
	j.state = state
	return nil
}

func (j *Journal) openStream(ctx context.Context, c jetstream.StreamConfig) (*Log, error) {
	if err := j.refuseToHide(ctx, c.Name); err != nil {
		return nil, err
	}
	stream, err := again(ctx, func(ctx context.Context) (jetstream.Stream, error) { return j.js.CreateOrUpdateStream(ctx, c) })
	if err != nil {
		return nil, fmt.Errorf("cannot open stream %s: %w", c.Name, volume(err))
	}
	if err := j.config.durable(stream.CachedInfo()); err != nil {
		return nil, err
	}
	return &Log{name: c.Name, subject: c.Subjects[0], stream: stream, publish: j.publish, read: j.read, engine: j.engine}, nil
}

const (
	// createTimeout bounds one try to make a stream, createTries their number. Of two replicas that make the same one at the
	// same time, one gets no answer from the cluster; then it is there when it asks again.
	createTimeout = time.Second
	createTries   = 10
)

// again does what makes a stream until there is an answer.
func again[T any](ctx context.Context, do func(context.Context) (T, error)) (out T, err error) {
	for range createTries {
		try, cancel := context.WithTimeout(ctx, createTimeout)
		out, err = do(try)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
			break
		}
	}
	return out, err
}

// refuseToHide makes sure that a damaged stream is not replaced by an empty one: the server leaves out what it cannot
// recover, and making the stream again would bury the data. A stream that somebody made in memory stays what it is.
func (j *Journal) refuseToHide(ctx context.Context, name string) error {
	stream, err := j.js.Stream(ctx, name)
	switch {
	case err == nil && stream.CachedInfo().Config.Storage != jetstream.FileStorage:
		return j.config.durable(stream.CachedInfo())
	case !errors.Is(err, jetstream.ErrStreamNotFound):
		return err
	case j.server == nil:
		return nil
	}
	onDisk := filepath.Join(j.config.Dir, "journal", "jetstream", "$G", "streams", name)
	if _, err := os.Stat(onDisk); err == nil {
		return fmt.Errorf("%w: stream %s is on disk but cannot be recovered; nothing was changed: restore the volume from a backup, or move %s away and let the CRM send its open items again", ErrDamaged, name, onDisk)
	}
	return nil
}

// ErrDamaged says that what is on disk cannot be read.
var ErrDamaged = errors.New("the store is damaged")

// Partition is the part of the store that one owner at a time writes: a share of the items, by the hash of their key.
type Partition struct {
	Number int
	// Events holds accepted deliveries, Records what became of them.
	Events, Records *Frames

	journal *Journal
}

// Recovery finds out how far the last owner of a partition got.
type Recovery struct {
	// Record returns the least number for a new record by the last checkpoint, which is nil when there is none.
	Record func(checkpoint []byte) uint64
	// Recover gets the last checkpoint, reads Records and returns the least number for a new delivery.
	Recover func(p *Partition, checkpoint []byte) (uint64, error)
}

// OpenPartition takes over a partition: from now on no other process can write to it. The least numbers see to it that a
// number never means two records or two deliveries, even when a log or the end of it was lost.
func (j *Journal) OpenPartition(ctx context.Context, number int, how Recovery) (*Partition, error) {
	p := &Partition{Number: number, journal: j}
	share := func(all int64) int64 { return all / int64(max(j.config.Partitions, 1)) }
	events := j.streamConfig(streamEvents+strconv.Itoa(number), p.name(subjectEvents), shareEvents)
	records := j.streamConfig(streamRecords+strconv.Itoa(number), p.name(subjectRecords), shareRecords)
	events.MaxBytes, records.MaxBytes = share(events.MaxBytes), share(records.MaxBytes)
	// Old records make room for new ones: the checkpoint no longer needs them.
	records.Discard, records.MaxAge = jetstream.DiscardOld, j.config.RecordsMaxAge
	eventLog, err := j.openStream(ctx, events)
	if err != nil {
		return nil, err
	}
	recordLog, err := j.openStream(ctx, records)
	if err != nil {
		return nil, err
	}
	p.Events, p.Records = &Frames{Log: eventLog, ids: newIDs(time.Now)}, &Frames{Log: recordLog}
	// The last owner may still write another checkpoint, which does not matter here: then it has written records too.
	checkpoint, err := p.LoadCheckpoint(ctx)
	if err != nil {
		return nil, err
	}
	if err := p.Records.open(ctx, how.Record(checkpoint)); err != nil {
		return nil, err
	}
	if checkpoint, err = p.LoadCheckpoint(ctx); err != nil {
		return nil, err
	}
	least, err := how.Recover(p, checkpoint)
	if err != nil {
		return nil, err
	}
	if err := p.Events.open(ctx, least); err != nil {
		return nil, err
	}
	if err := p.loadIDs(ctx); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Partition) name(subject string) string    { return subject + "." + strconv.Itoa(p.Number) }
func (p *Partition) subject(subject string) string { return p.journal.subjects + p.name(subject) }
