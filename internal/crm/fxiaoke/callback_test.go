package fxiaoke_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/crm/fxiaoke"
	crmsim "github.com/oabridge/oabridge/internal/oasim/crm"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/scenario"
)

const (
	aesKey     = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	nextAESKey = "Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA="
	foreignKey = "O0YjM0EDOygzNykzMzUjLwUTN3MjL5ADN1QjM5gTM0A="
)

// seal is the CRM's side of the callbacks, an implementation of its own.
var seal = crmsim.CallbackSeal{EncodingAESKey: aesKey, EnterpriseAccount: "sim714439"}

// rule is how the simulator's to-dos become items.
func rule() bundle.CallbackRule {
	return bundle.CallbackRule{
		APIName: crmsim.ToDoObject, Kind: crm.Todo,
		Actions: map[string]string{"add": "created", "update": "updated", "update/done": "completed", "invalid": "deleted"},
		Fields: map[string]string{
			"heading": "heading__c", "detail": "detail__c", "state": "state__c", "receivers": "receivers__c",
			"object.apiName": "target_api_name__c", "object.id": "target_id__c",
		},
	}
}

func (w *world) callback(rules ...bundle.CallbackRule) *fxiaoke.Callback {
	w.t.Helper()
	w.secret(bundle.SlotCallback, "encoding-aes-key", aesKey+"\n")
	c := fxiaoke.NewCallback(w.secrets, w.client, w.clock)
	if err := c.Use(&bundle.Bundle{EnterpriseID: "714439", DataCenterID: "dc-1",
		Source: bundle.Source{Callback: &bundle.Callback{EnterpriseAccount: "sim714439", Rules: rules}}}); err != nil {
		w.t.Fatal(err)
	}
	return c
}

// story is one to-do of the simulator with everything that happens to it, published as the last event left it.
func (w *world) story() []crmsim.Event {
	w.t.Helper()
	at := w.clock().Add(-time.Hour)
	todo := crmsim.ToDo{ID: "T-1", Version: 1, Heading: "报价单审批", Subject: "提交", Detail: "QT-1 <加急> 🚀", CreatedAt: at, EnterpriseID: "714439",
		Object: crmsim.Object{APIName: "QuoteObj", ID: "5f3c2ab1"}, Sender: crmsim.Account{Account: "1000", Name: "张伟"},
		Receivers: []crmsim.Account{{Account: "1001"}, {Account: "1002"}, {Account: "1001"}}}
	var events []crmsim.Event
	for i, typ := range []string{crmsim.Created, crmsim.Updated, crmsim.Completed, crmsim.Deleted} {
		todo.Version = i + 1
		events = append(events, crmsim.Event{ID: fmt.Sprint("M", i+1), Type: typ, Time: at.Add(time.Duration(i) * time.Minute), Data: todo})
	}
	return events
}

// publish makes the object that the CRM hands out what it is after an event.
func (w *world) publish(e crmsim.Event) {
	w.t.Helper()
	state := map[string]string{crmsim.Completed: "done", crmsim.Deleted: "deleted"}[e.Type]
	var accounts []string
	for _, r := range e.Data.Receivers {
		accounts = append(accounts, r.Account)
	}
	w.object(map[string]any{
		"version": fmt.Sprint(e.Data.Version), "create_time": e.Data.CreatedAt.UnixMilli(), "created_by": []string{"1000"},
		"created_by__r": map[string]string{"name": "张伟"}, "name": e.Data.Subject, "heading__c": e.Data.Heading, "detail__c": e.Data.Detail,
		"state__c": state, "target_api_name__c": e.Data.Object.APIName, "target_id__c": e.Data.Object.ID, "receivers__c": accounts,
	})
}

func (w *world) object(fields map[string]any) {
	w.t.Helper()
	if err := w.sim.SetObject(crmsim.Object{APIName: crmsim.ToDoObject, ID: "T-1"}, fields); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) sealed(e crmsim.Event, retry int) []byte {
	w.t.Helper()
	body, err := seal.Seal(e, retry, w.clock())
	if err != nil {
		w.t.Fatal(err)
	}
	return body
}

