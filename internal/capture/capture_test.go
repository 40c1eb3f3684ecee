package capture

import (
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/scenario"
)

// What drivers send is brought back to what the template made: numbers for strings, the header of an envelope.
func TestUndone(t *testing.T) {
	for name, c := range map[string]struct{ protocol, sent, made, want string }{
		"a number for a string":      {"REST", `{"agentid":1000002,"n":1}`, `{"agentid":"1000002","n":2}`, `{"agentid":"1000002","n":1}`},
		"in lists":                   {"REST", `{"l":[1,"x"]}`, `{"l":["1","x"]}`, `{"l":["1","x"]}`},
		"another number":             {"REST", `{"agentid":7}`, `{"agentid":"8"}`, `{"agentid":7}`},
		"no JSON":                    {"REST", `x`, `{}`, `x`},
		"an account in the header":   {scenario.Webservice, `<e:E xmlns:e="u"><e:Header><a><password>***</password></a></e:Header><e:Body>1</e:Body></e:E>`, `<e:E xmlns:e="u"><e:Header/><e:Body>1</e:Body></e:E>`, `<e:E xmlns:e="u"><e:Header/><e:Body>1</e:Body></e:E>`},
		"a header that was not made": {scenario.Webservice, `<E><Header><a/></Header><Body>1</Body></E>`, `<E><Body>1</Body></E>`, `<E><Body>1</Body></E>`},
		"no header":                  {scenario.Webservice, `<E><Body><Header>1</Header></Body></E>`, `<E/>`, `<E><Body><Header>1</Header></Body></E>`},
		"no XML":                     {scenario.Webservice, `<E><Header>`, `<E/>`, `<E>`},
	} {
		if got := undone(c.protocol, c.sent, []byte(c.made)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// A value of a lookup is read from where the template writes it.
func TestBehind(t *testing.T) {
	for _, c := range [][3]string{
		{"/tasks/" + sentinel + "/status", "/v1/tasks/task1/status?x=1", "task1"}, {"/tasks/" + sentinel, "/tasks/task1", "task1"},
		{"/tasks/1", "/tasks/1", ""}, {"/tasks/" + sentinel + "/x", "/other/1/x", ""}, {`{"id":"` + sentinel + `"}`, `{"id":"a-7"}`, "a-7"},
	} {
		if got := behind(c[0], c[1]); got != c[2] {
			t.Errorf("%s in %s: %q, want %q", c[0], c[1], got, c[2])
		}
	}
}

// exchange of a small template, with a change.
func exchange(change func(*Template, *Exchange)) (Template, *Exchange) {
	spec := v1alpha1.ScenarioTemplateSpec{Type: v1alpha1.TypeGeneric, Kind: v1alpha1.KindTodo}
	spec.Actions.Create = v1alpha1.Call{Method: "POST", Path: "/todo?to=#F001", Body: `{"id":"#F012","title":"#F053","sender":"#F049"}`}
	t := Template{Spec: spec, Revision: "r2"}
	x := &Exchange{
		Record: record.Record{
			EventID: "1", ItemID: "Q-77", Action: scenario.Create, Receiver: "1002", ReceiverOA: "lina", Outcome: record.Delivered, Revision: "r2",
			Method: "POST", URL: "http://oa.example/base/todo?access_token=***&to=lina", Request: `{"id":"Q-77","title":"Big Deal","sender":""}`,
			Status: 200, Answer: `{"taken":"Q-77","by":"lina"}`, At: time.Unix(0, 0),
		},
		Event: crm.Event{ID: "1", Item: scenario.Item{ID: "Q-77", Detail: "Big Deal", CreatedAt: time.Unix(0, 0)}},
	}
	if change != nil {
		change(&t, x)
	}
	return t, x
}

// A test says what went out and came back; with masks, nothing of it is the person's or the customer's, and the same value has
// the same stand-in.
func TestMasks(t *testing.T) {
	template, x := exchange(nil)
	plain, err := Test(template, x, nil)
	if err != nil || plain.Fields["F012"] != "Q-77" || plain.Request.Path != "/todo?to=lina" || plain.Answer.Body != x.Record.Answer {
		t.Fatalf("%+v %v", plain, err)
	}
	if _, asked := plain.Fields["F049"]; !asked || len(plain.Fields) != 4 {
		t.Errorf("the template uses four fields, one of them empty: %v", plain.Fields)
	}
	masks := NewMasks()
	for n, want := range []string{`{"taken":"T-0001","by":"lisi"}`, `{"taken":"T-0001","by":"lisi"}`, `{"taken":"T-0001-2","by":"lisi"}`} {
		if n == 2 {
			x.Event.Item.ID, x.Record.ItemID = "Q-78", "Q-78"
			x.Record.Request, x.Record.Answer = strings.ReplaceAll(x.Record.Request, "Q-77", "Q-78"), strings.ReplaceAll(x.Record.Answer, "Q-77", "Q-78")
		}
		masked, err := Test(template, x, masks)
		if err != nil || masked.Answer.Body != want || masked.Request.Path != "/todo?to=lisi" || strings.Contains(masked.Request.Body, "Big Deal") {
			t.Errorf("%d: %+v %v", n, masked, err)
		}
		if _, problem := scenario.RunTest(template.Spec, masked); problem != nil {
			t.Error(problem)
		}
	}
}

// What cannot be repeated is refused with the reason.
func TestRefused(t *testing.T) {
	for want, change := range map[string]func(*Template, *Exchange){
		"no request went out":                                     func(_ *Template, x *Exchange) { x.Record.Method = "" },
		"the record holds only the first 16 KiB":                  func(_ *Template, x *Exchange) { x.Record.Answer = strings.Repeat("x", record.MaxBody) },
		`request.body.title: want "***", got "Big Deal"`:          func(_ *Template, x *Exchange) { x.Record.Request = `{"id":"Q-77","title":"***","sender":""}` },
		"it went to /other, and the template makes /todo?to=lina": func(_ *Template, x *Exchange) { x.Record.URL = "http://oa.example/other?to=lina" },
		"it was made by revision r1 of the template, which is r2 now: request.body.title": func(_ *Template, x *Exchange) {
			x.Record.Revision, x.Record.Request = "r1", `{"id":"Q-77","title":"x","sender":""}`
		},
		"answer.outcome: want BusinessCode": func(_ *Template, x *Exchange) { x.Record.Class, x.Record.Outcome = "BusinessCode", record.Dead },
	} {
		template, x := exchange(change)
		if test, err := Test(template, x, NewMasks()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v %+v", want, err, test)
		}
	}
	template, x := exchange(func(_ *Template, x *Exchange) { x.Record.Status, x.Record.Answer, x.Record.Class = 0, "", "Timeout" })
	if test, err := Test(template, x, nil); err != nil || test.Answer.Outcome != "" {
		t.Errorf("without an answer the request is a test: %+v %v", test, err)
	}
}
