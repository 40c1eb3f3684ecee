// Package journal is the dispatcher's memory: streams on a volume, kept by a NATS JetStream server inside the process.
//
// Everything that the dispatcher promises rests on four streams: EVENTS (accepted deliveries), RECORDS (what became of
// them: the only source of truth about progress), DEAD (dead letters) and CHECKPOINT (a summary of RECORDS, so that a
// start need not read all of them). Nothing is acknowledged before it was synced to disk.
package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// maxPayload bounds one stored message, in bytes. The largest is a checkpoint.
	maxPayload = 8 << 20
	// maxMemory bounds what JetStream keeps in memory streams, in bytes; the dispatcher has none of its own.
	maxMemory = 64 << 20
	// startTimeout bounds how long the server may take to recover its streams.
	startTimeout = 2 * time.Minute
	// requestTimeout bounds one request to the server inside this process.
	requestTimeout = 10 * time.Second
	// DedupeWindow is how long the id of an accepted delivery is remembered.
	DedupeWindow = 10 * time.Minute
	// MinBytes is the smallest size of a store.
	MinBytes = 32 << 20
)

// Config of a journal.
type Config struct {
	// Dir on the volume. It is created when it is missing.
	Dir string
	// MaxBytes bounds all streams together.
	MaxBytes int64
	// LockWait is how long to wait for another process to let go of Dir.
	LockWait time.Duration
	Log      logr.Logger
}

// Journal is an open store. Close it before the process ends.
type Journal struct {
	// Events holds accepted deliveries, Records what became of them, Dead the dead letters.
	Events, Records, Dead *Log

	lock        *os.File
	server      *server.Server
	publish     *nats.Conn
	read        *nats.Conn
	js          jetstream.JetStream
	checkpoints *Log
	proofs      jetstream.KeyValue
	closeOnce   sync.Once
}

// Open locks dir, starts the server and makes the streams. It never deletes data: a store that cannot be read is an
// error that says so.
func Open(ctx context.Context, c Config) (*Journal, error) {
	if c.MaxBytes < MinBytes {
		return nil, fmt.Errorf("store: %d bytes are too few, give at least %d MiB (--store-max-bytes or a larger volume)", c.MaxBytes, MinBytes>>20)
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("store: cannot make the directory: %w; check the volume and its permissions", err)
	}
	lock, err := acquire(ctx, c.Dir, c.LockWait)
	if err != nil {
		return nil, err
	}
	j := &Journal{lock: lock}
	if err := j.start(ctx, c); err != nil {
		j.Close()
		return nil, err
	}
	return j, nil
}

func (j *Journal) start(ctx context.Context, c Config) error {
	bridge := &serverLog{log: c.Log}
	srv, err := server.NewServer(&server.Options{
		ServerName:         "dispatcher",
		JetStream:          true,
		StoreDir:           filepath.Join(c.Dir, "journal"),
		DontListen:         true,
		NoSigs:             true,
		SyncAlways:         true,
		JetStreamMaxStore:  c.MaxBytes,
		JetStreamMaxMemory: maxMemory,
		MaxPayload:         maxPayload,
	})
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	srv.SetLoggerV2(bridge, false, false, false)
	j.server = srv
	srv.Start()
	if !srv.ReadyForConnections(startTimeout) || !srv.JetStreamEnabled() {
		return fmt.Errorf("store: cannot open %s: %w; the volume may be full, read-only or damaged", c.Dir, bridge.cause())
	}
	// Two connections: a reader that falls behind must not slow down what waits for acknowledgements.
	if j.publish, err = nats.Connect("", nats.InProcessServer(srv), nats.Name("publish")); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if j.read, err = nats.Connect("", nats.InProcessServer(srv), nats.Name("read")); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if j.js, err = jetstream.New(j.publish, jetstream.WithDefaultTimeout(requestTimeout)); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if err := j.openStreams(ctx, c); err != nil {
		return fmt.Errorf("store: %w", errors.Join(err, bridge.cause()))
	}
	return nil
}

// Close stops the server, waits until its files are closed, and lets go of the directory.
func (j *Journal) Close() {
	j.closeOnce.Do(func() {
		for _, nc := range []*nats.Conn{j.publish, j.read} {
			if nc != nil {
				nc.Close()
			}
		}
		if j.server != nil {
			j.server.Shutdown()
			j.server.WaitForShutdown()
		}
		// Closing the file releases the lock.
		_ = j.lock.Close()
	})
}

// Bytes is the size of all streams, in bytes.
func (j *Journal) Bytes() int64 {
	v, err := j.server.Jsz(nil)
	if err != nil {
		return 0
	}
	return int64(v.Store)
}
