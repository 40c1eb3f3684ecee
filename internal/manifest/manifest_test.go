package manifest_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oabridge/oabridge/internal/manifest"
)

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

const object = "apiVersion: oabridge.dev/v1alpha1\nkind: AccountBinding\nmetadata: {name: NAME}\n"

// Directories are read without what is hidden or no manifest; objects of others are left out; files count once.
func TestRead(t *testing.T) {
	dir := t.TempDir()
	named := func(name string) string { return strings.Replace(object, "NAME", name, 1) }
	a := write(t, dir, "a.yaml", "# only a comment\n---\n"+named("a")+"---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\n---\n- a\n- list\n")
	write(t, dir, "b/c.json", `{"apiVersion":"oabridge.dev/v1alpha1","kind":"AccountBinding","metadata":{"name":"c","namespace":"crm"},"n":1,"f":1.5,"t":"2026-11-22"}`)
	write(t, dir, "b/readme.md", named("no"))
	write(t, dir, ".git/x.yaml", named("hidden"))
	objects, problems := manifest.Read([]string{dir, a, manifest.Stdin}, strings.NewReader("\n\n"+named("in")))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	dated, problems := manifest.Read([]string{manifest.Stdin}, strings.NewReader(object+"spec: {at: 2026-11-22, 1: {2: three}}\n"))
	if spec := map[string]any{"at": "2026-11-22", "1": map[string]any{"2": "three"}}; len(problems) > 0 || cmp.Diff(spec, dated[0].Tree["spec"]) != "" {
		t.Errorf("got %v %v", dated, problems)
	}
	var got []string
	for _, o := range objects {
		rel := o.File
		if r, err := filepath.Rel(dir, o.File); err == nil {
			rel = r
		}
		got = append(got, rel+" "+o.ID())
	}
	if diff := cmp.Diff([]string{"a.yaml AccountBinding default/a", "b/c.json AccountBinding crm/c", "- AccountBinding default/in"}, got); diff != "" {
		t.Error(diff)
	}
	if objects[0].Line != 3 || objects[2].Line != 3 {
		t.Errorf("lines %d %d", objects[0].Line, objects[2].Line)
	}
	if tree := objects[1].Tree; tree["n"] != int64(1) || tree["f"] != 1.5 || tree["t"] != "2026-11-22" {
		t.Errorf("got %#v", tree)
	}
}

func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	for _, text := range []string{
		"a: b\nc: [", "a: {b: 1, b: 2}", "a: *nowhere", "a:\n\t- b",
	} {
		file := write(t, dir, "x.yaml", object+"---\n"+text)
		objects, problems := manifest.Read([]string{file}, nil)
		var r *manifest.ReadError
		if len(objects) != 1 || len(problems) != 1 || !errors.As(problems[0], &r) || r.File != file || r.Cause == "" {
			t.Errorf("%q: %d objects, %v", text, len(objects), problems)
		}
	}
	var wide strings.Builder
	for i := range 10_001 {
		fmt.Fprintf(&wide, "  k%d: 1\n", i)
	}
	file := write(t, dir, "wide.yaml", object+"spec:\n"+wide.String())
	if _, problems := manifest.Read([]string{file}, nil); len(problems) != 1 || !strings.HasPrefix(problems[0].Error(), file+":5: ") ||
		!strings.Contains(problems[0].Error(), "more than 10000 entries; divide it") {
		t.Errorf("got %v", problems)
	}
	if _, problems := manifest.Read([]string{filepath.Join(dir, "nowhere")}, nil); len(problems) != 1 || !strings.Contains(problems[0].Error(), "no such file") {
		t.Errorf("got %v", problems)
	}
}

func TestLineOf(t *testing.T) {
	objects, problems := manifest.Read([]string{manifest.Stdin}, strings.NewReader(object+`spec:
  list:
  - name: one
    deep: {x: 1}
  -
    name: two
    body: |
      first
      second #F0O1
  text: >-
    folded
  anchor: &a
    in: 1
  alias: *a
`))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	o := objects[0]
	for _, c := range []struct {
		field, message string
		line           int
	}{
		{"", "", 1}, {"metadata.name", "", 3}, {"spec", "", 4}, {"spec.list[0]", "", 6}, {"spec.list[0].deep.x", "", 7},
		{"spec.list[two]", "", 9}, {"spec.list[1].body.a.b[0]", "some cause", 10}, {"spec.list[two].body", "line 2, column 3: wrong", 12},
		{"spec.list[two].body", "this text is JSON in itself: line 1, column 3: wrong", 11},
		{"spec.list[two].body.x", `unknown placeholder "#F0O1" (did you mean #F001?)`, 12}, {"spec.list[two].body", `unknown placeholder "#F9"`, 10},
		{"spec.list[7]", "", 5}, {"spec.nothing.here", "", 4}, {"spec.alias.in", "", 16}, {"[", "", 1},
	} {
		if got := o.LineOf(c.field, c.message); got != c.line {
			t.Errorf("%s %q: got line %d, want %d", c.field, c.message, got, c.line)
		}
	}
}

func TestPresetsAreThere(t *testing.T) {
	presets, err := manifest.Presets()
	if err != nil || len(presets) < 2 {
		t.Fatalf("%d presets, %v", len(presets), err)
	}
	for _, p := range presets {
		if p.Kind != "ScenarioTemplate" || p.Namespace != "presets" || p.Name == "" {
			t.Errorf("%s in %s", p.ID(), p.File)
		}
	}
}

// Whatever a file holds, it is read without a panic, and every object knows its lines.
func FuzzRead(f *testing.F) {
	for _, text := range []string{object, "a: &a [*a]", "? [x]\n: y", "{\"kind\":1}", "items: [{}]", "apiVersion: v1\nkind: List\nitems:\n- " + strings.ReplaceAll(object, "\n", "\n  ")} {
		f.Add(text, "spec.a[0].b")
	}
	f.Fuzz(func(t *testing.T, text, field string) {
		objects, _ := manifest.Read([]string{manifest.Stdin}, strings.NewReader(text))
		for _, o := range objects {
			if line := o.LineOf(field, "line 1, column 1: x"); line < 0 || o.Line < 1 {
				t.Fatalf("line %d of an object at %d", line, o.Line)
			}
		}
	})
}
