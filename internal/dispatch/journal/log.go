package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Error codes of the server (ADR-50 and the table of JetStream errors).
const (
	codeWrongLast             = 10071
	codeWrongLastConstant     = 10164
	codeInsufficientResources = 10023
	codeStoreFailed           = 10077 // "maximum bytes exceeded" and the like
	codeStorageExceeded       = 10047
	codeAccountExceeded       = 10002
)

// Errors of appending.
var (
	// ErrFull: a limit of the store is reached; nothing was written.
	ErrFull = errors.New("the store is full")
	// ErrFenced: somebody else has written to the log, so it has another owner now; nothing was written.
	ErrFenced = errors.New("the log has another owner")
	// ErrBroken: the storage engine cannot write. Whether this message is there shows when the store is opened again.
	ErrBroken = errors.New("the store cannot be written")

	errUncertain = errors.New("no acknowledgement")
)

const (
	// writePatience is how long a write is tried whose acknowledgement does not come.
	writePatience = 30 * time.Second
	// writeAgain is the pause between two tries.
	writeAgain = 200 * time.Millisecond
)

// Log is one stream with one writer. The writer says with each message which one it believes to be the last: if it is not,
// somebody else has taken over the log and the message is refused. So of two processes that both think they own a
// log, only one can write.
type Log struct {
	name, subject string
	stream        jetstream.Stream
	publish, read *nats.Conn
	engine        context.Context
	// last is the sequence number of the last message, as far as this writer knows.
	last uint64
	// since is when the write in progress began, with its monotonic reading, so that a clock that is set makes no write look
	// slow; nil when none is.
	since atomic.Pointer[time.Time]
}

// Append writes one message, syncs it, and returns its sequence number. It is not safe for concurrent use.
func (l *Log) Append(ctx context.Context, data []byte) (uint64, error) {
	began := time.Now()
	l.since.Store(&began)
	defer l.since.Store(nil)
	for uncertain := false; ; {
		seq, err := l.tryAppend(ctx, data)
		switch {
		case err == nil:
			l.last = seq
			return seq, nil
		case errors.Is(err, errUncertain):
			// The message may be there or not. The next try tells: the log takes it only once.
			uncertain = true
			if l.engine.Err() != nil {
				return 0, fmt.Errorf("%w: %w", ErrBroken, err)
			}
			if ctx.Err() != nil || time.Since(began) > writePatience {
				return 0, fmt.Errorf("%w: %w", ErrBroken, err)
			}
			pause(ctx, writeAgain)
		case errors.Is(err, ErrFenced) && uncertain && l.holds(ctx, l.last+1, data):
			l.last++
			return l.last, nil
		default:
			return 0, err
		}
	}
}

func (l *Log) tryAppend(ctx context.Context, data []byte) (uint64, error) {
	m := &nats.Msg{Subject: l.subject, Data: data, Header: nats.Header{
		jetstream.ExpectedLastSeqHeader: {strconv.FormatUint(l.last, 10)},
	}}
	answer, err := ask(ctx, l.engine, l.publish, m)
	if err != nil {
		return 0, fmt.Errorf("stream %s: %w", l.name, err)
	}
	var ack struct {
		Seq   uint64              `json:"seq"`
		Error *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(answer.Data, &ack); err != nil {
		return 0, fmt.Errorf("stream %s: unreadable acknowledgement: %w", l.name, err)
	}
	if ack.Error != nil {
		return 0, l.explain(ack.Error)
	}
	if ack.Seq == 0 {
		return 0, fmt.Errorf("stream %s: %w: an acknowledgement without a number", l.name, errUncertain)
	}
	return ack.Seq, nil
}

// fencedError is ErrFenced with the number of the last message, as the engine counts.
type fencedError struct {
	text string
	last uint64
}

func (e *fencedError) Error() string { return e.text }

func (e *fencedError) Unwrap() error { return ErrFenced }

// ask sends a message that has to be stored, and waits for the answer: no longer than the engine lives, which does not
// answer for what it cannot write.
func ask(ctx, engine context.Context, nc *nats.Conn, m *nats.Msg) (*nats.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	stop := context.AfterFunc(engine, cancel)
	defer stop()
	answer, err := nc.RequestMsgWithContext(ctx, m)
	if err != nil && engine.Err() != nil {
		err = context.Cause(engine)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUncertain, err)
	}
	return answer, nil
}

// explain sorts the errors of the server into ours.
func (l *Log) explain(err *jetstream.APIError) error {
	switch int(err.ErrorCode) {
	case codeWrongLast, codeWrongLastConstant:
		fenced := &fencedError{text: fmt.Sprintf("stream %s: %v: %s", l.name, ErrFenced, err.Description)}
		// "wrong last sequence: 21"; without a number the bounds have to do.
		fenced.last, _ = strconv.ParseUint(err.Description[strings.LastIndexByte(err.Description, ' ')+1:], 10, 64)
		return fenced
	case codeStoreFailed, codeInsufficientResources, codeStorageExceeded, codeAccountExceeded:
		return fmt.Errorf("stream %s: %w: %s", l.name, ErrFull, err.Description)
	}
	return fmt.Errorf("stream %s: %w: %w", l.name, ErrBroken, err)
}

// holds reports whether message seq is data: then it is ours, and only its acknowledgement was lost.
func (l *Log) holds(ctx context.Context, seq uint64, data []byte) bool {
	got, err := l.Read(ctx, seq, 1)
	return err == nil && len(got) == 1 && got[0].Seq == seq && bytes.Equal(got[0].Data, data)
}

// Fence makes this process the only one that can write to the log: it appends a mark, after which every other writer
// is wrong about the last message. A full log needs no mark, because nobody can write to it. It reports how many messages
// the end of the log lacks: the engine knows that there were more than it can read, because a block is damaged.
func (l *Log) Fence(ctx context.Context, mark func(last uint64) ([]byte, error)) (lacks uint64, err error) {
	for known := uint64(0); ; {
		b, err := l.Bounds(ctx)
		if err != nil {
			return 0, err
		}
		data, err := mark(b.Last)
		if err != nil {
			return 0, err
		}
		l.last = max(b.Last, known)
		_, err = l.Append(ctx, data)
		var fenced *fencedError
		switch {
		case errors.As(err, &fenced) && ctx.Err() == nil:
			// The other one wrote once more in between, or the bounds are not what the engine counts on from.
			known = fenced.last
		case err == nil, errors.Is(err, ErrFull):
			return max(known, b.Last) - b.Last, nil
		default:
			return 0, err
		}
	}
}

// Stalled is how long the write in progress has taken so far, 0 when there is none.
func (l *Log) Stalled(now time.Time) time.Duration {
	if since := l.since.Load(); since != nil {
		return now.Sub(*since)
	}
	return 0
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
