package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Shares of Config.MaxBytes, in per cent. The rest is for checkpoints, proofs and the staging of batches.
const (
	shareEvents  = 55
	shareRecords = 25
	shareDead    = 10
)

const (
	streamEvents     = "EVENTS"
	streamRecords    = "RECORDS"
	streamDead       = "DEAD"
	streamCheckpoint = "CHECKPOINT"
	bucketProofs     = "proofs"
	// SubjectEvents is followed by a partition.
	SubjectEvents = "ev."
	// SubjectRecords takes the outcome log.
	SubjectRecords = "rec"
	// SubjectDead takes the dead letters.
	SubjectDead = "dead"

	subjectCheckpoint = "checkpoint"
	// keptCheckpoints: one would do, a second one costs nothing.
	keptCheckpoints = 2
	// MaxProofTTL bounds how long a used proof is remembered.
	MaxProofTTL = time.Hour
)

func (j *Journal) openStreams(ctx context.Context, c Config) error {
	share := func(percent int64) int64 { return c.MaxBytes / 100 * percent }
	base := jetstream.StreamConfig{
		Retention:          jetstream.LimitsPolicy,
		Storage:            jetstream.FileStorage,
		Discard:            jetstream.DiscardNew,
		AllowAtomicPublish: true,
		AllowDirect:        true,
	}

	events := base
	events.Name, events.Subjects = streamEvents, []string{SubjectEvents + "*"}
	events.MaxBytes, events.Duplicates = share(shareEvents), DedupeWindow

	// Old records make room for new ones: the checkpoint no longer needs them.
	records := base
	records.Name, records.Subjects = streamRecords, []string{SubjectRecords}
	records.MaxBytes, records.Discard = share(shareRecords), jetstream.DiscardOld

	dead := base
	dead.Name, dead.Subjects, dead.MaxBytes = streamDead, []string{SubjectDead}, share(shareDead)

	checkpoint := base
	checkpoint.Name, checkpoint.Subjects = streamCheckpoint, []string{subjectCheckpoint}
	checkpoint.MaxMsgs, checkpoint.Discard = keptCheckpoints, jetstream.DiscardOld

	for _, s := range []struct {
		config jetstream.StreamConfig
		log    **Log
	}{{events, &j.Events}, {records, &j.Records}, {dead, &j.Dead}, {checkpoint, &j.checkpoints}} {
		if err := j.refuseToHide(ctx, c.Dir, s.config.Name); err != nil {
			return err
		}
		stream, err := j.js.CreateOrUpdateStream(ctx, s.config)
		if err != nil {
			return fmt.Errorf("cannot open stream %s: %w", s.config.Name, err)
		}
		*s.log = &Log{name: s.config.Name, stream: stream, js: j.js, publish: j.publish, read: j.read}
	}

	proofs, err := j.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket:         bucketProofs,
		Description:    "sign-in proofs that were used",
		History:        1,
		TTL:            MaxProofTTL,
		LimitMarkerTTL: time.Second,
		Storage:        jetstream.FileStorage,
	})
	if err != nil {
		return fmt.Errorf("cannot open bucket %s: %w", bucketProofs, err)
	}
	j.proofs = proofs
	return nil
}

// refuseToHide makes sure that a damaged stream is not replaced by an empty one: the server leaves out what it cannot
// recover, and making the stream again would bury the data.
func (j *Journal) refuseToHide(ctx context.Context, dir, name string) error {
	_, err := j.js.Stream(ctx, name)
	if !errors.Is(err, jetstream.ErrStreamNotFound) {
		return err
	}
	onDisk := filepath.Join(dir, "journal", "jetstream", "$G", "streams", name)
	if _, err := os.Stat(onDisk); err == nil {
		return fmt.Errorf("stream %s is on disk but cannot be recovered; nothing was changed: restore the volume from a backup, or move %s away and let the CRM send its open items again", name, onDisk)
	}
	return nil
}
