package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/scenario"
)

// ours matches an object of OA Bridge, and not one that refers to it.
var ours = regexp.MustCompile(`(?m)^apiVersion: ` + regexp.QuoteMeta(v1alpha1.GroupVersion.Group) + `/`)

var documentEnd = regexp.MustCompile(`(?m)^---\s*$`)

// Every object of OA Bridge that a page shows can be applied: it decodes strictly, its template passes its own tests, and
// its connector compiles with the presets.
func TestObjects(t *testing.T) {
	presets := presets(t)
	shown := 0
	for page, text := range pages(t) {
		for _, block := range fence.FindAllStringSubmatch(text, -1) {
			if block[1] != "yaml" {
				continue
			}
			for _, document := range documentEnd.Split(block[2], -1) {
				if !ours.MatchString(document) {
					continue
				}
				shown++
				if err := check(document, presets); err != nil {
					t.Errorf("%s: %v in\n%s", page, err, document)
				}
			}
		}
	}
	if shown < 5 {
		t.Errorf("only %d objects were found in the pages", shown)
	}
}

func check(document string, presets map[string]*v1alpha1.ScenarioTemplate) error {
	var kind struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if err := yaml.Unmarshal([]byte(document), &kind); err != nil {
		return err
	}
	if kind.APIVersion != v1alpha1.GroupVersion.String() {
		return fmt.Errorf("apiVersion is %s", kind.APIVersion)
	}
	switch kind.Kind {
	case "OAConnector":
		connector := &v1alpha1.OAConnector{}
		if err := yaml.UnmarshalStrict([]byte(document), connector); err != nil {
			return err
		}
		for _, reference := range connector.Spec.Scenarios {
			if presets[reference.TemplateRef.Name] == nil {
				return fmt.Errorf("there is no preset %s", reference.TemplateRef.Name)
			}
		}
		_, problems := bundle.Compile(bundle.Input{Connector: connector, Templates: presets})
		for _, p := range problems {
			return fmt.Errorf("%s: %s", p.Reason, p)
		}
		return nil
	case "ScenarioTemplate":
		var template v1alpha1.ScenarioTemplate
		if err := yaml.UnmarshalStrict([]byte(document), &template); err != nil {
			return err
		}
		for _, p := range scenario.CheckTemplate(template.Spec).Problems {
			return fmt.Errorf("%s: %s", p.Reason, p)
		}
		return nil
	case "AccountBinding":
		return yaml.UnmarshalStrict([]byte(document), &v1alpha1.AccountBinding{})
	}
	return fmt.Errorf("there is no kind %q", kind.Kind)
}

// presets of the operator by name.
func presets(t *testing.T) map[string]*v1alpha1.ScenarioTemplate {
	t.Helper()
	found := map[string]*v1alpha1.ScenarioTemplate{}
	paths, err := filepath.Glob(root + "/config/presets/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(data), "kind: ScenarioTemplate") {
			continue
		}
		template := &v1alpha1.ScenarioTemplate{}
		if err := yaml.UnmarshalStrict(data, template); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		template.Namespace = "presets"
		found[template.Name] = template
	}
	if len(found) == 0 {
		t.Fatal("there are no presets")
	}
	return found
}
