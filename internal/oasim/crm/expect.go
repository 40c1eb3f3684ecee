package crm

import "strings"

// The states in which a to-do can end.
const (
	Open = "open"
	Done = "done"
	Gone = "deleted"
)

// What must become of a delivery.
const (
	Delivered = "delivered" // it is in the OA
	Unbound   = "unbound"   // it waits for a binding
	Failed    = "failed"    // the OA refuses it for good
)

// Expected is how one to-do of one receiver must look when everything has been delivered.
type Expected struct {
	ToDo       string `json:"todo"`
	Receiver   string `json:"receiver"`
	OALogin    string `json:"oaLogin,omitempty"`
	Fate       string `json:"fate"`
	State      string `json:"state"`
	Version    int    `json:"version"`
	Heading    string `json:"heading"`
	Subject    string `json:"subject"`
	Detail     string `json:"detail"`
	SenderName string `json:"senderName"`
	Title      string `json:"title"`
	Object     Object `json:"object"`
}

// Expect plays events through, in order, and says how every to-do of every receiver ends. An event with a lower version
// than its to-do already has changes nothing.
func Expect(events []Event, people []Person) []Expected {
	known := map[string]Person{}
	for _, p := range people {
		known[p.Account] = p
	}
	type key struct{ todo, receiver string }
	at := map[key]int{}
	out := []Expected{}
	for _, e := range events {
		for _, r := range e.Data.Receivers {
			k := key{e.Data.ID, r.Account}
			i, ok := at[k]
			if !ok {
				i = len(out)
				at[k] = i
				out = append(out, Expected{})
			}
			if e.Data.Version != 0 && e.Data.Version < out[i].Version {
				continue
			}
			out[i] = expected(e, known[r.Account], r.Account)
		}
	}
	return out
}

func expected(e Event, p Person, account string) Expected {
	t := e.Data
	x := Expected{
		ToDo: t.ID, Receiver: account, OALogin: p.OALogin, Fate: Delivered, State: Open, Version: t.Version,
		Heading: t.Heading, Subject: t.Subject, Detail: t.Detail, SenderName: t.Sender.Name, Title: t.Title(), Object: t.Object,
	}
	switch e.Type {
	case Completed:
		x.State = Done
	case Deleted:
		x.State = Gone
	}
	switch {
	case strings.Contains(t.Detail, FailMarker):
		x.Fate = Failed
	case p.Unbound:
		x.Fate = Unbound
	}
	return x
}
