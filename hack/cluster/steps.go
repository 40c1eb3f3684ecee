package main

import (
	"fmt"
	"io"
	"time"
)

// steps tells a person which of how many steps runs, and how long each took.
type steps struct {
	out     io.Writer
	n, of   int
	started time.Time
}

func newSteps(out io.Writer, of int) *steps { return &steps{out: out, of: of, started: time.Now()} }

func (s *steps) step(name string, do func() error) error {
	s.n++
	began := time.Now()
	fmt.Fprintf(s.out, "[%d/%d]   %s …\n", s.n, s.of, name)
	if err := do(); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "[%d/%d] ✓ %s  %s\n", s.n, s.of, name, time.Since(began).Round(100*time.Millisecond))
	return nil
}

func (s *steps) total() time.Duration { return time.Since(s.started).Round(100 * time.Millisecond) }