// From the CRM's callback to the event: the object is fetched, the rules name its parts, and the answer is one that the CRM
// understands.
func TestCallbackBecomesAnEvent(t *testing.T) {
	w := newWorld(t)
	c := w.callback(rule())
	for i, action := range []scenario.Action{scenario.Create, scenario.Update, scenario.Complete, scenario.Delete} {
		sent := w.story()[i]
		w.publish(sent)
		events, reply, problem := c.Accept(t.Context(), w.sealed(sent, 0))
		if problem != nil || len(events) != 1 {
			t.Fatal(problem, events)
		}
		got := events[0]
		if len(got.TraceParent) != 55 {
			t.Errorf("trace %q", got.TraceParent)
		}
		got.TraceParent = ""
		want := crm.Event{
			Untraced: true, ID: sent.ID, Source: "/fxiaoke/sim714439/ToDo__c/Todo", Type: got.Type, Kind: crm.Todo, Action: action, Time: w.clock(), DataCenterID: "dc-1",
			Item: scenario.Item{
				ID: "T-1", Version: int64(i + 1), Heading: "报价单审批", Subject: "提交", Detail: "QT-1 <加急> 🚀", CreatedAt: sent.Data.CreatedAt, EnterpriseID: "714439",
				Object: scenario.Object{APIName: "QuoteObj", ID: "5f3c2ab1"}, Sender: scenario.Person{Account: "1000", Name: "张伟"},
				Receivers: []scenario.Person{{Account: "1001"}, {Account: "1002"}},
			},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		for ok, word := range map[bool]string{true: "success", false: "failure"} {
			if said, err := seal.Open(reply(ok)); err != nil || said != word {
				t.Errorf("reply(%v) says %q %v", ok, said, err)
			}
		}
	}
}

// The CRM's repeat carries retryTimes in its signature and makes an event that the queue knows already.
func TestCallbackRepeat(t *testing.T) { // TM-02
	w := newWorld(t)
	c := w.callback(rule())
	sent := w.story()[0]
	w.publish(sent)
	first, _, problem := c.Accept(t.Context(), w.sealed(sent, 0))
	again, _, problem2 := c.Accept(t.Context(), w.sealed(sent, 1))
	if problem != nil || problem2 != nil || first[0].ID != again[0].ID || first[0].Source != again[0].Source {
		t.Error(problem, problem2, first, again)
	}
}

// The known answers of the vendor facts, A4 to A7, word for word.
func TestCallbackVectors(t *testing.T) {
	const sealed = "MlKnXZvDqfHyUaB+1VwH1cqeL+br0ckLrN/h7qObSC0zGSpPUMFV3XD1AAu/wDcjSe72JlGJpjb01YFuidL2CSlXhOgD+nt2AysRmWKR6io="
	w := newWorld(t)
	w.now = time.UnixMilli(1700000000001)
	w.secret(bundle.SlotCallback, "encoding-aes-key", aesKey)
	c := fxiaoke.NewCallback(w.secrets, w.client, w.clock)
	if err := c.Use(&bundle.Bundle{Source: bundle.Source{Callback: &bundle.Callback{EnterpriseAccount: "demo", Rules: []bundle.CallbackRule{{
		APIName: "AccountObj", Kind: "Todo", Actions: map[string]string{"update": "updated"}, Fields: map[string]string{"receivers": "owner"},
	}}}}}); err != nil {
		t.Fatal(err)
	}
	if err := w.sim.SetObject(crmsim.Object{APIName: "AccountObj", ID: "d1"}, map[string]any{"owner": []string{"1001"}, "created_by": []string{"1000"}}); err != nil {
		t.Fatal(err)
	}
	body := `{"signature":"%s","timestamp":1700000000000,"nonce":"abc","messageId":"M1",%s"enterpriseAccount":"demo","encryptedContent":"` + sealed + `"}`
	for vector, in := range map[string]string{
		"A5": fmt.Sprintf(body, "a8a11e55c8181b7943058b4156c566bbee2d5a48", ""),
		"A6": fmt.Sprintf(body, "f1ffd2ba43c65816197aad26de4d03d03c1df9e6", `"retryTimes":1,`),
	} {
		events, reply, problem := c.Accept(t.Context(), []byte(in))
		if problem != nil || len(events) != 1 || events[0].Item.ID != "d1" || events[0].ID != "M1" {
			t.Fatalf("%s: %v %v", vector, problem, events)
		}
		var answer map[string]any
		if json.Unmarshal(reply(true), &answer) != nil || answer["encryptedResult"] != "ArsKAyhvk7QKghXe0zdCeQ==" || answer["timestamp"] != float64(1700000000001) {
			t.Errorf("%s: A7: %v", vector, answer)
		}
	}
}

// While a key is replaced both are accepted, and the reply is made with the one that the CRM used. // F49
func TestCallbackKeyRotation(t *testing.T) {
	w := newWorld(t)
	c := w.callback(rule())
	sent := w.story()[0]
	w.publish(sent)
	other := crmsim.CallbackSeal{EncodingAESKey: nextAESKey, EnterpriseAccount: "sim714439"}
	with := func(s crmsim.CallbackSeal) (func(bool) []byte, *crm.Problem) {
		body, err := s.Seal(sent, 0, w.clock())
		if err != nil {
			t.Fatal(err)
		}
		_, reply, problem := c.Accept(t.Context(), body)
		return reply, problem
	}
	if _, problem := with(other); problem == nil || problem.Status != http.StatusUnauthorized {
		t.Fatal(problem)
	}
	w.secret(bundle.SlotCallback, "encoding-aes-key.next", nextAESKey)
	for _, s := range []crmsim.CallbackSeal{seal, other} {
		reply, problem := with(s)
		if problem != nil {
			t.Fatal(problem)
		}
		if word, err := s.Open(reply(true)); err != nil || word != "success" {
			t.Error(word, err)
		}
	}
	w.secret(bundle.SlotCallback, "encoding-aes-key.next", "half a key")
	if _, problem := with(seal); problem != nil {
		t.Errorf("a mistake in the next key locks the CRM out: %v", problem)
	}
	w.secret(bundle.SlotCallback, "encoding-aes-key", "")
	if _, problem := with(seal); problem == nil || problem.Status != http.StatusServiceUnavailable || !strings.Contains(problem.Detail, "encoding-aes-key.next") {
		t.Error(problem)
	}
}

// What is not taken says why, and is never answered with success.
func TestCallbackRefusals(t *testing.T) { // TM-01
	for name, test := range map[string]struct {
		spoil  func(w *world, body map[string]any)
		status int
		words  string
		result string
	}{
		"signature":        {change("signature", strings.Repeat("0", 40)), 401, "signature", "unauthorized"},
		"nothing signed":   {change("signature", nil), 401, "signature", "unauthorized"},
		"other content":    {change("encryptedContent", "MlKnXZvDqfHyUaB+1VwH1Q=="), 401, "signature", "unauthorized"},
		"a retry made up":  {change("retryTimes", 1), 401, "signature", "unauthorized"},
		"stale":            {func(w *world, _ map[string]any) { w.pass(501 * time.Second) }, 401, "check the clocks", "unauthorized"},
		"from the future":  {func(w *world, _ map[string]any) { w.pass(-501 * time.Second) }, 401, "check the clocks", "unauthorized"},
		"id shifted":       {shiftID, 401, "messageId", "unauthorized"},
		"enterprise":       {resign(func(s *crmsim.CallbackSeal) { s.EnterpriseAccount = "other" }), 403, "enterpriseAccount", "unauthorized"},
		"foreign key":      {resign(func(s *crmsim.CallbackSeal) { s.EncodingAESKey = foreignKey }), 401, "signature", "unauthorized"},
		"object gone":      {func(w *world, _ map[string]any) { w.object(nil) }, 503, "T-1 could not be fetched", "fetch_failed"},
		"CRM limits calls": {failing("30004"), 503, "limits its calls", "fetch_failed"},
		"CRM is down": {func(w *world, _ map[string]any) {
			w.fail(fault.Rule{Match: fault.Match{Path: "/cgi"}, Action: fault.Action{Kind: fault.Close}})
		}, 503, "the connection to", "fetch_failed"},
		"nobody to tell": {func(w *world, _ map[string]any) { w.object(map[string]any{"name": "x", "created_by": []int{1000}}) }, 422, "see errors", "incomplete"},
		"version in words": {func(w *world, _ map[string]any) {
			w.object(map[string]any{"version": "v3", "created_by": "1000", "receivers__c": "1001", "target_api_name__c": "A", "target_id__c": "1"})
		}, 422, "see errors", "incomplete"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c := w.callback(rule())
			w.publish(w.story()[0])
			var body map[string]any
			if err := json.Unmarshal(w.sealed(w.story()[0], 0), &body); err != nil {
				t.Fatal(err)
			}
			test.spoil(w, body)
			raw, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			events, reply, problem := c.Accept(t.Context(), raw)
			if problem == nil || events != nil || reply != nil {
				t.Fatalf("taken: %v", events)
			}
			if problem.Status != test.status || !strings.Contains(problem.Detail, test.words) || strings.Contains(problem.String(), aesKey) {
				t.Errorf("got %v, want %d with %q", problem, test.status, test.words)
			}
			if n := count(t, c, test.result); n != 1 {
				t.Errorf("%s counts %v", test.result, n)
			}
		})
	}
}

