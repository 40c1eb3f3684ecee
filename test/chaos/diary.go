package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/journal"
	"github.com/oabridge/oabridge/test/process"
)

// diary keeps what happened in a run, for whoever looks for the cause of a loss.
type diary struct {
	dir string

	mu    sync.Mutex
	file  *os.File
	kills int
}

func newDiary(c config) (*diary, error) {
	name := "chaos"
	if c.outage {
		name = "outage"
	}
	dir, err := filepath.Abs(filepath.Join(c.out, fmt.Sprintf("%s-%d", name, c.seed)))
	if err != nil {
		return nil, err
	}
	// A repeated run starts from nothing.
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	file, err := os.Create(filepath.Join(dir, "diary.log"))
	return &diary{dir: dir, file: file}, err
}

func (d *diary) path(name string) string { return filepath.Join(d.dir, name) }

// note writes one line with the time.
func (d *diary) note(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, _ = fmt.Fprintf(d.file, "%s %s\n", time.Now().Format("15:04:05.000"), fmt.Sprintf(format, args...))
}

// killed counts a kill.
func (d *diary) killed(name string) {
	d.note("SIGKILL %s", name)
	d.mu.Lock()
	d.kills++
	d.mu.Unlock()
}

// keep writes a value as JSON into the folder of the run.
func (d *diary) keep(name string, v any) error {
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(d.path(name), text, 0o600)
}

// journalPoll is how often the OA's journal is fetched. The OA remembers 5,000 requests: it is not that fast.
const journalPoll = 100 * time.Millisecond

// sinkJournal copies the OA's journal into a file and counts the pushes in it.
type sinkJournal struct {
	sim  *process.Simulator
	file *os.File

	mu     sync.Mutex
	seq    int64
	pushes int
	// missed requests were forgotten by the OA before they were fetched.
	missed int64
}

func newSinkJournal(sim *process.Simulator, path string) (*sinkJournal, error) {
	file, err := os.Create(path)
	return &sinkJournal{sim: sim, file: file}, err
}

// pushPath begins the path of everything that changes a to-do.
const pushPath = "/seeyon/rest/thirdpartyPending/"

// fetch reads on.
func (j *sinkJournal) fetch(ctx context.Context) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	entries, err := j.sim.Journal(ctx, j.seq)
	if err != nil || len(entries) == 0 {
		return err
	}
	j.missed += entries[0].Seq - j.seq - 1
	j.seq = entries[len(entries)-1].Seq
	enc := json.NewEncoder(j.file)
	for _, e := range entries {
		if isPush(e) {
			j.pushes++
		}
		if err := enc.Encode(e); err != nil {
			return err
		}
	}
	return nil
}

func isPush(e journal.Entry) bool {
	return len(e.Path) >= len(pushPath) && e.Path[:len(pushPath)] == pushPath
}

// count returns the pushes so far, and how many requests are unknown.
func (j *sinkJournal) count() (pushes int, missed int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.pushes, j.missed
}

// follow fetches until ctx ends.
func (j *sinkJournal) follow(ctx context.Context) error {
	ticker := time.NewTicker(journalPoll)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			if err := j.fetch(ctx); err != nil && ctx.Err() == nil {
				return fmt.Errorf("the OA's journal cannot be read: %w", err)
			}
		}
	}
}
