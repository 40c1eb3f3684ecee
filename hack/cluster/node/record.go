package node

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/oabridge/oabridge/hack/cluster/process"
)

// record is what up did to the machine, written before or right after each act, so that down can undo all of it.
type record struct {
	Boot      string            `json:"boot"` // of the machine: after another boot no process is ours
	Processes []process.Process `json:"processes"`
	Sysctls   map[string]string `json:"sysctls"` // as they were
	Made      []string          `json:"made"`    // directories of the machine
}

func (c Cluster) load() (*record, error) {
	raw, err := os.ReadFile(c.path("record.json"))
	if err != nil {
		return nil, err
	}
	r := &record{}
	if err := json.Unmarshal(raw, r); err != nil {
		return nil, err
	}
	if r.Boot != boot() {
		r.Processes = nil
	}
	return r, nil
}

// exists tells whether up was here.
func (c Cluster) exists() bool {
	_, err := c.load()
	return !errors.Is(err, fs.ErrNotExist)
}

func (c Cluster) save(r *record) error {
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	temporary := c.path("record.json.new")
	if err := os.WriteFile(temporary, raw, 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, c.path("record.json"))
}

func (r *record) find(name string) (process.Process, bool) {
	i := slices.IndexFunc(r.Processes, func(p process.Process) bool { return p.Name == name })
	if i < 0 {
		return process.Process{}, false
	}
	return r.Processes[i], true
}

func (r *record) put(p process.Process) {
	r.Processes = append(slices.DeleteFunc(r.Processes, func(old process.Process) bool { return old.Name == p.Name }), p)
}

func boot() string {
	raw, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(raw))
}
