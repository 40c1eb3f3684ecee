package main

import (
	"fmt"
	"slices"

	"github.com/oabridge/oabridge/internal/oasim/crm"
	"github.com/oabridge/oabridge/internal/oasim/seeyon"
)

// verdict is what became of the deliveries (an event for a receiver) as the OA tells it. Sent is the sum of Delivered, Dead
// and Lost, unless the OA shows what nobody sent.
type verdict struct {
	Sent int
	// Delivered reached the OA, or a later state of the same to-do did.
	Delivered int
	// Overtaken are those of the delivered that only a later state stands for.
	Overtaken int
	// Dead were given up, the dispatcher names them, and the OA never applied them.
	Dead int
	// Lost: the to-do does not stand in the OA as in the CRM, and no dead letter says why.
	Lost int
	// Reordered counts older states that were applied after newer ones.
	Reordered int
	// Visible counts to-dos that one person sees a second time.
	Visible int
	// Repeated counts writes of a state that the OA had just been given: allowed, nobody sees them.
	Repeated int
	// Wrong says what is not as it must be, in words.
	Wrong []string
}

func (v verdict) String() string {
	return fmt.Sprintf("sent %d delivered %d dead %d lost %d reordered %d duplicates-visible %d",
		v.Sent, v.Delivered, v.Dead, v.Lost, v.Reordered, v.Visible)
}

func (v verdict) good() bool { return v.Lost == 0 && v.Reordered == 0 && v.Visible == 0 }

// maxWrong bounds what is said in words.
const maxWrong = 50

func (v *verdict) wrong(format string, args ...any) {
	if len(v.Wrong) < maxWrong {
		v.Wrong = append(v.Wrong, fmt.Sprintf(format, args...))
	}
}

// letter names a delivery: the event and the receiver's CRM account.
type letter struct{ event, receiver string }

// spot is a to-do of a person.
type spot struct{ task, login string }

// states are the OA's words for those of the CRM.
var states = map[string]string{crm.Open: seeyon.StateOpen, crm.Done: seeyon.StateDone, crm.Gone: seeyon.StateRevoked}

// judge compares what the CRM sent with what the OA has, to-do by to-do. finished is delivery.catchUpFinished.
func judge(s *source, items []seeyon.Item, dead map[letter]bool, finished string) verdict {
	var v verdict
	at := byPerson(items)
	type key struct{ task, receiver string }
	sent := map[key][]crm.Event{}
	for _, e := range s.events {
		for _, r := range e.Data.Receivers {
			k := key{e.Data.ID, r.Account}
			sent[k] = append(sent[k], e)
		}
	}
	for _, want := range s.want {
		k := spot{want.ToDo, want.OALogin}
		if n := len(at[k]); n > 1 {
			v.Visible += n - 1
			v.wrong("%s is there %d times for %s", k.task, n, k.login)
		}
		v.one(want, sent[key{want.ToDo, want.Receiver}], at[k], dead, finished)
		delete(at, k)
	}
	for k := range at {
		v.Lost++
		v.wrong("%s of %s is in the OA, and the CRM never sent it", k.task, k.login)
	}
	return v
}

// byPerson sorts items by what a person sees as one to-do.
func byPerson(items []seeyon.Item) map[spot][]seeyon.Item {
	at := map[spot][]seeyon.Item{}
	for _, item := range items {
		k := spot{item.TaskID, item.LoginName}
		at[k] = append(at[k], item)
	}
	return at
}

// one judges a to-do of a receiver.
func (v *verdict) one(want crm.Expected, events []crm.Event, items []seeyon.Item, dead map[letter]bool, finished string) {
	v.Sent += len(events)
	applied, newest := v.replay(events, items)
	right := stands(want, items, finished)
	lost := 0
	// A state that was given up stands for those before it: its dead letter says what to do.
	for i, e := range events {
		if dead[letter{e.ID, want.Receiver}] {
			newest = max(newest, i)
		}
	}
	for i, e := range events {
		switch {
		case applied[i]:
			v.Delivered++
		case dead[letter{e.ID, want.Receiver}]:
			v.Dead++
		case i <= newest || right:
			v.Delivered++
			v.Overtaken++
		default:
			lost++
		}
	}
	v.Lost += lost
	last := events[len(events)-1]
	switch excused := dead[letter{last.ID, want.Receiver}]; {
	case right || excused && lost == 0:
		return
	case lost == 0: // the last state was applied, and something else stands there
		v.Lost++
	}
	have := "nothing"
	if len(items) > 0 {
		have = fmt.Sprintf("state %s %q", items[0].State, items[0].Title)
	}
	v.wrong("%s of %s: the OA has %s, the CRM %s %q (event %s)", want.ToDo, want.OALogin, have, want.State, want.Title, last.ID)
}

// replay reads the OA's history of a to-do: which events were applied, and the newest of them (-1 when none was).
func (v *verdict) replay(events []crm.Event, items []seeyon.Item) (applied []bool, newest int) {
	applied, newest = make([]bool, len(events)), -1
	for _, item := range items {
		before := -1
		for _, w := range item.History {
			now := slices.IndexFunc(events, func(e crm.Event) bool { return e.Data.Title() == w.Title })
			switch {
			case now < 0:
				v.Lost++
				v.wrong("%s of %s: the OA was given %q, which the CRM never sent", item.TaskID, item.LoginName, w.Title)
				continue
			case now < before:
				v.Reordered++
				v.wrong("%s of %s: %q was applied after %q", item.TaskID, item.LoginName, w.Title, events[before].Data.Title())
			case now == before:
				v.Repeated++
			}
			applied[now] = true
			before, newest = now, max(newest, now)
		}
	}
	return applied, newest
}

// stands reports whether the OA shows a to-do as the CRM has it. A to-do that was deleted before the OA heard of it does not
// have to be there, nor, if the connector says so, one that was finished before.
func stands(want crm.Expected, items []seeyon.Item, finished string) bool {
	if len(items) == 0 {
		return want.State == crm.Gone || want.State == crm.Done && finished == "Skip"
	}
	return items[0].State == states[want.State] && items[0].Title == want.Title
}
