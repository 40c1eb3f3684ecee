package index_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"

	"github.com/oabridge/oabridge/internal/dispatch/index"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/outbound"
	"github.com/oabridge/oabridge/internal/scenario"
)

// story is a morning at a company: what became of a few items, one record a minute, two in each frame.
func story() []index.Located {
	trace := func(n int) string { return fmt.Sprintf("00-%032x-00f067aa0ba902b7-01", n) }
	steps := []record.Record{
		{Seq: 1, ItemID: "T-1", EventID: "e1", Receiver: "1002", ReceiverOA: "lisi", Outcome: record.Delivered, Attempt: 1, TraceParent: trace(1), About: "QuoteObj/5f3c2ab1"},
		{Seq: 2, ItemID: "T-2", EventID: "e2", Receiver: "1003", ReceiverOA: "wangwu", Outcome: record.Retrying, Reason: "Timeout", Class: "Timeout", Attempt: 1},
		{Seq: 2, ItemID: "T-2", EventID: "e2", Receiver: "1003", ReceiverOA: "wangwu", Outcome: record.Delivered, Attempt: 2, About: "QuoteObj/5f3c2ab1"},
		{Seq: 3, ItemID: "T-3", EventID: "e3", Receiver: "1004", Outcome: record.Held, Reason: record.ReasonUnbound},
		{Seq: 4, ItemID: "R-1", EventID: "e4", Kind: "Reminder", Receiver: "1002", ReceiverOA: "lisi", Outcome: record.Skipped, Reason: record.ReasonSuperseded},
		{Seq: 5, ItemID: "T-1", EventID: "e5", Receiver: "1002", ReceiverOA: "lisi", Outcome: record.Dead, Reason: "BusinessCode", Class: "BusinessCode", Attempt: 1, Message: "系统编码不存在\x00"},
		{Seq: 6, ItemID: "T-1", EventID: "e5", Receiver: "1002", ReceiverOA: "lisi.new", Outcome: record.Delivered, Attempt: 1, Replay: "u/1", ReplayOf: 5, Scenario: "vip"},
		{Seq: 7, ItemID: "T-4", EventID: "e7", Receiver: "1003", ReceiverOA: "wangwu", Outcome: record.Dead, Reason: record.ReasonExpired, Class: "Timeout", Attempt: 9},
	}
	out := make([]index.Located, len(steps))
	for i := range steps {
		r := &steps[i]
		if r.Kind == "" {
			r.Kind = "Todo"
		}
		r.Action, r.At = scenario.Create, start.Add(time.Duration(i)*time.Minute)
		r.AcceptedAt = r.At.Add(-time.Duration(i+1) * time.Second)
		out[i] = index.Located{Frame: uint64(10 + i/2), Index: i % 2, Record: r}
	}
	return out
}

func events(hits []index.Hit) string {
	var ids []string
	for _, h := range hits {
		ids = append(ids, fmt.Sprint(h.Record.EventID, "/", h.Record.Outcome))
	}
	return strings.Join(ids, " ")
}

