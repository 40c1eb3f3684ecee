package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
)

func open(t *testing.T, dir string, maxBytes int64) (*Journal, *Partition) {
	t.Helper()
	j, err := Open(t.Context(), Config{Dir: dir, MaxBytes: maxBytes, Partitions: 1, LockWait: 10 * time.Second, Log: logr.Discard()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(j.Close)
	p, err := j.OpenPartition(t.Context(), 0, Recovery{
		Record: func([]byte) uint64 { return 1 }, Recover: func(*Partition, []byte) (uint64, error) { return 1, nil }})
	if err != nil {
		t.Fatal(err)
	}
	return j, p
}

func id(name string) (id ID) {
	copy(id[:], name)
	return id
}

func group(names ...string) *Group {
	g := &Group{}
	for _, n := range names {
		g.Messages = append(g.Messages, Message{ID: id(n), Data: []byte("data of " + n)})
	}
	return g
}

func all(t *testing.T, f *Frames) (out []string) {
	t.Helper()
	number := uint64(1)
	for from := uint64(1); ; {
		got, err := f.Frames(t.Context(), from, 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 0 {
			return out
		}
		for _, b := range got {
			if b.Damaged || b.First != number {
				t.Fatalf("frame %d begins with item %d, want %d", b.Frame, b.First, number)
			}
			for i := range b.Items {
				out = append(out, strings.TrimPrefix(string(b.Items[i].Data), "data of "))
				number++
			}
			from = b.Frame + 1
		}
	}
}

// A duplicate never fails its neighbours, wherever it is, and acks name the right place.
func TestDuplicates(t *testing.T) { // TM-02
	many := func(prefix string, n int) (ids []string) {
		for i := range n {
			ids = append(ids, fmt.Sprint(prefix, i))
		}
		return ids
	}
	for _, c := range []struct {
		name   string
		groups [][]string
		fresh  []string
	}{
		{"singles", [][]string{{"a"}, {"known"}, {"b"}}, []string{"a", "b"}},
		{"groups", [][]string{{"a", "b"}, {"known", "c"}, {"d"}, {"e", "f"}}, []string{"a", "b", "c", "d", "e", "f"}},
		{"the same id twice in one flush", [][]string{{"a", "b"}, {"b", "c"}, {"a"}}, []string{"a", "b", "c"}},
		{"only duplicates", [][]string{{"known"}, {"known", "known"}}, nil},
		{"more than one batch", [][]string{many("x", 1500), {"known"}, many("y", 700)}, append(many("x", 1500), many("y", 700)...)},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, p := open(t, t.TempDir(), 64<<20)
			first := group("known")
			p.Events.Append(t.Context(), []*Group{first})
			if first.Err != nil || first.Acks[0].Number != 1 {
				t.Fatalf("%+v %v", first.Acks, first.Err)
			}
			var groups []*Group
			for _, ids := range c.groups {
				groups = append(groups, group(ids...))
			}
			p.Events.Append(t.Context(), groups)
			got := all(t, p.Events)
			if want := append([]string{"known"}, c.fresh...); !slices.Equal(got, want) {
				t.Fatalf("stored %v, want %v", got, want)
			}
			seen := map[string]bool{"known": true}
			for _, g := range groups {
				if g.Err != nil || len(g.Acks) != len(g.Messages) {
					t.Fatalf("acks %v, error %v", g.Acks, g.Err)
				}
				for i, a := range g.Acks {
					id := strings.TrimPrefix(string(g.Messages[i].Data), "data of ")
					if a.Duplicate != seen[id] {
						t.Errorf("%s: duplicate %t", id, a.Duplicate)
					}
					if !a.Duplicate && got[a.Number-1] != id {
						t.Errorf("%s is said to be at %d, where %s is", id, a.Number, got[a.Number-1])
					}
					seen[id] = true
				}
			}
		})
	}
}

// What was acknowledged is there after a restart, and so is the memory of its ids.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	j, p := open(t, dir, 64<<20)
	g := group("a", "b", "c")
	p.Events.Append(t.Context(), []*Group{g})
	if g.Err != nil {
		t.Fatal(g.Err)
	}
	if err := p.SaveCheckpoint(t.Context(), []byte("one")); err != nil {
		t.Fatal(err)
	}
	if err := p.SaveCheckpoint(t.Context(), []byte("two")); err != nil {
		t.Fatal(err)
	}
	j.Close()
	_, p = open(t, dir, 64<<20)
	if got := all(t, p.Events); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("stored: %v", got)
	}
	if got, err := p.LoadCheckpoint(t.Context()); err != nil || string(got) != "two" {
		t.Errorf("checkpoint %q, %v", got, err)
	}
	again := group("b", "d")
	p.Events.Append(t.Context(), []*Group{again})
	if again.Err != nil || !again.Acks[0].Duplicate || again.Acks[1].Number != 4 {
		t.Errorf("%+v %v", again.Acks, again.Err)
	}
}

