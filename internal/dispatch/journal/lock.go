package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lockPoll is how often a taken lock is tried again; the kernel has no waiting lock with a deadline.
const lockPoll = 100 * time.Millisecond

// acquire takes the lock of dir. A pod that replaces another one on the same node waits here until the old one is gone.
func acquire(ctx context.Context, dir string, wait time.Duration) (*os.File, error) {
	name := filepath.Join(dir, "lock")
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("store: cannot write to it: %w; check that the volume is not read-only or full", err)
	}
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			_ = f.Close()
			return nil, fmt.Errorf("store: cannot lock %s: %w", name, err)
		}
		select {
		case <-time.After(lockPoll):
		case <-deadline.C:
			_ = f.Close()
			return nil, fmt.Errorf("store: %s is in use by another dispatcher; end that one, or give this one a directory of its own (--store)", dir)
		case <-ctx.Done():
			_ = f.Close()
			return nil, ctx.Err()
		}
	}
}
