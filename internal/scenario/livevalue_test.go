package scenario_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oabridge/oabridge/internal/scenario"
)

// card is an OA that gives an item a code with which it can be changed once, and an id that has to be asked for.
func card() scenario.Definition {
	return scenario.Definition{
		Template: "crm/card", Revision: "r", Kind: "Todo", Enabled: true, TimeZone: "Asia/Shanghai", DateFormat: "yyyy-MM-dd HH:mm:ss",
		Calls: map[scenario.Action]scenario.Call{
			"create": {Method: "POST", Path: "/send", Body: `{"id":"#F012${item.reopened}","ts":"${item.version}","at":"${item.eventTime}"}`,
				Capture: []scenario.Capture{{Name: "code", Path: "data.code", Once: true}}},
			"update":   {Method: "POST", Path: "/change", Body: `{"code":"${captured.code}"}`, Missing: scenario.MissingCreate},
			"complete": {Method: "POST", Path: "/change", Body: `{"code":"${captured.code}","done":"yes"}`, Missing: scenario.MissingSkip},
			"delete": {Method: "DELETE", Path: "/tasks/${lookup.id}", Missing: scenario.MissingSkip,
				Lookup: &scenario.Lookup{Method: "GET", Path: "/by-source/#F012", Values: map[string]string{"id": "data.id"}}},
		},
		Result: scenario.Result{CodeName: "ok", SuccessCode: "true"},
	}
}

func fields(m scenario.Moment) scenario.Fields {
	return scenario.Fields{"F001": "lisi", "F009": "2026-11-22T09:30:00+08:00", "F012": "T/1"}.With(m)
}

func TestLiveValues(t *testing.T) {
	s, err := scenario.New(card())
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 22, 1, 30, 5, 0, time.UTC)
	for _, a := range scenario.Actions {
		if !s.Live(a) {
			t.Errorf("%s: needs values of the moment", a)
		}
	}
	req, err := s.Render("create", fields(scenario.Moment{EventTime: now, Version: 1790000000000, Reopened: 1}))
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"id":"T/1-2","ts":"1790000000000","at":"2026-11-22 09:30:05"}`; string(req.Body) != want {
		t.Errorf("got %s", req.Body)
	}
	if diff := cmp.Diff([]scenario.Capture{{Name: "code", Path: "data.code", Once: true}}, req.Captures); diff != "" {
		t.Error(diff)
	}

	// With the code an item is changed, and the code is used up; without it the template says what happens.
	with := fields(scenario.Moment{EventTime: now, Captured: map[string]string{"code": `a"b`}})
	if req, err = s.Render("complete", with); err != nil || string(req.Body) != `{"code":"a\"b","done":"yes"}` || len(req.Spends) != 1 {
		t.Errorf("got %s, %v, spends %v", req.Body, err, req.Spends)
	}
	without := fields(scenario.Moment{EventTime: now})
	if _, err = s.Render("complete", without); !errors.Is(err, scenario.ErrMissing) {
		t.Errorf("got %v", err)
	}
	if req, err = s.Render("update", without); err != nil || req.Path != "/send" || len(req.Captures) != 1 {
		t.Errorf("got %s, %v", req.Path, err)
	}

	// A lookup goes first; what it finds cannot leave its place.
	req, err = s.Render("delete", without)
	if err != nil || req.Lookup == nil || req.Path != "/by-source/T%2F1" {
		t.Fatalf("got %+v, %v", req, err)
	}
	values, ok := req.Lookup.Read([]byte(`{"data":{"id":"../x?y"}}`))
	if !ok {
		t.Fatal("the value is there")
	}
	if req, err = req.Lookup.Complete(values); err != nil || req.Path != "/tasks/..%2Fx%3Fy" || req.Method != "DELETE" {
		t.Errorf("got %s, %v", req.Path, err)
	}
	req, _ = s.Render("delete", without)
	for _, answer := range []string{`{}`, `{"data":{"id":""}}`, `{"data":{"id":{}}}`, `{"data":{"id":null}}`, `x`} {
		if v, ok := req.Lookup.Read([]byte(answer)); ok {
			t.Errorf("%s: got %v", answer, v)
		}
	}
	if _, err = req.Lookup.Complete(nil); !errors.Is(err, scenario.ErrMissing) {
		t.Errorf("got %v", err)
	}
}

// What cannot work is said when the template is read.
func TestLiveValuesThatCannotBe(t *testing.T) {
	for says, change := range map[string]func(scenario.Definition){
		"did you mean item.version": func(d scenario.Definition) {
			set(d, "create", func(c *scenario.Call) { c.Body = `{"a":"${item.versoin}"}` })
		},
		"captured by no action": func(d scenario.Definition) { set(d, "create", func(c *scenario.Call) { c.Capture = nil }) },
		"does not find it": func(d scenario.Definition) {
			set(d, "delete", func(c *scenario.Call) { c.Path = "/x/${lookup.other}" })
		},
		"is what the lookup is to find": func(d scenario.Definition) {
			set(d, "delete", func(c *scenario.Call) { c.Lookup.Path = "/x/${lookup.id}" })
		},
		"without values": func(d scenario.Definition) {
			set(d, "delete", func(c *scenario.Call) { c.Lookup.Values = nil; c.Path = "/x" })
		},
		"goes alone": func(d scenario.Definition) {
			set(d, "delete", func(c *scenario.Call) { c.Body, c.Batch = `{}`, &scenario.Batch{Path: "/b"} })
		},
		"is for other actions": func(d scenario.Definition) {
			set(d, "create", func(c *scenario.Call) { c.Missing = scenario.MissingCreate })
		},
		"stands in the host": func(d scenario.Definition) {
			set(d, "create", func(c *scenario.Call) { c.Body = `{"a":"https://${captured.code}/x"}` })
		},
		"must hold no placehol": func(d scenario.Definition) {
			set(d, "update", func(c *scenario.Call) { c.Batch = &scenario.Batch{Path: "/b/${captured.code}"} })
		},
	} {
		d := card()
		change(d)
		if _, err := scenario.New(d); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want %q", err, says)
		}
	}
}

func set(d scenario.Definition, a scenario.Action, change func(*scenario.Call)) {
	c := d.Calls[a]
	change(&c)
	d.Calls[a] = c
}