func change(field string, value any) func(*world, map[string]any) {
	return func(_ *world, body map[string]any) { body[field] = value }
}

// shiftID moves a character from messageId to nonce: the signature, a plain concatenation, stays right.
func shiftID(_ *world, body map[string]any) {
	id := body["messageId"].(string)
	body["nonce"], body["messageId"] = body["nonce"].(string)+id[:1], id[1:]
}

func resign(other func(*crmsim.CallbackSeal)) func(*world, map[string]any) {
	return func(w *world, body map[string]any) {
		s := seal
		other(&s)
		raw, err := s.Seal(w.story()[0], 0, w.clock())
		if err == nil {
			clear(body)
			err = json.Unmarshal(raw, &body)
		}
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

func failing(code string) func(*world, map[string]any) {
	return func(w *world, _ map[string]any) {
		w.fail(fault.Rule{Match: fault.Match{Path: "/cgi/crm"}, Action: fault.Action{Kind: fault.Business, ErrorMsgs: []string{code}}})
	}
}

// count is the value of oabridge_callbacks_total for a result.
func count(t *testing.T, c *fxiaoke.Callback, result string) float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(c)
	families, err := registry.Gather()
	if err != nil || len(families) != 1 || families[0].GetName() != "oabridge_callbacks_total" {
		t.Fatal(err, families)
	}
	for _, m := range families[0].GetMetric() {
		if m.GetLabel()[0].GetValue() == result {
			return m.GetCounter().GetValue()
		}
	}
	t.Fatalf("there is no result %q", result)
	return 0
}

// What no rule asks for is answered with success and costs no call.
func TestCallbackIgnored(t *testing.T) {
	for name, r := range map[string]bundle.CallbackRule{
		"other object":     {APIName: "AccountObj", Kind: crm.Todo, Actions: map[string]string{"add": "created"}, Fields: rule().Fields},
		"other event type": {APIName: crmsim.ToDoObject, Kind: crm.Todo, Actions: map[string]string{"invalid": "deleted"}, Fields: rule().Fields},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c := w.callback(r)
			events, reply, problem := c.Accept(t.Context(), w.sealed(w.story()[0], 0))
			if problem != nil || len(events) != 0 {
				t.Fatal(problem, events)
			}
			if word, err := seal.Open(reply(true)); err != nil || word != "success" {
				t.Error(word, err)
			}
			if count(t, c, "ignored") != 1 || len(w.sim.OpenStats().Calls) != 0 {
				t.Error(w.sim.OpenStats())
			}
		})
	}
}

