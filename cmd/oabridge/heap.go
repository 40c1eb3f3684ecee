package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// A start allocates gigabytes within half a minute, of which a manager keeps some hundred MiB; afterwards it allocates a few MiB
// a second. Left alone, the collector takes as much room then as it needed at the start. So the memory limit of the runtime
// follows the work, up to GOMEMLIMIT: docs/decisions/0016-the-heap-follows-the-work.md.
const (
	// heapLook is how often the limit is looked at.
	heapLook = time.Second
	// heapSeconds is for how many seconds of what is allocated now there is room between two collections.
	heapSeconds = 6
	// heapLeast is the least room, as a divisor of what is kept.
	heapLeast = 20
	// heapPercent is GOGC, unless somebody sets it. With twice as much a start takes an eighth less of the processors, and what stays
	// of it lies in twice as many pages that cannot be given back.
	heapPercent = 50
	// heapDecay is what goes of the room with each look while less is allocated, as a divisor.
	heapDecay = 10
	// heapStep is the least change of the limit that is worth stopping the world for, as a divisor of it.
	heapStep = 50
)

// heapUse is what the runtime says of its memory, in bytes.
type heapUse struct {
	// allocated since the process began.
	allocated uint64
	// kept is what counts to the memory limit and no collection frees: what was alive at the last one, stacks, gaps, the runtime's own.
	kept uint64
}

// heapLimit is a manager.Runnable that moves the memory limit.
type heapLimit struct {
	// most is the limit that the process was given, in bytes.
	most int64

	last  heapUse
	room  float64
	limit int64
}

func newHeapLimit() *heapLimit {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapPercent)
	}
	return &heapLimit{most: debug.SetMemoryLimit(-1)}
}

// Start implements manager.Runnable.
func (h *heapLimit) Start(ctx context.Context) error {
	wait.UntilWithContext(ctx, func(context.Context) {
		if limit, changed := h.next(readHeap()); changed {
			debug.SetMemoryLimit(limit)
		}
	}, heapLook)
	return nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: the caches of a manager that waits are as large.
func (h *heapLimit) NeedLeaderElection() bool { return false }

// next says which limit fits what was seen heapLook after the last look, and whether it is another one.
func (h *heapLimit) next(now heapUse) (limit int64, changed bool) {
	recent := float64(now.allocated-h.last.allocated) / heapLook.Seconds()
	h.last = now
	h.room = max(float64(now.kept)/heapLeast, recent*heapSeconds, h.room-h.room/heapDecay)
	limit = min(int64(float64(now.kept)+h.room), h.most)
	if step := h.limit / heapStep; limit >= h.limit-step && limit <= h.limit+step {
		return h.limit, false
	}
	h.limit = limit
	return limit, true
}

// heapMetrics in the order in which readHeap takes them.
var heapMetrics = []string{
	"/gc/heap/allocs:bytes", "/gc/heap/live:bytes", "/memory/classes/total:bytes",
	"/memory/classes/heap/released:bytes", "/memory/classes/heap/free:bytes", "/memory/classes/heap/objects:bytes",
}

func readHeap() heapUse {
	samples := make([]metrics.Sample, len(heapMetrics))
	for i, name := range heapMetrics {
		samples[i].Name = name
	}
	metrics.Read(samples)
	value := func(i int) uint64 { return samples[i].Value.Uint64() }
	return heapUse{allocated: value(0), kept: value(1) + value(2) - value(3) - value(4) - value(5)}
}
