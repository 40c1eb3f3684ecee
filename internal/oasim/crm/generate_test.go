package crm

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestGenerateCounts(t *testing.T) {
	for _, w := range []Workload{{Seed: 1}, {Seed: 2}, {Seed: 3, Events: 1000}, {Seed: 4, Events: 40, ToDos: 20}, {Seed: 5, Receivers: 3}} {
		s, err := Generate(w)
		if err != nil {
			t.Fatal(err)
		}
		w = w.withDefaults()
		if len(s.Events) != w.Events || len(s.People) != w.People {
			t.Fatalf("%+v: %d events, %d people", w, len(s.Events), len(s.People))
		}
		ids, failing, unbound := map[string]bool{}, map[string]bool{}, map[string]bool{}
		versions, ended := map[string]int{}, map[string]bool{}
		for _, e := range s.Events {
			d := e.Data
			versions[d.ID]++
			if d.Version != versions[d.ID] || ended[d.ID] || (d.Version == 1) != (e.Type == Created) || ids[e.ID] {
				t.Fatalf("%s: %s version %d out of order", e.ID, d.ID, d.Version)
			}
			ids[e.ID], ended[d.ID] = true, e.Type == Completed || e.Type == Deleted
			if len(d.Receivers) != w.Receivers || d.CreatedAt.IsZero() || d.Object.APIName == "" || d.Sender.Account != "1000" {
				t.Fatalf("%+v", e)
			}
			if strings.Contains(d.Title(), FailMarker) {
				failing[d.ID] = true
			}
		}
		if len(versions) != w.ToDos || len(failing) != 1 || !failing[w.FailID()] {
			t.Errorf("%d to-dos, failing %v", len(versions), failing)
		}
		states, fates := map[string]int{}, map[string]int{}
		for _, x := range s.Expected {
			states[x.State]++
			fates[x.Fate]++
			if x.Fate == Unbound {
				unbound[x.Receiver] = true
			}
		}
		if len(unbound) != 1 || states[Open] == 0 || states[Done] == 0 || states[Gone] == 0 || fates[Failed] != w.Receivers {
			t.Errorf("states %v fates %v unbound %v", states, fates, unbound)
		}
	}
}

func TestGenerateIsDeterministic(t *testing.T) {
	a, _ := Generate(Workload{Seed: 7})
	b, _ := Generate(Workload{Seed: 7})
	if d := cmp.Diff(a, b); d != "" {
		t.Error(d)
	}
	if c, _ := Generate(Workload{Seed: 8}); cmp.Equal(a, c) {
		t.Error("another seed gives the same events")
	}
	if got := a.People[19]; got.Account != "1020" || !got.Unbound || a.People[0].Account != "1001" {
		t.Errorf("people = %+v", a.People)
	}
}

// The titles hold everything that breaks careless templates.
func TestTitles(t *testing.T) {
	s, _ := Generate(Workload{Seed: 1})
	var all strings.Builder
	for _, e := range s.Events {
		if !utf8.ValidString(e.Data.Title()) {
			t.Errorf("%q", e.Data.Title())
		}
		all.WriteString(e.Data.Title())
	}
	for _, want := range []string{`"`, "'", "<", "&", "\n", "\t", `\`, "🚀", "عقد", "「", "%", "#", "{{"} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("no title has %q", want)
		}
	}
}

func TestImpossibleWorkloads(t *testing.T) {
	for _, w := range []Workload{{Events: 10, ToDos: 20}, {People: 1}, {Receivers: 20}, {Events: maxEvents + 1}, {ToDos: -1}} {
		if _, err := Generate(w); err == nil {
			t.Errorf("%+v was accepted", w)
		}
	}
}

func TestExpect(t *testing.T) {
	at := func(kind string, version int, detail string) Event {
		return Event{Type: kind, Data: ToDo{ID: "T", Version: version, Detail: detail, Receivers: []Account{{Account: "1001"}, {Account: "9"}}}}
	}
	people := []Person{{Account: "1001"}, {Account: "9", Unbound: true}}
	got := Expect([]Event{at(Created, 1, "a"), at(Completed, 3, "c"), at(Updated, 2, "b")}, people)
	if len(got) != 2 || got[0].State != Done || got[0].Detail != "c" || got[0].Fate != Delivered || got[1].Fate != Unbound {
		t.Errorf("late events must change nothing: %+v", got)
	}
	got = Expect([]Event{at(Completed, 0, "a"), at(Updated, 0, "b")}, people)
	if got[0].State != Open || got[0].Detail != "b" {
		t.Errorf("without versions the order decides: %+v", got[0])
	}
}

func TestEventForm(t *testing.T) {
	s, _ := Generate(Workload{Seed: 1, DataCenterID: "dc-1"})
	raw, err := json.Marshal(s.Events[0])
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	_ = json.Unmarshal(raw, &m)
	for name, want := range map[string]any{"specversion": "1.0", "id": "T-1-00001", "source": "/crm/714439", "type": Created, "datacenterid": "dc-1", "time": "2026-11-22T09:30:00+08:00"} {
		if m[name] != want {
			t.Errorf("%s = %v, want %v", name, m[name], want)
		}
	}
	data, _ := m["data"].(map[string]any)
	for _, name := range []string{"id", "version", "heading", "subject", "detail", "createdAt", "enterpriseID", "object", "sender", "receivers"} {
		if data[name] == nil {
			t.Errorf("data.%s is missing", name)
		}
	}
}
