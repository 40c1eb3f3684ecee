package tokens

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr/funcr"

	"github.com/oabridge/oabridge/internal/oa"
)

var account = Account{Name: "fxiaoke", Secret: "password-canary"}

// memory is a Store that keeps everything that was ever saved.
type memory struct {
	mu       sync.Mutex
	sealed   []byte
	revision uint64
	history  [][]byte
	// broken makes every call fail; hangs makes it last until its context ends.
	broken, hangs atomic.Bool
	// saved gets a value after each save, if somebody listens.
	saved chan struct{}
}

func (m *memory) trouble(ctx context.Context) error {
	if m.hangs.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	if m.broken.Load() {
		return errors.New("no quorum")
	}
	return nil
}

func (m *memory) Load(ctx context.Context) ([]byte, uint64, error) {
	if err := m.trouble(ctx); err != nil {
		return nil, 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.sealed), m.revision, nil
}

func (m *memory) Save(ctx context.Context, sealed []byte, revision uint64) (uint64, error) {
	if err := m.trouble(ctx); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if revision != m.revision {
		return 0, fmt.Errorf("wrong last revision: %w", ErrConflict)
	}
	m.revision++
	m.sealed = slices.Clone(sealed)
	m.history = append(m.history, m.sealed)
	select {
	case m.saved <- struct{}{}:
	default:
	}
	return m.revision, nil
}

// issuer is an OA that issues tokens token-1, token-2 and so on.
type issuer struct {
	calls atomic.Int32
	life  time.Duration
	// takes is how long a call takes.
	takes time.Duration
	fail  atomic.Pointer[oa.Attempt]
}

func (i *issuer) fetch(_ context.Context, _ Account) (Token, *oa.Attempt) {
	n := i.calls.Add(1)
	time.Sleep(i.takes) // synctest's time
	if f := i.fail.Load(); f != nil {
		return Token{}, f
	}
	return Token{Value: fmt.Sprintf("token-%d", n), Life: i.life}, nil
}

func (i *issuer) wantCalls(t *testing.T, want int32) {
	t.Helper()
	if n := i.calls.Load(); n != want {
		t.Fatalf("%d token calls, want %d", n, want)
	}
}

// replica is one process.
func replica(i *issuer, s Store, change ...func(*Config)) *Cache {
	c := Config{Fetch: i.fetch, Idle: 15 * time.Minute, Scope: "Seeyon http://oa.example", Store: s}
	if i.life > 0 {
		c.Idle = 0
	}
	for _, f := range change {
		f(&c)
	}
	return New(c)
}

func get(t *testing.T, c *Cache, want string) {
	t.Helper()
	if got, failure := c.Get(t.Context(), account, false); failure != nil || got != want {
		t.Fatalf("got %q, %+v, want %q", got, failure, want)
	}
}

// Many pushes of many replicas make one token call, at the start, and after the OA dropped the token. // F80 F83
func TestReplicasShareOneToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, s := &issuer{takes: 3 * time.Second}, &memory{}
		replicas := make([]*Cache, 8)
		for n := range replicas {
			replicas[n] = replica(i, s)
		}
		all := func(want string) {
			t.Helper()
			var wg sync.WaitGroup
			for _, c := range replicas {
				for range 16 {
					wg.Go(func() {
						if got, failure := c.Get(t.Context(), account, false); failure != nil || got != want {
							t.Errorf("got %q, %+v, want %q", got, failure, want)
						}
					})
				}
			}
			wg.Wait()
		}
		all("token-1")
		i.wantCalls(t, 1)
		for _, c := range replicas {
			for range 16 { // each push was refused with the same token
				c.Drop("token-1")
			}
		}
		all("token-2")
		i.wantCalls(t, 2)
	})
}

// A restart takes the token over; a token of an account whose password changed, or of another OA, is unreadable. // F81 F82
func TestKeptOverRestarts(t *testing.T) {
	i, s := &issuer{}, &memory{}
	get(t, replica(i, s), "token-1")
	get(t, replica(i, s), "token-1")
	i.wantCalls(t, 1)

	other := replica(i, s, func(c *Config) { c.Scope = "Seeyon http://other.example" })
	get(t, other, "token-2")
	changed := Account{Name: account.Name, Secret: "another"}
	if got, failure := replica(i, s).Get(t.Context(), changed, false); failure != nil || got != "token-3" {
		t.Fatalf("got %q, %+v", got, failure)
	}
	get(t, replica(i, s), "token-4") // and the other way round
	for _, sealed := range s.history {
		for _, secret := range []string{"token-", "canary", "fxiaoke", "another"} {
			if bytes.Contains(sealed, []byte(secret)) {
				t.Errorf("the store holds %q", secret)
			}
		}
	}
}

