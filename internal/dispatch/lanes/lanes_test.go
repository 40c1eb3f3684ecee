package lanes_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/oabridge/oabridge/internal/dispatch/lanes"
	"github.com/oabridge/oabridge/internal/dispatch/record"
)

// Whatever happens to entries, each key's come out in order and one at a time, every other key moves on, nothing gets
// lost, and the counts are right.
func TestLanesKeepOrder(t *testing.T) {
	start := time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		table := lanes.New()
		now := start
		seq := uint64(0)
		waiting := map[record.Key][]uint64{} // by key, in order
		taken := map[record.Key]*lanes.Entry{}
		bytes := 0
		end := func(e *lanes.Entry) {
			if e.Delivery != nil {
				bytes -= e.Size
			}
			table.Done(e)
			waiting[e.Key] = waiting[e.Key][1:]
			delete(taken, e.Key)
		}
		take := func(e *lanes.Entry) {
			if taken[e.Key] != nil {
				t.Fatalf("two entries of one key at the same time")
			}
			if waiting[e.Key][0] != e.Seq {
				t.Fatalf("%d comes before %d", e.Seq, waiting[e.Key][0])
			}
			taken[e.Key] = e
		}
		one := func() *lanes.Entry {
			for _, e := range taken {
				return e
			}
			t.Skip("nothing is taken")
			return nil
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				seq++
				key := record.Key{byte(rapid.IntRange(0, 4).Draw(t, "key"))}
				size := rapid.IntRange(0, 3).Draw(t, "bytes")
				bytes += size
				table.Add(&lanes.Entry{Seq: seq, Key: key, Flow: key[0] % 2, AcceptedAt: now, Delivery: &record.Delivery{}, Size: size})
				waiting[key] = append(waiting[key], seq)
			},
			"take": func(*rapid.T) {
				if e := table.Next(); e != nil {
					take(e)
				}
			},
			"take older": func(*rapid.T) {
				for _, e := range table.TakeOlder(now.Add(-3 * time.Second)) {
					if !e.AcceptedAt.Before(now.Add(-3 * time.Second)) {
						t.Fatal("taken although younger")
					}
					take(e)
				}
			},
			"done":   func(*rapid.T) { end(one()) },
			"return": func(*rapid.T) { e := one(); table.Return(e); delete(taken, e.Key) },
			"retry":  func(*rapid.T) { e := one(); table.Retry(e, now.Add(2*time.Second)); delete(taken, e.Key) },
			"hold": func(*rapid.T) {
				e := one()
				if e.Delivery != nil {
					bytes -= e.Size
				}
				table.Hold(e, "Unbound", now.Add(5*time.Second))
				delete(taken, e.Key)
			},
			"release": func(*rapid.T) {
				table.Release(func(e *lanes.Entry) bool { return e.State() == lanes.Held })
				if table.Count(lanes.Held) != 0 || table.HeldReasons() != nil {
					t.Fatal("something is still held")
				}
			},
			"wake": func(*rapid.T) { now = now.Add(time.Second); table.Wake(now) },
			"": func(t *rapid.T) {
				total, held := 0, 0
				for key, w := range waiting {
					total += len(w)
					if len(w) > 0 && table.Get(w[0]) != nil && table.Get(w[0]).State() == lanes.Held {
						held += len(w) // those behind a held one wait for the same change
					}
					for _, s := range w {
						if table.Get(s) == nil {
							t.Fatalf("%d of key %d is lost", s, key[0])
						}
					}
				}
				sum := int64(0)
				for s := lanes.Queued; s <= lanes.Held; s++ {
					sum += table.Count(s)
				}
				if table.Len() != total || sum != int64(total) || table.Count(lanes.Taken) != int64(len(taken)) || table.HeldReasons()["Unbound"] != int64(held) || table.Held() != int64(held) {
					t.Fatalf("%d entries, counted %d, want %d", table.Len(), sum, total)
				}
				if table.Cached() != bytes {
					t.Fatalf("%d bytes cached, want %d", table.Cached(), bytes)
				}
				if at, ok := table.NextWake(); ok != (table.Count(lanes.Retrying)+table.Count(lanes.Held) > 0) || ok && at.Before(now.Add(-time.Second)) {
					t.Fatalf("next wake %s %t", at, ok)
				}
			},
		})
		// In the end everything comes out.
		for range seq {
			now = now.Add(time.Minute)
			table.Wake(now)
			for e := table.Next(); e != nil; e = table.Next() {
				take(e)
			}
			for _, e := range taken {
				end(e)
			}
		}
		if table.Len() != 0 || table.Cached() != 0 {
			t.Fatalf("%d entries are stuck", table.Len())
		}
	})
}

// A receiver with many entries does not make another one wait: the flows take turns.
func TestFlowsTakeTurns(t *testing.T) {
	table := lanes.New()
	for seq := uint64(1); seq <= 100; seq++ {
		table.Add(&lanes.Entry{Seq: seq, Key: record.Key{byte(seq)}, Flow: 1})
	}
	table.Add(&lanes.Entry{Seq: 101, Key: record.Key{101}, Flow: 2})
	table.Add(&lanes.Entry{Seq: 102, Key: record.Key{102}, Flow: 2})
	var got []uint64
	for range 5 {
		got = append(got, table.Next().Seq)
	}
	if want := []uint64{1, 101, 2, 102, 3}; !slices.Equal(got, want) {
		t.Errorf("taken in the order %v, want %v", got, want)
	}
}
