package controllers

import (
	"fmt"
	"time"
)

// words of what is left, such as "3 held and 2 dead items".
func (l leftovers) words() string {
	var parts []string
	for _, p := range []struct {
		n    int64
		word string
	}{{l.pending, "pending"}, {l.retrying, "retrying"}, {l.held, "held"}, {l.dead, "dead"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.word))
		}
	}
	if l.total() == 1 {
		return list(parts) + " item"
	}
	return list(parts) + " items"
}

func abandonNote(l leftovers) string {
	if !l.known {
		return "deleted with the policy Abandon; the dispatcher never reported how many items were discarded"
	}
	return fmt.Sprintf("deleted with the policy Abandon; %s discarded", count(l.total(), "item was", "items were"))
}

func keptNote(l leftovers, claim, after string) string {
	switch {
	case !l.known:
		return fmt.Sprintf("deleted%s; the dispatcher never reported, so volume claim %s is kept; a connector of the same name takes it over", after, claim)
	case l.total() == 0:
		return fmt.Sprintf("deleted%s; nothing was pending at last report, but the dispatcher did not confirm it, so volume claim %s is kept", after, claim)
	}
	verb := "are"
	if l.total() == 1 {
		verb = "is"
	}
	return fmt.Sprintf("deleted%s; %s %s kept in volume claim %s; a connector of the same name takes them over", after, l.words(), verb, claim)
}

func drainingMessage(l leftovers, deadline time.Time) string {
	left := "waiting for the dispatcher's first report"
	if l.known {
		left = l.words() + " left"
		if l.total() == 0 {
			left = "nothing left; waiting for the dispatcher to confirm it"
		}
	}
	return fmt.Sprintf("draining: %s; what is left at %s is kept in the queue volume", left, deadline.UTC().Format(time.RFC3339))
}
