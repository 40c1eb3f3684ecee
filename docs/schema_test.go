package docs

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// schema is the part of a CRD's OpenAPI schema that a reader, or an object that is stored already, depends on.
type schema struct {
	Type        string             `json:"type"`
	Format      string             `json:"format"`
	Description string             `json:"description"`
	Default     json.RawMessage    `json:"default"`
	Enum        []any              `json:"enum"`
	Required    []string           `json:"required"`
	Properties  map[string]*schema `json:"properties"`
	Items       *schema            `json:"items"`
	// AdditionalProperties of a map.
	AdditionalProperties *schema  `json:"additionalProperties"`
	Pattern              string   `json:"pattern"`
	MinLength            *int64   `json:"minLength"`
	MaxLength            *int64   `json:"maxLength"`
	MinItems             *int64   `json:"minItems"`
	MaxItems             *int64   `json:"maxItems"`
	Minimum              *float64 `json:"minimum"`
	Maximum              *float64 `json:"maximum"`
	Rules                []rule   `json:"x-kubernetes-validations"`
	ListType             string   `json:"x-kubernetes-list-type"`
	ListKeys             []string `json:"x-kubernetes-list-map-keys"`
}

type rule struct {
	Rule    string `json:"rule"`
	Message string `json:"message"`
}

// kinds returns the schema of each kind of ours.
func kinds(t *testing.T) map[string]*schema {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, "config", "crd", "bases", "*.yaml"))
	if err != nil || len(paths) < 4 {
		t.Fatalf("CRDs: %v %v", paths, err)
	}
	found := map[string]*schema{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var crd struct {
			Spec struct {
				Names    struct{ Kind string }
				Versions []struct {
					Name   string
					Schema struct {
						OpenAPIV3Schema *schema `json:"openAPIV3Schema"`
					}
				}
			}
		}
		if err := yaml.Unmarshal(data, &crd); err != nil || len(crd.Spec.Versions) != 1 {
			t.Fatalf("%s: %v, %d versions", path, err, len(crd.Spec.Versions))
		}
		found[crd.Spec.Names.Kind] = crd.Spec.Versions[0].Schema.OpenAPIV3Schema
	}
	return found
}

// walk visits every field below s in the order of their names; the fields that every object has are left out.
func (s *schema) walk(path string, visit func(path string, field *schema, required bool)) {
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		if path == "" && (name == "apiVersion" || name == "kind" || name == "metadata") {
			continue
		}
		field, at := s.Properties[name], strings.TrimPrefix(path+"."+name, ".")
		visit(at, field, slices.Contains(s.Required, name))
		for inner := field; inner != nil; {
			inner.walk(at, visit)
			switch {
			case inner.Items != nil:
				inner, at = inner.Items, at+"[]"
			case inner.AdditionalProperties != nil:
				inner, at = inner.AdditionalProperties, at+"{}"
			default:
				inner = nil
			}
		}
	}
}

// rules of a value and of the elements of a list.
func (s *schema) rules() []rule {
	if s.Items != nil {
		return slices.Concat(s.Rules, s.Items.rules())
	}
	return s.Rules
}

// kind of value, such as "[]string" or "map of string".
func (s *schema) kind() string {
	switch {
	case s.Items != nil:
		return "[]" + s.Items.kind()
	case s.AdditionalProperties != nil:
		return "map of " + s.AdditionalProperties.kind()
	case s.Type == "":
		return "integer or string"
	}
	return s.Type
}

// bounds of a value, in the words of the schema.
func (s *schema) bounds() []string {
	var words []string
	if len(s.Enum) > 0 {
		values := make([]string, len(s.Enum))
		for i, v := range s.Enum {
			values[i] = fmt.Sprint(v)
		}
		words = append(words, "one of "+strings.Join(values, ", "))
	}
	for _, b := range []struct {
		name  string
		value *int64
	}{{"minLength", s.MinLength}, {"maxLength", s.MaxLength}, {"minItems", s.MinItems}, {"maxItems", s.MaxItems}} {
		if b.value != nil {
			words = append(words, fmt.Sprintf("%s %d", b.name, *b.value))
		}
	}
	for _, b := range []struct {
		name  string
		value *float64
	}{{"minimum", s.Minimum}, {"maximum", s.Maximum}} {
		if b.value != nil {
			words = append(words, fmt.Sprintf("%s %.0f", b.name, *b.value))
		}
	}
	if s.Pattern != "" {
		words = append(words, "pattern "+s.Pattern)
	}
	return words
}

