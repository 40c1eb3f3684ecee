package mounted

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

// More pods than the node has watchers for: a change is seen all the same, and without a wait as soon as there is one.
func TestWatchWithoutWatchers(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var free atomic.Bool
	var opened atomic.Int32
	changed, done := make(chan struct{}, 64), make(chan error, 1)
	go func() {
		done <- watch(ctx, dir, func() { changed <- struct{}{} }, func() (*fsnotify.Watcher, error) {
			if !free.Load() {
				return nil, errors.New("too many open files")
			}
			opened.Add(1)
			return fsnotify.NewWatcher()
		})
	}()
	see := func(name string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("%s was not seen", name)
		}
	}
	<-changed
	see("one")
	free.Store(true)
	see("two")
	if opened.Load() != 1 {
		t.Errorf("%d watchers were made", opened.Load())
	}
	see("three")
	if opened.Load() != 1 {
		t.Errorf("%d watchers were made", opened.Load())
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
