package dispatch

import (
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/dispatch/journal"
	"github.com/oabridge/oabridge/internal/report"
)

// slowStore is how long a write may take before it is worth a word.
const slowStore = 5 * time.Second

// storeState says why the store is not open.
type storeState struct {
	mu              sync.Mutex
	reason, problem string
}

func (s *storeState) set(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reason, s.problem = "", ""
	if err != nil {
		s.reason, s.problem = storeReason(err), err.Error()
	}
}

func (s *storeState) get() (reason, problem string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reason, s.problem
}

// storeReason sorts what can be wrong with a store.
func storeReason(err error) string {
	for _, c := range []struct {
		is     error
		reason string
	}{
		{journal.ErrUnreachable, v1alpha1.ReasonQueueUnreachable},
		{journal.ErrNotDurable, v1alpha1.ReasonQueueNotDurable},
		{journal.ErrForbidden, v1alpha1.ReasonQueueForbidden},
		{journal.ErrFull, v1alpha1.ReasonStoreFull},
		{syscall.ENOSPC, v1alpha1.ReasonStoreFull},
		{syscall.EROFS, v1alpha1.ReasonStoreReadOnly},
		{syscall.EACCES, v1alpha1.ReasonStoreReadOnly},
	} {
		if errors.Is(err, c.is) {
			return c.reason
		}
	}
	return v1alpha1.ReasonStoreBroken
}

// storeReport says what keeps the intake from taking events.
func (d *Dispatcher) storeReport(s *session, now time.Time) *report.Store {
	out := &report.Store{}
	out.Reason, out.Problem = d.store.get()
	if s == nil {
		return out
	}
	out.Records = s.index.problem()
	for _, e := range s.owned() {
		out.Partitions = append(out.Partitions, e.part.Number)
		if out.Problem != "" {
			continue
		}
		if max(e.part.Events.Stalled(now), e.part.Records.Stalled(now)) > slowStore {
			out.Reason = v1alpha1.ReasonStoreSlow
			out.Problem = fmt.Sprintf("a write has not been confirmed for more than %s: look at the load and the health of the volume", slowStore)
			continue
		}
		e.mu.Lock()
		for _, what := range []string{troubleRecords, troubleEvents, troubleDead} {
			if p := e.trouble[what]; p != "" {
				out.Reason, out.Problem = v1alpha1.ReasonStoreFull, p
				break
			}
		}
		e.mu.Unlock()
	}
	return out
}
