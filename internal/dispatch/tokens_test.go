package dispatch

import (
	"bytes"
	"context"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/time/rate"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/oasim/seeyon"
	"github.com/oabridge/oabridge/test/process"
)

// spy stands before an OA: it counts token calls and remembers the tokens that pushes carried.
type spy struct {
	*httptest.Server
	mu     sync.Mutex
	logins int
	pushes map[string]int
}

func spyOn(t *testing.T, sim *seeyon.Seeyon) *spy {
	s := &spy{pushes: map[string]int{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		if strings.HasPrefix(r.URL.Path, "/seeyon/rest/token") {
			s.logins++
		} else if token := r.Header.Get("token"); token != "" {
			s.pushes[token]++
		}
		s.mu.Unlock()
		sim.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// tokens returns how many token calls there were, and the tokens that were used.
func (s *spy) tokens() (logins int, used map[string]int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	used = map[string]int{}
	for token, n := range s.pushes {
		used[token] = n
	}
	return s.logins, used
}

// wantNoToken looks for tokens in everything that is below a directory.
func wantNoToken(t *testing.T, dir string, used map[string]int) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		files++
		for token := range used {
			if bytes.Contains(b, []byte(token)) {
				t.Errorf("%s holds a token of the OA in the clear", path)
			}
		}
		return err
	})
	if err != nil || files == 0 {
		t.Fatalf("%d files, %v", files, err)
	}
}

// Ten thousand pushes and a restart make one token call: the token is kept with the events, sealed, and is nowhere to be
// read. When the OA forgets it there is one more. // F80 F83
func TestOneTokenForTenThousandPushes(t *testing.T) {
	w, sim := seeyonWorld(t)
	oa := spyOn(t, sim)
	w.options.Log = logr.Discard()
	w.bundle(func(c *connector) { c.OA.URL = oa.URL })
	const half = 5000
	push := func(from int) {
		for i := from; i < from+half; i += 500 {
			w.mustSend(todos(i, i+500, "created")...)
		}
		w.drained(int64(from + half))
	}
	w.start()
	push(0)
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	w.start()
	push(half)
	logins, used := oa.tokens()
	if logins != 1 || len(used) != 1 {
		t.Errorf("%d token calls and %d tokens for %d pushes", logins, len(used), 2*half)
	}
	sim.ForgetTokens()
	w.mustSend(todos(2*half, 2*half+100, "created")...)
	w.drained(2*half + 100)
	if logins, used = oa.tokens(); logins != 2 || len(used) != 2 {
		t.Errorf("%d token calls and %d tokens after the OA forgot the token", logins, len(used))
	}
	shown := w.do("GET", w.url("local", "/records?limit=10000"), nil).body + w.do("GET", w.url("admin", "/report"), nil).body
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	for token := range used {
		if strings.Contains(shown, token) {
			t.Error("a token is shown")
		}
	}
	wantNoToken(t, w.options.Store, used)
}

// Replicas that share a queue share the token: two start at the same time, both push, one is replaced by a third, and
// there was one token call. // F80
func TestReplicasShareTheToken(t *testing.T) {
	servers, dirs := natsCluster(t)
	first, sim := seeyonWorld(t)
	oa := spyOn(t, sim)
	first.bundle(func(c *connector) {
		c.OA.URL = oa.URL
		c.Queue = bundle.Queue{Type: queueNATS, URLs: servers, AllowedCIDRs: loopback, StreamReplicas: 3, Partitions: 8, MaxBytes: 256 << 20}
	})
	replica := func(name string) *world {
		o := first.options
		o.Replica, o.Store = name, filepath.Join(t.TempDir(), "store")
		w := newWorldOf(t, o)
		w.run()
		return w
	}
	a, b := replica("hq-dispatcher-0"), replica("hq-dispatcher-1")
	// It works on all partitions that are not the other one's.
	sharing := func(w, other *world, least int) {
		t.Helper()
		deadline := time.Now().Add(patience)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for range tick.C {
			s, o := w.d.session.Load(), other.d.session.Load()
			if s != nil && o != nil && len(s.owned()) >= least && len(o.owned()) >= least && len(s.owned())+len(o.owned()) == 8 {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("the replicas do not share the partitions:\n%s", first.logs)
			}
		}
	}
	sharing(a, b, 1)
	sent := 0
	deliver := func(w *world, n int) {
		t.Helper()
		taken := false // a partition that changes its owner asks to send again
		deadline := time.Now().Add(patience)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for range tick.C {
			taken = taken || w.send(todos(sent, sent+n, "created")...).status == http.StatusAccepted
			if taken && len(sim.Inbox("lisi")) == sent+n {
				sent += n
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%d of %d arrived", len(sim.Inbox("lisi")), sent+n)
			}
		}
	}
	deliver(a, 200)
	if err := b.stop(); err != nil {
		t.Fatal(err)
	}
	c := replica("hq-dispatcher-2")
	sharing(a, c, 0)
	deliver(c, 200)
	logins, used := oa.tokens()
	if logins != 1 || len(used) != 1 {
		t.Errorf("%d token calls and %d tokens of three replicas\n%s", logins, len(used), first.logs)
	}
	for _, dir := range dirs {
		wantNoToken(t, dir, used)
	}
	for _, w := range []*world{a, b, c} {
		for token := range used {
			if strings.Contains(w.logs.String(), token) {
				t.Error("a token is in the log")
			}
		}
	}
}

// natsCluster runs three servers, each a process of its own as in a real cluster, and returns their URLs and the directories
// of what they keep.
func natsCluster(t *testing.T) (urls, dirs []string) {
	t.Helper()
	dir := t.TempDir()
	programs, err := process.BuildNATS(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	servers, err := process.NewNATSCluster(programs, dir, 3)
	if err != nil {
		t.Fatal(err)
	}
	var running []*process.Process
	for _, s := range servers {
		p, err := s.Start(context.Background()) // stays until the dispatchers are gone
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Kill)
		running, urls, dirs = append(running, p), append(urls, s.URL), append(dirs, s.Dir)
	}
	for i, s := range servers {
		if err := s.Ready(t.Context(), running[i]); err != nil {
			t.Fatal(err)
		}
	}
	return urls, dirs
}

// All partitions together keep the rate exactly, wherever they run: nothing of it is lost by the division, and nothing is
// added, but for a burst of fewer calls than there are partitions.
func TestPartitionsShareTheRate(t *testing.T) {
	for _, c := range []struct{ perSecond, burst, partitions, want int }{
		{50, 100, 1, 100}, {50, 100, 4, 100}, {50, 101, 4, 101}, {7, 7, 4, 7}, {50, 103, 16, 103}, {1, 1, 4, 4},
	} {
		v := &live{bundle: &bundle.Bundle{Delivery: bundle.Delivery{RatePerSecond: c.perSecond, RateBurst: c.burst}}}
		burst, perSecond := 0, 0.0
		for n := range c.partitions {
			l := rate.NewLimiter(rate.Inf, 1)
			v.limit(l, n, c.partitions)
			burst, perSecond = burst+l.Burst(), perSecond+float64(l.Limit())
		}
		if burst != c.want || perSecond != float64(c.perSecond) {
			t.Errorf("%+v: a burst of %d and %v per second together", c, burst, perSecond)
		}
	}
}
