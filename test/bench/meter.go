package main

import (
	"os"
	"time"

	"github.com/oabridge/oabridge/test/process"
)

// meter measures processor time between two moments.
type meter struct {
	pids    []int
	before  []time.Duration
	machine time.Duration
	began   time.Time
}

// usage is what was used: by each process, by all of ours together, and by others (in cores).
type usage struct {
	own     []time.Duration
	all     time.Duration
	foreign float64
}

// startMeter begins; this process is measured too, as the last one.
func startMeter(pids ...int) (*meter, error) {
	m := &meter{pids: append(pids, os.Getpid()), began: time.Now()}
	for _, pid := range m.pids {
		used, err := process.CPU(pid)
		if err != nil {
			return nil, err
		}
		m.before = append(m.before, used)
	}
	var err error
	m.machine, err = process.MachineCPU()
	return m, err
}

// stop ends the measurement. more is what processes of ours used that are gone already, in ns.
func (m *meter) stop(more int64) (u usage, err error) {
	machine, err := process.MachineCPU()
	if err != nil {
		return u, err
	}
	u.all = time.Duration(more)
	for i, pid := range m.pids {
		used, err := process.CPU(pid)
		if err != nil {
			return u, err
		}
		u.own = append(u.own, max(used-m.before[i], time.Millisecond))
		u.all += used - m.before[i]
	}
	u.foreign = max(0, (machine-m.machine-u.all).Seconds()/time.Since(m.began).Seconds())
	return u, nil
}
