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
	"sync"
	"time"
)

// Line is a Client for one server, with one connection and one request at a time. It is for requests that wait for their answer
// nearly always, to thousands of servers: net/http keeps two goroutines, 8 KiB of buffers and deep stacks for each of them, and a
// Line nothing but its connection. It speaks plain HTTP, follows no redirect, keeps the connection for the next request, and
// hands out the whole body, of at most maxReport bytes.
type Line struct {
	// Dial bounds how long it takes to get a connection.
	Dial time.Duration

	conn net.Conn
	addr string
}

// readers are needed only while an answer comes in.
var readers = sync.Pool{New: func() any { return bufio.NewReader(nil) }}

// errTooLong is an answer that is no report.
var errTooLong = errors.New("the answer is too long")

// Do implements Client.
func (l *Line) Do(req *http.Request) (*http.Response, error) {
	addr := req.URL.Host
	if req.URL.Port() == "" {
		addr = net.JoinHostPort(req.URL.Hostname(), "80")
	}
	if addr != l.addr {
		l.Close()
		l.addr = addr
	}
	if l.conn != nil { // the server may have closed it meanwhile; then there is no answer at all
		resp, answered, err := l.exchange(req)
		if err == nil || answered || req.Context().Err() != nil {
			return resp, err
		}
	}
	conn, err := (&net.Dialer{Timeout: l.Dial}).DialContext(req.Context(), "tcp", addr)
	if err != nil {
		return nil, err
	}
	l.conn = conn
	resp, _, err := l.exchange(req)
	return resp, err
}

// Close ends the connection. The Line can be used again.
func (l *Line) Close() {
	if l.conn != nil {
		_ = l.conn.Close()
		l.conn = nil
	}
}

// exchange sends a request and waits for the answer. Whatever goes wrong ends the connection.
func (l *Line) exchange(req *http.Request) (resp *http.Response, answered bool, err error) {
	defer func() {
		if err != nil {
			l.Close()
			if cause := req.Context().Err(); cause != nil {
				err = cause
			}
		}
	}()
	conn := l.conn
	deadline, _ := req.Context().Deadline() // none is the zero time, which clears it
	if err := conn.SetDeadline(deadline); err != nil {
		return nil, false, err
	}
	stop := context.AfterFunc(req.Context(), func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	var out bytes.Buffer
	if err := req.Write(&out); err != nil {
		return nil, false, err
	}
	if _, err := conn.Write(out.Bytes()); err != nil {
		return nil, false, err
	}
	var first [1]byte
	if _, err := io.ReadFull(conn, first[:]); err != nil {
		return nil, false, err
	}
	resp, err = l.read(req, first[:])
	return resp, true, err
}

func (l *Line) read(req *http.Request, first []byte) (*http.Response, error) {
	reader := readers.Get().(*bufio.Reader) //nolint:forcetypeassert // see New
	reader.Reset(io.MultiReader(bytes.NewReader(first), l.conn))
	defer func() {
		reader.Reset(nil)
		readers.Put(reader)
	}()
	resp, err := http.ReadResponse(reader, req)
	if err != nil {
		return nil, fmt.Errorf("GET %s: %w", req.URL, err)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxReport+1))
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	if len(body) > maxReport {
		return nil, fmt.Errorf("GET %s: %w", req.URL, errTooLong)
	}
	if resp.Close || reader.Buffered() > 0 {
		l.Close()
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}