// A full log takes nothing, says so, and keeps the numbers when it is emptied.
func TestFull(t *testing.T) {
	_, p := open(t, t.TempDir(), MinBytes)
	var last Ack
	for n := 0; ; n++ {
		g := &Group{}
		for i := range 10 {
			g.Messages = append(g.Messages, Message{ID: id(fmt.Sprint(n, "-", i)), Data: make([]byte, 64<<10)})
		}
		p.Events.Append(t.Context(), []*Group{g})
		if g.Err != nil {
			if !errors.Is(g.Err, ErrFull) {
				t.Fatal(g.Err)
			}
			break
		}
		last = g.Acks[9]
	}
	b, err := p.Events.Bounds(t.Context())
	if err != nil || b.Last != last.Frame {
		t.Fatalf("a refused group left something: %+v, %v", b, err)
	}
	// A start with a full store works too: it needs no room.
	if err := p.Events.open(t.Context(), 1); err != nil || p.Events.Next() != last.Number+1 {
		t.Fatalf("next %d, %v", p.Events.Next(), err)
	}
	if err := p.Events.Remove(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	if err := p.Events.Remove(t.Context(), 2); err != nil {
		t.Errorf("removing twice: %v", err)
	}
	if _, err := p.Events.Item(t.Context(), 2, 0); !errors.Is(err, ErrNotFound) {
		t.Errorf("error: %v", err)
	}
	if err := p.Events.PurgeBelow(t.Context(), last.Frame); err != nil {
		t.Fatal(err)
	}
	g := group("after")
	p.Events.Append(t.Context(), []*Group{g})
	if g.Err != nil || g.Acks[0].Number != last.Number+1 {
		t.Errorf("%+v %v", g.Acks, g.Err)
	}
}

// Items are read one by one from more frames than are kept, in any order.
func TestItemsOfManyFrames(t *testing.T) {
	_, p := open(t, t.TempDir(), 64<<20)
	var acks []Ack
	for n := range 3 * recentFrames {
		g := group(fmt.Sprintf("a%d", n), fmt.Sprintf("b%d", n))
		if p.Events.Append(t.Context(), []*Group{g}); g.Err != nil {
			t.Fatal(g.Err)
		}
		acks = append(acks, g.Acks[1])
	}
	for _, step := range []int{1, 5, 7} {
		for i := range acks {
			n := i * step % len(acks)
			got, err := p.Events.Item(t.Context(), acks[n].Frame, acks[n].Index)
			if want := fmt.Sprintf("data of b%d", n); err != nil || string(got) != want {
				t.Fatalf("got %q, %v, want %q", got, err, want)
			}
		}
	}
	if n := len(p.Events.recent); n != recentFrames {
		t.Errorf("%d frames are kept, want %d", n, recentFrames)
	}
	if _, err := p.Events.Item(t.Context(), acks[0].Frame, 2); !errors.Is(err, ErrNotFound) {
		t.Errorf("an item beyond the frame: %v", err)
	}
}

// Two writers: the one that came later is the only one that can write, and loses nothing to the other.
func TestFenced(t *testing.T) {
	j, old := open(t, t.TempDir(), 64<<20)
	a := group("a")
	old.Events.Append(t.Context(), []*Group{a})
	young, err := j.OpenPartition(t.Context(), 0, Recovery{
		Record: func([]byte) uint64 { return 1 }, Recover: func(*Partition, []byte) (uint64, error) { return 1, nil }})
	if err != nil || a.Err != nil {
		t.Fatal(err, a.Err)
	}
	late, record := group("late"), group("record")
	old.Events.Append(t.Context(), []*Group{late})
	old.Records.Append(t.Context(), []*Group{record})
	if !errors.Is(late.Err, ErrFenced) || !errors.Is(record.Err, ErrFenced) {
		t.Errorf("the old owner still writes: %v, %v", late.Err, record.Err)
	}
	b := group("a", "b")
	young.Events.Append(t.Context(), []*Group{b})
	if b.Err != nil || !b.Acks[0].Duplicate || b.Acks[1].Number != 2 {
		t.Errorf("%+v %v", b.Acks, b.Err)
	}
	if got := all(t, young.Events); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("stored: %v", got)
	}
}