const schemas = "testdata/schemas.txt"

// A field that goes, changes its type or gets tighter bounds breaks objects that are stored already: every change of the
// schemas is one of this file too, so that a reviewer sees it for what it is.
func TestSchemas(t *testing.T) {
	var out strings.Builder
	all := kinds(t)
	for _, kind := range slices.Sorted(maps.Keys(all)) {
		line := func(path string, s *schema, required bool) {
			words := []string{s.kind()}
			if required {
				words = append(words, "required")
			}
			if len(s.Default) > 0 {
				words = append(words, "default "+string(s.Default))
			}
			if s.ListType != "" {
				words = append(words, strings.TrimSpace("list "+s.ListType+" "+strings.Join(s.ListKeys, ",")))
			}
			words = append(words, s.bounds()...)
			if s.Items != nil {
				for _, b := range s.Items.bounds() {
					words = append(words, "each "+b)
				}
			}
			fmt.Fprintf(&out, "%s %s: %s\n", kind, path, strings.Join(words, "; "))
			for _, r := range s.rules() {
				fmt.Fprintf(&out, "%s %s rule: %s\n", kind, path, strings.Join(strings.Fields(r.Rule), " "))
			}
		}
		all[kind].walk("", line)
	}
	same(t, schemas, out.String(), "go test ./docs -run TestSchemas -update, if objects that are stored stay valid")
}

//go:generate go test . -run TestAPIReference -update

// The reference of the objects is written from the CRDs.
func TestAPIReference(t *testing.T) {
	var out strings.Builder
	out.WriteString("# Every field of every object\n\nWritten from the CRDs by `make generate`; `kubectl explain` says the same. By example, and with what goes together with what: [objects.md](../objects.md).\n")
	all := kinds(t)
	for _, kind := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&out, "\n## %s\n\n%s\n\n| field | type | meaning |\n|---|---|---|\n", kind, all[kind].Description)
		all[kind].walk("", func(path string, s *schema, required bool) {
			words := []string{strings.Join(strings.Fields(s.Description), " ")}
			if required {
				words = append(words, "Required.")
			}
			if len(s.Default) > 0 {
				words = append(words, "Default `"+string(s.Default)+"`.")
			}
			for _, b := range s.bounds() {
				words = append(words, "`"+b+"`.")
			}
			for _, r := range s.rules() {
				words = append(words, "Rule: "+r.Message+".")
			}
			cell := strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(strings.Join(words, " "))
			fmt.Fprintf(&out, "| `%s` | %s | %s |\n", path, s.kind(), cell)
		})
	}
	same(t, "reference/api.md", out.String(), "make generate")
}

// same compares a file with what it should hold, or writes it with -update.
func same(t *testing.T, path, want, remedy string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(got), "\n"), strings.Split(want, "\n")); diff != "" {
		t.Errorf("%s differs (%s):\n%s", path, remedy, diff)
	}
}

var secretReference = regexp.MustCompile(`(?m)^OAConnector (spec\.\S*(?:[sS]ecretRef|secretKeyRef|secretName)):`)

// The table of Secrets has every field that names one.
func TestEverySecretIsInTheTable(t *testing.T) {
	_, rest, _ := strings.Cut(read(t, "objects.md"), "\n## Secrets\n")
	table, _, _ := strings.Cut(rest, "\n## ")
	fields := secretReference.FindAllStringSubmatch(read(t, "testdata/schemas.txt"), -1)
	if len(fields) < 15 {
		t.Fatalf("the schema has only %d references to Secrets", len(fields))
	}
	for _, field := range fields {
		if !strings.Contains(table, "| `"+field[1]+"` | ") {
			t.Errorf("docs/objects.md, Secrets: %s is not in the table", field[1])
		}
	}
}
