// Package journal is the dispatcher's memory: streams kept by NATS JetStream, in a server inside the process with its
// files on a volume, or in a NATS cluster.
//
// Everything that the dispatcher promises rests on a few streams: EVENTS (accepted deliveries) and RECORDS (what became
// of them: the only source of truth about progress), one pair for each partition; DEAD (dead letters); CHECKPOINT (a
// summary of RECORDS, so that a start need not read all of them) and IDS (which events were accepted lately). Nothing is
// acknowledged before it was synced to disk. Items are stored in frames, so that one sync serves many of them.
package journal

import (
	"context"
	"encoding/json"
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
	// maxPayload bounds one stored message of the server inside the process, in bytes.
	maxPayload = 8 << 20
	// maxMemory bounds what JetStream keeps in memory streams, in bytes; the dispatcher has none of its own.
	maxMemory = 64 << 20
	// startTimeout bounds how long the server may take to recover its streams.
	startTimeout = 2 * time.Minute
	// requestTimeout bounds one request to the server.
	requestTimeout = 10 * time.Second
	// MinBytes is the smallest size of a store.
	MinBytes = 32 << 20
	// headroom of a message for its subject and header, in bytes.
	headroom = 4 << 10
)

// Config of a journal.
type Config struct {
	// Dir on the volume, for the lock and the streams of the server inside the process. It is created when it is missing.
	Dir string
	// MaxBytes bounds all streams together.
	MaxBytes int64
	// Partitions is the number of partitions; it never changes during the life of a store.
	Partitions int
	// RecordsMaxAge is how long records are kept; 0 means as long as there is room.
	RecordsMaxAge time.Duration
	// LockWait is how long to wait for another process to let go of Dir.
	LockWait time.Duration
	// Remote is the NATS cluster that holds the streams; nil means the server inside the process.
	Remote *Remote
	Log    logr.Logger
}

func (c *Config) replicas() int {
	if c.Remote == nil {
		return 1
	}
	return c.Remote.Replicas
}

// Journal is an open store. Close it before the process ends.
type Journal struct {
	config Config
	// prefix of the names of streams, subjects of their subjects.
	prefix, subjects string

	lock    *os.File
	server  *server.Server
	publish *nats.Conn
	read    *nats.Conn
	js      jetstream.JetStream

	// engine ends, with the cause, when the server inside the process cannot write any more.
	engine     context.Context
	failEngine context.CancelCauseFunc

	dead, checkpoints, ids *Log
	state                  jetstream.KeyValue
	closeOnce              sync.Once
}

// Open locks dir, starts the server or connects to the cluster, and opens the shared streams. It never deletes data: a
// store that cannot be read is an error that says so.
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
	j := &Journal{config: c, lock: lock}
	j.engine, j.failEngine = context.WithCancelCause(context.Background())
	connect := j.embed
	if c.Remote != nil {
		connect = j.connect
	}
	if err := connect(ctx); err != nil {
		j.Close()
		return nil, err
	}
	if j.js, err = jetstream.New(j.publish, jetstream.WithDefaultTimeout(requestTimeout)); err == nil {
		err = j.openShared(ctx)
	}
	if err != nil {
		err = j.blame(err)
		j.Close()
		return nil, fmt.Errorf("store: %w", err)
	}
	return j, nil
}

// embed starts the server inside the process.
func (j *Journal) embed(context.Context) error {
	c := j.config
	bridge := &serverLog{log: c.Log, fail: j.failEngine}
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
		MaxPending:         4 * maxPayload,
	})
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	srv.SetLoggerV2(bridge, false, false, false)
	j.server = srv
	srv.Start()
	if !srv.ReadyForConnections(startTimeout) || !srv.JetStreamEnabled() {
		return fmt.Errorf("store: cannot open %s: %w; the volume may be full, read-only or damaged", c.Dir, volume(bridge.cause()))
	}
	// Two connections: a reader that falls behind must not slow down what waits for acknowledgements.
	if j.publish, err = nats.Connect("", nats.InProcessServer(srv), nats.Name("publish")); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if j.read, err = nats.Connect("", nats.InProcessServer(srv), nats.Name("read"), nats.SyncQueueLen(readQueue)); err != nil {
		return fmt.Errorf("store: %w", err)
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
		j.failEngine(nil)
		// Closing the file releases the lock.
		_ = j.lock.Close()
	})
}

// maxMessage is the size of the largest message that can be stored, in bytes.
func (j *Journal) maxMessage() int { return int(j.publish.MaxPayload()) - headroom }

// MaxItem is the size of the largest item that can be stored, in bytes.
func (j *Journal) MaxItem() int { return j.maxMessage() - headroom }

// store writes a message to a stream that several processes may write, and returns its sequence number.
func (j *Journal) store(ctx context.Context, m *nats.Msg) (uint64, error) {
	answer, err := ask(ctx, j.engine, j.publish, m)
	if err != nil {
		return 0, err
	}
	var ack struct {
		Seq   uint64              `json:"seq"`
		Error *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(answer.Data, &ack); err != nil {
		return 0, err
	}
	if ack.Error != nil {
		return 0, (&Log{name: m.Subject}).explain(ack.Error)
	}
	return ack.Seq, nil
}

func (j *Journal) request(ctx context.Context, m *nats.Msg) error {
	_, err := j.store(ctx, m)
	return err
}

// Bytes is the size of all streams, in bytes; 0 when it cannot be told.
func (j *Journal) Bytes() int64 {
	if j.server != nil {
		v, err := j.server.Jsz(nil)
		if err != nil {
			return 0
		}
		return int64(v.Store)
	}
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	info, err := j.js.AccountInfo(ctx)
	if err != nil {
		return 0
	}
	return int64(info.Store)
}

// Check reports whether the store answers.
func (j *Journal) Check(ctx context.Context) error {
	_, err := j.dead.Bounds(ctx)
	return err
}

// MaxBytes is the most that all streams may take, in bytes.
func (j *Journal) MaxBytes() int64 { return j.config.MaxBytes }
