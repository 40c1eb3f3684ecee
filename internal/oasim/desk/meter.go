package desk

import (
	"sync"
	"time"
)

// Meter counts calls in fixed windows, per key, so that an OA can refuse those who call too often.
type Meter struct {
	now func() time.Time

	mu     sync.Mutex
	window time.Time
	counts map[string]int
}

// NewMeter returns a meter.
func NewMeter(now func() time.Time) *Meter { return &Meter{now: now} }

// Allow counts a call and says whether it is among the first limit of its window. A limit of 0 allows everything.
func (m *Meter) Allow(key string, limit int, window time.Duration) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at := m.now().Truncate(window); !at.Equal(m.window) || m.counts == nil {
		m.window, m.counts = at, map[string]int{}
	}
	m.counts[key]++
	return limit == 0 || m.counts[key] <= limit
}
