package main

import (
	"runtime"
	"testing"
)

// A manager of ten thousand connectors: it starts, is calm, and has to do with all of them once more.
func TestHeapLimitFollowsTheWork(t *testing.T) {
	const mi = 1 << 20
	h := &heapLimit{most: 600 * mi}
	var allocated uint64
	look := func(seconds int, perSecond, kept uint64) int64 {
		for range seconds {
			allocated += perSecond
			h.next(heapUse{allocated: allocated, kept: kept})
		}
		return h.limit
	}
	if got := look(20, 300*mi, 200*mi); got != h.most {
		t.Errorf("while it starts the limit is %d MiB, want all that it was given", got/mi)
	}
	if got := look(5, 1*mi, 300*mi); got < 400*mi {
		t.Errorf("right after it the limit is %d MiB: the next burst may come", got/mi)
	}
	if got := look(60, 1*mi, 300*mi); got < 310*mi || got > 335*mi {
		t.Errorf("calm, and 300 MiB kept: the limit is %d MiB, want little more", got/mi)
	}
	look(1, 1*mi, 310*mi)
	before := look(1, 1*mi, 300*mi)
	for _, jitter := range []uint64{301 * mi, 303 * mi, 300 * mi, 298 * mi} {
		if look(1, 1*mi, jitter) != before {
			t.Errorf("the limit moves with every look: %d to %d", before, h.limit)
		}
	}
	if got := look(1, 100*mi, 300*mi); got != h.most {
		t.Errorf("a burst has the limit %d MiB at the first look, want all that there is", got/mi)
	}
	if got := look(60, 1*mi, 700*mi); got != h.most {
		t.Errorf("the limit is %d MiB, above what was given", got/mi)
	}
}

func TestHeapUseIsWhatTheRuntimeCounts(t *testing.T) {
	kept := make([]byte, 64<<20)
	runtime.GC()
	before := readHeap()
	if before.kept < uint64(len(kept)) || before.kept > uint64(len(kept))+(200<<20) {
		t.Errorf("%d bytes are said to be kept, with one object of %d", before.kept, len(kept))
	}
	runtime.KeepAlive(kept)
	garbage := make([]byte, 32<<20)
	if grown := readHeap().allocated - before.allocated; grown < uint64(len(garbage)) {
		t.Errorf("%d bytes more are said to be allocated after %d", grown, len(garbage))
	}
	runtime.KeepAlive(garbage)
}