// People find what they look for, whatever they know of it.
func TestQuery(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			x := open(t, engine.config(t))
			if err := x.Apply(t.Context(), story()); err != nil {
				t.Fatal(err)
			}
			for _, c := range []struct {
				name   string
				filter index.Filter
				want   string
			}{
				{"all, the newest first", index.Filter{Limit: 3}, "e7/Dead e5/Delivered e5/Dead"},
				{"the oldest first", index.Filter{Limit: 2, OldestFirst: true}, "e1/Delivered e2/Retrying"},
				{"an item", index.Filter{Items: []string{"T-1"}}, "e5/Delivered e5/Dead e1/Delivered"},
				{"two items", index.Filter{Items: []string{"T-3", "R-1"}}, "e4/Skipped e3/Held"},
				{"a CRM account", index.Filter{Receivers: []string{"1003"}}, "e7/Dead e2/Delivered e2/Retrying"},
				{"an OA account", index.Filter{Receivers: []string{"wangwu"}}, "e7/Dead e2/Delivered e2/Retrying"},
				{"an OA account that a person had", index.Filter{Receivers: []string{"lisi.new"}}, "e5/Delivered"},
				{"an outcome", index.Filter{Outcomes: []record.Outcome{record.Held, record.Skipped}}, "e4/Skipped e3/Held"},
				{"delivered", index.Filter{Outcomes: []record.Outcome{record.Delivered}, Kinds: []string{"Todo"}}, "e5/Delivered e2/Delivered e1/Delivered"},
				{"dead and not replayed since", index.Filter{Outcomes: []record.Outcome{record.Dead}, NotReplayed: true}, "e7/Dead"},
				{"a reason", index.Filter{Reasons: []string{record.ReasonExpired}}, "e7/Dead"},
				{"a class", index.Filter{Classes: []string{"Timeout"}}, "e7/Dead e2/Retrying"},
				{"a kind", index.Filter{Kinds: []string{"Reminder"}}, "e4/Skipped"},
				{"an event", index.Filter{Events: []string{"e2"}}, "e2/Delivered e2/Retrying"},
				{"a trace", index.Filter{Traces: []string{fmt.Sprintf("%032x", 1)}}, "e1/Delivered"},
				{"a scenario", index.Filter{Scenarios: []string{"vip"}}, "e5/Delivered"},
				{"a record of the CRM", index.Filter{Abouts: []string{"QuoteObj/5f3c2ab1"}}, "e2/Delivered e1/Delivered"},
				{"what was delivered to a person about a record", index.Filter{Receivers: []string{"1002"}, Abouts: []string{"QuoteObj/5f3c2ab1"}, Outcomes: []record.Outcome{record.Delivered}, Limit: 1}, "e1/Delivered"},
				{"a replay", index.Filter{Replays: []string{"u/1"}}, "e5/Delivered"},
				{"a time", index.Filter{Since: start.Add(2 * time.Minute), Until: start.Add(4 * time.Minute)}, "e3/Held e2/Delivered"},
				{"another partition", index.Filter{Partitions: []int{1, 2}}, ""},
				{"nothing", index.Filter{Items: []string{"T-1' OR '1'='1"}}, ""},
			} {
				hits, err := x.Query(t.Context(), c.filter)
				if got := events(hits); err != nil || got != c.want {
					t.Errorf("%s: %q, want %q (%v)", c.name, got, c.want, err)
				}
			}
		})
	}
}

// Pages of any size make up the whole, each record once.
func TestPages(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			x := open(t, engine.config(t))
			if err := x.Apply(t.Context(), story()); err != nil {
				t.Fatal(err)
			}
			whole, err := x.Query(t.Context(), index.Filter{})
			if err != nil || len(whole) != 8 {
				t.Fatalf("%d hits, %v", len(whole), err)
			}
			var got []index.Hit
			f := index.Filter{Limit: 3}
			for {
				page, err := x.Query(t.Context(), f)
				if err != nil {
					t.Fatal(err)
				}
				if len(page) == 0 {
					break
				}
				got = append(got, page...)
				if f.After, err = index.ParseCursor(page[len(page)-1].Cursor().String()); err != nil {
					t.Fatal(err)
				}
			}
			if events(got) != events(whole) {
				t.Errorf("pages %s, whole %s", events(got), events(whole))
			}
		})
	}
	for _, bad := range []string{"", "x", "W10", "WzEsMl0", strings.Repeat("A", 300)} {
		if c, err := index.ParseCursor(bad); err == nil {
			t.Errorf("%q is taken as the cursor %v", bad, c)
		}
	}
}

