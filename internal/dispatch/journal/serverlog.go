package journal

import (
	"errors"
	"fmt"
	"sync"

	"github.com/go-logr/logr"
)

// serverLog hands what the server says to logr and remembers the last error, to explain a failed start. The server's
// Fatalf would end the process; here it is only remembered.
type serverLog struct {
	log  logr.Logger
	mu   sync.Mutex
	last error
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
	s.log.Error(s.remember(format, v), "storage engine reported an error")
}

func (s *serverLog) Warnf(format string, v ...any) {
	s.log.Info("storage engine warned", "warning", fmt.Sprintf(format, v...))
}

func (s *serverLog) Noticef(format string, v ...any) {
	s.log.V(1).Info("storage engine", "notice", fmt.Sprintf(format, v...))
}

func (s *serverLog) Debugf(string, ...any) {}

func (s *serverLog) Tracef(string, ...any) {}
