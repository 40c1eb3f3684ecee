package dispatch

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/crm/fxiaoke"
	crmsim "github.com/oabridge/oabridge/internal/oasim/crm"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/report"
)

const (
	callbackKey     = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	nextCallbackKey = "Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA="
	foreignKey      = "O0YjM0EDOygzNykzMzUjLwUTN3MjL5ADN1QjM5gTM0A="
)

// simulatedCRM is the CRM's side of a connector: it has the open interface and sends callbacks.
type simulatedCRM struct {
	*crmsim.CRM
	server *httptest.Server
}

// withCRM gives the connector a simulated CRM: its credentials, its roles, and callbacks instead of events.
func (w *world) withCRM() simulatedCRM {
	w.t.Helper()
	sim, err := crmsim.New(crmsim.Options{})
	if err != nil {
		w.t.Fatal(err)
	}
	server := httptest.NewServer(sim)
	w.t.Cleanup(server.Close)
	w.t.Cleanup(sim.Close)
	app := sim.App()
	w.secret(bundle.SlotCRM, "appId", app.AppID)
	w.secret(bundle.SlotCRM, "appSecret", app.AppSecret)
	w.secret(bundle.SlotCRM, "permanentCode", app.PermanentCode)
	w.secret(bundle.SlotCallback, "encoding-aes-key", callbackKey)
	return simulatedCRM{sim, server}
}

// configure writes the CRM into a bundle.
func (s simulatedCRM) configure(c *connector) {
	app := s.App()
	c.CRM = &bundle.CRM{Type: "Fxiaoke", URL: s.server.URL, CorpID: app.CorpID, User: crmsim.OpenUserID("1000"),
		Roles: app.OpenUserIDs(), AllowedCIDRs: []string{"127.0.0.0/8"}}
	c.Source = bundle.Source{Callback: &bundle.Callback{EnterpriseAccount: app.EnterpriseAccount, Rules: []bundle.CallbackRule{{
		APIName: crmsim.ToDoObject, Kind: "Todo",
		Actions: map[string]string{"add": "created", "update": "updated", "update/done": "completed", "invalid": "deleted"},
		Fields: map[string]string{
			"heading": "heading__c", "detail": "detail__c", "state": "state__c", "receivers": "receivers__c",
			"object.apiName": "target_api_name__c", "object.id": "target_id__c",
		},
	}}}}
}

// emit lets the CRM send callbacks about what happens to its to-dos, and waits until each is taken or refused.
func (s simulatedCRM) emit(w *world, e crmsim.Emission) crmsim.Run {
	w.t.Helper()
	e.URL, e.Mode = w.url("public", "/callbacks/fxiaoke"), crmsim.Callback
	if e.Callback.EncodingAESKey == "" {
		e.Callback.EncodingAESKey = callbackKey
	}
	started, err := s.Emit(e)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	run, err := s.WaitRun(ctx, started.ID)
	if err != nil || run.State != "done" {
		w.t.Fatal(err, run.State, run.Error, run.Counts)
	}
	return run
}

// happened is what happens to one to-do of a person, as the CRM knows it.
func happened(id, typ string, version int, receiver string) crmsim.Event {
	at := time.Now().Add(-time.Minute).Truncate(time.Millisecond)
	return crmsim.Event{ID: fmt.Sprintf("%s-%d", id, version), Type: typ, Time: at, Data: crmsim.ToDo{
		ID: id, Version: version, Heading: "报价单审批", Subject: "提交", Detail: "QT-1 <加急>", CreatedAt: at, EnterpriseID: "714439",
		Object: crmsim.Object{APIName: "QuoteObj", ID: "5f3c2ab1"}, Sender: crmsim.Account{Account: "1000", Name: "张三"},
		Receivers: []crmsim.Account{{Account: receiver}},
	}}
}

// The CRM only says which object changed; the life of its to-do in the OA is whole all the same, and repeats change nothing.
func TestCallbacksBecomeDeliveries(t *testing.T) {
	w := newWorld(t)
	crm := w.withCRM()
	w.bundle(crm.configure)
	w.start()
	life := []crmsim.Event{
		happened("T-1", crmsim.Created, 1, "1002"), happened("T-1", crmsim.Updated, 2, "1002"),
		happened("T-1", crmsim.Completed, 3, "1002"), happened("T-1", crmsim.Deleted, 4, "1002"),
	}
	for i, e := range life {
		if run := crm.emit(w, crmsim.Emission{Own: []crmsim.Event{e}}); run.Counts.Accepted != 1 {
			t.Fatalf("%s: %+v %s", e.Type, run.Counts, run.Error)
		}
		w.drained(int64(i + 1))
	}
	if got := w.oa.actions("T-1"); !slices.Equal(got, []string{"create", "update", "complete", "delete"}) {
		t.Errorf("calls: %v", got)
	}
	if got := w.oa.got()[0]; got != (call{"create", "T-1", "oa1002", "oa1000", "张三 提交 QT-1 <加急>"}) {
		t.Errorf("call: %+v", got)
	}
	// The CRM sends some of them again, because an answer got lost.
	if run := crm.emit(w, crmsim.Emission{Own: life[:2], Target: crmsim.Target{Repeat: 1}}); run.Counts.Accepted != 4 {
		t.Errorf("repeats: %+v %s", run.Counts, run.Error)
	}
	w.until("nothing is under way", func(r report.Report) bool { return r.Delivery.Pending == 0 })
	if got := len(w.oa.got()); got != 4 {
		t.Errorf("%d calls after repeats", got)
	}
	metrics := w.do(http.MethodGet, w.url("admin", "/metrics"), nil).body
	for _, line := range []string{`oabridge_callbacks_total{result="taken"} 8`, "oabridge_events_accepted_total 4", "oabridge_event_duplicates_total 4"} {
		if !strings.Contains(metrics, line+"\n") {
			t.Errorf("metrics lack %q", line)
		}
	}
	// Who takes callbacks only takes nothing else, whatever lies in the Secrets.
	if a := w.send(todo("e1", "T-2", "created")); a.status != http.StatusNotFound || !strings.Contains(a.body, "spec.source.signingSecretRef") {
		t.Errorf("an event: %d %s", a.status, a.body)
	}
}