// Applying again changes nothing; another connector in the same database sees nothing; what the log dropped goes away.
func TestLife(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			config := engine.config(t)
			x := open(t, config)
			for range 2 {
				if err := x.Apply(t.Context(), story()); err != nil {
					t.Fatal(err)
				}
			}
			stats := func() index.Stats {
				t.Helper()
				s, err := x.Stats(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				return s
			}
			if s := stats(); s.Records != 8 || s.Positions[0] != 13 || s.Bytes == 0 || !s.Oldest.Equal(start) {
				t.Errorf("%+v", s)
			}
			if config.URL != nil {
				other := config
				other.Connector = "crm/branch"
				if hits, err := open(t, other).Query(t.Context(), index.Filter{}); err != nil || len(hits) != 0 {
					t.Errorf("another connector sees %d records, %v", len(hits), err)
				}
			}
			sum, err := x.Summarize(t.Context(), []int{0}, start.Add(time.Minute))
			if err != nil || sum.Outcomes[record.Delivered] != 2 || sum.Outcomes[record.Dead] != 2 || sum.DeliveredLate != 1 ||
				sum.Reasons[record.ReasonExpired] != 1 || sum.Latency != [3]time.Duration{3 * time.Second, 3 * time.Second, 3 * time.Second} {
				t.Errorf("%+v, %v", sum, err)
			}
			if err := x.Prune(t.Context(), 0, 11); err != nil || stats().Records != 6 {
				t.Errorf("after pruning: %+v, %v", stats(), err)
			}
			if err := x.Shrink(t.Context(), 0); err != nil || stats().Records != 4 {
				t.Errorf("after shrinking: %+v, %v", stats(), err)
			}
			if p, err := x.Position(t.Context(), 0); err != nil || p != 13 {
				t.Errorf("position %d, %v", p, err)
			}
			if err := x.Forget(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
			if p, err := x.Position(t.Context(), 0); err != nil || p != 0 || stats().Records != 0 {
				t.Errorf("after forgetting: position %d, %+v, %v", p, stats(), err)
			}
		})
	}
}

// A file that is damaged, from another version or from somebody else is moved aside; the caller is told to start again.
func TestDamagedFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "records.db")
	config := index.Config{Connector: "crm/hq", File: file, Log: logr.Discard()}
	x, err := index.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	var many []index.Located
	for n := range 20 {
		many = append(many, traffic(n)...)
	}
	if err := errors.Join(x.Apply(t.Context(), many), x.Close()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, damaged := range map[string][]byte{
		"not a database": []byte(strings.Repeat("garbage ", 1000)),
		"a hole":         slices.Concat(data[:8192], make([]byte, len(data)-8192)),
		"cut short":      data[:len(data)/2],
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(file, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			x, err := index.Open(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = x.Close() }()
			// It shows now, or when the damaged part is read.
			if _, err := x.Query(context.Background(), index.Filter{Limit: 10_000}); err != nil && !errors.Is(err, index.ErrRestarted) {
				t.Fatal(err)
			}
			if err := x.Apply(t.Context(), story()); err != nil {
				t.Fatal(err)
			}
			hits, err := x.Query(t.Context(), index.Filter{Limit: 10_000})
			if err != nil || len(hits) != 8 {
				t.Errorf("%d hits, %v", len(hits), err)
			}
			if aside, err := os.ReadFile(file + ".broken"); err != nil || len(aside) == 0 {
				t.Errorf("the damaged file is gone: %v", err)
			}
		})
	}
}

// A database on the pod's own loopback is not dialled unless it is meant, like an OA there.
func TestDatabaseKeepsTheEgressPolicy(t *testing.T) { // TM-07
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var dialled atomic.Int32
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			dialled.Add(1)
			_ = c.Close()
		}
	}()
	defer func() { _ = l.Close() }()
	config := index.Config{Connector: "crm/hq", URL: fixed("postgres://oab@" + l.Addr().String() + "/records?sslmode=disable"), Log: logr.Discard()}
	_, err = index.Open(t.Context(), config)
	if !errors.Is(err, outbound.ErrEgressDenied) || !strings.Contains(err.Error(), "list it in spec.dispatcher.records.allowedCIDRs") || dialled.Load() != 0 {
		t.Errorf("got %v after %d connections", err, dialled.Load())
	}
	config.AllowedCIDRs = []string{"127.0.0.0/8"}
	if _, err = index.Open(t.Context(), config); err == nil || errors.Is(err, outbound.ErrEgressDenied) || dialled.Load() == 0 {
		t.Errorf("allowed: got %v after %d connections", err, dialled.Load())
	}
}

// A database that cannot be reached is an error that holds no password.
func TestUnreachableDatabase(t *testing.T) {
	for _, url := range []string{"postgres://oab:canary-pw@127.0.0.1:1/records?connect_timeout=2", "postgres://oab:canary-pw@host:port/x", "canary-pw"} {
		x, err := index.Open(t.Context(), index.Config{Connector: "crm/hq", URL: fixed(url), Log: logr.Discard()})
		if err == nil {
			_ = x.Close()
			t.Errorf("%s was opened", url)
		} else if strings.Contains(err.Error(), "canary-pw") {
			t.Errorf("the password is in %q", err)
		}
	}
}
