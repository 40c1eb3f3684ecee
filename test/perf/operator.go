package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/oabridge/oabridge/test/process"
)

const (
	// podMemory is the GOMEMLIMIT of the manager's pod.
	podMemory = "614MiB"
	// image of the workloads, which nobody pulls here.
	image = "oabridge:perf"
	// look is how often the manager's metrics are read while it is waited for, and the resolution of start times.
	look = 100 * time.Millisecond
	// calm is for how long nothing may happen before the queue counts as drained.
	calm = 3 * time.Second
)

// operator is the manager process.
type operator struct {
	*process.Process

	// url of its metrics and profiles, and the token for it.
	url, token string
}

func (l *lab) startManager(ctx context.Context) (*operator, error) {
	addresses, err := process.FreeAddresses(2)
	if err != nil {
		return nil, err
	}
	m := &operator{url: "http://" + addresses[0]}
	args := []string{
		"KUBECONFIG=" + l.cluster.kubeconfig, "POD_NAMESPACE=" + systemNamespace, "GOMEMLIMIT=" + podMemory,
		l.bin, "manager", "--workload-image=" + image, "--install-presets", "--log-level=error",
		"--metrics-bind-address=" + addresses[0], "--health-probe-bind-address=" + addresses[1],
	}
	if l.cpuProfile != "" || l.memProfile != "" { // which only those get whom the API server knows
		m.url, m.token = "https://"+addresses[0], l.cluster.token
		args = append(args, "--metrics-auth", "--pprof")
	}
	m.Process, err = process.Start(ctx, "manager", l.path("manager.log"), "/usr/bin/env", args...)
	if err != nil {
		return nil, err
	}
	_, err = m.Answers(ctx, "http://"+addresses[1]+"/readyz")
	return m, err
}

// anotherBuild is the same program in a file that differs by a byte behind its end: the manager takes it for another build, and
// trusts nothing that the first one settled.
func anotherBuild(bin, into string) (string, error) {
	program, err := os.ReadFile(bin)
	if err != nil {
		return "", err
	}
	return into, os.WriteFile(into, append(program, 0), 0o700) //nolint:gosec // it is a program
}

// stop ends the manager at once, as a node that fails does. One that ended by itself is an error.
func (m *operator) stop() error {
	if m.Ended() {
		return fmt.Errorf("the manager ended by itself: %w", m.Wait())
	}
	m.Kill()
	return nil
}

// state is what the manager says of its queues.
type state struct {
	// rounds of the connector controller so far, and of all; waiting and working objects of all.
	connectorRounds, rounds, waiting, working float64
	// queued connectors.
	queued float64
	// heap that is in use, and stacks, in bytes.
	heap, stacks float64
}

func (m *operator) state(ctx context.Context) (s state, err error) {
	body, err := m.get(ctx, "/metrics")
	if err != nil {
		return s, err
	}
	lines := bufio.NewScanner(strings.NewReader(string(body)))
	for lines.Scan() {
		name, text, ok := cutLast(lines.Text())
		v, err := strconv.ParseFloat(text, 64)
		if !ok || err != nil {
			continue
		}
		connector := strings.Contains(name, `"connector"`)
		switch {
		case strings.HasPrefix(name, "controller_runtime_reconcile_total{"):
			s.rounds += v
			if connector {
				s.connectorRounds += v
			}
		case strings.HasPrefix(name, "workqueue_depth{"):
			s.waiting += v
			if connector {
				s.queued += v
			}
		case name == "go_memstats_heap_inuse_bytes":
			s.heap = v
		case name == "go_memstats_stack_inuse_bytes":
			s.stacks = v
		case strings.HasPrefix(name, "controller_runtime_active_workers{"):
			s.working += v
		}
	}
	return s, lines.Err()
}

func cutLast(line string) (before, after string, found bool) {
	i := strings.LastIndexByte(line, ' ')
	if i < 0 || strings.HasPrefix(line, "#") {
		return "", "", false
	}
	return line[:i], line[i+1:], true
}

// settle waits until the queues are empty and stay so, and says when the last round ended. least is how many rounds of
// connectors there must have been.
func (m *operator) settle(ctx context.Context, least int) (time.Time, state, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errors.New("the manager's queue does not drain"))
	defer cancel()
	last, since := state{}, time.Now()
	for {
		now, err := m.state(ctx)
		switch {
		case ctx.Err() != nil:
			return since, last, context.Cause(ctx)
		case m.Ended():
			return since, last, m.Wait()
		case err != nil || now.waiting+now.working > 0 || now.rounds != last.rounds || int(now.connectorRounds) < least:
			last, since = now, time.Now()
		case time.Since(since) >= calm:
			return since, now, nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(look):
		}
	}
}

// profile fetches one of the manager's profiles into a file; an empty name fetches nothing. It waits until they are served.
func (m *operator) profile(ctx context.Context, path, file string) error {
	if file == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		body, err := m.get(ctx, "/debug/pprof/"+path)
		if err == nil {
			return os.WriteFile(file, body, 0o600)
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-m.Done():
			return m.Wait()
		case <-time.After(look):
		}
	}
}

// ofManager takes the certificate that the manager made for itself: it is this program's own child.
var ofManager = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // see above

func (m *operator) get(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.url+path, nil)
	if err != nil {
		return nil, err
	}
	if m.token != "" {
		req.Header.Set("Authorization", "Bearer "+m.token)
	}
	resp, err := ofManager.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: status %d", m.url+path, resp.StatusCode)
	}
	return body, err
}
