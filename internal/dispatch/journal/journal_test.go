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

func open(t *testing.T, dir string, maxBytes int64) *Journal {
	t.Helper()
	j, err := Open(t.Context(), Config{Dir: dir, MaxBytes: maxBytes, LockWait: 10 * time.Second, Log: logr.Discard()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(j.Close)
	return j
}

func group(ids ...string) *Group {
	g := &Group{}
	for _, id := range ids {
		g.Messages = append(g.Messages, Message{Subject: SubjectEvents + "1", ID: id, Data: []byte("data of " + id)})
	}
	return g
}

func all(t *testing.T, l *Log, from uint64) (out []string) {
	t.Helper()
	for {
		got, err := l.Read(t.Context(), from, 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 0 {
			return out
		}
		for _, s := range got {
			if s.Seq != from {
				t.Fatalf("message %d follows %d", s.Seq, from-1)
			}
			out = append(out, strings.TrimPrefix(string(s.Data), "data of "))
			from++
		}
	}
}

// A duplicate never fails its neighbours, wherever it is, and acks name the right place.
func TestDuplicates(t *testing.T) {
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
			j := open(t, t.TempDir(), 64<<20)
			first := group("known")
			j.Events.Append(t.Context(), []*Group{first})
			if first.Err != nil || first.Acks[0] != (Ack{Seq: 1}) {
				t.Fatalf("%+v %v", first.Acks, first.Err)
			}
			var groups []*Group
			for _, ids := range c.groups {
				groups = append(groups, group(ids...))
			}
			j.Events.Append(t.Context(), groups)
			got := all(t, j.Events, 1)
			if want := append([]string{"known"}, c.fresh...); !slices.Equal(got, want) {
				t.Fatalf("stored %v, want %v", got, want)
			}
			seen := map[string]bool{"known": true}
			for _, g := range groups {
				if g.Err != nil || len(g.Acks) != len(g.Messages) {
					t.Fatalf("acks %v, error %v", g.Acks, g.Err)
				}
				for i, a := range g.Acks {
					id := g.Messages[i].ID
					if a.Duplicate != seen[id] {
						t.Errorf("%s: duplicate %t", id, a.Duplicate)
					}
					if !a.Duplicate && got[a.Seq-1] != id {
						t.Errorf("%s is said to be at %d, where %s is", id, a.Seq, got[a.Seq-1])
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
	j := open(t, dir, 64<<20)
	g := group("a", "b", "c")
	j.Events.Append(t.Context(), []*Group{g})
	if g.Err != nil {
		t.Fatal(g.Err)
	}
	if err := j.SaveCheckpoint(t.Context(), []byte("one")); err != nil {
		t.Fatal(err)
	}
	if err := j.SaveCheckpoint(t.Context(), []byte("two")); err != nil {
		t.Fatal(err)
	}
	j.Close()
	j = open(t, dir, 64<<20)
	if got := all(t, j.Events, 1); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("stored: %v", got)
	}
	if got, err := j.LoadCheckpoint(t.Context()); err != nil || string(got) != "two" {
		t.Errorf("checkpoint %q, %v", got, err)
	}
	again := group("b", "d")
	j.Events.Append(t.Context(), []*Group{again})
	if again.Err != nil || !again.Acks[0].Duplicate || again.Acks[1] != (Ack{Seq: 4}) {
		t.Errorf("%+v %v", again.Acks, again.Err)
	}
}

// A full log takes nothing, says so, and keeps the numbers when it is emptied.
func TestFull(t *testing.T) {
	j := open(t, t.TempDir(), MinBytes)
	var last uint64
	for n := 0; ; n++ {
		g := &Group{}
		for i := range 20 {
			g.Messages = append(g.Messages, Message{Subject: SubjectEvents + "1", ID: fmt.Sprint(n, "-", i), Data: make([]byte, 64<<10)})
		}
		j.Events.Append(t.Context(), []*Group{g})
		if g.Err != nil {
			if !errors.Is(g.Err, ErrFull) {
				t.Fatal(g.Err)
			}
			break
		}
		last = g.Acks[19].Seq
	}
	b, err := j.Events.Bounds(t.Context())
	if err != nil || b.Last != last {
		t.Fatalf("a refused group left something: %+v, %v", b, err)
	}
	single := &Group{Messages: []Message{{Subject: SubjectEvents + "1", ID: "single", Data: make([]byte, 2<<20)}}}
	j.Events.Append(t.Context(), []*Group{single})
	if !errors.Is(single.Err, ErrFull) {
		t.Errorf("error: %v", single.Err)
	}
	if err := j.Events.Remove(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	if err := j.Events.Remove(t.Context(), 2); err != nil {
		t.Errorf("removing twice: %v", err)
	}
	if _, err := j.Events.Get(t.Context(), 2); !errors.Is(err, ErrNotFound) {
		t.Errorf("error: %v", err)
	}
	if err := j.Events.PurgeBelow(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	g := group("after")
	j.Events.Append(t.Context(), []*Group{g})
	if g.Err != nil || g.Acks[0].Seq != last+1 {
		t.Errorf("%+v %v", g.Acks, g.Err)
	}
}

// Many callers at once: each group comes out whole and in one piece, and a late one is refused.
func TestCommitter(t *testing.T) {
	j := open(t, t.TempDir(), 64<<20)
	c := NewCommitter(j.Events)
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
			if g.Err != nil || g.Acks[1].Seq != g.Acks[0].Seq+1 || g.Acks[2].Seq != g.Acks[0].Seq+2 {
				t.Errorf("%+v %v", g.Acks, g.Err)
			}
		})
	}
	callers.Wait()
	c.Close()
	if err := c.Submit(t.Context(), group("late")); !errors.Is(err, ErrClosed) {
		t.Errorf("error: %v", err)
	}
	if got := all(t, j.Events, 1); len(got) != 600 {
		t.Errorf("%d messages", len(got))
	}
}