// An entry that was changed by anybody is worth nothing, and hurts nobody.
func TestDamagedEntries(t *testing.T) {
	i, s := &issuer{}, &memory{}
	get(t, replica(i, s), "token-1")
	good := slices.Clone(s.sealed)
	flipped, version := slices.Clone(good), slices.Clone(good)
	flipped[len(flipped)-1] ^= 1
	version[0]++
	for n, damaged := range [][]byte{flipped, version, good[:10], good[:1], {}, []byte("token-1")} {
		s.sealed = damaged
		get(t, replica(i, s), fmt.Sprintf("token-%d", n+2))
	}
}

// A token that idled for 80 % of its life is replaced; use by any replica keeps it alive for all, also for one that starts
// later.
func TestIdleLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, s := &issuer{}, &memory{saved: make(chan struct{}, 16)}
		busy, quiet := replica(i, s), replica(i, s)
		get(t, busy, "token-1")
		get(t, quiet, "token-1")
		for range 6 {
			time.Sleep(5 * time.Minute)
			get(t, busy, "token-1")
			busy.Used(account, "token-1", time.Now())
			synctest.Wait()
		}
		get(t, quiet, "token-1")
		get(t, replica(i, s), "token-1")
		i.wantCalls(t, 1)
		if n := len(s.history); n > 10 {
			t.Errorf("%d saves for six uses", n)
		}
		time.Sleep(12*time.Minute + time.Second)
		get(t, quiet, "token-2")
		get(t, busy, "token-2")
		i.wantCalls(t, 2)
	})
}

// A token with a fixed life is replaced from 80 % on, while the old one goes on being used; a failure of that is nobody's
// failure as long as the old one lives.
func TestFixedLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, s := &issuer{life: 2 * time.Hour, takes: time.Second}, &memory{}
		c := replica(i, s)
		get(t, c, "token-1")
		time.Sleep(95 * time.Minute)
		get(t, c, "token-1")
		i.wantCalls(t, 1)
		time.Sleep(2 * time.Minute) // 97 of 120 minutes
		i.fail.Store(&oa.Attempt{Class: oa.ServerError, Message: "busy"})
		for range 100 {
			get(t, c, "token-1")
		}
		synctest.Wait()
		i.wantCalls(t, 2)
		time.Sleep(10 * time.Second)
		get(t, c, "token-1")
		i.wantCalls(t, 2) // it is not asked again at once
		i.fail.Store(nil)
		time.Sleep(time.Minute)
		get(t, c, "token-1")
		time.Sleep(2 * time.Second)
		get(t, c, "token-3")
		i.wantCalls(t, 3)
		// Nobody needed it for so long that it died: now everybody waits for the new one.
		time.Sleep(3 * time.Hour)
		get(t, c, "token-4")
	})
}

// A process that died while it held the lease keeps the others waiting for a bounded time only, and so does one whose
// clock is far ahead.
func TestAbandonedLease(t *testing.T) {
	for name, until := range map[string]time.Duration{"died": lease, "clock ahead": 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i, s := &issuer{}, &memory{}
				sealer, err := newSealer(account, "Seeyon http://oa.example")
				if err != nil {
					t.Fatal(err)
				}
				s.sealed, s.revision = sealer.seal(entry{Owner: "gone", Until: time.Now().Add(until)}), 7
				began := time.Now()
				get(t, replica(i, s), "token-1")
				if waited := time.Since(began); waited < lease-time.Second || waited > lease+time.Second {
					t.Errorf("waited %s", waited)
				}
			})
		})
	}
}

