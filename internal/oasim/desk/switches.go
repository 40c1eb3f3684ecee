package desk

import (
	"encoding/json"
	"net/http"
	"sync"
)

// Switches holds the settings of a simulator: behaviours that differ from version to version, or that no public source
// settles. A simulator embeds them and so has Settings and Configure.
type Switches[S any] struct {
	check func(S) error

	mu       sync.RWMutex
	settings S
}

// NewSwitches returns switches that only ever hold settings which pass check.
func NewSwitches[S any](initial S, check func(S) error) (*Switches[S], error) {
	if err := check(initial); err != nil {
		return nil, err
	}
	return &Switches[S]{check: check, settings: initial}, nil
}

// Settings returns the switches in force.
func (s *Switches[S]) Settings() S {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.settings
}

// Configure changes the switches; on an error they stay as they were.
func (s *Switches[S]) Configure(change func(*S)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.settings
	change(&next)
	if err := s.check(next); err != nil {
		return err
	}
	s.settings = next
	return nil
}

// ServeOn is the control API /_sim/settings: GET shows, PUT changes the switches that it names.
func (s *Switches[S]) ServeOn(d *Desk) {
	d.Get("开关 Settings", "/_sim/settings", func(*http.Request) any { return s.Settings() })
	On(d, "PUT /_sim/settings", http.StatusOK, func(in json.RawMessage) (any, error) {
		next := s.Settings()
		if err := Strict(in, &next); err != nil {
			return nil, err
		}
		return next, s.Configure(func(c *S) { *c = next })
	})
}
