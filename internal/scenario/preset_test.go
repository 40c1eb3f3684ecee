package scenario_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/google/go-cmp/cmp"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/scenario"
)

const presets = "../../config/presets"

func preset(t testing.TB, name string) *v1alpha1.ScenarioTemplate {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(presets, name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var st v1alpha1.ScenarioTemplate
	if err := yaml.UnmarshalStrict(data, &st); err != nil {
		t.Fatal(err)
	}
	return &st
}

// Every preset that ships passes its own tests, and has some for every action.
func TestPresetsPassTheirTests(t *testing.T) { // F19 F92 F94 F95 F100 F101
	files, err := filepath.Glob(filepath.Join(presets, "*-*.yaml"))
	if err != nil || len(files) < 16 {
		t.Fatalf("presets: %v %v", files, err)
	}
	list, err := os.ReadFile(filepath.Join(presets, "kustomization.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := filepath.Base(file[:len(file)-len(".yaml")])
		if !bytes.Contains(list, []byte("- "+name+".yaml\n")) {
			t.Errorf("kustomization.yaml does not list %s.yaml", name)
		}
		st := preset(t, name)
		if st.Name != name {
			t.Errorf("%s holds the template %q", file, st.Name)
		}
		check := scenario.CheckTemplate(st.Spec)
		if len(check.Problems) > 0 || check.Passed != check.Total || check.Total < 7 {
			t.Errorf("%s: %d of %d tests passed: %v", name, check.Passed, check.Total, check.Problems)
		}
	}
}

// The seed prints its links twice, as a link of the help page: [target](target).
var helpPageLink = regexp.MustCompile(`\[([^\]]*)\]\(([^)]*)\)`)

// The preset sends, byte for byte, what the CRM's own help page shows. // F45 F29 F30 F44 F96
func TestSeeyonTodoEqualsTheSeed(t *testing.T) {
	seed, err := os.ReadFile("testdata/seeyon-create.seed.json")
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := json.Compact(&want, helpPageLink.ReplaceAll(seed, []byte("$1"))); err != nil {
		t.Fatal(err)
	}
	fields := scenario.Fields{
		"F001": "lisi", "F009": "2026-11-22T01:30:00Z", "F012": "T-0001", "F015": "5f3c2ab1", "F037": "QuoteObj",
		"F049": "zhangsan", "F053": "报价单", "F054": "张三", "F056": "提交",
	}
	wanted := want.String()
	for id, value := range fields {
		if id == "F009" {
			value = "2026-11-22 09:30"
		}
		wanted = regexp.MustCompile("#"+id).ReplaceAllLiteralString(wanted, value)
	}

	s := seeyonTodo(t, map[string]string{"ssoURL": "//www.sxgtbz.com"})
	states := map[scenario.Action]string{scenario.Create: "0", scenario.Update: "0", scenario.Complete: "1", scenario.Delete: "2"}
	for action, state := range states {
		req, err := s.Render(action, fields)
		if err != nil {
			t.Fatal(err)
		}
		want := regexp.MustCompile(`"state":"0"`).ReplaceAllString(wanted, `"state":"`+state+`"`)
		if diff := cmp.Diff(want, string(req.Body)); diff != "" {
			t.Errorf("%s (-seed +sent):\n%s", action, diff)
		}
	}
}

// The same for Yunzhijia; an item that is opened again needs an id of its own. // F53 F54
func TestYunzhijiaTodoEqualsTheSeed(t *testing.T) {
	seed, err := os.ReadFile("testdata/yunzhijia-create.seed.json")
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := json.Compact(&want, seed); err != nil {
		t.Fatal(err)
	}
	fields := scenario.Fields{
		"F001": "5f1e", "F012": "T-0001", "F015": "5f3c2ab1", "F028": "714439", "F037": "QuoteObj", "F049": "5f1d", "F054": "张三",
		"F055": "报价单审批", "F056": "提交",
	}
	wanted := want.String()
	for id, value := range fields {
		wanted = regexp.MustCompile("#"+id).ReplaceAllLiteralString(wanted, value)
	}
	d, problems := scenario.Instantiate(preset(t, "yunzhijia-todo").Spec, nil, map[string]string{
		"enterpriseID": "714439", "appID": "500723908", "ssoURL": "//www.sxgtbz.com",
	}, "oabridge/yunzhijia-todo")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	s, err := scenario.New(d)
	if err != nil {
		t.Fatal(err)
	}
	for reopened, want := range map[int]string{0: wanted, 1: regexp.MustCompile("T-0001").ReplaceAllString(wanted, "T-0001-2")} {
		req, err := s.Render(scenario.Create, maps.Clone(fields).With(scenario.Moment{Reopened: reopened}))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(req.Body)); diff != "" {
			t.Errorf("(-seed +sent):\n%s", diff)
		}
	}
}

// Without an SSO host there is no link to send; the item still goes out.
func TestSeeyonTodoWithoutSSO(t *testing.T) { // F109
	s := seeyonTodo(t, map[string]string{"ssoURL": ""})
	req, err := s.Render(scenario.Create, item().Fields("lisi", ""))
	if err != nil {
		t.Fatal(err)
	}
	var body map[string]string
	if err := json.Unmarshal(req.Body, &body); err != nil {
		t.Fatal(err)
	}
	if body["url"] != "" || body["h5url"] != "" || body["taskId"] != "T-0001" || body["thirdSenderId"] != "" {
		t.Errorf("body %s", req.Body)
	}
}

func seeyonTodo(t testing.TB, connector map[string]string) *scenario.Scenario {
	t.Helper()
	values := map[string]string{"enterpriseID": "714439", "registerCode": "3004"}
	for k, v := range connector {
		values[k] = v
	}
	d, problems := scenario.Instantiate(preset(t, "seeyon-todo").Spec, nil, values, "oabridge/seeyon-todo")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	s, err := scenario.New(d)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
