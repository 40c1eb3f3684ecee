// Package process runs the real programs of OA Bridge on this machine: the dispatcher against a bundle directory, the
// simulator of the OA, and a NATS cluster. What proves OA Bridge from outside (bench, chaos) is built on it.
package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

const (
	// startTimeout is how long a program may take until it answers.
	startTimeout = 60 * time.Second
	// startPoll is how often it is asked meanwhile. It is the resolution of start times.
	startPoll = 2 * time.Millisecond
	// stopTimeout is how long a program may take to end after SIGTERM.
	stopTimeout = 40 * time.Second
)

// Process is one running program.
type Process struct {
	Name string
	// Started is when it was executed.
	Started time.Time

	cmd  *exec.Cmd
	log  *os.File
	done chan struct{}
	err  error
}

// Start runs a program whose output is appended to a log file. It is killed when ctx or this process ends.
func Start(ctx context.Context, name, logPath, path string, args ...string) (*Process, error) {
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p := &Process{Name: name, Started: time.Now(), cmd: cmd, log: log, done: make(chan struct{})}
	if err := cmd.Start(); err != nil {
		_ = log.Close()
		return nil, fmt.Errorf("%s does not start: %w", name, err)
	}
	go func() {
		p.err = cmd.Wait()
		_ = log.Close()
		close(p.done)
	}()
	return p, nil
}

// PID of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Ended reports whether the process has ended.
func (p *Process) Ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// Wait waits for the end of the process and returns what was wrong with it.
func (p *Process) Wait() error {
	<-p.done
	if p.err != nil {
		return fmt.Errorf("%s: %w; see %s", p.Name, p.err, p.log.Name())
	}
	return nil
}

// Kill ends the process at once (SIGKILL) and waits until it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// Stop asks the process to end (SIGTERM) and waits; one that does not end is killed, which is an error.
func (p *Process) Stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	timer := time.NewTimer(stopTimeout)
	defer timer.Stop()
	select {
	case <-p.done:
		return p.err
	case <-timer.C:
		p.Kill()
		return fmt.Errorf("%s did not end within %s of SIGTERM", p.Name, stopTimeout)
	}
}

// Answers waits until a GET of url is answered with 200, and says when that was.
func (p *Process) Answers(ctx context.Context, url string) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	ticker := time.NewTicker(startPoll)
	defer ticker.Stop()
	for {
		last := ok(ctx, url)
		if last == nil {
			return time.Now(), nil
		}
		select {
		case <-p.done:
			return time.Time{}, fmt.Errorf("%s ended while it was to start: %w; see %s", p.Name, errors.Join(p.err, last), p.log.Name())
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("%s does not get ready: %w; see %s", p.Name, errors.Join(context.Cause(ctx), last), p.log.Name())
		case <-ticker.C:
		}
	}
}

// ok reports whether a GET is answered with 200.
func ok(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 512))
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %d %s", url, resp.StatusCode, text)
	}
	return nil
}

// firstPort and ports are where addresses are looked for: below the range from which the system hands out ports by itself, so
// that nobody gets the address of a program that is down for a moment.
const (
	firstPort = 10_000
	ports     = 22_000
)

// FreeAddresses returns loopback addresses on which nobody listens now.
func FreeAddresses(n int) ([]string, error) {
	out := make([]string, 0, n)
	for tries := 0; len(out) < n; tries++ {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(firstPort+rand.IntN(ports)))
		l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
		if err != nil {
			if tries > 100*n {
				return nil, fmt.Errorf("no free port from %d to %d: %w", firstPort, firstPort+ports-1, err)
			}
			continue
		}
		// All stay open until the last one is found, so that none is found twice.
		defer func() { _ = l.Close() }()
		out = append(out, address)
	}
	return out, nil
}
