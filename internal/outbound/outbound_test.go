package outbound

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func client(t *testing.T, c Config) *http.Client {
	t.Helper()
	got, err := NewClient(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(got.CloseIdleConnections)
	return got
}

func get(t *testing.T, c *http.Client, url string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err == nil {
		t.Cleanup(func() { _ = resp.Body.Close() })
	}
	return resp, err
}

var loopback = []string{"127.0.0.0/8", "::1/128"}

// A server on this host is out of reach until it is allowed, under each of its names.
func TestLoopbackIsDeniedAtTheDial(t *testing.T) { // TM-07
	var calls atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	defer s.Close()
	port := s.URL[strings.LastIndex(s.URL, ":"):]
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0"} {
		_, err := get(t, client(t, Config{}), "http://"+host+port)
		if !errors.Is(err, ErrEgressDenied) {
			t.Errorf("%s: got %v", host, err)
		}
		if _, ok := errors.AsType[*url.Error](err); !ok {
			t.Errorf("%s: not wrapped by the client: %v", host, err)
		}
	}
	if n := calls.Load(); n != 0 {
		t.Errorf("%d requests came through", n)
	}
	if _, err := get(t, client(t, Config{AllowedCIDRs: loopback}), s.URL); err != nil || calls.Load() != 1 {
		t.Errorf("allowed, but got %v", err)
	}
}

// DNS rebinding: the name leads to an allowed address first and to another one then; each dial is checked.
func TestEachDialIsChecked(t *testing.T) { // TM-07
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") }))
	defer s.Close()
	other, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	c := client(t, Config{AllowedCIDRs: []string{"127.0.0.1/32"}})
	transport := c.Transport.(*http.Transport)
	dial, target := transport.DialContext, s.Listener.Addr().String()
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) { return dial(ctx, network, target) }
	if _, err := get(t, c, "http://oa.example"); err != nil {
		t.Fatal(err)
	}
	target = other.Addr().String()
	if _, err := get(t, c, "http://oa.example"); !errors.Is(err, ErrEgressDenied) {
		t.Errorf("got %v", err)
	}
}

func TestNoRedirectsAndNoProxy(t *testing.T) { // TM-07
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	var calls atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
	}))
	defer s.Close()
	c := client(t, Config{AllowedCIDRs: loopback})
	if p := c.Transport.(*http.Transport).Proxy; p != nil {
		t.Error("a proxy may be taken from the environment")
	}
	resp, err := get(t, c, s.URL)
	if err != nil || resp.StatusCode != http.StatusFound || calls.Load() != 1 {
		t.Errorf("got %v, %v", resp, err)
	}
}

// Plain http is refused before anything is dialled, wherever the address comes from; https is not. // F17
func TestPlainHTTPIsRefused(t *testing.T) {
	var calls atomic.Int32
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	defer plain.Close()
	encrypted := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	defer encrypted.Close()
	c := client(t, Config{AllowedCIDRs: loopback, RequireTLS: true, CA: func() ([]byte, error) {
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: encrypted.Certificate().Raw}), nil
	}})
	if _, err := get(t, c, plain.URL); !errors.Is(err, ErrPlainHTTP) || calls.Load() != 0 {
		t.Errorf("got %v, %d calls", err, calls.Load())
	}
	if _, err := get(t, c, encrypted.URL); err != nil || calls.Load() != 1 {
		t.Errorf("got %v, %d calls", err, calls.Load())
	}
}

// TLS works with a CA of one's own, over HTTP/2, and the CA may be replaced while the client runs.
func TestCA(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }))
	s.EnableHTTP2 = true
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // some handshakes are meant to fail
	s.StartTLS()
	defer s.Close()
	right := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})

	if _, err := get(t, client(t, Config{AllowedCIDRs: loopback}), s.URL); err == nil {
		t.Error("a certificate of an unknown authority was accepted")
	}

	var current []byte
	c := client(t, Config{AllowedCIDRs: loopback, CA: func() ([]byte, error) {
		if current == nil {
			return nil, errors.New("gone")
		}
		return current, nil
	}})
	for _, bad := range [][]byte{nil, []byte("no PEM")} {
		current = bad
		if _, err := get(t, c, s.URL); !errors.Is(err, ErrCA) {
			t.Errorf("%q: got %v", bad, err)
		}
	}
	current = right
	resp, err := get(t, c, s.URL)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := ReadBody(resp, 100); err != nil || string(b) != "HTTP/2.0" {
		t.Errorf("got %s, %v", b, err)
	}
}

// The connect timeout covers the TLS handshake of a server that accepts and says nothing (F39).
func TestConnectTimeoutCoversTLS(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, err = get(t, client(t, Config{AllowedCIDRs: loopback, ConnectTimeout: 50 * time.Millisecond}), "https://"+l.Addr().String())
	if e, ok := errors.AsType[net.Error](err); !ok || !e.Timeout() {
		t.Errorf("got %v", err)
	}
}

func TestReadBody(t *testing.T) { // TM-08
	for _, test := range []struct {
		body, want string
		err        error
	}{
		{"", "", nil},
		{"1234", "1234", nil},
		{"12345", "1234", ErrTooLarge},
		{strings.Repeat("x", 1<<16), "xxxx", ErrTooLarge},
	} {
		got, err := ReadBody(&http.Response{Body: io.NopCloser(strings.NewReader(test.body))}, 4)
		if string(got) != test.want || !errors.Is(err, test.err) {
			t.Errorf("%d bytes: got %q, %v", len(test.body), got, err)
		}
	}
}
