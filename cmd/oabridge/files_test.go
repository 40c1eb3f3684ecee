package main

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var revision = regexp.MustCompile(`@[0-9a-f]{12}\b`)

var update = flag.Bool("update", false, "rewrite golden files")

// run returns what the command wrote and the code that the process would end with.
func run(t *testing.T, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	root := newRootCommand()
	var out, problems bytes.Buffer
	root.SetArgs(args)
	root.SetIn(strings.NewReader(stdin))
	root.SetOut(&out)
	root.SetErr(&problems)
	err := root.ExecuteContext(t.Context())
	if err != nil {
		problems.WriteString("oabridge: " + err.Error() + "\n")
		code = exitCode(err)
	}
	return out.String(), problems.String(), code
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-update writes it anew):\n%s", file, diff)
	}
}

// What a person and a pipeline see of files. The output ends with the exit code.
func TestCommandsOnFiles(t *testing.T) {
	for name, args := range map[string][]string{
		"lint-good":    {"lint", "testdata/good"},
		"lint-bad":     {"lint", "testdata/bad"},
		"lint-json":    {"lint", "-o", "json", "testdata/bad/broken.yaml"},
		"lint-github":  {"lint", "-o", "github", "testdata/bad"},
		"lint-gitlab":  {"lint", "-o", "gitlab", "testdata/bad/broken.yaml"},
		"lint-warned":  {"lint", "testdata/warned"}, // F186 F188
		"lint-notices": {"lint", "-o", "github", "testdata/warned"},
		"lint-clean":   {"lint", "-o", "gitlab", "testdata/good"},
		"test-good":    {"test", "testdata/good"},
		"test-bad":     {"test", "testdata/bad/many.yaml"},
		"render-event": {"render", "--event", "testdata/event.json", "testdata/good"},
		"render-json":  {"render", "-o", "json", "--event", "testdata/event.json", "testdata/good"},
		"render-tests": {"render", "testdata/good", "testdata/bad/many.yaml"},
		"sample":       {"template", "from-sample", "--type", "Seeyon", "--name", "todo", "-n", "crm", "--path", "/x", "../../internal/sample/testdata/seeyon.json"},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, code := run(t, "", args...)
			stdout = revision.ReplaceAllString(stdout, "@…") // it changes with the API
			golden(t, name, stdout+"--- stderr\n"+stderr+"--- exit "+string(rune('0'+code))+"\n")
			if strings.Contains(stdout+stderr, "never-shown") {
				t.Error("a secret was shown")
			}
		})
	}
}

// What ships is right, and its own tests pass.
func TestPresets(t *testing.T) {
	for _, args := range [][]string{{"lint", "--presets"}, {"test", "--presets"}, {"render", "--presets"}, {"lint", "--presets", "../../config/samples"}} {
		out, problems, code := run(t, "", args...)
		if code != 0 || out == "" || problems != "" {
			t.Errorf("%v: exit %d: %s%s", args, code, out, problems)
		}
	}
}

// A pipe works as files do: kustomize build | oabridge lint -.
func TestStandardInput(t *testing.T) {
	var all []byte
	for _, file := range []string{"connector.yaml", "template.yaml", "accounts.yml"} {
		text, err := os.ReadFile(filepath.Join("testdata", "good", file))
		if err != nil {
			t.Fatal(err)
		}
		all = append(append(all, text...), "\n---\n"...)
	}
	if out, problems, code := run(t, string(all), "lint", "-"); code != 0 || !strings.Contains(out, "2 connectors, 1 templates, 1 account bindings: no findings") {
		t.Errorf("exit %d: %s%s", code, out, problems)
	}
	if out, _, code := run(t, "kind: [", "lint", "-"); code != 1 || !strings.HasPrefix(out, "-:1: ") {
		t.Errorf("exit %d: %s", code, out)
	}
	if out, problems, code := run(t, `{"taskId":"1"}`, "template", "from-sample", "-"); code != 0 || !strings.Contains(out, `"taskId": "#F012"`) {
		t.Errorf("exit %d: %s%s", code, out, problems)
	}
}

// Used wrongly, a command says how it is used right, and ends with 2.
func TestWrongUse(t *testing.T) {
	for _, c := range []struct {
		args    []string
		message string
		code    int
	}{
		{[]string{"lint"}, "name files or directories", 2},
		{[]string{"lnt"}, `there is no command "lnt"; did you mean lint?`, 2},
		{[]string{"publish"}, "see oabridge --help", 2},
		{[]string{"version", "1"}, "unknown command", 2},
		{[]string{"lint", "--nope", "x"}, "unknown flag", 2},
		{[]string{"lint", "-o", "xml", "x"}, "use text, json, github, gitlab", 2},
		{[]string{"render", "-o", "github", "x"}, "use text, json", 2},
		{[]string{"lint", "testdata/nowhere"}, "1 finding", 1},
		{[]string{"render", "--event", "testdata/nowhere.json", "testdata/good"}, "no such file", 2},
		{[]string{"render", "--event", "testdata/bad/broken.yaml", "testdata/good"}, "not JSON", 2},
		{[]string{"template", "from-sample"}, "name one file", 2},
		{[]string{"template", "from-sample", "--to", "yaml", "x"}, "only xml is known", 2},
		{[]string{"template", "from-sample", "--kind", "Letter", "x"}, "use Todo, Reminder, Subscription or Alert", 2},
		{[]string{"template", "from-sample", "testdata/nowhere"}, "no such file", 2},
		{[]string{"template", "from-sample", "testdata/bad/broken.yaml"}, "neither JSON nor XML", 1},
		{[]string{"template", "from-sample", "--type", "Lotus", "testdata/event.json"}, "there is no type Lotus", 2},
	} {
		_, stderr, code := run(t, "", c.args...)
		if code != c.code || !strings.Contains(stderr, c.message) {
			t.Errorf("%v: exit %d: %s", c.args, code, stderr)
		}
	}
	if exitCode(errors.New("anything else")) != 1 {
		t.Error("another error has another code than 1")
	}
}

// Merge requests know files by their path below the checkout, however they were named on the command line.
func TestAnnotationsNameFilesOfTheCheckout(t *testing.T) {
	whole, err := filepath.Abs("testdata/bad/broken.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"./testdata/bad/broken.yaml", whole, "testdata/bad/../bad/broken.yaml"} {
		for format, want := range map[string]string{"github": "file=testdata/bad/broken.yaml,", "gitlab": `"path": "testdata/bad/broken.yaml"`} {
			if stdout, stderr, _ := run(t, "", "lint", "-o", format, file); !strings.Contains(stdout, want) {
				t.Errorf("lint -o %s %s: %s%s", format, file, stdout, stderr)
			}
		}
	}
}
