package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// maxReadBytes bounds one read, in bytes; at least one message is read whatever its size.
const maxReadBytes = 4 << 20

// readQueue is how many messages of a read may wait to be taken from the connection: more than any read asks for. The
// default takes half a MiB for each read.
const readQueue = 1024

// ErrNotFound is returned when there is no message of that number.
var ErrNotFound = errors.New("not in the store")

// Stored is a message that was read.
type Stored struct {
	Seq     uint64
	Subject string
	Data    []byte
}

// Bounds of a log.
type Bounds struct {
	// First and Last sequence numbers that exist; Last stays when messages are removed.
	First, Last uint64
	Messages    uint64
	// Bytes used and the most that there may be.
	Bytes, MaxBytes uint64
}

// Bounds asks for the numbers of the log.
func (l *Log) Bounds(ctx context.Context) (Bounds, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	info, err := l.stream.Info(ctx)
	if err != nil {
		return Bounds{}, fmt.Errorf("stream %s: %w", l.name, err)
	}
	s := info.State
	return Bounds{First: s.FirstSeq, Last: s.LastSeq, Messages: s.Msgs, Bytes: s.Bytes, MaxBytes: uint64(info.Config.MaxBytes)}, nil
}

// Read returns up to limit messages from sequence number from on, in order. It returns none at the end of the log.
//
// In a cluster a copy that lags behind may answer. What it has is a prefix of the truth, so what is returned is right, but
// none need not mean the end: compare with Bounds.
func (l *Log) Read(ctx context.Context, from uint64, limit int) ([]Stored, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	// Direct get in batches: stateless, so nothing has to be set up, resumed or cleaned up.
	request, err := json.Marshal(map[string]any{"seq": max(from, 1), "batch": limit, "max_bytes": maxReadBytes})
	if err != nil {
		return nil, err
	}
	inbox := l.read.NewRespInbox()
	sub, err := l.read.SubscribeSync(inbox)
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", l.name, err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := l.read.PublishRequest("$JS.API.DIRECT.GET."+l.name, inbox, request); err != nil {
		return nil, fmt.Errorf("stream %s: %w", l.name, err)
	}
	var out []Stored
	for {
		m, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			return nil, fmt.Errorf("stream %s: read from %d: %w", l.name, from, err)
		}
		switch status := m.Header.Get("Status"); status {
		case "":
			s, err := stored(m)
			if err != nil {
				return nil, fmt.Errorf("stream %s: %w", l.name, err)
			}
			out = append(out, s)
		case "204", "404": // end of batch, nothing there
			return out, nil
		default:
			return nil, fmt.Errorf("stream %s: read from %d: %s %s", l.name, from, status, m.Header.Get("Description"))
		}
	}
}

func stored(m *nats.Msg) (Stored, error) {
	seq, err := strconv.ParseUint(m.Header.Get(jetstream.SequenceHeader), 10, 64)
	return Stored{Seq: seq, Subject: m.Header.Get(jetstream.SubjectHeader), Data: m.Data}, err
}

// get returns the message of one sequence number, or ErrNotFound.
func (l *Log) get(ctx context.Context, seq uint64) ([]byte, error) {
	got, err := l.Read(ctx, seq, 1)
	if err != nil {
		return nil, err
	}
	if len(got) == 0 || got[0].Seq != seq {
		return nil, fmt.Errorf("stream %s: message %d: %w", l.name, seq, ErrNotFound)
	}
	return got[0].Data, nil
}

// Ends reports whether there is nothing from sequence number from on. In a cluster the leader of the stream is asked.
func (l *Log) Ends(ctx context.Context, from uint64) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	request, err := json.Marshal(map[string]any{"seq": max(from, 1), "next_by_subj": ">"})
	if err != nil {
		return false, err
	}
	m, err := l.read.RequestWithContext(ctx, "$JS.API.STREAM.MSG.GET."+l.name, request)
	if err != nil {
		return false, fmt.Errorf("stream %s: %w", l.name, err)
	}
	var answer struct {
		Error *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(m.Data, &answer); err != nil {
		return false, fmt.Errorf("stream %s: %w", l.name, err)
	}
	if answer.Error != nil && answer.Error.ErrorCode != jetstream.JSErrCodeMessageNotFound {
		return false, fmt.Errorf("stream %s: %w", l.name, answer.Error)
	}
	return answer.Error != nil, nil
}

// PurgeBelow removes all messages before seq.
func (l *Log) PurgeBelow(ctx context.Context, seq uint64) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if err := l.stream.Purge(ctx, jetstream.WithPurgeSequence(seq)); err != nil {
		return fmt.Errorf("stream %s: purge: %w", l.name, err)
	}
	return nil
}

// Remove deletes one message; one that is gone already is no error.
func (l *Log) Remove(ctx context.Context, seq uint64) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	err := l.stream.DeleteMsg(ctx, seq)
	if err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) && !errors.Is(err, jetstream.ErrMsgDeleteUnsuccessful) {
		return fmt.Errorf("stream %s: remove %d: %w", l.name, seq, err)
	}
	return nil
}
