package crm

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Workload says how many events to make up. The zero value stands for 200 events of 40 to-dos for 20 people.
type Workload struct {
	Seed         uint64    `json:"seed,omitempty"`
	Events       int       `json:"count,omitempty"`
	ToDos        int       `json:"todos,omitempty"`
	People       int       `json:"people,omitempty"`
	Receivers    int       `json:"receivers,omitempty"` // of each to-do; default 1
	Prefix       string    `json:"prefix,omitempty"`    // of the ids; default "T"
	EnterpriseID string    `json:"enterpriseID,omitempty"`
	DataCenterID string    `json:"dataCenterID,omitempty"`
	Source       string    `json:"source,omitempty"`
	Start        time.Time `json:"start,omitzero"`
}

// Scenario is a workload made up: the events in the order they are to be sent, and what must come of them.
type Scenario struct {
	Sender   Person     `json:"sender"`
	People   []Person   `json:"people"`
	Events   []Event    `json:"events"`
	Expected []Expected `json:"expected"`
}

// FailMarker is in every title of the one to-do that the OA is meant to refuse for good.
const FailMarker = "「永久失败」"

const maxEvents = 1_000_000

func (w Workload) withDefaults() Workload {
	for _, d := range []struct {
		field *int
		value int
	}{{&w.Events, 200}, {&w.People, 20}, {&w.Receivers, 1}} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if w.ToDos == 0 {
		w.ToDos = max(2, w.Events/5)
	}
	for _, d := range []struct {
		field *string
		value string
	}{{&w.Prefix, "T"}, {&w.EnterpriseID, "714439"}} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	if w.Source == "" {
		w.Source = "/crm/" + w.EnterpriseID
	}
	if w.Start.IsZero() {
		w.Start = time.Date(2026, 11, 22, 9, 30, 0, 0, time.FixedZone("", 8*3600))
	}
	return w
}

// FailID is the to-do that is meant to fail for good.
func (w Workload) FailID() string { return w.withDefaults().Prefix + "-FAIL" }

// Generate makes up a workload. The same seed and numbers always give the same events.
func Generate(w Workload) (Scenario, error) {
	w = w.withDefaults()
	switch {
	case w.People < 2 || w.People > maxPeople:
		return Scenario{}, fmt.Errorf("people: %d is not between 2 and %d", w.People, maxPeople)
	case w.Receivers < 1 || w.Receivers >= w.People || w.Receivers > 100:
		return Scenario{}, fmt.Errorf("receivers: %d is not between 1 and 100 and below the number of people", w.Receivers)
	case w.ToDos < 2 || w.Events > maxEvents || w.Events < 2*w.ToDos:
		return Scenario{}, fmt.Errorf("count: %d events cannot be made of %d to-dos (2 per to-do to %d)", w.Events, w.ToDos, maxEvents)
	}
	rng := rand.New(rand.NewPCG(w.Seed, 714439))
	s := Scenario{Sender: Sender(), People: People(w.People)}
	lives := w.lives(rng, s)
	s.Events = w.interleave(rng, lives)
	s.Expected = Expect(s.Events, s.People)
	return s, nil
}

// life is what happens to one to-do: created, some updates, and perhaps an end.
type life struct {
	todo    ToDo
	updates int
	end     string // Completed, Deleted or "" (stays open)
}

// lives hands out the receivers in turn, the ends by fixed shares (two in five stay open), and the updates at random.
func (w Workload) lives(rng *rand.Rand, s Scenario) []life {
	out := make([]life, w.ToDos)
	ends := []string{"", Completed, "", Deleted, Completed, "", Deleted, Completed, "", Completed}
	turns := rng.Perm(w.People)
	spare, failing := w.Events, -1
	for i := range out {
		t := ToDo{
			ID: fmt.Sprintf("%s-%04d", w.Prefix, i+1), EnterpriseID: w.EnterpriseID, Sender: s.Sender.ref(),
			Object: Object{objects[rng.IntN(len(objects))], fmt.Sprintf("%08x%016x", rng.Uint32(), rng.Uint64())},
		}
		unbound := false
		for k := range w.Receivers {
			p := s.People[turns[(i+k)%w.People]]
			unbound = unbound || p.Unbound
			t.Receivers = append(t.Receivers, p.ref())
		}
		out[i] = life{todo: t, end: ends[i%len(ends)]}
		if failing < 0 && !unbound && i >= w.ToDos/3 {
			failing = i
		}
	}
	if failing < 0 { // every to-do of the later two thirds has the unbound person among its receivers
		failing = 0
		out[0].todo.Receivers = []Account{s.People[0].ref()}
	}
	out[failing].todo.ID, out[failing].end = w.Prefix+"-FAIL", ""
	for _, l := range out {
		spare -= l.length()
	}
	for range spare {
		out[rng.IntN(len(out))].updates++
	}
	return out
}

func (l life) length() int {
	if l.end == "" {
		return 1 + l.updates
	}
	return 2 + l.updates
}

// interleave mixes the lives at random and keeps the order within each.
func (w Workload) interleave(rng *rand.Rand, lives []life) []Event {
	var turns []int
	for i, l := range lives {
		for range l.length() {
			turns = append(turns, i)
		}
	}
	rng.Shuffle(len(turns), func(i, j int) { turns[i], turns[j] = turns[j], turns[i] })
	events := make([]Event, len(turns))
	for n, i := range turns {
		l := &lives[i]
		at := w.Start.Add(time.Duration(n) * time.Second)
		kind := Updated
		l.todo.Version++
		switch {
		case l.todo.Version == 1:
			kind, l.todo.CreatedAt = Created, at
		case l.end != "" && l.todo.Version == l.length():
			kind = l.end
		}
		if kind == Created || kind == Updated {
			l.todo.Heading, l.todo.Subject, l.todo.Detail = wording(rng, l.todo)
			if l.todo.ID == w.Prefix+"-FAIL" {
				l.todo.Detail = FailMarker + l.todo.Detail
			}
		}
		events[n] = Event{
			ID: fmt.Sprintf("%s-%d-%05d", w.Prefix, w.Seed, n+1), Source: w.Source, Type: kind, Time: at,
			DataCenterID: w.DataCenterID, Data: l.todo,
		}
	}
	return events
}
