package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// profileTime is how long the processor profile of a run is taken, at most.
const profileTime = 5 * time.Second

// profile fetches the dispatcher's processor profile while a run goes on, and what it allocated so far, for go tool pprof.
func (s *subject) profile(ctx context.Context, name string) (wait func() error) {
	if s.lab.profiles == "" {
		return func() error { return nil }
	}
	done := make(chan error, 1)
	go func() {
		err := s.fetch(ctx, fmt.Sprintf("profile?seconds=%d", int(profileTime.Seconds())), name+".cpu")
		if err == nil {
			err = s.fetch(ctx, "allocs", name+".allocs")
		}
		if err == nil {
			err = s.fetch(ctx, "heap", name+".heap")
		}
		done <- err
	}()
	return func() error { return <-done }
}

func (s *subject) fetch(ctx context.Context, path, name string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Local+"/debug/pprof/"+path, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: status %d", path, resp.StatusCode)
	}
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.lab.profiles, name), data, 0o600)
}
