package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/dispatch/journal"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/scenario"
)

const (
	// maxIntakeBytes bounds the bodies that are being taken in at the same time, in bytes.
	maxIntakeBytes = 64 << 20
	// intakePatience is how long a request waits for its share of maxIntakeBytes, and again for that of maxCopies.
	intakePatience = 5 * time.Second
	// maxFanOut bounds the deliveries of one request, and maxFanOutBytes their size in bytes: every receiver gets a
	// copy of the event.
	maxFanOut      = 10_000
	maxFanOutBytes = 64 << 20
	// maxCopies bounds the copies of all requests together, in bytes, and envelope is what a copy needs beside its texts.
	maxCopies = 2 * maxFanOutBytes
	envelope  = 1 << 10
	// retryBusy and retryFull are what Retry-After says.
	retryBusy = time.Second
	retryFull = 30 * time.Second
)

// Reasons of oabridge_events_refused_total.
const (
	refusedMalformed    = "malformed"
	refusedUnauthorized = "unauthorized"
	refusedTooLarge     = "too_large"
	refusedNotReady     = "not_ready"
	refusedDraining     = "draining"
	refusedDeleted      = "deleted"
	refusedBusy         = "busy"
	refusedFull         = "full"
	refusedStore        = "store"
)

var refusals = []string{
	refusedMalformed, refusedUnauthorized, refusedTooLarge, refusedNotReady, refusedDraining, refusedDeleted, refusedBusy, refusedFull, refusedStore,
}

// intake serves POST /events.
type intake struct {
	dispatcher *Dispatcher
	share      *semaphore.Weighted // of maxIntakeBytes
	copies     *semaphore.Weighted // of maxCopies
	limits     crm.Limits
	recent     recent
}

func newIntake(d *Dispatcher) *intake {
	return &intake{dispatcher: d, share: semaphore.NewWeighted(maxIntakeBytes), copies: semaphore.NewWeighted(maxCopies), limits: crm.DefaultLimits()}
}

// accepted is the body of a 202.
type accepted struct {
	// Accepted counts the events of the request, Duplicates those of them that were known before.
	Accepted   int `json:"accepted"`
	Duplicates int `json:"duplicates"`
}

