package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"flag"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxEvents that one measurement may have; the sink keeps one time for each.
	maxEvents = 4_000_000
	// maxSinkBody bounds a body at the sink, in bytes.
	maxSinkBody = 8 << 20
	// headerTimeout of the sink's server.
	headerTimeout = 30 * time.Second
)

// sink is the OA of a measurement: a bare net/http server that says success and remembers when it got which event.
type sink struct {
	delay atomic.Int64 // ns
	down  atomic.Bool

	// times holds for each event when it came first, in ns since 1970; 0 when it did not come.
	times    []atomic.Int64
	distinct atomic.Int64
	calls    atomic.Int64
	first    atomic.Int64
	last     atomic.Int64
	buffers  sync.Pool
}

// sinkState is what the sink tells: how many events came, in how many calls, and when the first and the last new one did
// (ns since 1970).
type sinkState struct {
	Distinct, Calls, First, Last int64
}

// runSink is the role of the sink process.
func runSink(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("sink", flag.ContinueOnError)
	listen := f.String("listen", "", "address")
	if err := f.Parse(args); err != nil {
		return err
	}
	s := &sink{times: make([]atomic.Int64, maxEvents)}
	s.buffers.New = func() any { return new(bytes.Buffer) }
	mux := http.NewServeMux()
	mux.HandleFunc("/seeyon/", s.push)
	mux.HandleFunc("/seeyon/rest/token", s.token)
	mux.HandleFunc("/seeyon/rest/token/", s.token)
	mux.HandleFunc("/bench/state", s.state)
	mux.HandleFunc("/bench/times", s.tell)
	mux.HandleFunc("/bench/reset", s.reset)
	mux.HandleFunc("/bench/set", s.set)
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: headerTimeout}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.Serve(listener); ctx.Err() == nil {
		return err
	}
	return nil
}

var (
	success     = []byte(`{"success":true,"errorMsgs":[]}`)
	sinkToken   = []byte(`{"id":"00000000-0000-0000-0000-000000000001","bindingUser":null}`)
	contentType = []string{"application/json;charset=UTF-8"}
)

// push takes to-dos: one call may hold several.
func (s *sink) push(w http.ResponseWriter, r *http.Request) {
	buf, _ := s.buffers.Get().(*bytes.Buffer)
	buf.Reset()
	_, err := buf.ReadFrom(io.LimitReader(r.Body, maxSinkBody))
	if err != nil || s.down.Load() {
		s.buffers.Put(buf)
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if d := s.delay.Load(); d > 0 {
		time.Sleep(time.Duration(d))
	}
	s.calls.Add(1)
	now := time.Now().UnixNano()
	for rest := buf.Bytes(); ; {
		at := bytes.Index(rest, []byte(marker))
		if at < 0 {
			break
		}
		rest = rest[at+len(marker):]
		if n, ok := number(rest); ok && n < maxEvents && s.times[n].CompareAndSwap(0, now) {
			s.distinct.Add(1)
			s.first.CompareAndSwap(0, now)
			s.last.Store(now)
		}
	}
	s.buffers.Put(buf)
	w.Header()["Content-Type"] = contentType
	_, _ = w.Write(success)
}

func (s *sink) token(w http.ResponseWriter, _ *http.Request) {
	if s.down.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.Header()["Content-Type"] = contentType
	_, _ = w.Write(sinkToken)
}

func (s *sink) state(w http.ResponseWriter, _ *http.Request) {
	_ = json.NewEncoder(w).Encode(sinkState{s.distinct.Load(), s.calls.Load(), s.first.Load(), s.last.Load()})
}

// tell answers the times of the first n events, 8 bytes each, little endian.
func (s *sink) tell(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.FormValue("n"))
	out := make([]byte, 0, 8*n)
	for i := range s.times[:min(n, maxEvents)] {
		out = binary.LittleEndian.AppendUint64(out, uint64(s.times[i].Load()))
	}
	_, _ = w.Write(out)
}

func (s *sink) reset(http.ResponseWriter, *http.Request) {
	for i := range s.times {
		s.times[i].Store(0)
	}
	s.distinct.Store(0)
	s.calls.Store(0)
	s.first.Store(0)
	s.last.Store(0)
}

// set changes how the sink answers: ?delay=20ms, ?down=true.
func (s *sink) set(w http.ResponseWriter, r *http.Request) {
	delay, err := time.ParseDuration(r.FormValue("delay"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.delay.Store(int64(delay))
	s.down.Store(strings.EqualFold(r.FormValue("down"), "true"))
}
