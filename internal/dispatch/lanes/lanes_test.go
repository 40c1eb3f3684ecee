package lanes_test

import (
	"encoding/binary"
	"runtime"
	"slices"
	"testing"
	"time"
	"unique"

	"pgregory.net/rapid"

	"github.com/oabridge/oabridge/internal/dispatch/lanes"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/scenario"
)

func form(kind string, action scenario.Action) unique.Handle[lanes.Form] {
	return unique.Make(lanes.Form{Kind: kind, Action: action})
}

var (
	create   = form("Todo", scenario.Create)
	complete = form("Todo", scenario.Complete)
	reminder = form("Reminder", scenario.Create)
)

// together lets n entries be taken at once.
func together(n int) func(lanes.Form) int { return func(lanes.Form) int { return n } }

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
				e := &lanes.Entry{
					Seq: seq, Key: key, Flow: uint32(key[0] % 2), AcceptedAt: now, Delivery: &record.Delivery{}, Size: size,
					Form: rapid.SampledFrom([]unique.Handle[lanes.Form]{create, complete, reminder}).Draw(t, "form"), Alone: rapid.Bool().Draw(t, "alone"),
				}
				table.Add(e)
				waiting[key] = append(waiting[key], seq)
			},
			"take": func(t *rapid.T) {
				most := rapid.IntRange(0, 3).Draw(t, "most")
				group := table.Next(together(most))
				if len(group) == 0 && table.Count(lanes.Ready) > 0 || len(group) > max(most, 1) {
					t.Fatalf("%d taken, at most %d wanted", len(group), most)
				}
				for _, e := range group {
					if e.Form != group[0].Form || e.Alone && len(group) > 1 {
						t.Fatal("taken together although they cannot share a call")
					}
					take(e)
				}
			},
			"take older": func(t *rapid.T) {
				most := rapid.IntRange(1, 3).Draw(t, "most")
				older := table.TakeOlder(now.Add(-3*time.Second), most)
				if len(older) > most {
					t.Fatalf("%d taken", len(older))
				}
				for _, e := range older {
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
			"confirm": func(*rapid.T) {
				e := one()
				if e.Delivery != nil {
					bytes -= e.Size
				}
				table.Confirm(e, now.Add(time.Second))
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
				if at, ok := table.NextWake(); ok != (table.Count(lanes.Retrying)+table.Count(lanes.Confirming)+table.Count(lanes.Held) > 0) || ok && at.Before(now.Add(-time.Second)) {
					t.Fatalf("next wake %s %t", at, ok)
				}
			},
		})
		// In the end everything comes out.
		for range seq {
			now = now.Add(time.Minute)
			table.Wake(now)
			for table.Count(lanes.Ready) > 0 {
				for _, e := range table.Next(together(2)) {
					take(e)
				}
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

// wave is 100,000 ready entries of one receiver, each of its own item.
func wave(table *lanes.Table, f unique.Handle[lanes.Form]) (last uint64) {
	for last = range uint64(100_000) {
		table.Add(entry(last+1, 1, f))
	}
	return last + 1
}

func entry(seq uint64, flow uint32, f unique.Handle[lanes.Form]) *lanes.Entry {
	var key record.Key
	binary.LittleEndian.PutUint64(key[:], seq)
	return &lanes.Entry{Seq: seq, Key: key, Flow: flow, Form: f}
}

// One receiver with 100,000 entries delays no other receiver, no other action and no other kind by more than a few calls,
// whether entries go alone or together.
func TestTurns(t *testing.T) {
	for _, c := range []struct {
		name        string
		wave, other unique.Handle[lanes.Form]
		most        int
		// calls is after how many calls the last of three entries of the other receiver is taken.
		calls int
	}{
		{"another receiver", create, create, 1, 6},
		{"another receiver, in batches", create, create, 100, 1},
		{"another action", create, complete, 1, 6},
		{"another kind", create, reminder, 1, 6},
		{"another kind, in batches", create, reminder, 100, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := lanes.New()
			last := wave(table, c.wave)
			for range 3 {
				last++
				table.Add(entry(last, 2, c.other))
			}
			calls, got := 0, 0
			for got < 3 {
				calls++
				for _, e := range table.Next(together(c.most)) {
					if e.Flow == 2 {
						got++
					}
				}
			}
			if calls != c.calls {
				t.Errorf("taken after %d calls, want %d", calls, c.calls)
			}
		})
	}
}

// Entries that go alone have a turn of their own: neither do they spoil a group, nor do groups keep them from going.
func TestAloneTakesTurns(t *testing.T) {
	table := lanes.New()
	for seq := range uint64(10) {
		e := entry(seq+1, uint32(seq), create)
		e.Alone = seq < 2
		table.Add(e)
	}
	var sizes []int
	for table.Count(lanes.Ready) > 0 {
		sizes = append(sizes, len(table.Next(together(4))))
	}
	if want := []int{1, 4, 1, 4}; !slices.Equal(sizes, want) {
		t.Errorf("groups of %v, want %v", sizes, want)
	}
}

// maxEntry is what an entry may take in memory, with its place in the lanes, in bytes. The dispatcher's bound of 250,000
// entries is made with it.
const maxEntry = 512

// What a backlog takes in memory is bounded for each entry, whether it is one lane or many, one receiver or many.
func TestBytesPerEntry(t *testing.T) {
	const backlog = 200_000
	for _, c := range []struct {
		name             string
		lanes, receivers uint64
	}{
		{"one lane", 1, 1},
		{"one receiver", backlog, 1},
		{"many receivers", backlog, backlog},
		{"few entries in each lane", backlog / 4, backlog / 100},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := heap()
			table := lanes.New()
			for seq := range uint64(backlog) {
				e := entry(seq+1, uint32(seq%c.receivers), create)
				binary.LittleEndian.PutUint64(e.Key[:], seq%c.lanes)
				table.Add(e)
			}
			per := (heap() - before) / backlog
			t.Logf("%d bytes for each entry", per)
			if per > maxEntry {
				t.Errorf("%d bytes for each entry, at most %d wanted", per, maxEntry)
			}
			n := 0
			for table.Count(lanes.Ready) > 0 {
				for _, e := range table.Next(together(100)) {
					table.Done(e)
					n++
				}
			}
			if n != backlog || table.Len() != 0 {
				t.Errorf("%d came out, %d are left", n, table.Len())
			}
			if left := max(heap(), before) - before; left > backlog*maxEntry/4 {
				t.Errorf("%d bytes are left of a backlog that is done", left)
			}
			runtime.KeepAlive(table)
		})
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
