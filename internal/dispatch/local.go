package dispatch

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/dispatch/index"
	"github.com/oabridge/oabridge/internal/dispatch/lookup"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/profiling"
)

// freshWait is how long an answer waits for the index to have the latest records.
const freshWait = 3 * time.Second

// local answers what people ask about records, and takes in test events, on a port that only the pod itself and port-forward
// reach.
type local struct{ *Dispatcher }

func (l local) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+lookup.PathRecords, l.records)
	mux.HandleFunc("GET "+lookup.PathDead, l.dead)
	mux.HandleFunc("GET "+lookup.PathTrace, l.trace)
	mux.HandleFunc("GET "+lookup.PathSummary, l.summary)
	mux.HandleFunc("GET "+lookup.PathSignIns, l.signIns)
	mux.HandleFunc("GET "+lookup.PathRecent, l.recent)
	mux.HandleFunc("POST "+lookup.PathTestEvents, l.sendTest)
	if l.options.Profile {
		profiling.Mux(mux)
	}
	return mux
}

// admit reads the query and finds the open store; the problem is written when there is one.
func (l local) admit(w http.ResponseWriter, r *http.Request, path string) (q query, s *session, ok bool) {
	q, problem := parseQuery(r.URL.Query(), lookup.Parameters[path], time.Now())
	if problem == nil {
		if s = l.session.Load(); s != nil {
			return q, s, true
		}
		problem = later(retryBusy, "the store is not open: see the conditions of the connector")
	}
	problem.WriteTo(w)
	return q, nil, false
}

// index returns the index with the latest records in it, as far as they come in time, and the partitions to look at.
func (l local) index(ctx context.Context, s *session) (x *index.Index, partitions []int, problem *crm.Problem) {
	patient, cancel := context.WithTimeout(ctx, freshWait)
	defer cancel()
	s.index.ready(patient)
	x, problem = s.opened()
	if problem != nil {
		return nil, nil, problem
	}
	for _, e := range s.owned() {
		partitions = append(partitions, e.part.Number)
	}
	s.index.await(patient)
	return x, partitions, nil
}

// opened is the index, or the answer when there is none.
func (s *session) opened() (*index.Index, *crm.Problem) {
	x, trouble := s.index.use()
	if x == nil {
		return nil, later(retryBusy, "the index of the records is not open: %s; deliveries go on, and it is tried again", trouble)
	}
	return x, nil
}

// find returns the hits of a query in the partitions that this process owns, the newest first.
func (l local) find(ctx context.Context, s *session, f index.Filter) ([]index.Hit, *crm.Problem) {
	x, partitions, problem := l.index(ctx, s)
	if problem != nil || len(partitions) == 0 {
		return nil, problem
	}
	f.Partitions = partitions
	hits, err := x.Query(ctx, f)
	if err != nil {
		l.log.Error(err, "a look-up of records failed")
		return nil, later(retryBusy, "the index of the records does not answer: %v", err)
	}
	return hits, nil
}

// whole returns the record of a hit from the log, or what the index knows when the log has dropped it.
func (s *session) whole(ctx context.Context, h *index.Hit) (r record.Record, partial bool) {
	if e := s.engine(h.Partition); e != nil {
		if data, err := e.part.Records.Item(ctx, h.Frame, h.Index); err == nil {
			if r, err := record.Decode(data); err == nil {
				return r, false
			}
		}
	}
	return h.Record, true
}

// records answers the newest records that fit, the newest last.
func (l local) records(w http.ResponseWriter, r *http.Request) {
	q, s, ok := l.admit(w, r, lookup.PathRecords)
	if !ok {
		return
	}
	f, problem := q.filter()
	if problem != nil {
		problem.WriteTo(w)
		return
	}
	hits, problem := l.find(r.Context(), s, f)
	if problem != nil {
		problem.WriteTo(w)
		return
	}
	p := page{full: len(hits) == q.limit}
	for i := range hits {
		out := lookup.Record{Partition: hits[i].Partition}
		out.Record, out.Partial = s.whole(r.Context(), &hits[i])
		if !p.add(out, hits[i].Cursor().String()) {
			break
		}
	}
	p.write(w, r)
}

// page collects lines, the newest first.
type page struct {
	lines [][]byte
	bytes int
	// full: there may be more after the last line, which is at cursor.
	full   bool
	cursor string
}

// add takes a line; false when the page has no room for it.
func (p *page) add(line any, cursor string) bool {
	data, err := json.Marshal(line)
	if err != nil {
		panic("dispatch: an answer is always JSON: " + err.Error())
	}
	if len(p.lines) > 0 && p.bytes+len(data) > lookup.MaxAnswer {
		p.full = true
		return false
	}
	p.lines, p.bytes, p.cursor = append(p.lines, append(data, '\n')), p.bytes+len(data), cursor
	return true
}

// write answers the page, the newest line last, and links to the next one.
func (p *page) write(w http.ResponseWriter, r *http.Request) {
	if p.full && p.cursor != "" {
		q := r.URL.Query()
		q.Set(lookup.ParamCursor, p.cursor)
		w.Header().Set("Link", "<"+(&url.URL{Path: r.URL.Path, RawQuery: q.Encode()}).String()+`>; rel="next"`)
	}
	beginLines(w)
	for i := len(p.lines) - 1; i >= 0; i-- {
		_, _ = w.Write(p.lines[i])
	}
}

func beginLines(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/jsonl; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
}

// summary answers what happened since a time.
func (l local) summary(w http.ResponseWriter, r *http.Request) {
	q, s, ok := l.admit(w, r, lookup.PathSummary)
	if !ok {
		return
	}
	x, partitions, problem := l.index(r.Context(), s)
	if problem != nil {
		problem.WriteTo(w)
		return
	}
	sum, err := x.Summarize(r.Context(), partitions, q.since)
	var signIns map[string]int64
	if err == nil {
		signIns, err = x.CountSignIns(r.Context(), q.since)
	}
	if err != nil {
		l.log.Error(err, "a summary of records failed")
		later(retryBusy, "the index of the records does not answer: %v", err).WriteTo(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(lookup.Summary{
		Outcomes: sum.Outcomes, DeadReasons: sum.Reasons, DeliveredLate: sum.DeliveredLate,
		P50: sum.Latency[0].Milliseconds(), P95: sum.Latency[1].Milliseconds(), P99: sum.Latency[2].Milliseconds(),
		SignIns: signIns, SignInsShared: s.records.Postgres,
	})
}
