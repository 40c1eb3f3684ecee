package conformance

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/capture"
	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/dispatch/lookup"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/scenario"
)

// captured makes a test of the preset out of every call that the driver really made, with what the OA really answered: of a
// to-do that comes and goes, and of one that the OA fails at first. Each test passes, and with masks says nothing of the people.
func captured(r *run) {
	r.send(r.todo("created", 1))
	r.settled(r.task, 1)
	r.send(r.todo("completed", 2))
	records := r.settled(r.task, 2)
	failing := r.task + "-failing"
	if _, err := r.oa.Faults().Add(fault.Rule{Match: fault.Match{Path: r.push}, Times: 1, Action: fault.Action{Kind: fault.Status, Status: 503}}); err != nil {
		r.Fatal(err)
	}
	defer r.oa.Faults().Clear()
	r.send(r.event("todo", "created", failing, "1002", 1))
	records = append(records, r.settled(failing, 1)...)

	local := lookup.Client{URL: r.url("local"), HTTP: http.DefaultClient}
	recent, err := local.Recent(r.Context(), 200)
	if err != nil {
		r.Fatal(err)
	}
	events := map[string]crm.Event{}
	for _, e := range recent {
		e.Item.EnterpriseID = r.spec.EnterpriseID
		events[e.ID] = e.Event
	}
	template := capture.Template{Spec: r.templates[r.target.todo].Spec, Parameters: map[string]string{}}
	template.Revision = scenario.Revision(template.Spec)
	for name, value := range bundle.ConnectorValues(r.spec) {
		template.Parameters["connector."+name] = value
	}
	account := r.binding
	if account == nil {
		account = func(person string) string { return person }
	}
	calls := 0
	carried := map[record.Key]map[string]string{}
	for i := range records {
		x := capture.Exchange{Record: records[i].Record, Event: events[records[i].EventID], SenderOA: account(sender), Captured: carried[records[i].Key()]}
		if x.Record.Captured != nil {
			carried[x.Record.Key()] = x.Record.Captured
		}
		if x.Record.Method == "" || x.Record.ReadBacks > 0 {
			continue
		}
		calls++
		for _, masks := range []*capture.Masks{nil, capture.NewMasks()} {
			test, err := capture.Test(template, &x, masks)
			if err != nil {
				r.Errorf("%s %s is no test: %v%s", x.Record.Action, x.Record.Outcome, err, story(records[i:i+1]))
				continue
			}
			if _, problem := scenario.RunTest(template.Spec, test); problem != nil {
				r.Error(problem)
			}
			text := test.Request.Path + test.Request.Body + test.Request.Batch.Body + test.Answer.Body
			if masks != nil && strings.Contains(text, x.Record.ItemID) {
				r.Errorf("%s is still in the test: %s", x.Record.ItemID, text)
			}
			if want := cmp.Or(x.Record.Class, string(record.Delivered)); test.Answer.Outcome != want {
				r.Errorf("%s became %+v", want, test.Answer)
			}
		}
	}
	if calls < 2 {
		r.Errorf("only %d calls were recorded%s", calls, story(records))
	}
}
