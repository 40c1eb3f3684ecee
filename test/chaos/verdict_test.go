package main

import (
	"testing"

	"github.com/oabridge/oabridge/internal/oasim/crm"
	"github.com/oabridge/oabridge/internal/oasim/seeyon"
)

// life is one to-do of one person: created, updated, completed.
func life(t *testing.T) (*source, []seeyon.Write) {
	t.Helper()
	s := &source{people: []crm.Person{{Account: "1001", Name: "李娜", OALogin: "lina"}}}
	var history []seeyon.Write
	for i, kind := range []string{crm.Created, crm.Updated, crm.Completed} {
		version := i + 1
		e := crm.Event{ID: "e" + string(rune('0'+version)), Type: kind, Data: crm.ToDo{
			ID: "T-1", Version: version, Subject: "提交", Detail: "报价 [" + string(rune('0'+version)) + "]",
			Receivers: []crm.Account{{Account: "1001"}},
		}}
		s.events = append(s.events, e)
		history = append(history, seeyon.Write{Title: e.Data.Title()})
	}
	s.want = crm.Expect(s.events, s.people)
	return s, history
}

// The judge sees every way in which the promise can be broken, and forgives what is allowed.
func TestJudge(t *testing.T) {
	s, w := life(t)
	item := func(state string, history ...seeyon.Write) seeyon.Item {
		i := seeyon.Item{LoginName: "lina", History: history}
		i.TaskID, i.State, i.Title = "T-1", state, history[len(history)-1].Title
		return i
	}
	for name, c := range map[string]struct {
		items    []seeyon.Item
		dead     []string
		finished string
		want     verdict
		good     bool
	}{
		"all arrived":                {items: []seeyon.Item{item("1", w...)}, want: verdict{Sent: 3, Delivered: 3}, good: true},
		"one was repeated":           {items: []seeyon.Item{item("1", w[0], w[0], w[1], w[2])}, want: verdict{Sent: 3, Delivered: 3, Repeated: 1}, good: true},
		"one was overtaken":          {items: []seeyon.Item{item("1", w[0], w[2])}, want: verdict{Sent: 3, Delivered: 3, Overtaken: 1}, good: true},
		"the last is missing":        {items: []seeyon.Item{item("0", w[0], w[1])}, want: verdict{Sent: 3, Delivered: 2, Lost: 1}},
		"the last is dead":           {items: []seeyon.Item{item("0", w[0], w[1])}, dead: []string{"e3"}, want: verdict{Sent: 3, Delivered: 2, Dead: 1}, good: true},
		"one is dead and overtaken":  {items: []seeyon.Item{item("1", w[0], w[2])}, dead: []string{"e2"}, want: verdict{Sent: 3, Delivered: 2, Dead: 1}, good: true},
		"all are dead or stood for":  {dead: []string{"e1", "e3"}, want: verdict{Sent: 3, Delivered: 1, Dead: 2, Overtaken: 1}, good: true},
		"dead although it worked":    {items: []seeyon.Item{item("1", w...)}, dead: []string{"e2"}, want: verdict{Sent: 3, Delivered: 3}, good: true},
		"nothing is there":           {want: verdict{Sent: 3, Lost: 3}},
		"finished before it came":    {finished: "Skip", want: verdict{Sent: 3, Delivered: 3, Overtaken: 3}, good: true},
		"an older state came later":  {items: []seeyon.Item{item("1", w[0], w[2], w[1], w[2])}, want: verdict{Sent: 3, Delivered: 3, Reordered: 1}},
		"an older state stays":       {items: []seeyon.Item{item("0", w[0], w[2], w[1])}, want: verdict{Sent: 3, Delivered: 3, Reordered: 1, Lost: 1}},
		"the state is wrong":         {items: []seeyon.Item{item("0", w...)}, want: verdict{Sent: 3, Delivered: 3, Lost: 1}},
		"the person sees it twice":   {items: []seeyon.Item{item("1", w...), item("1", w...)}, want: verdict{Sent: 3, Delivered: 3, Visible: 1}},
		"something that nobody sent": {items: []seeyon.Item{item("1", w[0], seeyon.Write{Title: "?"}, w[1], w[2])}, want: verdict{Sent: 3, Delivered: 3, Lost: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			dead := map[letter]bool{}
			for _, id := range c.dead {
				dead[letter{id, "1001"}] = true
			}
			got := judge(s, c.items, dead, c.finished)
			if got.good() != c.good || (len(got.Wrong) == 0) != c.good {
				t.Errorf("good: %v, in words %q", got.good(), got.Wrong)
			}
			got.Wrong = nil
			if got.String() != c.want.String() || got.Overtaken != c.want.Overtaken || got.Repeated != c.want.Repeated {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}

// The same seed makes the same events.
func TestSourceIsSeeded(t *testing.T) {
	c := config{seed: 3, events: 500}
	c.complete()
	a, err := newSource(c)
	if err != nil {
		t.Fatal(err)
	}
	b, err := newSource(c)
	if err != nil {
		t.Fatal(err)
	}
	titles := map[string]bool{}
	for i := range a.events {
		if a.events[i].ID != b.events[i].ID || a.events[i].Data.Title() != b.events[i].Data.Title() {
			t.Fatalf("event %d differs", i)
		}
		titles[a.events[i].Data.ID+a.events[i].Data.Title()] = true
	}
	if len(titles) != len(a.events) {
		t.Errorf("only %d of %d titles are unique: the judge could not tell the events apart", len(titles), len(a.events))
	}
}
