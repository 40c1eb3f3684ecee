package controllers

import (
	"fmt"
	"time"

	"github.com/oabridge/oabridge/api/v1alpha1"
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

// queuePlace is where a queue is.
type queuePlace struct {
	// claim is the name of the volume claim; empty when the queue is in a NATS cluster.
	claim string
}

func (p queuePlace) nats() bool { return p.claim == "" }

func (p queuePlace) String() string {
	if p.nats() {
		return "the queue in NATS"
	}
	return "volume claim " + p.claim
}

func abandonNote(l leftovers, place queuePlace) string {
	switch {
	case place.nats():
		return "deleted with the policy Abandon; what was left stays in the queue in NATS until somebody deletes its streams"
	case !l.known:
		return "deleted with the policy Abandon; the dispatcher never reported how many items were discarded"
	}
	return fmt.Sprintf("deleted with the policy Abandon; %s discarded", count(l.total(), "item was", "items were"))
}

// goneNote is for a connector without a queue volume.
func goneNote(l leftovers, place queuePlace) string {
	switch {
	case !l.known:
		return "deleted: the dispatcher never ran, so nothing can be pending"
	case l.total() == 0:
		return "deleted with nothing pending"
	}
	return fmt.Sprintf("deleted; somebody else deleted %s, and with it %s", place, l.words())
}

func keptNote(l leftovers, place queuePlace, after string) string {
	switch {
	case !l.known:
		return fmt.Sprintf("deleted%s; the dispatcher never reported, so %s is kept; a connector of the same name takes it over", after, place)
	case l.total() == 0:
		return fmt.Sprintf("deleted%s; nothing was pending at last report, but the dispatcher did not confirm it, so %s is kept", after, place)
	}
	return fmt.Sprintf("deleted%s; %s %s kept in %s; a connector of the same name takes them over", after, l.words(), isOrAre(int(l.total())), place)
}

// exportedNote continues keptNote when there is a copy in Secrets.
func exportedNote(c *v1alpha1.OAConnector, n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; %s also in the secrets with the label %s=%s: see kubectl oab leftovers %s", count(int64(n), "delivery is", "deliveries are"), v1alpha1.LabelLeftover, c.Name, c.Name)
}

func drainingMessage(l leftovers, place queuePlace, deadline time.Time) string {
	left := "waiting for the dispatcher's first report"
	if l.known {
		left = l.words() + " left"
		if l.total() == 0 {
			left = "nothing left; waiting for the dispatcher to confirm it"
		}
	}
	where := "the queue volume"
	if place.nats() {
		where = place.String()
	}
	return fmt.Sprintf("draining: %s; what is left at %s is kept in %s", left, deadline.UTC().Format(time.RFC3339), where)
}
