package dispatch

import (
	"encoding/hex"
	"encoding/json"
	"slices"
	"testing"

	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/report"
	"github.com/oabridge/oabridge/internal/scenario"
)

// card is a second scenario: everything is also told as a card, once.
func card() scenario.Definition {
	d := definition("Reminder")
	d.Name, d.Template = "card", "crm/card"
	d.Sources = []string{"Todo", "Reminder", "Subscription", "Alert"}
	call := d.Calls[scenario.Create]
	call.Path = "/card"
	d.Calls = map[scenario.Action]scenario.Call{scenario.Create: call}
	return d
}

func ofType(e event, kind string) event {
	e["type"] = "dev.oabridge." + kind + ".created"
	return e
}

// One item goes to several targets, each with its own form, order and outcome; a target that fails holds up no other.
// F120 F121 F122 F124 F169
func TestOneSourceSeveralTargets(t *testing.T) {
	w := newWorld(t)
	w.base = func(c *connector) { c.Scenarios = append(c.Scenarios, card()) }
	w.bundle(nil)
	w.oa.set(func(c call) oa.Attempt {
		if c.Action == "card" && c.ID == "T-1" {
			return oa.Attempt{Class: oa.BusinessCode, Message: "no cards today"}
		}
		return oa.Attempt{}
	}, nil)
	w.start()
	w.mustSend(todo("e1", "T-1", "created"), todo("e2", "T-1", "completed"), ofType(todo("e3", "A-1", "created"), "alert"),
		ofType(todo("e4", "S-1", "created"), "subscription"), ofType(todo("e5", "R-1", "created"), "reminder"))
	// T-1: created as to-do, completed as to-do, card refused, completion no card; A-1 and S-1: cards; R-1: reminder and card.
	w.until("everything has ended", func(r report.Report) bool {
		return r.Delivery.Delivered == 6 && r.Delivery.Dead == 1 && r.Delivery.Skipped == 1
	})
	for item, want := range map[string][]string{"T-1": {"card", "complete", "create"}, "A-1": {"card"}, "S-1": {"card"}, "R-1": {"card", "create"}} {
		if got := slices.Sorted(slices.Values(w.oa.actions(item))); !slices.Equal(got, want) {
			t.Errorf("%s got %v, not %v", item, got, want)
		}
	}
	byScenario := map[string][]string{}
	for _, r := range w.records("item=T-1") {
		byScenario[r.Scenario] = append(byScenario[r.Scenario], string(r.Outcome)+"/"+r.Reason)
	}
	if got := byScenario[""]; !slices.Equal(got, []string{"Delivered/", "Delivered/"}) {
		t.Errorf("as to-do: %v", got)
	}
	if got := slices.Sorted(slices.Values(byScenario["card"])); !slices.Equal(got, []string{"Dead/BusinessCode", "Skipped/NoCall"}) {
		t.Errorf("as card: %v", got)
	}
	if accepted, duplicates := w.send(todo("e1", "T-1", "created")).counts(t); accepted != 1 || duplicates != 1 {
		t.Errorf("the repeat: %d accepted, %d duplicates", accepted, duplicates)
	}
}

// A target that is taken away ends with what was accepted for it. // F123
func TestATargetThatIsTakenAway(t *testing.T) {
	w := newWorld(t)
	w.bundle(func(c *connector) { c.Scenarios, c.Accounts.Unbound = append(c.Scenarios, card()), "Hold" })
	w.start()
	w.mustSend(todo("e1", "T-1", "created", "2000"))
	w.until("both wait for a binding", func(r report.Report) bool { return r.Delivery.Held == 2 })
	w.bundle(func(c *connector) { c.pairs["2000"] = "oa2000" })
	w.until("one went out", func(r report.Report) bool { return r.Delivery.Delivered == 1 && r.Delivery.Skipped == 1 })
	if got := w.oa.actions("T-1"); !slices.Equal(got, []string{"create"}) {
		t.Errorf("T-1 got %v", got)
	}
}

// What was written before scenarios had names is still found under the same key.
func TestDeliveriesWithoutANameKeepTheirKey(t *testing.T) {
	const stored = `{"event":{"id":"e1","source":"/crm","type":"dev.oabridge.todo.created","kind":"Todo","action":"create","item":{"id":"T-1","receivers":[{"account":"1002"}]}},"acceptedAt":"2026-11-22T01:30:00Z"}`
	var d record.Delivery
	if err := json.Unmarshal([]byte(stored), &d); err != nil {
		t.Fatal(err)
	}
	const key = "86c2aa37eaea80f2bbd1a0b0b837149e"
	if k := d.Key(); hex.EncodeToString(k[:]) != key {
		t.Errorf("the key is %s", hex.EncodeToString(k[:]))
	}
	named := d
	named.Scenario = "card"
	if named.Key() == d.Key() || named.ID() == d.ID() {
		t.Error("a named scenario shares the lane or the id of the one without a name")
	}
	if r := record.Of(1, &named); r.Key() != named.Key() {
		t.Error("record and delivery have different keys")
	}
}
