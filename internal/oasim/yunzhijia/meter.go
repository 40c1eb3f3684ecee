package yunzhijia

import (
	"sync"
	"time"
)

// meter counts calls in fixed windows, per key.
type meter struct {
	now func() time.Time

	mu     sync.Mutex
	window time.Time
	counts map[string]int
}

// allow counts a call and says whether it is among the first limit of its window; no limit allows everything.
func (m *meter) allow(key string, limit int, window time.Duration) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at := m.now().Truncate(window); !at.Equal(m.window) || m.counts == nil {
		m.window, m.counts = at, map[string]int{}
	}
	m.counts[key]++
	return limit == 0 || m.counts[key] <= limit
}