// One callback may be a to-do and a reminder; the two are different events.
func TestCallbackTwoKinds(t *testing.T) {
	w := newWorld(t)
	reminder := rule()
	reminder.Kind, reminder.Actions = crm.Reminder, map[string]string{"add": "created"}
	c := w.callback(rule(), reminder)
	w.publish(w.story()[0])
	events, _, problem := c.Accept(t.Context(), w.sealed(w.story()[0], 0))
	if problem != nil || len(events) != 2 || events[0].Source == events[1].Source || events[0].ID != events[1].ID {
		t.Error(problem, events)
	}
	if n := w.sim.OpenStats().Calls["/cgi/crm/custom/v2/data/get"]; n != 1 {
		t.Errorf("%d calls for one object", n)
	}
}

// A CRM that hangs costs no more than the budget.
func TestCallbackBudget(t *testing.T) { // TM-03
	w := newWorld(t)
	c := w.callback(rule())
	w.fail(fault.Rule{Match: fault.Match{Path: "/cgi"}, Action: fault.Action{Kind: fault.Hang}})
	began := time.Now()
	_, _, problem := c.Accept(t.Context(), w.sealed(w.story()[0], 0))
	if took := time.Since(began); problem == nil || problem.Status != 503 || took > fxiaoke.FetchBudget+900*time.Millisecond {
		t.Error(problem, took)
	}
	w.sim.Faults().Clear()
}

// A title that is too long is cut, because the event must not be lost for it.
func TestLongTextIsCut(t *testing.T) {
	w := newWorld(t)
	c := w.callback(rule())
	e := w.story()[0]
	e.Data.Subject = strings.Repeat("长", 3000)
	w.publish(e)
	events, _, problem := c.Accept(t.Context(), w.sealed(e, 0))
	if problem != nil || len(events[0].Item.Subject) > scenario.MaxText || !strings.HasSuffix(events[0].Item.Subject, "长…") {
		t.Error(problem)
	}
}

