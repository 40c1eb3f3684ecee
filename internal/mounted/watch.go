package mounted

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// settle is how long a folder must be quiet before its change is reported: one update is many file operations.
	settle = 50 * time.Millisecond
	// maxSettle bounds the wait when a folder never becomes quiet.
	maxSettle = time.Second
	// recheck is how often the folders are looked at without an event, because events can be lost (network file
	// systems, overflows).
	recheck = 30 * time.Second
	// deafCheck is the same while the system tells of no events.
	deafCheck = time.Second
)

// notifier makes the system tell of events.
type notifier func() (*fsnotify.Watcher, error)

// Watch calls changed once it watches, and then after every change of a file in dir or in a folder directly below it,
// until ctx ends; then it returns nil. It understands Kubernetes' way of replacing a folder (the link ..data is
// swapped), and dir and its folders may appear later. changed is never called concurrently.
//
// Where the system tells of no more events it looks by itself, every second, until the system does: Linux counts
// watchers for each user (fs.inotify.max_user_instances, 128 by default), and all pods of a node are one user to it.
func Watch(ctx context.Context, dir string, changed func()) error {
	return watch(ctx, dir, changed, fsnotify.NewWatcher)
}

func watch(ctx context.Context, dir string, changed func(), open notifier) error {
	w := watcher{dir: filepath.Clean(dir), open: open}
	defer w.close()
	w.follow()
	seen := fingerprint(w.dir)
	changed()
	for {
		if !w.wait(ctx) || !w.quiet(ctx) {
			return nil
		}
		w.follow()
		if now := fingerprint(w.dir); now != seen {
			seen = now
			changed()
		}
	}
}

type watcher struct {
	dir  string
	open notifier
	// notify is nil while the system tells of no events; then nothing comes from events and errors.
	notify *fsnotify.Watcher
	events <-chan fsnotify.Event
	errors <-chan error
}

func (w *watcher) close() {
	if w.notify != nil {
		_ = w.notify.Close()
	}
}

// wait returns when it is time to look at the folders; false when ctx ended.
func (w *watcher) wait(ctx context.Context) bool {
	pause := recheck
	if w.notify == nil {
		pause = deafCheck
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-w.errors: //nolint:errcheck // whatever it is (an overflow, mostly): look again
	case <-w.events:
	case <-timer.C:
	}
	return true
}

// quiet waits until no event came for a while. It returns false when ctx ended.
func (w *watcher) quiet(ctx context.Context) bool {
	deadline := time.NewTimer(maxSettle)
	defer deadline.Stop()
	for {
		timer := time.NewTimer(settle)
		select {
		case <-w.events:
			timer.Stop()
		case <-w.errors: //nolint:errcheck // as above
			timer.Stop()
		case <-timer.C:
			return true
		case <-deadline.C:
			timer.Stop()
			return true
		case <-ctx.Done():
			timer.Stop()
			return false
		}
	}
}

// follow watches dir and the folders in it, or the nearest folder above dir that exists. Adding a watch twice is
// harmless; one for a folder that is gone goes with it.
func (w *watcher) follow() {
	if w.notify == nil {
		notify, err := w.open()
		if err != nil {
			return
		}
		w.notify, w.events, w.errors = notify, notify.Events, notify.Errors
	}
	if w.notify.Add(w.dir) != nil {
		for up := filepath.Dir(w.dir); w.notify.Add(up) != nil && up != filepath.Dir(up); {
			up = filepath.Dir(up)
		}
		// It may have appeared meanwhile.
		if w.notify.Add(w.dir) != nil {
			return
		}
	}
	entries, _ := os.ReadDir(w.dir)
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), "..") {
			_ = w.notify.Add(filepath.Join(w.dir, e.Name()))
		}
	}
}

// fingerprint changes when a file in dir or in a folder directly below it changes: names, sizes, times, and where links
// lead. It reads no file.
func fingerprint(dir string) string {
	var out strings.Builder
	describe(&out, dir, 1)
	return out.String()
}

func describe(out *strings.Builder, dir string, depth int) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if target, err := os.Readlink(path); err == nil {
			fmt.Fprintf(out, "%q->%q\n", path, target)
		}
		info, err := os.Stat(path)
		if err != nil {
			continue
		}
		if !info.IsDir() {
			fmt.Fprintf(out, "%q %d %d\n", path, info.Size(), info.ModTime().UnixNano())
			continue
		}
		fmt.Fprintf(out, "%q\n", path)
		if depth > 0 && !strings.HasPrefix(e.Name(), "..") {
			describe(out, path, depth-1)
		}
	}
}
