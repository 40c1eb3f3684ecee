package dispatch

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/oabridge/oabridge/internal/dispatch/journal"
	"github.com/oabridge/oabridge/internal/dispatch/lookup"
)

const (
	// deadWindow is how many numbers of the dead letters are looked at with one request to the store.
	deadWindow = 256
	// maxDeadScan bounds the numbers that one page looks at, from the youngest back; Link leads to the rest.
	maxDeadScan = 50_000
)

// dead answers the youngest dead letters that fit, the youngest last. They come from their own stream and not from the
// index, because they stay there until they are replayed, however old they are.
func (l local) dead(w http.ResponseWriter, r *http.Request) {
	q, s, ok := l.admit(w, r, lookup.PathDead)
	if !ok {
		return
	}
	oldest, youngest, err := s.journal.DeadRange(r.Context())
	if err != nil {
		l.log.Error(err, "cannot read the dead letters")
		later(retryBusy, "the store does not answer").WriteTo(w)
		return
	}
	oldest = max(oldest, 1) // of a stream that never had one it is 0
	before := youngest + 1
	if q.cursor != "" {
		if before, err = strconv.ParseUint(q.cursor, 10, 64); err != nil {
			badCursor().WriteTo(w)
			return
		}
		before = min(before, youngest+1)
	}
	engines := s.owned()
	var p page
	for start := before; before > oldest && !p.full; {
		if start-before >= maxDeadScan {
			p.full = true
			break
		}
		from := max(before, deadWindow+1) - deadWindow
		letters, err := s.journal.DeadLetters(r.Context(), from, deadWindow)
		if err != nil {
			l.log.Error(err, "cannot read the dead letters")
			later(retryBusy, "the store does not answer").WriteTo(w)
			return
		}
		for i := len(letters) - 1; i >= 0 && !p.full; i-- {
			stored := letters[i]
			if stored.Seq >= before {
				continue // numbers are missing, so the store went on beyond the window
			}
			if line, ok := deadLetter(engines, stored, q); ok && !p.add(line, "") {
				break
			}
			before = stored.Seq
			p.full = len(p.lines) == q.limit
		}
		if !p.full {
			before = from
		}
	}
	p.full = p.full && before > oldest
	p.cursor = strconv.FormatUint(before, 10)
	p.write(w, r)
}

// deadLetter reads a dead letter of one of the partitions; false when it is another's, or the query does not mean it.
func deadLetter(engines []*engine, stored journal.Stored, q query) (line lookup.Letter, ok bool) {
	var letter DeadLetter
	for _, e := range engines {
		if e.part.IsOf(stored) {
			ok = json.Unmarshal(stored.Data, &letter) == nil && q.match(&letter.Record)
			return lookup.Letter{Partition: e.part.Number, Record: letter.Record, Delivery: letter.Delivery}, ok
		}
	}
	return line, false
}
