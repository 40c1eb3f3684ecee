// Package expiry holds values that die by themselves: tokens, tickets, sessions, spent login ids.
package expiry

import (
	"sync"
	"time"
)

// Map is a bounded map whose entries expire. It is safe for concurrent use.
type Map[T any] struct {
	now func() time.Time
	max int

	mu      sync.Mutex
	entries map[string]entry[T]
}

type entry[T any] struct {
	value T
	until time.Time
}

// New returns an empty map of at most max entries that reads the time from now.
func New[T any](now func() time.Time, max int) *Map[T] {
	return &Map[T]{now: now, max: max, entries: map[string]entry[T]{}}
}

// Put stores a value for ttl. A full map gives up the entry that would have expired first.
func (m *Map[T]) Put(key string, value T, ttl time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.entries[key]; !known && m.full() {
		m.evict()
	}
	m.entries[key] = entry[T]{value, m.now().Add(ttl)}
}

// Add stores a value only if the key is unknown and there is room: what it remembers is never pushed out by others.
func (m *Map[T]) Add(key string, value T, ttl time.Duration) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e, known := m.entries[key]; known && m.alive(e) {
		return false
	}
	if m.full() {
		return false
	}
	m.entries[key] = entry[T]{value, m.now().Add(ttl)}
	return true
}

// Get returns a living value.
func (m *Map[T]) Get(key string) (T, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.get(key)
}

// Touch returns a living value and starts its life anew.
func (m *Map[T]) Touch(key string, ttl time.Duration) (T, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.get(key)
	if ok {
		m.entries[key] = entry[T]{v, m.now().Add(ttl)}
	}
	return v, ok
}

// Take returns a living value and forgets it.
func (m *Map[T]) Take(key string) (T, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.get(key)
	delete(m.entries, key)
	return v, ok
}

// Clear forgets everything.
func (m *Map[T]) Clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.entries)
}

// Len counts the living values.
func (m *Map[T]) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sweep()
	return len(m.entries)
}

func (m *Map[T]) alive(e entry[T]) bool { return m.now().Before(e.until) }

func (m *Map[T]) get(key string) (T, bool) {
	e, ok := m.entries[key]
	if ok && m.alive(e) {
		return e.value, true
	}
	delete(m.entries, key)
	var zero T
	return zero, false
}

// full sweeps before it says yes.
func (m *Map[T]) full() bool {
	if len(m.entries) < m.max {
		return false
	}
	m.sweep()
	return len(m.entries) >= m.max
}

func (m *Map[T]) sweep() {
	for k, e := range m.entries {
		if !m.alive(e) {
			delete(m.entries, k)
		}
	}
}

func (m *Map[T]) evict() {
	var first string
	var until time.Time
	for k, e := range m.entries {
		if first == "" || e.until.Before(until) {
			first, until = k, e.until
		}
	}
	delete(m.entries, first)
}
