package report

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// DialTimeout bounds how long it takes to get a connection.
const DialTimeout = 3 * time.Second

// Line asks one server for its report, time and again, over a connection that it keeps. It is for thousands of servers that
// nearly always let it wait for the answer: then it is nothing but a connection with a deadline, and a goroutine with the smallest
// stack there is. For that, each step of a request has a goroutine of its own, because a stack that has grown stays so: ask, which
// may connect, ends before wait begins, and wait is over when read goes deep.
//
// It speaks plain HTTP, follows no redirect, and takes no more than maxReport bytes.
type Line struct {
	URL string
	// Heard takes the answer to each Ask: the report, nil when it is still the last one, or why there is none. After an error the
	// whole report is asked for again.
	Heard func(next *Report, err error)

	// etag of the last report; limit is how long the server may wait for another one.
	etag  string
	limit time.Duration
	// conn is kept when it has served a request: then the server may have closed it meanwhile.
	conn  net.Conn
	kept  bool
	first [1]byte

	// The steps come one after the other, and Close at any time: mu guards closed, and the changes of what Close ends.
	mu     sync.Mutex
	pause  *time.Timer
	closed bool
}

// readers are needed only while an answer comes in.
var readers = sync.Pool{New: func() any { return bufio.NewReader(nil) }}

// Ask asks for the report after a pause, and has the server wait up to limit for a change if a report is known. The next Ask
// may come when Heard has the answer, also from there.
func (l *Line) Ask(pause, limit time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.limit = limit
	l.pause = time.AfterFunc(pause, l.ask)
}

// Close ends everything: whatever comes in afterwards, Heard is not called any more. It does not wait for a call of Heard that
// is under way.
func (l *Line) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.pause != nil {
		l.pause.Stop()
	}
	if l.conn != nil {
		_ = l.conn.Close()
	}
}

// ask sends the request.
func (l *Line) ask() {
	l.mu.Lock()
	l.pause = nil
	closed := l.closed
	l.mu.Unlock()
	if closed {
		return
	}
	if err := l.send(); err != nil {
		l.unanswered(err)
		return
	}
	go l.wait()
}

func (l *Line) send() error {
	req, err := request(context.Background(), l.URL, l.etag, l.limit)
	if err != nil {
		return err
	}
	if l.conn == nil {
		addr := req.URL.Host
		if req.URL.Port() == "" {
			addr = net.JoinHostPort(req.URL.Hostname(), "80")
		}
		conn, err := (&net.Dialer{Timeout: DialTimeout}).DialContext(req.Context(), "tcp", addr)
		if err != nil {
			return err
		}
		l.use(conn)
	}
	if err := l.conn.SetDeadline(time.Now().Add(longest(l.limit))); err != nil {
		return err
	}
	var out bytes.Buffer
	if err := req.Write(&out); err != nil {
		return err
	}
	_, err = l.conn.Write(out.Bytes())
	return err
}

// wait blocks until the answer begins. It is what most Lines do most of the time: until then nothing is called that needs a
// larger stack.
func (l *Line) wait() {
	if _, err := l.conn.Read(l.first[:]); err != nil {
		l.unanswered(err)
		return
	}
	l.read()
}

// unanswered is a request to which not a byte came. If the server may have closed the connection before, another one is tried.
func (l *Line) unanswered(err error) {
	again := l.kept && !errors.Is(err, os.ErrDeadlineExceeded)
	l.use(nil)
	if again {
		l.ask()
		return
	}
	l.tell(nil, "", err)
}

// read takes the answer.
func (l *Line) read() {
	reader := readers.Get().(*bufio.Reader) //nolint:forcetypeassert // see New
	reader.Reset(io.MultiReader(bytes.NewReader(l.first[:]), l.conn))
	next, etag, err := l.answer(reader)
	reader.Reset(nil)
	readers.Put(reader)
	l.tell(next, etag, err)
}

// answer comes from reader. Whatever goes wrong ends the connection.
func (l *Line) answer(reader *bufio.Reader) (next *Report, etag string, err error) {
	resp, err := http.ReadResponse(reader, nil)
	if err != nil {
		l.use(nil)
		return nil, "", fmt.Errorf("GET %s: %w", l.URL, err)
	}
	next, etag, err = decode(resp, l.URL, l.etag)
	l.kept = err == nil && !resp.Close && reader.Buffered() == 0
	if !l.kept {
		l.use(nil) // before the body is closed, which would read the rest of it
	}
	_ = resp.Body.Close()
	return next, etag, err
}

// use takes another connection, or none, in the place of the one that is there.
func (l *Line) use(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		_ = l.conn.Close()
	}
	if l.closed && conn != nil { // meanwhile
		_ = conn.Close()
	}
	l.conn, l.kept = conn, false
}

// tell is the end of a request.
func (l *Line) tell(next *Report, etag string, err error) {
	l.etag = etag
	l.mu.Lock()
	closed := l.closed
	l.mu.Unlock()
	if !closed {
		l.Heard(next, err)
	}
}
