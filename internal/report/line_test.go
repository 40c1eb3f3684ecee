package report_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/oabridge/oabridge/internal/report"
)

// answer is what a Line heard.
type answer struct {
	*report.Report
	err error
}

// asker is a Line to a server that counts its connections.
type asker struct {
	report.Line
	heard       chan answer
	connections atomic.Int32
}

func lineTo(t *testing.T, handler http.Handler) *asker {
	t.Helper()
	a := &asker{heard: make(chan answer, 1)}
	server := httptest.NewUnstartedServer(handler)
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			a.connections.Add(1)
		}
	}
	server.Start()
	a.URL = server.URL
	a.Heard = func(next *report.Report, err error) { a.heard <- answer{next, err} }
	t.Cleanup(func() {
		a.Close()
		server.Close()
	})
	return a
}

// ask asks once and returns the answer.
func (a *asker) ask(limit time.Duration) answer {
	a.Ask(0, limit)
	return <-a.heard
}

// A report that changes comes at once, over the connection that is there; one that does not is none.
func TestLineWaits(t *testing.T) {
	g := NewWithT(t)
	publisher := report.NewPublisher(report.Report{Component: "dispatcher"})
	line := lineTo(t, publisher)
	first := line.ask(0)
	g.Expect(first.err).NotTo(HaveOccurred())
	g.Expect(first.Component).To(Equal("dispatcher"))
	g.Expect(line.ask(time.Millisecond)).To(Equal(answer{}))

	go publisher.Publish(report.Report{Component: "gateway"})
	next := line.ask(time.Minute)
	g.Expect(next.err).NotTo(HaveOccurred())
	g.Expect(next.Component).To(Equal("gateway"))
	g.Expect(line.connections.Load()).To(Equal(int32(1)))
}

// A connection that the server closed between two requests is replaced; one that ends within an answer is an error, after which
// the whole report is asked for.
func TestLineAfterTheServerHungUp(t *testing.T) {
	g := NewWithT(t)
	var requests atomic.Int32
	line := lineTo(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch requests.Add(1) {
		case 1: // is kept, and closed behind the client's back
			conn, buffered, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = fmt.Fprint(buffered, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
			_ = buffered.Flush()
			_ = conn.Close()
		case 2:
			w.Header().Set("ETag", `"2"`)
			_, _ = fmt.Fprint(w, `{"component":"dispatcher"}`)
		case 3:
			w.Header().Set("Content-Length", "100")
			_, _ = fmt.Fprint(w, "{")
		default:
			_, _ = fmt.Fprintf(w, `{"component":%q}`, "knows "+r.Header.Get("If-None-Match"))
		}
	}))
	g.Expect(line.ask(0).err).NotTo(HaveOccurred())
	g.Expect(line.ask(0).Component).To(Equal("dispatcher"))
	g.Expect(line.connections.Load()).To(Equal(int32(2)))
	g.Expect(line.ask(0).err).To(MatchError(ContainSubstring("EOF")))
	g.Expect(line.ask(0).Component).To(Equal("knows "))
	g.Expect(line.connections.Load()).To(Equal(int32(3)))
}

// What is no report is an error: an answer without end, another page, another status.
func TestLineTakesReportsOnly(t *testing.T) {
	for path, want := range map[string]string{
		"/long":      "the answer is too long",
		"/page":      "not a report",
		"/elsewhere": "status 302",
		"/missing":   "status 404",
	} {
		g := NewWithT(t)
		line := lineTo(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/long":
				for more := true; more; {
					_, err := fmt.Fprint(w, strings.Repeat("x", 1<<20))
					more = err == nil
				}
			case "/page":
				_, _ = fmt.Fprint(w, "<html>")
			case "/elsewhere":
				http.Redirect(w, r, "/page", http.StatusFound)
			default:
				http.NotFound(w, r)
			}
		}))
		line.URL += path
		g.Expect(line.ask(0).err).To(MatchError(And(HavePrefix("GET "+line.URL+": "), ContainSubstring(want))))
	}
}

// A Line that is closed hears nothing any more: not during a pause, not while it waits, and not the answer that is on its way.
func TestLineEnds(t *testing.T) {
	g := NewWithT(t)
	held, gone := make(chan struct{}), make(chan struct{})
	line := lineTo(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(held)
		<-r.Context().Done()
		close(gone)
	}))
	line.Heard = func(*report.Report, error) { t.Error("it hears") }
	line.Ask(0, time.Minute)
	<-held
	line.Close()
	<-gone
	line.Ask(0, time.Minute)

	paused := &report.Line{URL: line.URL, Heard: line.Heard}
	paused.Ask(time.Hour, time.Minute)
	paused.Close()
	g.Expect(line.connections.Load()).To(Equal(int32(1)))
}

// Most of ten thousand Lines wait at any time, so that counts what one costs then: its stack is as small as stacks are, which it
// would not be if anything had been called on it before that needs more than waiting for a byte.
func TestLineWaitsWithTheSmallestStack(t *testing.T) {
	const lines = 500
	g := NewWithT(t)
	smallest := 2 << 10
	if b, _ := debug.ReadBuildInfo(); slices.Contains(b.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		smallest *= 2 // the race detector has stacks keep more room free
	}
	stacks := func() int {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int(m.StackInuse)
	}
	before := stacks()
	server, err := net.Listen("tcp", "127.0.0.1:0")
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { _ = server.Close() })
	for range lines {
		line := &report.Line{URL: "http://" + server.Addr().String()}
		line.Heard = func(*report.Report, error) { line.Ask(0, time.Minute) }
		t.Cleanup(line.Close)
		line.Ask(0, time.Minute)
	}
	var conns []net.Conn // the server has no goroutine for each of them, which would have a stack
	for range lines {
		conn, err := server.Accept()
		g.Expect(err).NotTo(HaveOccurred())
		t.Cleanup(func() { _ = conn.Close() })
		conns = append(conns, conn)
	}
	asked := func() {
		for _, conn := range conns {
			_, err := http.ReadRequest(bufio.NewReader(conn))
			g.Expect(err).NotTo(HaveOccurred())
		}
	}
	asked()
	// A new goroutine gets a stack of the average size of those that the last collection saw: once it has seen that these are
	// small, the next ones are.
	runtime.GC()
	for _, conn := range conns {
		_, err := fmt.Fprint(conn, "HTTP/1.1 304 Not Modified\r\n\r\n")
		g.Expect(err).NotTo(HaveOccurred())
	}
	asked()
	g.Eventually(func() int { return (stacks() - before) / lines }).Should(BeNumerically("<=", smallest+smallest/4))
	g.Expect(runtime.NumGoroutine()).To(BeNumerically(">=", lines))
}
