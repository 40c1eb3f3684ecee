package outbound

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// fickle is a server that answers the first request of a connection, and then does as it is told.
type fickle struct {
	net.Listener
	mu   sync.Mutex
	seen []string
	// closed is closed when the server has closed a connection.
	closed chan struct{}
}

// newFickle answers the first request of the first connection and then either closes it at once, or reads one more request
// and closes it without an answer. All others it answers.
func newFickle(t *testing.T, readMore bool) *fickle {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fickle{Listener: l, closed: make(chan struct{})}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for first := true; ; first = false {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go f.handle(c, first, readMore)
		}
	}()
	return f
}

func (f *fickle) handle(c net.Conn, first, readMore bool) {
	defer func() { _ = c.Close() }()
	in := bufio.NewReader(c)
	for n := 0; ; n++ {
		if first && n == 1 && !readMore {
			_ = c.Close()
			close(f.closed)
			return
		}
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		f.mu.Lock()
		f.seen = append(f.seen, r.Method+" "+r.URL.Path)
		f.mu.Unlock()
		if first && n == 1 {
			return // it got the request, and perhaps acted on it
		}
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	}
}

func (f *fickle) count(request string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.seen {
		if s == request {
			n++
		}
	}
	return n
}

// call makes a request on the connection of the one before, and reads the whole answer.
func call(t *testing.T, c *http.Client, method, url string, header http.Header) error {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(`{"taskId":"T-1"}`))
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		req.Header = header
	}
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// There is one layer that tries again, and it is the dispatcher. Under it net/http sends a request a second time by itself
// only when that cannot write anything twice: it only reads, or says that the other side recognises a repeat, or not a
// byte of it was written. A push whose answer is lost is sent once and fails.
func TestWhatIsSentTwice(t *testing.T) {
	for _, c := range []struct {
		name, method string
		header       http.Header
		sent         int
		fails        bool
	}{
		{"a push", http.MethodPost, nil, 1, true},
		{"a push with PUT", http.MethodPut, nil, 1, true},
		{"a push with DELETE", http.MethodDelete, nil, 1, true},
		{"a question", http.MethodGet, nil, 2, false},
		{"a push that the template marks as repeatable", http.MethodPost, http.Header{"Idempotency-Key": {"T-1"}}, 2, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newFickle(t, true)
			url := "http://" + s.Addr().String()
			oa := client(t, Config{AllowedCIDRs: loopback})
			if err := call(t, oa, http.MethodPost, url+"/first", nil); err != nil {
				t.Fatal(err)
			}
			err := call(t, oa, c.method, url+"/second", c.header)
			if (err != nil) != c.fails {
				t.Errorf("got %v", err)
			}
			if n := s.count(c.method + " /second"); n != c.sent {
				t.Errorf("sent %d times, want %d", n, c.sent)
			}
		})
	}
}

// When the OA closes an idle connection, the next push goes out on a new one, once. Only when the two cross on the wire it
// may fail, and then it is not sent behind the dispatcher's back.
func TestAnIdleConnectionIsClosed(t *testing.T) {
	for range 20 {
		s := newFickle(t, false)
		url := "http://" + s.Addr().String()
		oa := client(t, Config{AllowedCIDRs: loopback})
		if err := call(t, oa, http.MethodPost, url+"/first", nil); err != nil {
			t.Fatal(err)
		}
		<-s.closed
		err := call(t, oa, http.MethodPost, url+"/second", nil)
		if n := s.count("POST /second"); n > 1 || (err == nil) != (n == 1) {
			t.Errorf("sent %d times, %v", n, err)
		}
	}
}