// A caller waits no longer than its own context, and a probe does not wait for a lease at all.
func TestWaitingIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, s := &issuer{}, &memory{}
		sealer, _ := newSealer(account, "Seeyon http://oa.example")
		s.sealed = sealer.seal(entry{Owner: "busy", Until: time.Now().Add(time.Hour)})
		c := replica(i, s)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, failure := c.Get(ctx, account, false); failure == nil || failure.Class != oa.Timeout || !strings.Contains(failure.Message, "in time") {
			t.Errorf("got %+v", failure)
		}
		ctx, cancel = context.WithCancel(t.Context())
		cancel()
		if _, failure := c.Get(ctx, account, false); failure == nil || failure.Class != oa.Network || failure.Reason != "" {
			t.Errorf("got %+v", failure)
		}
		time.Sleep(time.Minute) // the flight ends without the lease
		probe := replica(i, s)
		began := time.Now()
		if got, failure := probe.Get(t.Context(), account, true); failure != nil || got != "token-2" || time.Since(began) > poll {
			t.Errorf("got %q, %+v after %s", got, failure, time.Since(began))
		}
		if got, failure := probe.Get(t.Context(), account, true); failure != nil || got != "token-3" {
			t.Errorf("got %q, %+v", got, failure)
		}
		get(t, replica(i, s), "token-3") // what a probe got is shared as well
	})
}

// A store that fails or hangs never stops a push; each process uses a token of its own, and says so once. No secret is in
// the log.
func TestStoreFails(t *testing.T) {
	for name, spoil := range map[string]func(*memory){
		"broken": func(m *memory) { m.broken.Store(true) },
		"hangs":  func(m *memory) { m.hangs.Store(true) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i, s := &issuer{}, &memory{}
				var lines []string
				log := funcr.New(func(_, args string) { lines = append(lines, args) }, funcr.Options{})
				c := replica(i, s, func(c *Config) { c.Log = log })
				spoil(s)
				began := time.Now()
				get(t, c, "token-1")
				if took := time.Since(began); took > storeTimeout {
					t.Errorf("a push waited %s for the store", took)
				}
				c.Drop("token-1")
				get(t, c, "token-2")
				if len(lines) != 1 || !strings.Contains(lines[0], "a token of its own") {
					t.Errorf("log: %q", lines)
				}
				s.broken.Store(false)
				s.hangs.Store(false)
				c.Drop("token-2")
				get(t, c, "token-3")
				get(t, replica(i, s), "token-3")
				if len(lines) != 2 || !strings.Contains(lines[1], "answers again") || strings.Contains(fmt.Sprint(lines), "canary") || strings.Contains(fmt.Sprint(lines), "token-") {
					t.Errorf("log: %q", lines)
				}
			})
		})
	}
}

// A refused account is refused for everybody, and the lease is free at once for the next one.
func TestFetchFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, s := &issuer{}, &memory{}
		i.fail.Store(&oa.Attempt{Class: oa.AuthExpired, Reason: "TokenRejected", Message: "no"})
		began := time.Now()
		for range 3 {
			if _, failure := replica(i, s).Get(t.Context(), account, false); failure == nil || failure.Reason != "TokenRejected" {
				t.Fatalf("got %+v", failure)
			}
		}
		i.fail.Store(nil)
		get(t, replica(i, s), "token-4")
		if time.Since(began) > 0 {
			t.Errorf("waited %s for a lease", time.Since(began))
		}
	})
}

// Without a store the token lives in the process.
func TestAlone(t *testing.T) {
	i := &issuer{}
	c := replica(i, nil)
	if c.Holds(account) {
		t.Error("there is a token before the first call")
	}
	get(t, c, "token-1")
	c.Used(account, "token-1", time.Now())
	get(t, c, "token-1")
	if !c.Holds(account) || c.Holds(Account{Name: "fxiaoke", Secret: "another"}) {
		t.Error("Holds is wrong")
	}
	if got, failure := c.Get(t.Context(), Account{Name: "fxiaoke", Secret: "another"}, false); failure != nil || got != "token-2" {
		t.Errorf("got %q, %+v", got, failure)
	}
}

// Nothing that was not sealed with the account opens.
func FuzzOpen(f *testing.F) {
	s, err := newSealer(account, "scope")
	if err != nil {
		f.Fatal(err)
	}
	stranger, err := newSealer(Account{Name: account.Name}, "scope")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(stranger.seal(entry{Account: account.Digest(), Token: held{Value: "token-1"}}))
	f.Add([]byte{sealedVersion})
	f.Add([]byte(`{"token":{"value":"forged"}}`))
	f.Fuzz(func(t *testing.T, sealed []byte) {
		if e, err := s.open(sealed); err == nil {
			t.Errorf("%q was opened: %+v", sealed, e)
		}
	})
}
