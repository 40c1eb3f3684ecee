package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// retryPause is how long a client waits after an answer other than success.
const retryPause = 5 * time.Millisecond

// loadFlags is what one run of the load generator does. The bare loop and the load on the dispatcher are the same code:
// only the address differs.
type loadFlags struct {
	url            string
	clients, batch int
	first, events  int
	items, people  int
	reminders      bool
	signed         bool
	token          string
	want           int
	times, result  string
}

// loadResult is what the generator measured. Times are ns since 1970.
type loadResult struct {
	Accepted, Repeated int
	First, Last        int64
	// Latency of the requests in ns: the median and the 99th percentile.
	P50, P99 int64
	// CPU of the generator, ns.
	CPU int64
}

// runLoad is the role of the load generator process.
func runLoad(ctx context.Context, args []string) error {
	var c loadFlags
	f := flag.NewFlagSet("load", flag.ContinueOnError)
	f.StringVar(&c.url, "url", "", "where requests go")
	f.IntVar(&c.clients, "clients", 1, "goroutines; each keeps one connection")
	f.IntVar(&c.batch, "batch", 1, "events in one request")
	f.IntVar(&c.first, "first", 0, "number of the first event")
	f.IntVar(&c.events, "events", 0, "how many")
	f.IntVar(&c.items, "items", 1, "to-dos")
	f.IntVar(&c.people, "receivers", 1, "receivers")
	f.BoolVar(&c.reminders, "reminders", false, "every other to-do is a reminder")
	f.BoolVar(&c.signed, "signed", false, "sign instead of sending a token")
	f.StringVar(&c.token, "token", "", "bearer token")
	f.IntVar(&c.want, "want", http.StatusAccepted, "status of success")
	f.StringVar(&c.times, "times", "", "file for the times of acceptance")
	f.StringVar(&c.result, "result", "", "file for the result")
	if err := f.Parse(args); err != nil {
		return err
	}
	g := &generator{loadFlags: c, accepted: make([]int64, c.events), latency: make([]int64, (c.events+c.batch-1)/c.batch)}
	if err := g.run(ctx); err != nil {
		return err
	}
	return g.write()
}

type generator struct {
	loadFlags
	next     atomic.Int64
	repeated atomic.Int64
	// accepted by event, latency by request.
	accepted, latency []int64
	began             int64
	ended             atomic.Int64
}

func (g *generator) run(ctx context.Context) error {
	transport := &http.Transport{MaxIdleConns: g.clients, MaxIdleConnsPerHost: g.clients, DisableCompression: true}
	client := &http.Client{Transport: transport}
	var clients sync.WaitGroup
	var failed atomic.Pointer[error]
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	g.began = time.Now().UnixNano()
	for range g.clients {
		clients.Go(func() {
			if err := g.client(ctx, client); err != nil && failed.CompareAndSwap(nil, &err) {
				stop()
			}
		})
	}
	clients.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return ctx.Err()
}

// client sends one request after the other.
func (g *generator) client(ctx context.Context, client *http.Client) error {
	b := newBody(keys{g.items, g.people, g.reminders}, g.batch, g.signed, g.token)
	reader := bytes.NewReader(b.data)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url, io.NopCloser(reader))
	if err != nil {
		return err
	}
	req.Header, req.ContentLength = b.header, int64(len(b.data))
	req.GetBody = func() (io.ReadCloser, error) { // for a connection that was closed while it was idle
		reader.Reset(b.data)
		return io.NopCloser(reader), nil
	}
	for {
		at := int(g.next.Add(1)-1) * g.batch
		if at+g.batch > g.events {
			return nil
		}
		b.fill(g.first + at)
		var began, now int64
		for {
			reader.Reset(b.data)
			began = time.Now().UnixNano()
			resp, err := client.Do(req)
			if err != nil {
				return err
			}
			_, err = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			if now = time.Now().UnixNano(); err == nil && resp.StatusCode == g.want {
				break
			}
			if resp.StatusCode < 500 && resp.StatusCode != http.StatusTooManyRequests {
				return fmt.Errorf("POST %s: status %d (%w)", g.url, resp.StatusCode, err)
			}
			g.repeated.Add(1)
			time.Sleep(retryPause)
		}
		g.latency[at/g.batch] = now - began
		for i := range g.batch {
			g.accepted[at+i] = now
		}
		g.ended.Store(max(now, g.ended.Load()))
	}
}

func (g *generator) write() error {
	out := make([]byte, 0, 8*len(g.accepted))
	accepted := 0
	for _, t := range g.accepted {
		out = binary.LittleEndian.AppendUint64(out, uint64(t))
		if t > 0 {
			accepted++
		}
	}
	if g.times != "" {
		if err := os.WriteFile(g.times, out, 0o600); err != nil {
			return err
		}
	}
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return err
	}
	q := quantiles(g.latency, .5, .99)
	text, err := json.Marshal(loadResult{
		Accepted: accepted, Repeated: int(g.repeated.Load()), First: g.began, Last: g.ended.Load(), P50: q[0], P99: q[1],
		CPU: used.Utime.Nano() + used.Stime.Nano(),
	})
	if err != nil {
		return err
	}
	return os.WriteFile(g.result, text, 0o600)
}
