package gateway

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-logr/logr"

	"github.com/oabridge/oabridge/internal/audit"
	"github.com/oabridge/oabridge/internal/tracing"
)

const (
	// auditQueue bounds the finished sign-ins that wait for the dispatcher; further ones are dropped and counted.
	auditQueue = 2048
	// auditGather is how long sign-ins gather before they are told together.
	auditGather = 100 * time.Millisecond
	// auditRetry is the pause before a batch is told again; it doubles up to auditRetryMax.
	auditRetry    = time.Second
	auditRetryMax = 30 * time.Second
)

// auditor tells the dispatcher of finished sign-ins, in the background: no sign-in waits for it or fails because of it.
type auditor struct {
	queue   chan audit.SignIn
	live    *atomic.Pointer[live]
	metrics *metrics
	log     logr.Logger
}

func newAuditor(size int, l *atomic.Pointer[live], m *metrics, log logr.Logger) *auditor {
	return &auditor{queue: make(chan audit.SignIn, size), live: l, metrics: m, log: log}
}

// note takes a finished sign-in; what is only a step on the way is none.
func (a *auditor) note(v *visit, res result, at time.Time) {
	switch res.code {
	case Begun, Shown, Announced:
		return
	}
	if v.live == nil { // nobody to tell
		a.metrics.dropped.Inc()
		return
	}
	t := v.route.target
	s := audit.SignIn{
		At: at, Mode: v.mode, Provider: v.providerName(), Code: string(res.code), Reason: res.reason, Detail: res.detail,
		OAAccount: res.oaAccount, CRMAccount: res.crmAccount, Trace: v.trace, TraceParent: tracing.Parent(v.request.Context()), IP: v.caller.address, UserAgent: v.request.UserAgent(),
		Page: t.Page, APIName: t.APIName, DataID: t.DataID, Client: t.Client,
	}
	for _, text := range s.Texts() {
		*text = printable(*text)
	}
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails
	s.ID = hex.EncodeToString(id)
	select {
	case a.queue <- s:
	default:
		a.metrics.dropped.Inc()
	}
}

// printable makes a text that fits a record and does nothing to a terminal.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	if len(s) <= audit.MaxText {
		return s
	}
	end := audit.MaxText
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// run tells the dispatcher until ctx ends, and then of what is left, as far as it answers.
func (a *auditor) run(ctx context.Context) {
	for {
		batch := a.gather(ctx)
		if len(batch) == 0 {
			return
		}
		if !a.deliver(ctx, batch) {
			for range len(a.queue) {
				<-a.queue
				a.metrics.dropped.Inc()
			}
			return
		}
	}
}

// gather waits for a sign-in, and a moment for those that come with it. It is empty when ctx has ended and none is left.
func (a *auditor) gather(ctx context.Context) (batch []audit.SignIn) {
	var enough <-chan time.Time // nil until there is a first one
	for len(batch) < audit.MaxBatch {
		select {
		case s := <-a.queue:
			if batch = append(batch, s); enough == nil {
				enough = time.After(auditGather)
			}
		case <-enough:
			return batch
		case <-ctx.Done():
			for len(a.queue) > 0 && len(batch) < audit.MaxBatch { // there is no other reader
				batch = append(batch, <-a.queue)
			}
			return batch
		}
	}
	return batch
}

// deliver tells the dispatcher until it has taken or refused the batch. It reports false when ctx has ended and the
// dispatcher does not answer.
func (a *auditor) deliver(ctx context.Context, batch []audit.SignIn) bool {
	for delay := auditRetry; ; delay = min(2*delay, auditRetryMax) {
		refused, err := a.live.Load().records.KeepSignIns(context.WithoutCancel(ctx), batch)
		if err == nil {
			a.metrics.kept.Add(float64(len(batch)))
			return true
		}
		ended := ctx.Err() != nil
		if refused || ended {
			a.log.Error(err, "sign-ins are not kept", "dropped", len(batch))
			a.metrics.dropped.Add(float64(len(batch)))
			return refused
		}
		if delay == auditRetry {
			a.log.Error(err, "sign-ins are not kept yet; they are told again")
		}
		select {
		case <-time.After(delay):
		case <-ctx.Done():
		}
	}
}

// KeepSignIns tells the dispatcher of finished sign-ins. refused means that it will never take them.
func (p peerProofs) KeepSignIns(ctx context.Context, batch []audit.SignIn) (refused bool, err error) {
	body, err := json.Marshal(batch)
	if err != nil {
		return true, err
	}
	status, _, err := p.do(ctx, http.MethodPost, audit.Path, body)
	switch {
	case err != nil:
		return false, err
	case status == http.StatusNoContent:
		return false, nil
	}
	return status == http.StatusBadRequest || status == http.StatusRequestEntityTooLarge,
		fmt.Errorf("the dispatcher answered %d to sign-ins", status)
}
