package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/oabridge/oabridge/hack/cluster/process"
)

// Cgroup is the name of the control group that all pods are in.
const Cgroup = "oabridge"

// hierarchies are the mount points of control groups: one in version 2, one for each controller in version 1.
func hierarchies() (roots []string, unified bool) {
	raw, _ := os.ReadFile("/proc/self/mounts")
	types := map[string]bool{}
	for _, line := range strings.Split(string(raw), "\n") {
		if fields := strings.Fields(line); len(fields) > 2 && strings.HasPrefix(fields[2], "cgroup") {
			roots = append(roots, fields[1])
			types[fields[2]] = true
		}
	}
	return roots, !types["cgroup"]
}

// MakeCgroups makes the pods' control group in every hierarchy.
func MakeCgroups() error {
	roots, unified := hierarchies()
	if len(roots) == 0 {
		return errors.New("no control groups are mounted under /sys/fs/cgroup")
	}
	for _, root := range roots {
		if unified {
			// Each on its own: the kernel takes all or none of one write.
			for _, controller := range []string{"cpuset", "cpu", "io", "memory", "hugetlb", "pids"} {
				_ = os.WriteFile(filepath.Join(root, "cgroup.subtree_control"), []byte("+"+controller), 0o644)
			}
		}
		if err := os.Mkdir(filepath.Join(root, Cgroup), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("make the pods' control group: %w", err)
		}
	}
	return nil
}

// InCgroups lists the processes of all pods.
func InCgroups() []process.Process {
	var found []process.Process
	for _, dir := range Cgroups() {
		raw, _ := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
		for _, id := range strings.Fields(string(raw)) {
			if p, ok := process.ByID(id); ok && !slices.Contains(found, p) {
				found = append(found, p)
			}
		}
	}
	return found
}

// Cgroups lists the directories of the pods' control groups, the deepest first.
func Cgroups() []string {
	var dirs []string
	roots, _ := hierarchies()
	for _, root := range roots {
		_ = filepath.WalkDir(filepath.Join(root, Cgroup), func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				dirs = append(dirs, path)
			}
			return nil // what is gone needs no look
		})
	}
	slices.Reverse(dirs)
	return dirs
}

// RemoveCgroups removes them; that works once no process is in them.
func RemoveCgroups() {
	for _, dir := range Cgroups() {
		_ = os.Remove(dir)
	}
}
