package scenario_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/scenario"
)

// Every mistake in a call names its field, its reason and what to do. // F23 F26 F30
func TestMistakesInACall(t *testing.T) {
	header := func(name, value string) scenario.Call {
		return scenario.Call{Headers: []scenario.Header{{Name: name, Value: value}}}
	}
	for name, c := range map[string]struct {
		call                   scenario.Call
		reason, field, message string
	}{
		"typo":                 {scenario.Call{Body: `{"a":{"b":["#F0O1"]}}`}, v1alpha1.ReasonUnknownPlaceholder, "actions.create.body.a.b[0]", "did you mean #F001?"},
		"typo in the path":     {scenario.Call{Path: "/x/#F01"}, v1alpha1.ReasonUnknownPlaceholder, "actions.create.path", "did you mean #F001?"},
		"typo in a header":     {header("X-A", "#F002x"), v1alpha1.ReasonUnknownPlaceholder, "actions.create.headers[X-A]", "unknown placeholder"},
		"not closed":           {scenario.Call{Body: "{\n  \"a\": \"报\",\n  \"b\" 1}"}, v1alpha1.ReasonBodyInvalid, "actions.create.body", "line 3, column 7"},
		"cut off":              {scenario.Call{Body: `{"a":`}, v1alpha1.ReasonBodyInvalid, "actions.create.body", "line 1, column"},
		"two documents":        {scenario.Call{Body: `{} {}`}, v1alpha1.ReasonBodyInvalid, "actions.create.body", "line 1, column 4"},
		"XML":                  {scenario.Call{Body: `<a/>`}, v1alpha1.ReasonBodyInvalid, "actions.create.body", "line 1, column 1"},
		"placeholder as key":   {scenario.Call{Body: `{"#F001":1}`}, v1alpha1.ReasonBodyInvalid, "actions.create.body", "values only"},
		"parameter as key":     {scenario.Call{Body: `{"${a}":1}`}, v1alpha1.ReasonBodyInvalid, "actions.create.body", "values only"},
		"key twice":            {scenario.Call{Body: `{"a":1,"a":2}`}, v1alpha1.ReasonBodyInvalid, "actions.create.body", "twice"},
		"parameter left":       {scenario.Call{Body: `["${ei}"]`}, v1alpha1.ReasonParameterInvalid, "actions.create.body[0]", "${ei} has no value"},
		"host from data":       {scenario.Call{Body: `{"u":"https://#F053/x"}`}, v1alpha1.ReasonBodyInvalid, "actions.create.body.u", "host"},
		"host after a space":   {scenario.Call{Body: `{"u":" //a#F053/x"}`}, v1alpha1.ReasonBodyInvalid, "actions.create.body.u", "host"},
		"relative path":        {scenario.Call{Path: "x"}, v1alpha1.ReasonTemplateInvalid, "actions.create.path", "exactly one slash"},
		"another host":         {scenario.Call{Path: "//evil"}, v1alpha1.ReasonTemplateInvalid, "actions.create.path", "exactly one slash"},
		"up":                   {scenario.Call{Path: "/a/../b"}, v1alpha1.ReasonTemplateInvalid, "actions.create.path", "not allowed"},
		"up, encoded":          {scenario.Call{Path: "/a/.%2E?x"}, v1alpha1.ReasonTemplateInvalid, "actions.create.path", "not allowed"},
		"fragment":             {scenario.Call{Path: "/a#f001"}, v1alpha1.ReasonTemplateInvalid, "actions.create.path", "fragment"},
		"percent":              {scenario.Call{Path: "/a%2"}, v1alpha1.ReasonTemplateInvalid, "actions.create.path", "%25"},
		"line break":           {scenario.Call{Path: "/a\n"}, v1alpha1.ReasonTemplateInvalid, "actions.create.path", "control"},
		"method":               {scenario.Call{Method: "SEND"}, v1alpha1.ReasonTemplateInvalid, "actions.create.method", "POST"},
		"our header":           {header("token", "x"), v1alpha1.ReasonTemplateInvalid, "actions.create.headers[token]", "itself"},
		"line break in header": {header("X-A", "a\r\nb"), v1alpha1.ReasonTemplateInvalid, "actions.create.headers[X-A]", "line break"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := scenario.New(definition(c.call))
			var invalid *scenario.InvalidError
			if !errors.As(err, &invalid) || len(invalid.Problems) != 1 {
				t.Fatalf("got %v", err)
			}
			p := invalid.Problems[0]
			if p.Reason != c.reason || p.Field != c.field || !strings.Contains(p.Message, c.message) {
				t.Errorf("got %s %s", p.Reason, p)
			}
		})
	}
}

func TestMistakesInADefinition(t *testing.T) {
	for field, spoil := range map[string]func(*scenario.Definition){
		"timeZone":    func(d *scenario.Definition) { d.TimeZone = "Mars/Olympus" },
		"dateFormat":  func(d *scenario.Definition) { d.DateFormat = "YYYY" },
		"result":      func(d *scenario.Definition) { d.Result.CodeName = "code" },
		"actions":     func(d *scenario.Definition) { d.Calls = nil },
		"actions.add": func(d *scenario.Definition) { d.Calls["add"] = d.Calls[scenario.Create] },
	} {
		d := definition(scenario.Call{Body: "{}"})
		spoil(&d)
		_, err := scenario.New(d)
		var invalid *scenario.InvalidError
		if !errors.As(err, &invalid) || len(invalid.Problems) != 1 || invalid.Problems[0].Field != field {
			t.Errorf("%s: got %v", field, err)
		}
	}
}
