package dispatch

import (
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
)

// shared is what the engines of all partitions have in common.
type shared struct {
	log     logr.Logger
	metrics *metrics
	tuning  tuning
	live    atomic.Pointer[live]
	// dirty tells the reporter that something is different.
	dirty chan struct{}
	// shutdown is how long calls in flight may take to finish.
	shutdown time.Duration
}

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
