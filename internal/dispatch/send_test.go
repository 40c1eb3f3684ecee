package dispatch

import (
	"net/http"
	"strings"
	"testing"

	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/dispatch/lookup"
	"github.com/oabridge/oabridge/internal/scenario"
)

// A person sends a marked to-do without any key, sees it arrive, and withdraws it; nothing of the CRM can be touched
// that way.
func TestTestEvents(t *testing.T) {
	w := newWorld(t)
	w.start()
	test := lookup.TestEvent{ItemID: "oab-test-1", Kind: "Todo", Action: scenario.Create, Receiver: "1002", Object: scenario.Object{APIName: "AccountObj", ID: "r1"}}
	for _, action := range []scenario.Action{scenario.Create, scenario.Delete} {
		test.Action = action
		if id, err := w.ask().SendTest(t.Context(), test); err != nil || id != "oab-test-1-"+string(action) {
			t.Fatalf("%q, %v", id, err)
		}
	}
	w.drained(2)
	calls := w.oa.got()
	if len(calls) != 2 || calls[0].To != "oa1002" || !strings.Contains(calls[0].Title, "please ignore") || calls[1].Action != "delete" {
		t.Errorf("calls: %+v", calls)
	}
	if r := w.records("item=oab-test-1&limit=1"); len(r) != 1 || r[0].Source != lookup.TestSource {
		t.Errorf("%+v", r)
	}
	for words, change := range map[string]func(*lookup.TestEvent){
		"itemID: it is not that of a test item":    func(e *lookup.TestEvent) { e.ItemID = "T-0001" },
		"kind: there is no such event for a test":  func(e *lookup.TestEvent) { e.Kind, e.Action = "Reminder", scenario.Delete },
		"data.receivers[0].account":                func(e *lookup.TestEvent) { e.Receiver = "" },
		"data.object.apiName":                      func(e *lookup.TestEvent) { e.Object.APIName = "" },
		"kind: there is no such event for a test;": func(e *lookup.TestEvent) { e.Action = scenario.Complete },
	} {
		wrong := test
		change(&wrong)
		if _, err := w.ask().SendTest(t.Context(), wrong); !lookup.BadQuery(err) || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v", words, err)
		}
	}
	// A web page cannot do it with a form.
	if a := w.do(http.MethodPost, w.url("local", lookup.PathTestEvents), []byte(`{}`), "Content-Type", "text/plain"); a.status != http.StatusUnsupportedMediaType {
		t.Errorf("%+v", a)
	}
}

// The latest events can be looked at as they were accepted; how many are kept is bounded.
func TestRecentEvents(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.mustSend(todo("e1", "T-1", "created"), todo("e2", "T-2", "created", "1002", "1003"))
	w.mustSend(todo("e3", "T-1", "updated"))
	got, err := w.ask().Recent(t.Context(), 2)
	if err != nil || len(got) != 2 || got[0].ID != "e2" || len(got[0].Item.Receivers) != 2 || got[1].ID != "e3" || got[1].Item.Object.APIName == "" || got[1].AcceptedAt.IsZero() {
		t.Fatalf("%+v, %v", got, err)
	}

	var r recent
	at := got[0].AcceptedAt
	for range maxRecent + 5 {
		r.add([]crm.Event{{ID: "e"}}, at)
	}
	if n := len(r.last(maxRecent + 5)); n != maxRecent {
		t.Errorf("%d events are kept", n)
	}
	large := crm.Event{ID: "large"}
	large.Item.Receivers, large.Item.Detail = []scenario.Person{{}}, strings.Repeat("x", maxRecentBytes/2)
	for range 3 {
		r.add([]crm.Event{large}, at)
	}
	if got := r.last(maxRecent); len(got) != 1 || r.bytes > maxRecentBytes {
		t.Errorf("%d events, %d bytes are kept", len(got), r.bytes)
	}
}
