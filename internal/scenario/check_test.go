package scenario_test

import (
	"strings"
	"testing"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/scenario"
)

func tested(tests ...v1alpha1.TemplateTest) v1alpha1.ScenarioTemplateSpec {
	spec := template()
	spec.Tests = tests
	return spec
}

func passing() v1alpha1.TemplateTest {
	return v1alpha1.TemplateTest{
		Name:       "create",
		Fields:     map[string]string{"F012": "T-1", "F015": "q1"},
		Parameters: map[string]string{"app": "7", "connector.enterpriseID": "89161", "connector.ssoURL": "https://sso.example"},
		Request: v1alpha1.TestRequest{
			Method: "POST", Path: "/push/7?c=CRM",
			Body: `{ "e":"89161", "u":"https://sso.example/CRM/q1", "c":"CRM T-1" }`,
		},
		Answer: v1alpha1.TestAnswer{Body: `{"success":true}`, Outcome: "Delivered"},
	}
}

func TestTemplateTests(t *testing.T) {
	check := scenario.CheckTemplate(tested(passing()))
	if check.Passed != 1 || check.Total != 1 || len(check.Problems) > 0 || len(check.Revision) != 12 {
		t.Fatalf("got %+v", check)
	}
	for name, c := range map[string]struct {
		spoil          func(*v1alpha1.TemplateTest)
		field, message string
	}{
		"method":            {func(x *v1alpha1.TemplateTest) { x.Request.Method = "PUT" }, "request.method", "want PUT, got POST"},
		"path":              {func(x *v1alpha1.TemplateTest) { x.Request.Path = "/push" }, "request.path", "want /push, got /push/7?c=CRM"},
		"body":              {func(x *v1alpha1.TemplateTest) { x.Fields["F012"] = "T-2" }, "request.body.c", `want "CRM T-1", got "CRM T-2"`},
		"body has less":     {func(x *v1alpha1.TemplateTest) { x.Request.Body = `{}` }, "request.body.c", "is not wanted"},
		"body has more":     {func(x *v1alpha1.TemplateTest) { x.Request.Body = `{"zz":1}` }, "request.body.zz", "is not in the request"},
		"body is no JSON":   {func(x *v1alpha1.TemplateTest) { x.Request.Body = "{\n" }, "request.body", "line 1, column 2"},
		"outcome":           {func(x *v1alpha1.TemplateTest) { x.Answer.Body = `{"success":false}` }, "answer.outcome", "want Delivered, got BusinessCode"},
		"status":            {func(x *v1alpha1.TemplateTest) { x.Answer.Status = 401 }, "answer.outcome", "got AuthExpired"},
		"action":            {func(x *v1alpha1.TemplateTest) { x.Action = "delete" }, "action", "no call"},
		"no value":          {func(x *v1alpha1.TemplateTest) { delete(x.Fields, "F015") }, "action", "#F015"},
		"unknown field":     {func(x *v1alpha1.TemplateTest) { x.Fields["F0O1"] = "x" }, "fields.F0O1", "did you mean #F001?"},
		"no parameter":      {func(x *v1alpha1.TemplateTest) { delete(x.Parameters, "app") }, "parameters.app", "number of the app"},
		"no such parameter": {func(x *v1alpha1.TemplateTest) { x.Parameters["connector.ssoUrl"] = "x" }, "parameters.connector.ssoUrl", "did you mean ssoURL?"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := passing()
			bad.Name = "bad"
			c.spoil(&bad)
			check := scenario.CheckTemplate(tested(passing(), bad))
			if check.Passed != 1 || check.Total != 2 || len(check.Problems) != 1 {
				t.Fatalf("got %+v", check)
			}
			p := check.Problems[0]
			if p.Reason != v1alpha1.ReasonTestsFailed || p.Field != "spec.tests[bad]."+c.field || !strings.Contains(p.Message, c.message) {
				t.Errorf("got %s %s", p.Reason, p)
			}
		})
	}
}