// What was accepted is remembered although it was removed long since, also over a restart.
func TestRepeatOfSomethingRemoved(t *testing.T) {
	dir := t.TempDir()
	j, p := open(t, dir, 64<<20)
	for _, name := range []string{"a", "b", "c"} {
		g := group(name)
		p.Events.Append(t.Context(), []*Group{g})
		if g.Err != nil {
			t.Fatal(g.Err)
		}
	}
	saved, err := p.SaveIDs(t.Context())
	if err != nil || p.Events.PurgeBelow(t.Context(), saved) != nil {
		t.Fatal(err)
	}
	d := group("d") // after the last time that the ids were written down
	p.Events.Append(t.Context(), []*Group{d})
	j.Close()
	_, p = open(t, dir, 64<<20)
	again := group("a", "d", "e")
	p.Events.Append(t.Context(), []*Group{again})
	if again.Err != nil || !again.Acks[0].Duplicate || !again.Acks[1].Duplicate || again.Acks[2].Number != 5 {
		t.Errorf("%+v %v", again.Acks, again.Err)
	}
}

// A checkpoint of any size comes back as it was.
func TestLargeCheckpoint(t *testing.T) {
	_, p := open(t, t.TempDir(), 256<<20)
	for _, size := range []int{0, 1, 20 << 20, 5} {
		data := make([]byte, size)
		for i := range data {
			data[i] = byte(i * 7)
		}
		if err := p.SaveCheckpoint(t.Context(), data); err != nil {
			t.Fatal(err)
		}
		if got, err := p.LoadCheckpoint(t.Context()); err != nil || !slices.Equal(got, data) {
			t.Fatalf("%d bytes: %d came back, %v", size, len(got), err)
		}
	}
}

// Many callers at once: each group comes out whole and in one piece, and a late one is refused.
func TestCommitter(t *testing.T) {
	_, p := open(t, t.TempDir(), 64<<20)
	c := NewCommitter(p.Events)
	var callers sync.WaitGroup
	for n := range 200 {
		callers.Go(func() {
			g := group(fmt.Sprint(n, "-0"), fmt.Sprint(n, "-1"), fmt.Sprint(n, "-2"))
			done := make(chan struct{})
			g.Done = func(*Group) { close(done) }
			if err := c.Submit(context.Background(), g); err != nil {
				t.Error(err)
				return
			}
			<-done
			if g.Err != nil || g.Acks[1].Number != g.Acks[0].Number+1 || g.Acks[2].Number != g.Acks[0].Number+2 {
				t.Errorf("%+v %v", g.Acks, g.Err)
			}
		})
	}
	callers.Wait()
	c.Close()
	if err := c.Submit(t.Context(), group("late")); !errors.Is(err, ErrClosed) {
		t.Errorf("error: %v", err)
	}
	if got := all(t, p.Events); len(got) != 600 {
		t.Errorf("%d messages", len(got))
	}
}
