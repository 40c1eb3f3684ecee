package journal

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
)

const (
	// maxBatch is the server's limit of messages in one atomic batch.
	maxBatch = 1000
	// singlesUpTo is where a batch becomes cheaper than single messages: a batch has a fixed price of about 3 ms (it is
	// staged in files of its own), a message of its own one sync of about 0.25 ms.
	singlesUpTo = 12
)

// Error codes of the server (ADR-50 and the table of JetStream errors).
const (
	codeInsufficientResources = 10023
	codeStoreFailed           = 10077 // "maximum bytes exceeded" and the like
	codeStorageExceeded       = 10047
	codeAccountExceeded       = 10002
	codeBatchDuplicate        = 10201
)

// Errors of appending.
var (
	// ErrFull: a limit of the store is reached; nothing was written.
	ErrFull = errors.New("the store is full")
	// errDuplicate: one of the messages of an atomic batch is known already; nothing was written.
	errDuplicate = errors.New("duplicate in batch")
)

// Message is one entry of a log.
type Message struct {
	// Subject it is stored under.
	Subject string
	// ID makes a repeat within DedupeWindow harmless; empty means none.
	ID   string
	Data []byte
}

// Ack says where a message is.
type Ack struct {
	// Seq of the message; of the first one, when it is a duplicate. 0 when that is not known.
	Seq uint64
	// Duplicate: a message of this id was there before.
	Duplicate bool
}

// Log is one stream: appended to in batches, read by sequence number.
type Log struct {
	name    string
	stream  jetstream.Stream
	js      jetstream.JetStream
	publish *nats.Conn
	read    *nats.Conn
}

// Append writes groups in order and syncs them. The messages of one group are written all or none, unless one of them is
// a duplicate or there are more than a batch holds. A duplicate never fails its neighbours.
func (l *Log) Append(ctx context.Context, groups []*Group) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	var all []*slot
	grouped := false
	first := map[string]*slot{}
	for _, g := range groups {
		g.slots = g.slots[:0]
		for i := range g.Messages {
			s := &slot{message: &g.Messages[i]}
			g.slots = append(g.slots, s)
			if s.message.ID != "" {
				if same := first[s.message.ID]; same != nil {
					s.same = same // sent twice in one flush: the second shares the fate of the first
					continue
				}
				first[s.message.ID] = s
			}
			all = append(all, s)
		}
		grouped = grouped || len(g.Messages) > 1
	}
	if len(all) <= singlesUpTo && !grouped {
		l.each(ctx, all)
	} else if err := l.batches(ctx, all); errors.Is(err, errDuplicate) {
		for _, g := range groups {
			l.group(ctx, g)
		}
	}
	for _, g := range groups {
		g.settle()
	}
}

// group writes one group by itself, after a duplicate somewhere in the batch.
func (l *Log) group(ctx context.Context, g *Group) {
	var own []*slot
	for _, s := range g.slots {
		if s.same == nil && !s.settled {
			own = append(own, s)
		}
	}
	if len(own) > 1 && !errors.Is(l.batches(ctx, own), errDuplicate) {
		return
	}
	var open []*slot
	for _, s := range own {
		if !s.settled {
			open = append(open, s)
		}
	}
	l.each(ctx, open)
}

// batches writes slots in atomic batches as large as the server takes. On errDuplicate the slots of the refused batch and
// of those after it are left open.
func (l *Log) batches(ctx context.Context, slots []*slot) error {
	for len(slots) > 0 {
		n := min(len(slots), maxBatch)
		last, err := l.atomic(ctx, slots[:n])
		if errors.Is(err, errDuplicate) {
			return err
		}
		if err != nil {
			for _, s := range slots {
				s.fail(err)
			}
			return err
		}
		for i, s := range slots[:n] {
			s.set(Ack{Seq: last - uint64(n-1-i)})
		}
		slots = slots[n:]
	}
	return nil
}

// atomic writes one batch and returns the sequence number of its last message.
func (l *Log) atomic(ctx context.Context, slots []*slot) (uint64, error) {
	batch := nuid.Next()
	for i, s := range slots {
		m := s.message.nats()
		m.Header.Set("Nats-Batch-Id", batch)
		m.Header.Set("Nats-Batch-Sequence", strconv.Itoa(i+1))
		if i < len(slots)-1 {
			if err := l.publish.PublishMsg(m); err != nil {
				return 0, fmt.Errorf("stream %s: %w", l.name, err)
			}
			continue
		}
		m.Header.Set("Nats-Batch-Commit", "1")
		answer, err := l.publish.RequestMsgWithContext(ctx, m)
		if err != nil {
			return 0, fmt.Errorf("stream %s: no acknowledgement: %w", l.name, err)
		}
		return l.parseAck(answer.Data)
	}
	return 0, nil
}

// each writes messages one by one, without waiting between them.
func (l *Log) each(ctx context.Context, slots []*slot) {
	futures := make([]jetstream.PubAckFuture, len(slots))
	for i, s := range slots {
		f, err := l.js.PublishMsgAsync(s.message.nats())
		if err != nil {
			s.fail(l.explain(err))
			continue
		}
		futures[i] = f
	}
	for i, f := range futures {
		if f == nil {
			continue
		}
		select {
		case ack := <-f.Ok():
			slots[i].set(Ack{Seq: ack.Sequence, Duplicate: ack.Duplicate})
		case err := <-f.Err():
			slots[i].fail(l.explain(err))
		case <-ctx.Done():
			slots[i].fail(fmt.Errorf("stream %s: no acknowledgement: %w", l.name, ctx.Err()))
		}
	}
}

func (m *Message) nats() *nats.Msg {
	out := &nats.Msg{Subject: m.Subject, Data: m.Data, Header: nats.Header{}}
	if m.ID != "" {
		out.Header.Set(jetstream.MsgIDHeader, m.ID)
	}
	return out
}
