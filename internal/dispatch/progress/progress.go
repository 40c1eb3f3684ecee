package progress

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"github.com/oabridge/oabridge/internal/dispatch/record"
)

// format of a checkpoint.
const format = 3

// Open is what is known of a delivery that was tried or held but is not done.
type Open struct {
	Attempts int `json:"attempts,omitempty"`
	// Held is the reason it was held for, empty when it is not held.
	Held    string    `json:"held,omitempty"`
	RetryAt time.Time `json:"retryAt,omitzero"`
	// TargetDown: the last attempt failed because of the OA as a whole.
	TargetDown bool `json:"targetDown,omitempty"`
	// Accepted: the OA accepted it, and was asked ReadBacks times whether it holds it.
	Accepted  bool  `json:"accepted,omitempty"`
	ReadBacks uint8 `json:"readBacks,omitempty"`
	// Class and Message of the last failed attempt.
	Class   string `json:"class,omitempty"`
	Message string `json:"message,omitempty"`
	// Sent and Captured of the call that the OA accepted.
	Sent int64 `json:"sent,omitempty"`
	// Merged is the delivery whose state it goes out with, 0 when that is its own.
	Merged   uint64            `json:"merged,omitempty"`
	Captured map[string]string `json:"captured,omitempty"`
}

// Totals over the life of the store.
type Totals struct {
	Delivered int64 `json:"delivered"`
	Skipped   int64 `json:"skipped"`
	Dead      int64 `json:"dead"`
}

// Replay counts what became of the deliveries of one replay.
type Replay struct {
	Delivered int64 `json:"delivered,omitempty"`
	Skipped   int64 `json:"skipped,omitempty"`
	Dead      int64 `json:"dead,omitempty"`
}

// Progress is the fold over RECORDS.
type Progress struct {
	Done   Done
	Latest Latest
	Totals Totals
	// Open by sequence number.
	Open map[uint64]Open
	// Records is the number of the last record that was applied, RecordsFrame where it is stored.
	Records, RecordsFrame uint64
	// EventsFrame is the frame of EVENTS before which everything is done; it is known when the checkpoint is written.
	EventsFrame uint64
	// Replays counts what became of the deliveries of each replay.
	Replays map[string]Replay
	// Trials counts what became of the first attempts of each trial of a template revision.
	Trials map[string]Trial
	// LastFailure is the most recent failed attempt, nil when there is none.
	LastFailure *record.Record
}

// New returns an empty Progress.
func New() *Progress {
	return &Progress{Open: map[uint64]Open{}, Replays: map[string]Replay{}, Trials: map[string]Trial{}}
}

// Apply folds in a record by its number and the frame it is stored in; it ignores one that it knows, and returns whether
// it was news.
func (p *Progress) Apply(number, frame uint64, r *record.Record) bool {
	if number <= p.Records {
		return false
	}
	p.Records, p.RecordsFrame = number, frame
	p.count(r)
	failed := r.Class != "" && r.Attempt > 0
	if failed {
		p.LastFailure = &record.Record{At: r.At, Class: r.Class, Message: r.Message}
	}
	if !r.Outcome.Final() {
		if p.Done.Has(r.Seq) {
			return true
		}
		o := p.Open[r.Seq]
		o.Attempts, o.RetryAt, o.TargetDown, o.Held = r.Attempt, r.RetryAt, r.TargetDown, ""
		o.Accepted, o.ReadBacks = r.Awaited(), r.ReadBacks
		if r.Captured != nil {
			o.Captured = r.Captured
		}
		o.Sent, o.Merged = max(o.Sent, r.Sent), max(o.Merged, r.Merged)
		if r.Outcome == record.Held {
			o.Held = r.Reason
		}
		if failed {
			o.Class, o.Message = r.Class, r.Message
		}
		p.Open[r.Seq] = o
		return true
	}
	open := p.Open[r.Seq]
	delete(p.Open, r.Seq)
	if !p.Done.Add(r.Seq) {
		return true
	}
	replay := p.Replays[r.Replay]
	switch r.Outcome {
	case record.Delivered:
		p.Totals.Delivered++
		replay.Delivered++
		p.Latest.Set(r.Key(), p.Latest.Get(r.Key()).after(r, open))
	case record.Skipped:
		p.Totals.Skipped++
		replay.Skipped++
		if r.Reason == record.ReasonCameAndWent && r.Merged > 0 && !p.Latest.Get(r.Key()).IsOpen() {
			p.Latest.Set(r.Key(), p.Latest.Get(r.Key()).never(r.Merged))
		}
	case record.Dead:
		p.Totals.Dead++
		replay.Dead++
	}
	if r.Replay != "" {
		p.Replays[r.Replay] = replay
	}
	return true
}

// HighestKnown is the highest number of a delivery that anything is known about.
func (p *Progress) HighestKnown() uint64 {
	highest := p.Done.highest()
	for seq := range p.Open {
		highest = max(highest, seq)
	}
	return highest
}

// checkpoint is the stored form.
type checkpoint struct {
	Format    int               `json:"format"`
	Records   uint64            `json:"records"`
	RecordsAt uint64            `json:"recordsAt,omitempty"`
	EventsAt  uint64            `json:"eventsAt,omitempty"`
	Floor     uint64            `json:"floor"`
	Above     []byte            `json:"above,omitempty"`
	Totals    Totals            `json:"totals"`
	Open      map[uint64]Open   `json:"open,omitempty"`
	Replays   map[string]Replay `json:"replays,omitempty"`
	Trials    map[string]Trial  `json:"trials,omitempty"`
	Old       []byte            `json:"old,omitempty"`
	Young     []byte            `json:"young,omitempty"`
	// Captured values by key.
	Captured    map[string]map[string]string `json:"captured,omitempty"`
	LastFailure *record.Record               `json:"lastFailure,omitempty"`
}

// Encode returns the checkpoint.
func (p *Progress) Encode() ([]byte, error) {
	c := checkpoint{
		Format: format, Records: p.Records, Floor: p.Done.floor, Totals: p.Totals, Open: p.Open, LastFailure: p.LastFailure,
		RecordsAt: p.RecordsFrame, EventsAt: p.EventsFrame, Replays: p.Replays, Trials: p.Trials,
		Old: appendStates(nil, p.Latest.old), Young: appendStates(nil, p.Latest.young),
	}
	c.Captured = p.Latest.captured()
	for _, word := range p.Done.bits {
		c.Above = binary.LittleEndian.AppendUint64(c.Above, word)
	}
	return json.Marshal(c)
}

// Decode reads a checkpoint.
func Decode(data []byte) (*Progress, error) {
	var c checkpoint
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	if c.Format != format {
		return nil, fmt.Errorf("checkpoint: format %d is not known to this version (it knows %d); run the version that wrote the store, or a newer one", c.Format, format)
	}
	p := New()
	p.Records, p.Totals, p.LastFailure = c.Records, c.Totals, c.LastFailure
	p.RecordsFrame, p.EventsFrame = c.RecordsAt, c.EventsAt
	if c.Replays != nil {
		p.Replays = c.Replays
	}
	if c.Trials != nil {
		p.Trials = c.Trials
	}
	p.Done.floor = c.Floor
	for b := c.Above; len(b) >= 8; b = b[8:] {
		p.Done.bits = append(p.Done.bits, binary.LittleEndian.Uint64(b))
	}
	if c.Open != nil {
		p.Open = c.Open
	}
	p.Latest.old, p.Latest.young = parseStates(c.Old), parseStates(c.Young)
	p.Latest.restoreCaptured(c.Captured)
	return p, nil
}
