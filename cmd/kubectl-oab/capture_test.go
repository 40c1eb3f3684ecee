package main

import (
	"strings"
	"testing"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/dispatch/lookup"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/manifest"
	"github.com/oabridge/oabridge/internal/offline"
	"github.com/oabridge/oabridge/internal/scenario"
)

// exchanged is a world whose dispatchers made three calls of the preset: one that the OA took, one that it refused, whose event
// only the dead letter has, and one whose event nobody has any more.
func exchanged(t *testing.T) *world {
	w := staffed(t)
	events, err := offline.ReadEvents("testdata/event.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	call := func(id, item, answer string, seconds float64) record.Record {
		e := events[0]
		e.ID, e.Item.ID, e.Item.Receivers = id, item, []scenario.Person{{Account: "1002"}}
		r := w.rendered(e)
		out := record.Record{
			Seq: uint64(seconds), Kind: "Todo", EventID: id, ItemID: item, EventTime: at(0), Action: "create", Receiver: "1002", ReceiverOA: "wangfang", Attempt: 1,
			Outcome: record.Delivered, Template: "oabridge-system/seeyon-todo", Method: r.Method, URL: r.URL + "?token=***", Request: r.Body,
			Status: 200, Answer: answer, At: at(seconds), AcceptedAt: at(0),
		}
		_, out.Revision, _ = strings.Cut(r.Template, "@")
		return out
	}
	taken, refused, lost := call("1", "T-4711", `{"success":true,"errorMsgs":[]}`, 1), call("2", "T-4712", `{"success":false,"errorMsgs":"T-4712 不存在"}`, 2), call("3", "T-4713", "", 3)
	refused.Outcome, refused.Class, refused.Reason = record.Dead, "BusinessCode", "BusinessCode"
	recent, dead := events[0], events[0]
	recent.Item.ID, recent.Item.Receivers = "T-4711", []scenario.Person{{Account: "1002"}}
	dead.ID, dead.Item.ID, dead.Item.Receivers = "2", "T-4712", []scenario.Person{{Account: "1002"}}
	held := record.Record{Seq: 4, ItemID: "T-4714", EventID: "4", Receiver: "1099", Outcome: record.Held, Reason: record.ReasonUnbound, At: at(4)}
	w.serve("hq-dispatcher-0", bundle.PortLocal, map[string]any{
		lookup.PathRecords: jsonLines(t, lookup.Record{Record: taken}, lookup.Record{Record: lost}, lookup.Record{Record: held}),
		lookup.PathRecent:  jsonLines(t, lookup.Event{AcceptedAt: at(0), Event: recent}), lookup.PathDead: "",
	})
	w.serve("hq-dispatcher-1", bundle.PortLocal, map[string]any{
		lookup.PathRecords: jsonLines(t, lookup.Record{Partition: 1, Record: refused}), lookup.PathRecent: "",
		lookup.PathDead: jsonLines(t, lookup.Letter{Partition: 1, Record: refused, Delivery: &record.Delivery{Event: dead}}),
	})
	return w
}

// rendered is what goes out of an event now.
func (w *world) rendered(e crm.Event) offline.Rendered {
	w.t.Helper()
	c, err := w.access.connector(w.t.Context(), "hq")
	if err != nil {
		w.t.Fatal(err)
	}
	objects, err := w.access.objectsOf(w.t.Context(), c)
	if err != nil {
		w.t.Fatal(err)
	}
	set, _, err := offline.Load(w.t.Context(), objects, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	out, problems := set.RenderAt("crm", "hq", e)
	if len(out) != 1 {
		w.t.Fatal(out, problems)
	}
	return out[0]
}

// Calls become tests that pass, in templates that oabridge test takes as they are; what cannot be one is named. Nothing that the
// items said is in them, unless it was asked for. // F24
func TestCapture(t *testing.T) {
	w := exchanged(t)
	a := w.run("capture", "hq", "--last", "3", "--tests-only")
	golden(t, "capture", a)
	a = w.run("capture")
	for _, secret := range []string{"T-47", "QT-1", "wangfang", "token"} {
		if strings.Contains(a.out, secret) {
			t.Errorf("%s is in a test:\n%s", secret, a.out)
		}
	}
	objects, problems := manifest.Read([]string{manifest.Stdin}, strings.NewReader(a.out))
	set, findings, err := offline.Load(t.Context(), objects, problems)
	if err != nil || len(findings) > 0 {
		t.Fatal(findings, err)
	}
	runs, findings := set.RunTests()
	if len(runs) != 2 || len(findings) > 0 || runs[0].Finding != nil || runs[1].Finding != nil {
		t.Errorf("%+v %v", runs, findings)
	}
	if a := w.run("capture", "--real-values", "--last", "2"); a.code != exitOther || !strings.Contains(a.out, "T-4712 不存在") {
		t.Errorf("%+v", a)
	}
	if a := w.run("capture", "--last", "1"); a.code != exitNone || !strings.Contains(a.errors, "the event 3 is not among the latest") {
		t.Errorf("%+v", a)
	}
	if a := w.run("capture", "--last", "0"); a.code != exitUsage {
		t.Errorf("%+v", a)
	}
	for _, pod := range []string{"hq-dispatcher-0", "hq-dispatcher-1"} {
		w.serve(pod, bundle.PortLocal, map[string]any{lookup.PathRecords: "", lookup.PathRecent: "", lookup.PathDead: ""})
	}
	if a := w.run("capture"); a.code != exitNone || a.errors != "connector \"hq\" has made no such calls\n" {
		t.Errorf("%+v", a)
	}
}

// A template that was changed since makes another request: the call is left out, with both revisions and what differs.
func TestCaptureOfAnotherRevision(t *testing.T) {
	w := exchanged(t)
	own := templateOfFile(t, "changed.yaml")
	if err := w.access.Create(t.Context(), own); err != nil {
		t.Fatal(err)
	}
	a := w.run("capture", "--last", "3")
	if a.code != exitNone || !strings.Contains(a.errors, "of the template, which is ") || !strings.Contains(a.errors, "request.body.content: is wanted, but is not in the request") {
		t.Errorf("%+v", a)
	}
}
