package report_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/oabridge/oabridge/internal/report"
)

// lineTo starts a server that counts its connections, and a Line to it.
func lineTo(t *testing.T, handler http.Handler) (line *report.Line, url string, connections *atomic.Int32) {
	t.Helper()
	connections = &atomic.Int32{}
	server := httptest.NewUnstartedServer(handler)
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	line = &report.Line{Dial: 10 * time.Second}
	t.Cleanup(func() {
		line.Close()
		server.Close()
	})
	return line, server.URL, connections
}

// A report that changes comes at once, over the connection that is there; one that does not is none.
func TestLineWaits(t *testing.T) {
	g := NewWithT(t)
	publisher := report.NewPublisher(report.Report{Component: "dispatcher"})
	client, url, connections := lineTo(t, publisher)
	first, etag, changed, err := report.Get(t.Context(), client, url, "", 0)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(changed).To(BeTrue())
	g.Expect(first.Component).To(Equal("dispatcher"))
	_, same, changed, err := report.Get(t.Context(), client, url, etag, time.Millisecond)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(changed).To(BeFalse())
	g.Expect(same).To(Equal(etag))

	go publisher.Publish(report.Report{Component: "gateway"})
	next, _, changed, err := report.Get(t.Context(), client, url, etag, time.Minute)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(changed).To(BeTrue())
	g.Expect(next.Component).To(Equal("gateway"))
	g.Expect(connections.Load()).To(Equal(int32(1)))
}

// A connection that the server closed between two requests is replaced; one that ends within an answer is an error.
func TestLineAfterTheServerHungUp(t *testing.T) {
	g := NewWithT(t)
	requests := 0
	client, url, connections := lineTo(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests++
		switch requests {
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
			_, _ = fmt.Fprint(w, `{"component":"dispatcher"}`)
		default:
			w.Header().Set("Content-Length", "100")
			_, _ = fmt.Fprint(w, "{")
		}
	}))
	_, _, _, err := report.Get(t.Context(), client, url, "", 0)
	g.Expect(err).NotTo(HaveOccurred())
	r, _, _, err := report.Get(t.Context(), client, url, "", 0)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(r.Component).To(Equal("dispatcher"))
	g.Expect(connections.Load()).To(Equal(int32(2)))
	_, _, _, err = report.Get(t.Context(), client, url, "", 0)
	g.Expect(err).To(MatchError(ContainSubstring("EOF")))
}

// An answer without end is no report, and a request ends with its context.
func TestLineHasBounds(t *testing.T) {
	g := NewWithT(t)
	held := make(chan struct{})
	client, url, _ := lineTo(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/long" {
			_, _ = fmt.Fprint(w, strings.Repeat("x", 1<<20))
			return
		}
		close(held)
		<-r.Context().Done()
	}))
	_, _, _, err := report.Get(t.Context(), client, url+"/long", "", 0)
	g.Expect(err).To(MatchError(ContainSubstring("too long")))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-held
		cancel()
	}()
	_, _, _, err = report.Get(ctx, client, url, "", 0)
	g.Expect(err).To(MatchError(context.Canceled))
}