// A callback is taken only when its data was fetched and is on disk; otherwise the CRM sends it again.
func TestCallbacksWaitForTheCRM(t *testing.T) {
	w := newWorld(t)
	crm := w.withCRM()
	w.bundle(crm.configure)
	w.start()
	if _, err := crm.Faults().Add(fault.Rule{Match: fault.Match{Path: "/cgi/crm/"}, Times: 2,
		Action: fault.Action{Kind: fault.Business, ErrorMsgs: []string{"-1"}}}); err != nil {
		t.Fatal(err)
	}
	run := crm.emit(w, crmsim.Emission{Own: []crmsim.Event{happened("T-1", crmsim.Created, 1, "1002")}})
	if run.Counts.Accepted != 1 || run.Counts.Retried != 2 || !strings.Contains(run.Error, "HTTP 503") || !strings.Contains(run.Error, "could not be fetched") {
		t.Errorf("%+v %s", run.Counts, run.Error)
	}
	w.drained(1)
	if got := w.oa.actions("T-1"); !slices.Equal(got, []string{"create"}) {
		t.Errorf("calls: %v", got)
	}
}

// Only the CRM gets in: with the key, with the one that comes during a rotation, and with no other; and no key is shown.
func TestCallbackKeys(t *testing.T) {
	w := newWorld(t)
	crm := w.withCRM()
	w.bundle(crm.configure)
	w.start()
	seal := func(key string, at time.Time) []byte {
		e := happened("T-1", crmsim.Created, 1, "1002")
		body, err := crmsim.CallbackSeal{EncodingAESKey: key, EnterpriseAccount: crm.App().EnterpriseAccount}.Seal(e, 0, at)
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	post := func(body []byte) answer { return w.do(http.MethodPost, w.url("public", "/callbacks/fxiaoke"), body) }
	for name, c := range map[string]struct {
		body   []byte
		status int
	}{
		"another key":     {seal(foreignKey, time.Now()), http.StatusUnauthorized},
		"a key to come":   {seal(nextCallbackKey, time.Now()), http.StatusUnauthorized},
		"an old callback": {seal(callbackKey, time.Now().Add(-fxiaoke.CallbackTolerance-time.Minute)), http.StatusUnauthorized},
		"nothing":         {nil, http.StatusBadRequest},
		"a flood in one":  {make([]byte, fxiaoke.MaxCallbackBytes+1), http.StatusRequestEntityTooLarge},
		"a CloudEvent":    {[]byte(`{"specversion":"1.0"}`), http.StatusUnauthorized},
		"of somebody else's": {func() []byte {
			body, _ := crmsim.CallbackSeal{EncodingAESKey: callbackKey, EnterpriseAccount: "other"}.Seal(happened("T-1", crmsim.Created, 1, "1002"), 0, time.Now())
			return body
		}(), http.StatusForbidden},
	} {
		if a := post(c.body); a.status != c.status {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	w.secret(bundle.SlotCallback, "encoding-aes-key.next", nextCallbackKey)
	for _, key := range []string{callbackKey, nextCallbackKey} {
		run := crm.emit(w, crmsim.Emission{Own: []crmsim.Event{happened("T-"+key[:1], crmsim.Created, 1, "1002")},
			Target: crmsim.Target{Callback: crmsim.CallbackSeal{EncodingAESKey: key}}})
		if run.Counts.Accepted != 1 {
			t.Errorf("%s…: %+v %s", key[:4], run.Counts, run.Error)
		}
	}
	w.drained(2)
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{callbackKey, nextCallbackKey, crm.App().AppSecret, crm.App().PermanentCode} {
		if strings.Contains(w.logs.String(), secret) {
			t.Errorf("the log holds a secret: %s", secret)
		}
	}
}

// While nobody can store it, a callback is refused and costs no call of the CRM's quota; a connector without rules takes
// none.
func TestCallbacksThatCannotBeTaken(t *testing.T) {
	w := newWorld(t)
	crm := w.withCRM()
	w.bundle(func(c *connector) { crm.configure(c); c.Draining = true })
	w.start()
	body, err := crmsim.CallbackSeal{EncodingAESKey: callbackKey, EnterpriseAccount: crm.App().EnterpriseAccount}.
		Seal(happened("T-1", crmsim.Created, 1, "1002"), 0, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	post := func() answer { return w.do(http.MethodPost, w.url("public", "/callbacks/fxiaoke"), body) }
	if a := post(); a.status != http.StatusGone {
		t.Errorf("while the connector is being deleted: %d %s", a.status, a.body)
	}
	if stats := crm.OpenStats(); stats.Tokens != 0 {
		t.Errorf("the CRM was asked: %+v", stats)
	}
	w.bundle(nil)
	w.until("the bundle without callbacks is live", func(report.Report) bool { return w.d.live.Load().bundle.Source.Callback == nil })
	if a := post(); a.status != http.StatusNotFound || !strings.Contains(a.body, "set spec.source.callback") {
		t.Errorf("without rules: %d %s", a.status, a.body)
	}
}
