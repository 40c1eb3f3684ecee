package scenario_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/scenario"
)

func ptr(s string) *string { return &s }

func template() v1alpha1.ScenarioTemplateSpec {
	return v1alpha1.ScenarioTemplateSpec{
		Type: v1alpha1.TypeSeeyon, Kind: v1alpha1.KindTodo,
		Parameters: []v1alpha1.Parameter{
			{Name: "category", Default: ptr("CRM")},
			{Name: "app", Description: "number of the app", Pattern: "[0-9]+"},
		},
		Actions: v1alpha1.Actions{Create: v1alpha1.Call{
			Path:    "/push/${app}?c=${category}",
			Headers: []v1alpha1.CallHeader{{Name: "X-App", Value: "${app}"}},
			Body:    `{"c":"${category} #F012","u":"${connector.ssoURL}/${category}/#F015","e":"${connector.enterpriseID}"}`,
		}},
	}
}

var connector = map[string]string{"enterpriseID": "714439", "ssoURL": "https://sso.example"}

func TestParametersAreFilledIn(t *testing.T) {
	d, problems := scenario.Instantiate(template(), map[string]string{"app": "7"}, connector, "crm/t")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if d.Template != "crm/t" || d.Kind != "Todo" || d.Revision == "" || d.Result != scenario.SeeyonResult { // F10
		t.Errorf("got %+v", d)
	}
	req, err := parse(t, d).Render(scenario.Create, item().Fields("lisi", ""))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"c":"CRM T-0001","u":"https://sso.example/CRM/5f3c2ab1","e":"714439"}`
	if req.Method != "POST" || req.Path != "/push/7?c=CRM" || req.Header.Get("X-App") != "7" || string(req.Body) != want {
		t.Errorf("got %+v %s", req, req.Body)
	}
}

// Whatever a parameter's value is, it is plain text: it stays in its string or segment and is never a placeholder.
func TestParametersStayInTheirPlace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(hostile, rapid.StringMatching(`[#$F0{}1a]{1,8}`)).Draw(t, "value")
		d, problems := scenario.Instantiate(template(), map[string]string{"app": "7", "category": value}, connector, "crm/t")
		if value == "" {
			if len(problems) == 0 || !strings.Contains(problems[0].Message, "${category} is empty") {
				t.Fatalf("got %v", problems)
			}
			return
		}
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		s, err := scenario.New(d)
		if err != nil {
			if value == "." || value == ".." || strings.HasPrefix(strings.TrimSpace(value), "//") {
				return // refused: it would change the path of the link, or make the text a URL whose host is data
			}
			t.Fatal(err)
		}
		req, err := s.Render(scenario.Create, item().Fields("lisi", ""))
		if err != nil {
			t.Fatal(err)
		}
		var body struct{ C, U string }
		if err := json.Unmarshal(req.Body, &body); err != nil {
			t.Fatal(err)
		}
		if want := validUTF8(value) + " T-0001"; body.C != want {
			t.Fatalf("got %q, want %q", body.C, want)
		}
		u, err := url.Parse(body.U)
		if err != nil || u.Host != "sso.example" || strings.Count(u.EscapedPath(), "/") != 2 || u.RawQuery != "" {
			t.Fatalf("%q: %v", body.U, err)
		}
		p, err := url.Parse(req.Path)
		if err != nil || p.Path != "/push/7" || p.Query().Get("c") != validUTF8(value) || len(p.Query()) != 1 {
			t.Fatalf("%q: %v", req.Path, err)
		}
	})
}

func TestMistakesInParameters(t *testing.T) {
	for name, c := range map[string]struct {
		params         map[string]string
		spoil          func(*v1alpha1.ScenarioTemplateSpec)
		field, message string
	}{
		"required":      {nil, nil, "parameters.app", "number of the app"},
		"pattern":       {map[string]string{"app": "7\n"}, nil, "parameters.app", "[0-9]+"},
		"as a whole":    {map[string]string{"app": "x7"}, nil, "parameters.app", "does not match"},
		"unknown":       {map[string]string{"app": "7", "categroy": "x"}, nil, "parameters.categroy", "did you mean category?"},
		"not declared":  {map[string]string{"app": "7"}, func(s *v1alpha1.ScenarioTemplateSpec) { s.Actions.Create.Body = `["${ap}"]` }, "actions.create.body[0]", "did you mean app?"},
		"not set":       {map[string]string{"app": "7"}, func(s *v1alpha1.ScenarioTemplateSpec) { s.Actions.Create.Path = "/${connector.dataCenterID}" }, "actions.create.path", "spec.dataCenterID"},
		"no such value": {map[string]string{"app": "7"}, func(s *v1alpha1.ScenarioTemplateSpec) { s.Actions.Create.Path = "/${connector.enterpriseId}" }, "actions.create.path", "did you mean connector.enterpriseID?"},
		"too close":     {map[string]string{"app": "7"}, func(s *v1alpha1.ScenarioTemplateSpec) { s.Actions.Create.Body = `["#F012${app}"]` }, "actions.create.body[0]", "put a character between"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := template()
			if c.spoil != nil {
				c.spoil(&spec)
			}
			_, problems := scenario.Instantiate(spec, c.params, connector, "crm/t")
			if len(problems) != 1 || problems[0].Field != c.field || !strings.Contains(problems[0].Message, c.message) {
				t.Errorf("got %v", problems)
			}
		})
	}
}
