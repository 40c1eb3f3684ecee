package journal

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// Group is a set of messages that belong together, e.g. the deliveries of one request.
type Group struct {
	Messages []Message
	// Acks, one for each message, when Err is nil.
	Acks []Ack
	// Err says why not all of the group is known to be on disk.
	Err error
	// Done is called by a Committer when the fate of the group is known.
	Done func(*Group)

	slots []*slot
}

// slot is a message on its way.
type slot struct {
	message *Message
	// same is the slot of an equal id earlier in the flush.
	same    *slot
	settled bool
	ack     Ack
	err     error
}

func (s *slot) set(a Ack)      { s.settled, s.ack = true, a }
func (s *slot) fail(err error) { s.settled, s.err = true, err }

// settle turns the slots into the result of the group.
func (g *Group) settle() {
	g.Acks, g.Err = make([]Ack, len(g.slots)), nil
	for i, s := range g.slots {
		if s.same != nil {
			g.Acks[i] = Ack{Seq: s.same.ack.Seq, Duplicate: true}
			s = s.same
		} else {
			g.Acks[i] = s.ack
		}
		if s.err != nil {
			g.Err = s.err
		}
	}
	g.slots = nil
}

// parseAck reads the answer to a committed batch.
func (l *Log) parseAck(data []byte) (uint64, error) {
	var answer struct {
		Seq   uint64              `json:"seq"`
		Error *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return 0, fmt.Errorf("stream %s: unreadable acknowledgement: %w", l.name, err)
	}
	if answer.Error != nil {
		return 0, l.explain(answer.Error)
	}
	if answer.Seq == 0 {
		return 0, fmt.Errorf("stream %s: acknowledgement without a sequence number", l.name)
	}
	return answer.Seq, nil
}

// explain sorts the errors of the server into ours.
func (l *Log) explain(err error) error {
	var api *jetstream.APIError
	var js jetstream.JetStreamError
	if !errors.As(err, &api) && errors.As(err, &js) {
		api = js.APIError()
	}
	if api != nil {
		switch int(api.ErrorCode) {
		case codeBatchDuplicate:
			return errDuplicate
		case codeStoreFailed, codeInsufficientResources, codeStorageExceeded, codeAccountExceeded:
			return fmt.Errorf("stream %s: %w: %s", l.name, ErrFull, api.Description)
		}
	}
	return fmt.Errorf("stream %s: %w", l.name, err)
}
