package desk

import (
	"slices"
	"sync"
)

// Apps are the applications that an OA knows, in the order in which they came.
type Apps[T any] struct {
	id   func(T) string
	mu   sync.RWMutex
	list []T
}

// NewApps returns none yet. id is what tells them apart.
func NewApps[T any](id func(T) string) *Apps[T] { return &Apps[T]{id: id} }

// Put adds an app, or replaces the one with its id.
func (a *Apps[T]) Put(app T) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if i := a.index(a.id(app)); i >= 0 {
		a.list[i] = app
		return
	}
	a.list = append(a.list, app)
}

// Get finds an app.
func (a *Apps[T]) Get(id string) (app T, ok bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	i := a.index(id)
	if i < 0 {
		return app, false
	}
	return a.list[i], true
}

// All returns every app.
func (a *Apps[T]) All() []T {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return slices.Clone(a.list)
}

func (a *Apps[T]) index(id string) int {
	return slices.IndexFunc(a.list, func(app T) bool { return a.id(app) == id })
}
