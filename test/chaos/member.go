package main

import (
	"context"
	"sync"
	"time"

	"github.com/oabridge/oabridge/test/process"
)

// restartPause is how long a program that ended by itself stays down, as a kubelet would leave it.
const restartPause = 200 * time.Millisecond

// member is a program of the set that is started again whenever it ends, as in a cluster.
type member struct {
	name  string
	begin func(context.Context) (*process.Process, error)
	ready func(context.Context, *process.Process) error
	diary *diary

	mu      sync.Mutex
	current *process.Process
	// up is closed when the present process is ready.
	up chan struct{}
	// condemned is set while a kill is on its way, so that an end of another cause can be told.
	condemned bool
	// down is how long it stays away after a kill.
	down time.Duration
}

// live runs the program until ctx ends, then lets it end well.
func (m *member) live(ctx context.Context) error {
	for ctx.Err() == nil {
		// The process outlives ctx, so that it is told to end before it is killed.
		p, err := m.begin(context.WithoutCancel(ctx))
		if err != nil {
			return err
		}
		up := make(chan struct{})
		m.mu.Lock()
		m.current, m.up, m.condemned = p, up, false
		m.mu.Unlock()
		m.diary.note("%s started, pid %d", m.name, p.PID())
		readyCtx, cancel := context.WithCancel(ctx)
		stuck := make(chan error, 1)
		go func() {
			if err := m.ready(readyCtx, p); err != nil {
				stuck <- err
				return
			}
			m.diary.note("%s is ready after %s", m.name, time.Since(p.Started).Round(time.Millisecond))
			close(up)
		}()
		select {
		case err := <-stuck:
			select {
			case <-p.Done(): // it ended before it was ready
			case <-ctx.Done():
			default:
				cancel()
				p.Kill()
				return err
			}
		case <-p.Done():
		case <-ctx.Done():
		}
		cancel()
		if ctx.Err() != nil {
			return p.Stop()
		}
		m.mu.Lock()
		condemned, down := m.condemned, m.down
		m.mu.Unlock()
		if !condemned {
			m.diary.note("%s ended by itself", m.name)
			down = restartPause
		}
		pause(ctx, down)
	}
	return nil
}

// kill ends the present process with SIGKILL; the next one starts when it was down for so long.
func (m *member) kill(down time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.current == nil || m.current.Ended() {
		return
	}
	m.condemned, m.down = true, down
	m.diary.killed(m.name)
	m.current.Kill()
}

// isUp waits until the present process, or one of its successors, is ready.
func (m *member) isUp(ctx context.Context) error {
	for {
		m.mu.Lock()
		up := m.up
		p := m.current
		m.mu.Unlock()
		if up == nil {
			if !pause(ctx, restartPause) {
				return ctx.Err()
			}
			continue
		}
		select {
		case <-up:
			return nil
		case <-p.Done():
			if !pause(ctx, restartPause/10) { // until the successor is there
				return ctx.Err()
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
