package dispatch

import (
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"

	"github.com/oabridge/oabridge/internal/crm/fxiaoke"
	"github.com/oabridge/oabridge/internal/dispatch/digest"
	"github.com/oabridge/oabridge/internal/slo"
	"github.com/oabridge/oabridge/internal/tracing"
)

// shared is what the engines of all partitions have in common.
type shared struct {
	log     logr.Logger
	metrics *metrics
	tuning  tuning
	tracer  *tracing.Tracer
	live    atomic.Pointer[live]
	// latencies of all deliveries since the start.
	latencies slo.Totals
	// dirty tells the reporter that something is different.
	dirty chan struct{}
	// secrets is the directory of the Secrets, crm the CRM's open interface.
	secrets string
	crm     *fxiaoke.Client
	digests *digest.Metrics
	// verdicts on trials of template revisions, by their id.
	verdicts verdicts
	// ending: the process drains.
	ending atomic.Bool
	// shutdown is how long calls in flight may take to finish.
	shutdown time.Duration
}

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
