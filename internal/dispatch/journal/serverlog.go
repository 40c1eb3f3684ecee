package journal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"

	"github.com/go-logr/logr"
)

// serverLog hands what the server says to logr and remembers the last error, to explain a failed start. The server's
// Fatalf would end the process; here it is only remembered.
type serverLog struct {
	log logr.Logger
	// fail is told of what the engine does not recover from: it answers nothing more for a stream that it could not write.
	fail context.CancelCauseFunc
	mu   sync.Mutex
	last error
}

// fatal are the server's words when a stream, or all, cannot be written any more.
var fatal = []string{"failed to store a msg", "critical write error", "will be DISABLED"}

// volumeError is a failure whose cause the server tells only in words.
type volumeError struct {
	error
	cause syscall.Errno
}

func (e volumeError) Unwrap() []error { return []error{e.error, e.cause} }

// volume finds the cause of a failure that lies in the volume.
func volume(err error) error {
	if err == nil {
		return nil
	}
	for _, cause := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EACCES, syscall.EIO} {
		if strings.Contains(err.Error(), cause.Error()) && !errors.Is(err, cause) {
			return volumeError{err, cause}
		}
	}
	return err
}

func (s *serverLog) remember(format string, v []any) error {
	err := fmt.Errorf(format, v...)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = err
	return err
}

func (s *serverLog) cause() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil {
		return errors.New("no further explanation from the storage engine")
	}
	return s.last
}

func (s *serverLog) Fatalf(format string, v ...any) {
	s.log.Error(s.remember(format, v), "storage engine failed")
}

func (s *serverLog) Errorf(format string, v ...any) {
	err := s.remember(format, v)
	s.log.Error(err, "storage engine reported an error")
	for _, f := range fatal {
		if strings.Contains(err.Error(), f) {
			s.fail(volume(err))
		}
	}
}

func (s *serverLog) Warnf(format string, v ...any) {
	s.log.Info("storage engine warned", "warning", fmt.Sprintf(format, v...))
}

func (s *serverLog) Noticef(format string, v ...any) {
	s.log.V(1).Info("storage engine", "notice", fmt.Sprintf(format, v...))
}

func (s *serverLog) Debugf(string, ...any) {}

func (s *serverLog) Tracef(string, ...any) {}
