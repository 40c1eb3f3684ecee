// Package dispatch is the dispatcher of one connector: events of the CRM come in over HTTP, are synced to disk, and go
// out to the OA, in order for each item and receiver, retried, recorded.
//
// The way of an event: intake (HTTP, proof of origin) → journal (one delivery per receiver, synced before the 202) →
// lanes (one queue per item and receiver) → deliver (the live bundle decides how) → record (synced; only then is the
// delivery done and the next one of its lane starts).
package dispatch

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/go-logr/logr"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/tracing"
)

const (
	// DefaultShutdownTimeout is how long calls in flight may take to finish after the process was told to end.
	DefaultShutdownTimeout = 25 * time.Second
	// DefaultLockWait is how long to wait for an older process to let go of the store.
	DefaultLockWait = 15 * time.Second
	// storeShare is the part of the volume that the store may fill by default, in per cent. The file system needs
	// the rest to stay fast, and the storage engine to stage batches.
	storeShare = 80
)

// Options of a dispatcher.
type Options struct {
	// Bundle, Secrets and Store are directories.
	Bundle, Secrets, Store string
	// ListenPublic serves events, ListenAdmin health, metrics and the report, ListenPeer proofs to the gateway, and
	// ListenLocal the records. Each is host:port.
	ListenPublic, ListenAdmin, ListenPeer, ListenLocal string
	// Profile serves the runtime's profiles beside the records.
	Profile bool
	// Replica tells this process apart from the others of the same connector, for a queue that several share.
	Replica string
	// StoreMaxBytes bounds the store; 0 means 80 % of the volume.
	StoreMaxBytes int64
	// ShutdownTimeout is how long calls in flight may take to finish.
	ShutdownTimeout time.Duration
	// LockWait is how long to wait for an older process to let go of Store.
	LockWait time.Duration
	Log      logr.Logger
	// Tracer tells a collector of events and deliveries; nil tells nobody.
	Tracer *tracing.Tracer
	// NewPusher makes the driver for a bundle; nil means the registered drivers.
	NewPusher func(b *bundle.Bundle, secrets string, now func() time.Time) (oa.Pusher, error)

	tuning tuning
}

// tuning holds what tests make shorter.
type tuning struct {
	probeFirst, probeMax, probeToken, probeTokenMax time.Duration
	housekeeping                                    time.Duration
	lease, digestRetry                              time.Duration
	confirmFirst                                    time.Duration
	maxWaiting, maxReady, maxFlow                   int
}

func defaultTuning() tuning {
	return tuning{
		probeFirst: probeFirst, probeMax: probeMax, probeToken: probeToken, probeTokenMax: probeTokenMax,
		housekeeping: housekeepingEvery, lease: leaseTime, confirmFirst: confirmFirst, maxWaiting: maxWaiting, maxReady: maxReady, maxFlow: maxFlow,
	}
}

// DefaultOptions are those of a pod that the operator made.
func DefaultOptions() Options {
	return Options{
		Bundle: bundle.DirBundle, Secrets: bundle.DirSecrets, Store: bundle.DirStore,
		ListenPublic: fmt.Sprintf(":%d", bundle.PortPublic), ListenAdmin: fmt.Sprintf(":%d", bundle.PortAdmin),
		ListenPeer: fmt.Sprintf(":%d", bundle.PortPeer), ListenLocal: fmt.Sprintf("127.0.0.1:%d", bundle.PortLocal),
		ShutdownTimeout: DefaultShutdownTimeout, LockWait: DefaultLockWait, tuning: defaultTuning(),
	}
}

func (o *Options) check() error {
	var errs []error
	for _, f := range []struct{ flag, value string }{
		{"--bundle", o.Bundle}, {"--secrets", o.Secrets}, {"--store", o.Store},
		{"--listen-public", o.ListenPublic}, {"--listen-admin", o.ListenAdmin},
		{"--listen-peer", o.ListenPeer}, {"--listen-local", o.ListenLocal},
	} {
		if f.value == "" {
			errs = append(errs, fmt.Errorf("%s is empty: give a value, or leave the flag out for its default", f.flag))
		}
	}
	if o.StoreMaxBytes < 0 {
		errs = append(errs, errors.New("--store-max-bytes is negative: give a number of bytes, or 0 for 80 % of the volume"))
	}
	if o.ShutdownTimeout <= 0 {
		errs = append(errs, errors.New("--shutdown-timeout must be more than 0"))
	}
	if o.tuning == (tuning{}) {
		o.tuning = defaultTuning()
	}
	return errors.Join(errs...)
}

// volumeShare is the default of StoreMaxBytes. It makes the directory when it is missing.
func volumeShare(dir string) (int64, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, fmt.Errorf("store: cannot make the directory: %w; check the volume and its permissions", err)
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return 0, fmt.Errorf("store: cannot read the size of its volume: %w; give --store-max-bytes", err)
	}
	return int64(fs.Blocks) * fs.Bsize / 100 * storeShare, nil
}
