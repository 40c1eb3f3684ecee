package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/oabridge/oabridge/test/process"
)

// tolerated is how much processor time others may use before numbers are not called clean, in cores: the kernel's own threads
// (disk, network) are among them.
const tolerated = 0.15

// loadMeter tells what else ran on the machine during a run.
type loadMeter struct {
	began   time.Time
	before  string
	machine time.Duration
	own     time.Duration
}

func startLoadMeter() *loadMeter {
	m := &loadMeter{began: time.Now(), before: process.Load()}
	m.machine, _ = process.MachineCPU()
	m.own = ownCPU()
	return m
}

// foreign is how much processor time others used, in cores. Children of ours that have ended are in our own account.
func (m *loadMeter) foreign() float64 {
	machine, err := process.MachineCPU()
	if err != nil {
		return 0
	}
	used := (machine - m.machine) - (ownCPU() - m.own)
	return max(0, used.Seconds()/time.Since(m.began).Seconds())
}

// ownCPU is the processor time of this process and of all that it started, also of those that have ended.
func ownCPU() time.Duration {
	total := time.Duration(0)
	for _, pid := range append(descendants(os.Getpid()), os.Getpid()) {
		if used, err := process.CPU(pid); err == nil {
			total += used
		}
	}
	return total + childrenCPU()
}

// descendants of a process, found by the parents that /proc names.
func descendants(pid int) []int {
	children := map[int][]int{}
	paths, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		child, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if len(fields) > 1 {
			parent, _ := strconv.Atoi(fields[1])
			children[parent] = append(children[parent], child)
		}
	}
	var found []int
	for queue := []int{pid}; len(queue) > 0; queue = queue[1:] {
		found = append(found, children[queue[0]]...)
		queue = append(queue, children[queue[0]]...)
	}
	return found
}

// childrenCPU is the processor time of children of this process that have ended.
func childrenCPU() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_CHILDREN, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
