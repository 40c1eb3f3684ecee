package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/dispatch/digest"
	"github.com/oabridge/oabridge/internal/dispatch/journal"
	"github.com/oabridge/oabridge/internal/dispatch/record"
)

// session is an open store with the partitions that this process owns. When the store fails, the session ends and another
// one is begun: what the disk holds is found out anew.
type session struct {
	*shared
	journal    *journal.Journal
	partitions int
	queue      bundle.Queue
	records    bundle.Records
	// index of the records, filled in the background.
	index *projection

	mu      sync.Mutex
	engines map[int]*engine
	// teller tells people about failures, nil when that is another replica's turn.
	teller *digest.Runner
	// changed is nudged when another configuration of the queue or of the records asks for another session.
	changed chan struct{}
}

// errQueueChanged ends a session whose queue or records are configured differently now.
var errQueueChanged = errors.New("the queue or its records are configured differently now")

// openSession opens the store that the live bundle asks for.
func (d *Dispatcher) openSession(ctx context.Context, v *live) (*session, error) {
	q := v.bundle.Queue
	c := journal.Config{
		Dir: d.options.Store, MaxBytes: d.options.StoreMaxBytes, LockWait: d.options.LockWait, Log: d.log.WithName("store"),
		Partitions: max(q.Partitions, 1), RecordsMaxAge: v.bundle.Records.MaxAge.Std(),
	}
	if q.Type == queueNATS {
		if c.MaxBytes = q.MaxBytes; c.MaxBytes == 0 {
			c.MaxBytes = defaultRemoteBytes
		}
		c.Remote = &journal.Remote{
			URLs: q.URLs, Namespace: v.bundle.Namespace, Name: v.bundle.Name, Replicas: q.StreamReplicas,
			AllowedCIDRs: q.AllowedCIDRs, Options: natsOptions(d.options.Secrets, q),
		}
	} else if c.MaxBytes == 0 {
		var err error
		if c.MaxBytes, err = volumeShare(d.options.Store); err != nil {
			return nil, err
		}
	}
	j, err := journal.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	s := &session{
		shared: d.shared, journal: j, partitions: c.Partitions, queue: q, records: v.bundle.Records,
		index: newProjection(d.shared, &d.options, v, c.MaxBytes), engines: map[int]*engine{}, changed: make(chan struct{}, 1),
	}
	if err := errors.Join(keepOriginals(ctx, j, v), d.verdicts.load(ctx, j, v)); err != nil {
		j.Close()
		return nil, err
	}
	return s, nil
}

// run owns partitions until ctx ends or the store fails, and closes everything.
func (s *session) run(ctx context.Context, id string) error {
	defer s.journal.Close()
	ctx, cancel := context.WithCancelCause(ctx)
	s.index.start(ctx)
	go s.revoke(ctx)
	defer s.index.close()
	defer cancel(nil)
	go func() {
		select {
		case <-s.changed:
			cancel(errQueueChanged)
		case <-ctx.Done():
		}
	}()
	var err error
	if s.queue.Type == queueNATS {
		err = s.share(ctx, id)
	} else {
		err = s.own(ctx, 0, nil)
	}
	if errors.Is(context.Cause(ctx), errQueueChanged) {
		return errQueueChanged
	}
	return err
}

// own works on a partition until ctx ends or the store fails. ready is called when the partition is open.
func (s *session) own(ctx context.Context, number int, ready func()) error {
	e, err := newEngine(ctx, s.shared, s.journal, number, s.partitions)
	if err != nil {
		return err
	}
	stop := func() {}
	if s.queue.Type == queueNATS {
		if stop, err = e.part.Serve(s.answer(e)); err != nil {
			return err
		}
	}
	s.mu.Lock()
	s.engines[number] = e
	s.mu.Unlock()
	if ready != nil {
		ready()
	}
	nudge(s.dirty)
	leave, silence := s.index.follow(ctx, e), s.tell(ctx, number)
	err = e.work(ctx)
	silence()
	leave()
	stop()
	s.mu.Lock()
	delete(s.engines, number)
	s.mu.Unlock()
	nudge(s.dirty)
	return err
}

// use follows a new live bundle.
func (s *session) use(ctx context.Context, v *live) {
	if !reflect.DeepEqual(s.queue, v.bundle.Queue) || !reflect.DeepEqual(s.records, v.bundle.Records) {
		nudge(s.changed)
		return
	}
	if err := keepOriginals(ctx, s.journal, v); err != nil {
		s.log.Error(err, "cannot write down the templates for later replays")
	}
	if err := s.verdicts.load(ctx, s.journal, v); err != nil {
		s.log.Error(err, "cannot read the verdicts on template revisions")
	}
	for _, e := range s.owned() {
		e.use(v)
	}
	if t := s.telling(); t != nil {
		s.useDigest(t, v)
	}
}

// retarget asks the OA at once, because what we show to it is different.
func (s *session) retarget() {
	for _, e := range s.owned() {
		e.retarget()
	}
}

