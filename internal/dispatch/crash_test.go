package dispatch

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/dispatch/index/pgtest"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/report"
	"github.com/oabridge/oabridge/internal/scenario"
)

// childEnv makes the test binary a dispatcher: its value is the JSON of child.
const childEnv = "OABRIDGE_TEST_DISPATCHER"

// child is what the process of a dispatcher needs to know.
type child struct {
	Bundle, Secrets, Store, Sink string
}

func TestMain(m *testing.M) {
	if text := os.Getenv(childEnv); text != "" {
		if err := runChild(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	pgtest.Main(m)
}

func runChild(text string) error {
	var c child
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	o := DefaultOptions()
	o.Bundle, o.Secrets, o.Store, o.StoreMaxBytes, o.Log = c.Bundle, c.Secrets, c.Store, 256<<20, logr.Discard()
	o.ListenPublic, o.ListenAdmin, o.ListenPeer, o.ListenLocal = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	o.NewPusher = func(*bundle.Bundle, string, func() time.Time) (oa.Pusher, error) { return httpPusher(c.Sink), nil }
	o.tuning.housekeeping = 100 * time.Millisecond
	d, err := New(ctx, o)
	if err != nil {
		return err
	}
	// The parent waits for this line.
	if err := json.NewEncoder(os.Stdout).Encode(map[string]string{"public": d.Addr("public"), "admin": d.Addr("admin")}); err != nil {
		return err
	}
	return d.Run(ctx)
}

// httpPusher sends calls to a sink over HTTP.
type httpPusher string

func (p httpPusher) Push(ctx context.Context, req scenario.Request, _ scenario.Result) oa.Attempt {
	return p.do(ctx, req.Method, req.Path, req.Body)
}

func (p httpPusher) Probe(ctx context.Context) oa.Attempt {
	return p.do(ctx, http.MethodGet, "/probe", nil)
}

func (p httpPusher) do(ctx context.Context, method, path string, body []byte) oa.Attempt {
	req, err := http.NewRequestWithContext(ctx, method, string(p)+path, bytes.NewReader(body))
	if err != nil {
		return oa.Attempt{Class: oa.Internal, Message: err.Error()}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return oa.Attempt{Class: oa.Network, Reason: "NetworkError", Message: err.Error()}
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, resp.Body)
	if resp.StatusCode != http.StatusOK {
		return oa.Attempt{Class: oa.ServerError, Message: resp.Status}
	}
	return oa.Attempt{}
}

// The dispatcher is killed again and again under load. Everything that was accepted arrives, in order for each item and
// without gaps; only the call that was in flight may be repeated.
func TestKilledAgainAndAgain(t *testing.T) {
	const kills, items, perItem = 6, 24, 40
	w := newWorld(t)
	var mu sync.Mutex
	arrived := map[string][]string{}
	sink := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			return
		}
		var c call
		if err := json.NewDecoder(r.Body).Decode(&c); err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		if rand.IntN(20) == 0 { // the OA has its moods too
			rw.WriteHeader(http.StatusInternalServerError)
			return
		}
		arrived[c.ID] = append(arrived[c.ID], c.Title[strings.LastIndex(c.Title, " ")+1:])
	}))
	defer sink.Close()

	text, err := json.Marshal(child{Bundle: w.options.Bundle, Secrets: w.options.Secrets, Store: w.options.Store, Sink: sink.URL})
	if err != nil {
		t.Fatal(err)
	}
	var public atomic.Value
	public.Store("")
	var process *exec.Cmd
	start := func() (admin string) {
		t.Helper()
		process = exec.Command(os.Args[0])
		process.Env = append(os.Environ(), childEnv+"="+string(text))
		process.Stderr = os.Stderr
		out, err := process.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := process.Start(); err != nil {
			t.Fatal(err)
		}
		var addresses map[string]string
		if err := json.NewDecoder(out).Decode(&addresses); err != nil {
			t.Fatalf("the dispatcher does not start: %v", err)
		}
		public.Store("http://" + addresses["public"] + "/events")
		return addresses["admin"]
	}

	admin := start()
	var senders sync.WaitGroup
	accepted := make(chan struct{}, items*perItem)
	for item := range items {
		senders.Go(func() {
			for n := 1; n <= perItem; n++ {
				e := todo(fmt.Sprintf("e%d-%d", item, n), fmt.Sprintf("T-%d", item), "updated")
				e["data"].(map[string]any)["detail"] = fmt.Sprintf("%04d", n)
				for deadline := time.Now().Add(2 * patience); !accepted202(&public, e); {
					if time.Now().After(deadline) {
						t.Errorf("item %d: event %d is never accepted", item, n)
						return
					}
				}
				accepted <- struct{}{}
			}
		})
	}
	for range kills {
		for range rand.IntN(items * perItem / kills) { // let it work for a while
			<-accepted
		}
		if err := process.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = process.Wait()
		admin = start()
	}
	senders.Wait()
	awaitTotals(t, admin, items*perItem)
	if err := process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := process.Wait(); err != nil {
		t.Errorf("the last process did not end well: %v", err)
	}

	repeats := 0
	for item := range items {
		got := arrived[fmt.Sprintf("T-%d", item)]
		next := 1
		for i, n := range got {
			switch {
			case n == fmt.Sprintf("%04d", next):
				next++
			case i > 0 && n == got[i-1]:
				repeats++
			default:
				t.Fatalf("item %d: %s follows %s", item, n, got[max(i-1, 0)])
			}
		}
		if next != perItem+1 {
			t.Errorf("item %d: only %d of %d arrived", item, next-1, perItem)
		}
	}
	t.Logf("%d deliveries, %d kills, %d calls repeated", items*perItem, kills, repeats)
}

// accepted202 sends one event and reports whether it was accepted; a process that is dead or starting is no error.
func accepted202(url *atomic.Value, e event) bool {
	body, err := json.Marshal(e)
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url.Load().(string), bytes.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", "application/cloudevents+json")
	req.Header.Set("Authorization", "Bearer "+eventToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		pause(ctx, 5*time.Millisecond) // as a CRM would: not in a busy loop while nobody listens
		return false
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode == http.StatusAccepted
}

func awaitTotals(t *testing.T, admin string, delivered int64) {
	t.Helper()
	etag := ""
	var last report.Report
	for deadline := time.Now().Add(2 * patience); time.Now().Before(deadline); {
		r, tag, fresh, err := report.Get(t.Context(), http.DefaultClient, "http://"+admin+"/report", etag, 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if etag = tag; fresh {
			last = r
		}
		if d := last.Delivery; d != nil && d.Delivered == delivered && d.Pending == 0 && d.Retrying == 0 {
			return
		}
	}
	text, _ := json.Marshal(last)
	t.Fatalf("not all was delivered: %s", text)
}