// ServeHTTP answers 202 only when every delivery of the request is on disk.
func (in *intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer, reason, problem := in.take(r)
	if problem != nil {
		in.dispatcher.metrics.refused.WithLabelValues(reason).Inc()
		problem.WriteTo(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(answer)
}

func (in *intake) take(r *http.Request) (accepted, string, *crm.Problem) {
	v, session, reason, problem := in.ready()
	if problem != nil {
		return accepted{}, reason, problem
	}
	if !v.takesEvents() {
		return accepted{}, refusedUnauthorized, crm.NewProblem(http.StatusNotFound,
			"this connector takes the CRM's callbacks only: set spec.source.signingSecretRef or tokenSecretRef to send it events")
	}
	authenticator := in.dispatcher.keys.authenticator()
	size := r.ContentLength
	if size < 0 || size > int64(in.limits.Request) {
		size = int64(in.limits.Request)
	}
	if !admit(r.Context(), in.share, size) {
		return accepted{}, refusedBusy, busy()
	}
	defer in.share.Release(size)

	body, problem := crm.ReadBody(r, in.limits)
	if problem != nil {
		return accepted{}, refusal(problem), problem
	}
	events, problem := authenticator.Accept(r.Header, body, in.limits)
	if problem == nil {
		problem = v.refuse(events)
	}
	if problem != nil {
		return accepted{}, refusal(problem), problem
	}
	if len(events) == 0 {
		return accepted{}, "", nil
	}
	need := v.fanOutBytes(events)
	if need > maxFanOutBytes {
		return accepted{}, refusedTooLarge, tooMany()
	}
	if !admit(r.Context(), in.copies, need) {
		return accepted{}, refusedBusy, busy()
	}
	defer in.copies.Release(need)
	return in.store(r.Context(), session, events)
}

// admit takes a share, and waits a while for it if there is none now.
func admit(ctx context.Context, share *semaphore.Weighted, n int64) bool {
	if share.TryAcquire(n) {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, intakePatience)
	defer cancel()
	return share.Acquire(ctx, n) == nil
}

// fanOutBytes estimates the size of the deliveries of a request.
func (v *live) fanOutBytes(events []crm.Event) (n int64) {
	for i := range events {
		item := &events[i].Item
		n += int64(len(item.Receivers)) * int64(len(v.targets(events[i].Kind))) * copyBytes(item)
	}
	return n
}

// copyBytes estimates the size of one copy of an item.
func copyBytes(it *scenario.Item) int64 {
	return int64(envelope + len(it.Heading) + len(it.Subject) + len(it.Detail) + len(it.Sender.Name))
}

// ready returns what is needed to take events, or why none are taken now.
func (in *intake) ready() (*live, *session, string, *crm.Problem) {
	d := in.dispatcher
	v, session := d.live.Load(), d.session.Load()
	switch {
	case d.ending.Load():
		return nil, nil, refusedDraining, later(retryBusy, "the dispatcher is ending: send again, its successor is about to start")
	case v == nil || d.lacksKeys(v):
		return nil, nil, refusedNotReady, later(retryBusy, "the dispatcher has no usable configuration yet: see the conditions of the connector")
	case v.bundle.Draining:
		return nil, nil, refusedDeleted, crm.NewProblem(http.StatusGone, "the connector is being deleted and takes no more events")
	case session == nil:
		return nil, nil, refusedStore, later(retryFull, "the store is not open: see the conditions of the connector; send again later")
	}
	return v, session, "", nil
}

// store writes the deliveries of a request, those of one partition as one group, and waits for the sync.
func (in *intake) store(ctx context.Context, s *session, events []crm.Event) (accepted, string, *crm.Problem) {
	v, now := in.dispatcher.live.Load(), time.Now()
	spans := in.dispatcher.accepting(ctx, v, events, now)
	parts := make(map[int][]*record.Delivery)
	owners := make(map[int][]int)
	n := 0
	for i := range events {
		for _, d := range record.FanOut(events[i], v.targets(events[i].Kind), now) {
			p := s.partition(d.Key())
			parts[p], owners[p] = append(parts[p], d), append(owners[p], i)
			n++
		}
		if n > maxFanOut {
			spans.refused()
			return accepted{}, refusedTooLarge, tooMany()
		}
	}
	fresh := make([]bool, len(events))
	for p, deliveries := range parts {
		duplicates, err := s.accept(ctx, p, deliveries)
		if err != nil {
			spans.refused()
			return in.notStored(err)
		}
		for i, duplicate := range duplicates {
			fresh[owners[p][i]] = fresh[owners[p][i]] || !duplicate
		}
	}
	in.recent.add(events, now)
	spans.accepted(fresh)
	return in.count(fresh), "", nil
}

// count says how many events were accepted. An event is a duplicate when all its deliveries are.
func (in *intake) count(fresh []bool) accepted {
	out := accepted{Accepted: len(fresh)}
	for _, f := range fresh {
		if !f {
			out.Duplicates++
		}
	}
	in.dispatcher.metrics.accepted.Add(float64(out.Accepted - out.Duplicates))
	in.dispatcher.metrics.duplicates.Add(float64(out.Duplicates))
	return out
}

func (in *intake) notStored(err error) (accepted, string, *crm.Problem) {
	switch {
	case errors.Is(err, journal.ErrFull):
		return accepted{}, refusedFull, later(retryFull, "the store is full: nothing is taken until deliveries are done; send again later")
	case errors.Is(err, errCrowded):
		return accepted{}, refusedFull, later(retryFull, "%s", errCrowded.Error())
	case errors.Is(err, errDraining), errors.Is(err, journal.ErrNoOwner):
		return accepted{}, refusedDraining, later(retryBusy, "the dispatcher is ending: send again, its successor is about to start")
	case errors.Is(err, errTrouble):
		return accepted{}, refusedStore, later(retryFull, "%s", errTrouble.Error())
	case errors.Is(err, errTooLarge):
		return accepted{}, refusedTooLarge, crm.NewProblem(http.StatusRequestEntityTooLarge, "an event is larger than the queue takes: shorten its texts")
	}
	in.dispatcher.log.Error(err, "cannot store events")
	return accepted{}, refusedStore, later(retryFull, "the events could not be stored; send again later, a repeat of the same event ids is harmless")
}

func tooMany() *crm.Problem {
	return crm.NewProblem(http.StatusRequestEntityTooLarge,
		"the request makes more than %d deliveries or %d MiB of them (one for each event and receiver): send fewer events in one batch", maxFanOut, maxFanOutBytes>>20)
}

// busy asks for fewer requests at the same time.
func busy() *crm.Problem {
	p := crm.NewProblem(http.StatusTooManyRequests, "too many requests at the same time: send again a little later")
	p.RetryAfter = retryBusy
	return p
}

func later(after time.Duration, format string, args ...any) *crm.Problem {
	p := crm.NewProblem(http.StatusServiceUnavailable, format, args...)
	p.RetryAfter = after
	return p
}

// refusal sorts a problem for the metric.
func refusal(p *crm.Problem) string {
	switch p.Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		return refusedUnauthorized
	case http.StatusServiceUnavailable:
		return refusedNotReady
	case http.StatusRequestEntityTooLarge:
		return refusedTooLarge
	}
	return refusedMalformed
}