// A rule that cannot be used is named, and what was in use stays in use.
func TestRulesAreChecked(t *testing.T) {
	w := newWorld(t)
	c := w.callback(rule())
	w.publish(w.story()[0])
	with := func(change func(*bundle.CallbackRule)) []bundle.CallbackRule {
		r := rule()
		r.Actions, r.Fields = maps.Clone(r.Actions), maps.Clone(r.Fields)
		change(&r)
		return []bundle.CallbackRule{rule(), r}
	}
	for words, rules := range map[string][]bundle.CallbackRule{
		"rules[1].apiName":                     with(func(r *bundle.CallbackRule) { r.APIName = "a b" }),
		`rules[1].actions: "done" is not an`:   with(func(r *bundle.CallbackRule) { r.APIName, r.Actions["x"] = "A", "done" }),
		`of the kind "Reminder"`:               with(func(r *bundle.CallbackRule) { r.Kind = "Reminder" }),
		"rules[1].actions is empty":            with(func(r *bundle.CallbackRule) { r.Actions = nil }),
		"is in rules[0] too":                   with(func(*bundle.CallbackRule) {}),
		`there is no field "title"`:            with(func(r *bundle.CallbackRule) { r.APIName, r.Fields["title"] = "A", "x" }),
		`the path of "detail" is empty`:        with(func(r *bundle.CallbackRule) { r.APIName, r.Fields["detail"] = "A", "" }),
		`rules[1].fields: "receivers" is miss`: with(func(r *bundle.CallbackRule) { r.APIName = "A"; delete(r.Fields, "receivers") }),
	} {
		err := c.Use(&bundle.Bundle{Source: bundle.Source{Callback: &bundle.Callback{EnterpriseAccount: "sim714439", Rules: rules}}})
		if err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("got %v, want %q", err, words)
		}
	}
	if _, _, problem := c.Accept(t.Context(), w.sealed(w.story()[0], 0)); problem != nil {
		t.Error(problem)
	}
	if err := c.Use(&bundle.Bundle{}); err != nil {
		t.Error(err)
	}
	if _, _, problem := c.Accept(t.Context(), w.sealed(w.story()[0], 0)); problem == nil || problem.Status != http.StatusNotFound {
		t.Error(problem)
	}
}

// Whatever bit of a callback is flipped: it is refused, and nothing is asked of the CRM.
func TestEveryFlippedBitIsRefused(t *testing.T) {
	w := newWorld(t)
	c := w.callback(rule())
	whole := w.sealed(w.story()[0], 2)
	rapid.Check(t, func(r *rapid.T) {
		var body map[string]any
		if err := json.Unmarshal(whole, &body); err != nil {
			r.Fatal(err)
		}
		field := rapid.SampledFrom([]string{"signature", "nonce", "messageId", "enterpriseAccount", "encryptedContent"}).Draw(r, "field")
		text := []byte(body[field].(string))
		text[rapid.IntRange(0, len(text)-1).Draw(r, "byte")] ^= 1 << rapid.IntRange(0, 4).Draw(r, "bit")
		body[field] = string(text)
		raw, _ := json.Marshal(body)
		if _, _, problem := c.Accept(t.Context(), raw); problem == nil || problem.Status != http.StatusUnauthorized {
			r.Fatalf("%s was changed: %v", field, problem)
		}
	})
	if s := w.sim.OpenStats(); s.Tokens != 0 {
		t.Errorf("%+v", s)
	}
}

// Whatever arrives unsigned is refused with words.
func FuzzCallback(f *testing.F) {
	for _, body := range []string{"", "{}", "null", "[1]", `{"signature":1,"timestamp":"x","retryTimes":{}}`, `{"signature":""}`, "\xff"} {
		f.Add([]byte(body))
	}
	secrets := f.TempDir()
	w := &world{t: &testing.T{}, secrets: secrets, now: time.Unix(1, 0)}
	w.secret(bundle.SlotCallback, "encoding-aes-key", aesKey)
	c := fxiaoke.NewCallback(secrets, nil, w.clock)
	if err := c.Use(&bundle.Bundle{Source: bundle.Source{Callback: &bundle.Callback{EnterpriseAccount: "e", Rules: []bundle.CallbackRule{rule()}}}}); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		events, reply, problem := c.Accept(t.Context(), body)
		if problem == nil || problem.Detail == "" || events != nil || reply != nil {
			t.Fatalf("%q: %v %v", body, events, problem)
		}
	})
}