// Bodies in XML are compared as XML: layout, prefixes, the order of attributes and CDATA do not matter, and JSON in a text
// is compared as JSON. // F25
func TestTemplateTestsInXML(t *testing.T) {
	spec := func(want string) v1alpha1.ScenarioTemplateSpec {
		return v1alpha1.ScenarioTemplateSpec{
			Type: v1alpha1.TypeSeeyon, Kind: v1alpha1.KindTodo, Protocol: v1alpha1.ProtocolWebservice,
			Actions: v1alpha1.Actions{Create: v1alpha1.Call{
				Path: "/services/OfsTodoDataWebService",
				Body: `<w:r xmlns:w="urn:w" a="1" b="#F012"><w:in0>{"id":"#F012","n":1}</w:in0><t>#F053</t></w:r>`,
			}},
			Result: v1alpha1.ResultFormat{CodeName: "operResult", SuccessCode: "1"},
			Tests: []v1alpha1.TemplateTest{{
				Name: "create", Fields: map[string]string{"F012": "T-1", "F053": "a<b"}, Request: v1alpha1.TestRequest{Body: want},
				Answer: v1alpha1.TestAnswer{Body: outOf(`{"operResult":"1"}`), Outcome: "Delivered"}, // F15: xmlJsonField is out by default
			}},
		}
	}
	check := scenario.CheckTemplate(spec(`<?xml version="1.0"?>
		<r xmlns="urn:w" b='T-1' a="1"><!-- any -->
			<in0><![CDATA[ {"n": 1, "id": "T-1"} ]]></in0>
			<t xmlns="">a&lt;b</t>
		</r>`))
	if check.Passed != 1 || len(check.Problems) > 0 {
		t.Fatalf("got %+v", check)
	}
	for want, c := range map[string]struct{ field, message string }{
		`<r/>`: {"", "want the element r, got {urn:w}r"},
		`<r xmlns="urn:w" a="1"><in0>{"id":"T-1","n":1}</in0><t xmlns="">a&lt;b</t></r>`:             {".r.@b", "is in the request, but is not wanted"},
		`<r xmlns="urn:w" a="1" b="T-1" c=""/>`:                                                      {".r.@c", "is wanted, but is not in the request"},
		`<r xmlns="urn:w" a="2" b="T-1"/>`:                                                           {".r.@a", `want "2", got "1"`},
		`<r xmlns="urn:w" a="1" b="T-1"><in0>{"id":"T-2","n":1}</in0><t xmlns="">a&lt;b</t></r>`:     {".r.in0.id", `want "T-2", got "T-1"`},
		`<r xmlns="urn:w" a="1" b="T-1"><in0>{"id":"T-1","n":1}</in0><t>a&lt;b</t></r>`:              {".r.t", "want the element {urn:w}t, got t"},
		`<r xmlns="urn:w" a="1" b="T-1"><in0>{"id":"T-1","n":1}</in0><t xmlns=""> a&lt;b</t></r>`:    {".r.t", `want " a<b", got "a<b"`},
		`<r xmlns="urn:w" a="1" b="T-1"><in0>{"id":"T-1","n":1}</in0></r>`:                           {".r.t", "is in the request, but is not wanted"},
		`<r xmlns="urn:w" a="1" b="T-1"><in0>{"id":"T-1","n":1}</in0><t xmlns="">a&lt;b</t><u/></r>`: {".r.u", "is wanted, but is not in the request"},
		`<r xmlns="urn:w" a="1" b="T-1">x<in0>{"id":"T-1","n":1}</in0><t xmlns="">a&lt;b</t></r>`:    {".r", `want "x", got ""`},
		`{"a":1}`: {"", "the wanted body is not XML: line 1, column 1"},
	} {
		check := scenario.CheckTemplate(spec(want))
		if len(check.Problems) != 1 || check.Problems[0].Field != "spec.tests[create].request.body"+c.field || !strings.Contains(check.Problems[0].Message, c.message) {
			t.Errorf("%s: got %v", want, check.Problems)
		}
	}
}

// A template is wrong or right whether or not it has tests.
func TestTemplateStructure(t *testing.T) {
	for name, c := range map[string]struct {
		spoil                  func(*v1alpha1.ScenarioTemplateSpec)
		reason, field, message string
	}{
		"placeholder": {func(s *v1alpha1.ScenarioTemplateSpec) { s.Actions.Create.Body = `{"a":"#F0O1"}` }, v1alpha1.ReasonUnknownPlaceholder, "spec.actions.create.body.a", "#F001"},
		"body":        {func(s *v1alpha1.ScenarioTemplateSpec) { s.Actions.Create.Body = "{" }, v1alpha1.ReasonBodyInvalid, "spec.actions.create.body", "line 1"},
		"parameter":   {func(s *v1alpha1.ScenarioTemplateSpec) { s.Actions.Create.Body = `["${catgory}"]` }, v1alpha1.ReasonParameterInvalid, "spec.actions.create.body[0]", "category"},
		"pattern":     {func(s *v1alpha1.ScenarioTemplateSpec) { s.Parameters[1].Pattern = "(" }, v1alpha1.ReasonTemplateInvalid, "spec.parameters[app].pattern", "RE2"},
		"default":     {func(s *v1alpha1.ScenarioTemplateSpec) { s.Parameters[1].Default = ptr("x") }, v1alpha1.ReasonTemplateInvalid, "spec.parameters[app].default", "match"},
		"date":        {func(s *v1alpha1.ScenarioTemplateSpec) { s.DateFormat = "YYYY" }, v1alpha1.ReasonTemplateInvalid, "spec.dateFormat", "YYYY"},
		"result":      {func(s *v1alpha1.ScenarioTemplateSpec) { s.Result.SuccessCode = "0" }, v1alpha1.ReasonTemplateInvalid, "spec.result", "codeName"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := tested(passing())
			c.spoil(&spec)
			check := scenario.CheckTemplate(spec)
			if check.Passed != 0 || len(check.Problems) != 1 {
				t.Fatalf("got %+v", check)
			}
			p := check.Problems[0]
			if p.Reason != c.reason || p.Field != c.field || !strings.Contains(p.Message, c.message) {
				t.Errorf("got %s %s", p.Reason, p)
			}
		})
	}
}

// A file and the object that an API server makes of it have the same revision; another text has another one.
func TestRevision(t *testing.T) {
	plain, defaulted, other := template(), template(), template()
	defaulted.Protocol = v1alpha1.ProtocolREST
	defaulted.TimeZone, defaulted.DateFormat, defaulted.Actions.Create.Method = "Asia/Shanghai", "yyyy-MM-dd HH:mm", "POST"
	other.Actions.Create.Path += "&x=1"
	if scenario.Revision(plain) != scenario.Revision(defaulted) || scenario.Revision(plain) == scenario.Revision(other) {
		t.Error(scenario.Revision(plain), scenario.Revision(defaulted), scenario.Revision(other))
	}
}
