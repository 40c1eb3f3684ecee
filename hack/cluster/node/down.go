package node

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/oabridge/oabridge/hack/cluster/machine"
	"github.com/oabridge/oabridge/hack/cluster/process"
)

// Down ends everything that Up started, gives back what it changed, and returns what it could not remove. Without a
// cluster it only looks.
func (c Cluster) Down() (left []string, err error) {
	r, err := c.load()
	if errors.Is(err, os.ErrNotExist) {
		return c.left(), nil
	}
	if err != nil {
		return nil, err
	}
	err = c.end(r)
	network.Down()
	machine.RemoveCgroups()
	err = errors.Join(err, machine.RestoreSysctls(r.Sysctls))
	if mounted := c.mounts(); len(mounted) > 0 {
		// Never delete through a mount: it may lead to someone's data.
		return append(c.left(), "state directory "+c.State), err
	}
	// The record goes last: a Down that is cut short can be repeated.
	entries, readErr := os.ReadDir(c.State)
	err = errors.Join(err, readErr)
	for _, entry := range entries {
		if entry.Name() != "record.json" {
			err = errors.Join(err, os.RemoveAll(c.path(entry.Name())))
		}
	}
	if err == nil {
		err = os.RemoveAll(c.State)
	}
	for _, dir := range slices.Backward(r.Made) {
		_ = os.Remove(dir) // stays when someone else has put something there
	}
	return c.settled(), err
}

// end ends the programs: first those that start others, then the pods, then the rest.
func (c Cluster) end(r *record) error {
	var failed []error
	for _, p := range slices.Backward(r.Processes) {
		if p.Name != "containerd" {
			failed = append(failed, p.Kill())
		}
	}
	// A shim is containerd's keeper of one pod; it would report the end of its containers, so both end together.
	for range 3 { // what was being started while we looked is caught the next time
		for _, p := range append(machine.InCgroups(), c.strays()...) {
			failed = append(failed, p.Kill())
		}
	}
	if p, ok := r.find("containerd"); ok {
		failed = append(failed, p.Kill())
	}
	for _, p := range append(machine.InCgroups(), c.strays()...) {
		failed = append(failed, p.Kill())
	}
	return errors.Join(failed...)
}

// strays are helpers of containerd that were not started by Up itself.
func (c Cluster) strays() []process.Process {
	return process.Matching("containerd-shim-runc-v2", c.socket())
}

// mounts lists what is mounted in the state directory, outside of the node's own namespace.
func (c Cluster) mounts() []string {
	raw, _ := os.ReadFile("/proc/self/mounts")
	var found []string
	for _, line := range strings.Split(string(raw), "\n") {
		if fields := strings.Fields(line); len(fields) > 1 && strings.HasPrefix(fields[1], c.State+"/") {
			found = append(found, fields[1])
		}
	}
	return found
}

// settled gives the kernel a moment to take down namespaces, and returns what is still left then.
func (c Cluster) settled() []string {
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		left := c.left()
		if len(left) == 0 || time.Now().After(deadline) {
			return left
		}
		network.Down()
		machine.RemoveCgroups()
	}
}

// left lists everything of a cluster that is still on the machine.
func (c Cluster) left() []string {
	left := network.Left()
	for _, p := range append(machine.InCgroups(), c.strays()...) {
		left = append(left, fmt.Sprintf("process %d (%s)", p.PID, p.Name))
	}
	for _, component := range c.all() {
		for _, p := range process.Matching(component.name, c.State+"/") {
			left = append(left, fmt.Sprintf("process %d (%s)", p.PID, p.Name))
		}
	}
	for _, mount := range c.mounts() {
		left = append(left, "mount "+mount)
	}
	for _, dir := range machine.Cgroups() {
		left = append(left, "control group "+dir)
	}
	if _, err := os.Stat(c.State); err == nil {
		left = append(left, "state directory "+c.State)
	}
	return left
}
