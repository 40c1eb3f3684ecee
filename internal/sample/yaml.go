package sample

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"sigs.k8s.io/yaml"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/scenario"
)

// YAML writes skeletons.
type YAML struct {
	Name, Namespace string
	Type            v1alpha1.OAType
	Kind            v1alpha1.ItemKind
	// Path of the call; what the sample says, or else a slash, when empty.
	Path string
}

// unset is the path of a call that nobody has named.
const unset = "/"

// Write returns the template with comments for the person who goes on with it. It passes its own test.
func (y YAML) Write(s Skeleton) (string, error) {
	path := y.Path
	if path == "" {
		path = s.Path
	}
	if path == "" {
		path = unset
	}
	spec := s.Spec(y.Type, y.Kind, path)
	test := example(spec, s)
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# Made from a sample by `oabridge template from-sample`. Before you use it:")
	for _, c := range []struct {
		what  string
		paths []string
	}{
		{"look whether these have the right placeholders", s.Replaced},
		{"these stay as they are in the sample; replace what differs from item to item", s.Kept},
		{"these are empty, because the sample has no value for them", s.Empty},
	} {
		if len(c.paths) > 0 {
			line("# - %s:\n#   %s", c.what, oneLine(strings.Join(c.paths, ", ")))
		}
	}
	if path == unset {
		line("# - set spec.actions.create.path to the path of the OA's interface")
	}
	line("# - set spec.result: without it every answer that can be read counts as success, and that is seldom true")
	line("apiVersion: %s\nkind: ScenarioTemplate\nmetadata:\n  name: %s", v1alpha1.GroupVersion, scalar(y.Name))
	if y.Namespace != "" {
		line("  namespace: %s", scalar(y.Namespace))
	}
	line("spec:\n  type: %s\n  kind: %s", scalar(string(y.Type)), y.Kind)
	if s.Protocol == v1alpha1.ProtocolWebservice {
		line("  protocol: %s", s.Protocol)
	}
	line("  actions:\n    create:\n      method: %s\n      path: %s", spec.Actions.Create.Method, scalar(path))
	for _, h := range spec.Actions.Create.Headers {
		line("      headers:\n      - {name: %s, value: %s}", h.Name, scalar(h.Value))
	}
	line("      body: %s", block(s.Body, "        "))
	line("  # result: {codeName: code, msgName: message, successCode: \"0\"}")
	if s.DateFormat != "" {
		line("  dateFormat: %s", scalar(s.DateFormat))
	}
	line("  tests:\n  - name: create\n    fields:")
	for _, id := range ids(test.Fields) {
		line("      %s: %s", id, scalar(test.Fields[id]))
	}
	line("    request:\n      path: %s", scalar(test.Request.Path))
	return b.String(), y.verify(b.String(), s)
}

// oneLine keeps a comment a comment: names of JSON may hold line breaks.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == '\uFEFF' || r == '\uFFFE' || r == '\uFFFF' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

// example is a test with the values of the dictionary.
func example(spec v1alpha1.ScenarioTemplateSpec, s Skeleton) v1alpha1.TemplateTest {
	test := v1alpha1.TemplateTest{Name: "create", Fields: map[string]string{}}
	for _, p := range scenario.Dictionary() {
		if strings.Contains(s.Body, "#"+p.ID) || p.ID == "F012" {
			test.Fields[p.ID] = p.Example
		}
	}
	if _, ok := test.Fields["F009"]; ok {
		test.Fields["F009"] = "2026-11-22T09:30:00+08:00"
	}
	if req, problem := scenario.RunTest(spec, test); problem == nil {
		test.Request.Path = req.Path
	}
	return test
}

func ids(fields map[string]string) []string {
	var ids []string
	for id := range fields {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// scalar writes a string as YAML on one line; JSON strings are YAML.
func scalar(s string) string {
	plain := strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ/-") == ""
	var back any
	if err := yaml.Unmarshal([]byte(s), &back); plain && err == nil && back == s {
		return s
	}
	return quote(s)
}

// block writes a text as a literal block, or as a JSON string when YAML's blocks cannot hold it.
func block(text, indent string) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i, l := range lines {
		if l != "" {
			lines[i] = indent + l
		}
	}
	written := "|\n" + strings.Join(lines, "\n")
	var back struct {
		Text string `json:"text"`
	}
	if err := yaml.Unmarshal([]byte("text: "+written+"\n"), &back); err != nil || back.Text != text {
		quoted, err := json.Marshal(text)
		if err != nil {
			panic("sample: a string is always JSON: " + err.Error())
		}
		return string(quoted)
	}
	return written
}

// verify reads the document back.
func (y YAML) verify(document string, s Skeleton) error {
	var t v1alpha1.ScenarioTemplate
	if err := yaml.UnmarshalStrict([]byte(document), &t); err != nil {
		return fmt.Errorf("no template can be made of the sample: %w", err)
	}
	if t.Spec.Actions.Create.Body != s.Body {
		return fmt.Errorf("no template can be made of the sample: YAML changes its body")
	}
	for _, p := range scenario.CheckTemplate(t.Spec).Problems {
		return fmt.Errorf("no template can be made of the sample: %s", p)
	}
	return nil
}