// owned returns the engines by the number of their partition.
func (s *session) owned() []*engine {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*engine, 0, len(s.engines))
	for _, n := range slices.Sorted(maps.Keys(s.engines)) {
		out = append(out, s.engines[n])
	}
	return out
}

func (s *session) engine(number int) *engine {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.engines[number]
}

// partition of a key.
func (s *session) partition(k record.Key) int {
	return (int(k[14])<<8 | int(k[15])) % s.partitions
}

// errTooLarge: an event is larger than the store takes.
var errTooLarge = errors.New("larger than the store takes")

// accept stores deliveries of one partition, here or at its owner.
func (s *session) accept(ctx context.Context, number int, deliveries []*record.Delivery) ([]bool, error) {
	if e := s.engine(number); e != nil {
		known, err := e.accept(ctx, deliveries)
		if !errors.Is(err, errDraining) || s.queue.Type != queueNATS || s.ending.Load() {
			return known, err
		}
		// The partition is on its way to another replica.
	}
	if s.queue.Type != queueNATS {
		return nil, errTrouble
	}
	return s.forward(ctx, number, deliveries)
}

// forwarded is the answer of an owner.
type forwarded struct {
	Duplicates []bool `json:"duplicates,omitempty"`
	// Problem is full, crowded, draining, trouble or other; empty when all is stored.
	Problem string `json:"problem,omitempty"`
	Message string `json:"message,omitempty"`
}

// problems by their name between replicas.
var problems = map[string]error{
	"full": journal.ErrFull, "crowded": errCrowded, "draining": errDraining, "trouble": errTrouble,
}

const (
	// forwardPatience is how long to look for the owner of a partition, forwardAgain the pause between two looks.
	forwardPatience = 10 * time.Second
	forwardAgain    = 100 * time.Millisecond
)

// forward sends deliveries to the owner of their partition, in portions that fit into a message.
func (s *session) forward(ctx context.Context, number int, deliveries []*record.Delivery) (duplicates []bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, forwardPatience)
	defer cancel()
	for len(deliveries) > 0 {
		n := len(deliveries)
		request, err := json.Marshal(deliveries)
		for ; err == nil && n > 1 && len(request) > s.journal.MaxItem(); request, err = json.Marshal(deliveries[:n]) {
			n = max(n/2, 1)
		}
		if err != nil {
			return nil, err
		}
		if len(request) > s.journal.MaxItem() {
			return nil, errTooLarge
		}
		got, err := s.ask(ctx, number, request)
		if err != nil {
			return nil, err
		}
		if len(got) != n {
			return nil, fmt.Errorf("partition %d: its owner answered for %d deliveries of %d", number, len(got), n)
		}
		duplicates, deliveries = append(duplicates, got...), deliveries[n:]
	}
	return duplicates, nil
}

func (s *session) ask(ctx context.Context, number int, request []byte) ([]bool, error) {
	for {
		reply, err := s.journal.Ask(ctx, number, request)
		if errors.Is(err, journal.ErrNoOwner) && ctx.Err() == nil {
			// Perhaps it has just become ours.
			if e := s.engine(number); e != nil {
				var deliveries []*record.Delivery
				if err := json.Unmarshal(request, &deliveries); err != nil {
					return nil, err
				}
				return e.accept(ctx, deliveries)
			}
			pause(ctx, forwardAgain)
			continue
		}
		if err != nil {
			return nil, err
		}
		var f forwarded
		if err := json.Unmarshal(reply, &f); err != nil {
			return nil, fmt.Errorf("partition %d: unreadable answer of its owner: %w", number, err)
		}
		if f.Problem == "" {
			return f.Duplicates, nil
		}
		known := problems[f.Problem]
		if errors.Is(known, errDraining) && ctx.Err() == nil {
			pause(ctx, forwardAgain) // its owner is giving it to another replica
			continue
		}
		if known != nil {
			return nil, known
		}
		return nil, fmt.Errorf("partition %d: %s", number, f.Message)
	}
}

// answer takes what other replicas forward to a partition of ours.
func (s *session) answer(e *engine) func([]byte, func([]byte)) {
	var requests errgroup.Group
	requests.SetLimit(maxForwarded)
	return func(request []byte, reply func([]byte)) {
		requests.Go(func() error {
			if string(request) == askHeld {
				reply(encodePeople(e.heldPeople()))
				return nil
			}
			var f forwarded
			var deliveries []*record.Delivery
			err := json.Unmarshal(request, &deliveries)
			if err == nil {
				f.Duplicates, err = e.accept(context.Background(), deliveries)
			}
			if err != nil {
				f.Problem, f.Message = "other", err.Error()
				for name, known := range problems {
					if errors.Is(err, known) {
						f.Problem = name
					}
				}
			}
			if data, err := json.Marshal(f); err == nil {
				reply(data)
			}
			return nil
		})
	}
}

// maxForwarded bounds the requests of other replicas that are dealt with at once.
const maxForwarded = 256
