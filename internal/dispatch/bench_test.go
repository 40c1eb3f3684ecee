package dispatch

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/report"
)

// BenchmarkPipeline sends events over HTTP and waits until each was delivered and recorded. The OA is either a function
// in this process or a bare HTTP server. Compare with BenchmarkBareHTTP, a plain request loop against the same server:
// the pipeline makes two exchanges for each event, so half of it is the ceiling.
func BenchmarkPipeline(b *testing.B) {
	for _, c := range []struct {
		name           string
		clients, batch int
		http           bool
	}{
		{"function/clients=64", 64, 1, false},
		{"http/clients=64", 64, 1, true},
		{"http/clients=256", 256, 1, true},
		{"http/clients=8/batch=100", 8, 100, true},
	} {
		b.Run(c.name, func(b *testing.B) {
			w := newWorld(b)
			w.bundle(func(x *connector) { x.Delivery.Concurrency = 64 })
			w.options.Log = logr.Discard()
			w.options.StoreMaxBytes = 8 << 30
			if c.http {
				sink := bareServer()
				defer sink.Close()
				w.options.NewPusher = func(*bundle.Bundle, string, func() time.Time) (oa.Pusher, error) { return httpPusher(sink.URL), nil }
			}
			http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = 512
			w.start()
			var next atomic.Int64
			b.ResetTimer()
			var clients sync.WaitGroup
			for range c.clients {
				clients.Go(func() {
					for {
						last := next.Add(int64(c.batch))
						if last-int64(c.batch) >= int64(b.N) {
							return
						}
						var events []event
						for n := last - int64(c.batch); n < min(last, int64(b.N)); n++ {
							events = append(events, todo(fmt.Sprintf("e%d", n), fmt.Sprintf("T-%d", n%10_000), "updated"))
						}
						if a := w.send(events...); a.status != http.StatusAccepted {
							b.Errorf("%d %s", a.status, a.body)
							return
						}
					}
				})
			}
			clients.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "accepted/s")
			w.until("all is delivered", func(r report.Report) bool { return r.Delivery.Delivered == int64(b.N) })
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "delivered/s")
		})
	}
}

func bareServer() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"success":true}`)
	}))
}

// BenchmarkBareHTTP is the ceiling: a plain request loop with the same body, and nothing durable.
func BenchmarkBareHTTP(b *testing.B) {
	sink := bareServer()
	defer sink.Close()
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = 512
	body, err := json.Marshal(todo("e", "T", "updated"))
	if err != nil {
		b.Fatal(err)
	}
	var next atomic.Int64
	b.ResetTimer()
	var clients sync.WaitGroup
	for range 64 {
		clients.Go(func() {
			for next.Add(1) <= int64(b.N) {
				req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, sink.URL, bytes.NewReader(body))
				if err != nil {
					b.Error(err)
					return
				}
				resp, err := http.DefaultClient.Do(req)
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
	clients.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}
