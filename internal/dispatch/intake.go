package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/dispatch/journal"
	"github.com/oabridge/oabridge/internal/dispatch/lanes"
	"github.com/oabridge/oabridge/internal/dispatch/record"
)

const (
	// partitions is the number of subjects of EVENTS; it bounds what the storage engine has to keep about them.
	partitions = 64
	// maxIntakeBytes bounds the bodies that are being taken in at the same time, in bytes.
	maxIntakeBytes = 64 << 20
	// intakePatience is how long a request waits for its share of maxIntakeBytes.
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

// intake serves POST /events.
type intake struct {
	engine *engine
	keys   *keys
	events *journal.Committer
	share  *semaphore.Weighted // of maxIntakeBytes
	copies *semaphore.Weighted // of maxCopies
	limits crm.Limits
}

func newIntake(e *engine, k *keys) *intake {
	return &intake{engine: e, keys: k, events: journal.NewCommitter(e.journal.Events), share: semaphore.NewWeighted(maxIntakeBytes),
		copies: semaphore.NewWeighted(maxCopies), limits: crm.DefaultLimits()}
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
		in.engine.metrics.refused.WithLabelValues(reason).Inc()
		problem.WriteTo(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(answer)
}

func (in *intake) take(r *http.Request) (accepted, string, *crm.Problem) {
	v, authenticator, reason, problem := in.ready()
	if problem != nil {
		return accepted{}, reason, problem
	}
	size := r.ContentLength
	if size < 0 || size > int64(in.limits.Request) {
		size = int64(in.limits.Request)
	}
	wait, cancel := context.WithTimeout(r.Context(), intakePatience)
	defer cancel()
	if err := in.share.Acquire(wait, size); err != nil {
		return accepted{}, refusedBusy, later(retryBusy, "too many requests at the same time: send again a little later")
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
	need := fanOutBytes(events)
	if need > maxFanOutBytes {
		return accepted{}, refusedTooLarge, tooMany()
	}
	if err := in.copies.Acquire(wait, need); err != nil {
		return accepted{}, refusedBusy, later(retryBusy, "too many requests at the same time: send again a little later")
	}
	defer in.copies.Release(need)
	return in.store(events)
}

// fanOutBytes estimates the size of the deliveries of a request.
func fanOutBytes(events []crm.Event) (n int64) {
	for i := range events {
		item := &events[i].Item
		n += int64(len(item.Receivers)) * int64(envelope+len(item.Heading)+len(item.Subject)+len(item.Detail)+len(item.Sender.Name))
	}
	return n
}

// ready returns what is needed to take events, or why none are taken now.
func (in *intake) ready() (*live, *crm.Authenticator, string, *crm.Problem) {
	e := in.engine
	v, authenticator := e.live.Load(), in.keys.authenticator()
	if v == nil || authenticator == nil {
		return nil, nil, refusedNotReady, later(retryBusy, "the dispatcher has no usable configuration yet: see the conditions of the connector")
	}
	if v.bundle.Draining {
		return nil, nil, refusedDeleted, crm.NewProblem(http.StatusGone, "the connector is being deleted and takes no more events")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.draining:
		return nil, nil, refusedDraining, later(retryBusy, "the dispatcher is ending: send again, its successor is about to start")
	case e.lanes.Len() >= e.tuning.maxWaiting && e.gate.state == gateOpen && e.lanes.Count(lanes.Ready) == 0:
		return nil, nil, refusedFull, later(retryFull, "too many deliveries wait: bind the people whose items are held, or clear what fails")
	case e.trouble[troubleRecords] != "":
		return nil, nil, refusedStore, later(retryFull, "the store cannot be written now")
	}
	return v, authenticator, "", nil
}

// store writes the deliveries of a request as one group and waits for the sync.
func (in *intake) store(events []crm.Event) (accepted, string, *crm.Problem) {
	now := time.Now()
	var deliveries []*record.Delivery
	owner := []int{}
	for i := range events {
		own := record.FanOut(events[i], now)
		deliveries = append(deliveries, own...)
		for range own {
			owner = append(owner, i)
		}
		if len(deliveries) > maxFanOut {
			return accepted{}, refusedTooLarge, tooMany()
		}
	}
	g := &journal.Group{Messages: make([]journal.Message, len(deliveries))}
	for i, d := range deliveries {
		data, err := json.Marshal(d)
		if err != nil {
			return accepted{}, refusedMalformed, crm.NewProblem(http.StatusBadRequest, "event %d cannot be stored: %v", owner[i], err)
		}
		key := d.Key()
		g.Messages[i] = journal.Message{Subject: journal.SubjectEvents + strconv.Itoa(int(key[0])%partitions), ID: d.ID(), Data: data}
	}
	done := make(chan struct{})
	g.Done = func(g *journal.Group) {
		in.engine.handOver(g.Acks, deliveries, g.Messages)
		close(done)
	}
	// The request's own context is not asked: once submitted, the group is written, and the answer must be true.
	if err := in.events.Submit(context.Background(), g); err != nil {
		return accepted{}, refusedDraining, later(retryBusy, "the dispatcher is ending: send again, its successor is about to start")
	}
	<-done
	if g.Err != nil {
		return in.notStored(g.Err)
	}
	in.engine.note(troubleEvents, "")
	return in.count(len(events), owner, g.Acks), "", nil
}

// count says how many events were accepted. An event is a duplicate when all its deliveries are.
func (in *intake) count(events int, owner []int, acks []journal.Ack) accepted {
	fresh := make([]bool, events)
	for i, a := range acks {
		fresh[owner[i]] = fresh[owner[i]] || !a.Duplicate
	}
	out := accepted{Accepted: events}
	for _, f := range fresh {
		if !f {
			out.Duplicates++
		}
	}
	in.engine.metrics.accepted.Add(float64(out.Accepted - out.Duplicates))
	in.engine.metrics.duplicates.Add(float64(out.Duplicates))
	return out
}

func (in *intake) notStored(err error) (accepted, string, *crm.Problem) {
	if errors.Is(err, journal.ErrFull) {
		in.engine.note(troubleEvents, "the store is full: no events are taken until deliveries are done; enlarge spec.dispatcher.storage.size, or see what keeps them waiting")
		return accepted{}, refusedFull, later(retryFull, "the store is full: nothing is taken until deliveries are done; send again later")
	}
	in.engine.log.Error(err, "cannot store events")
	in.engine.note(troubleEvents, fmt.Sprintf("events cannot be stored: %v", err))
	return accepted{}, refusedStore, later(retryFull, "the events could not be stored; send again later, a repeat of the same event ids is harmless")
}

func tooMany() *crm.Problem {
	return crm.NewProblem(http.StatusRequestEntityTooLarge,
		"the request makes more than %d deliveries or %d MiB of them (one for each event and receiver): send fewer events in one batch", maxFanOut, maxFanOutBytes>>20)
}

func later(after time.Duration, format string, args ...any) *crm.Problem {
	p := crm.NewProblem(http.StatusServiceUnavailable, format, args...)
	p.RetryAfter = after
	return p
}

// refusal sorts a problem for the metric.
func refusal(p *crm.Problem) string {
	switch p.Status {
	case http.StatusUnauthorized:
		return refusedUnauthorized
	case http.StatusRequestEntityTooLarge:
		return refusedTooLarge
	}
	return refusedMalformed
}
