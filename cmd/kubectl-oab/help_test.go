package main

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"sigs.k8s.io/yaml"
)

// commands are all that a person can run, without those that cobra adds.
func commands(cmd *cobra.Command) []*cobra.Command {
	out := []*cobra.Command{cmd}
	for _, c := range cmd.Commands() {
		out = append(out, commands(c)...)
	}
	return out
}

// Every command says in a sentence what it does, shows by example how, and explains each flag; what it takes is completed.
func TestHelp(t *testing.T) {
	for _, cmd := range commands(newApp(os.Stdout, os.Stderr).newRootCommand()) {
		path := strings.TrimPrefix(cmd.CommandPath(), "kubectl oab")
		if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: Short is %q", cmd.CommandPath(), cmd.Short)
		}
		if !strings.Contains(cmd.Example, "kubectl oab"+path) {
			t.Errorf("%s: the example is %q", cmd.CommandPath(), cmd.Example)
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s --%s has no help", cmd.CommandPath(), f.Name)
			}
		})
		files := strings.Contains(cmd.Use, "FILE") && !strings.Contains(cmd.Use, "-f FILE")
		if takes := strings.Contains(strings.TrimPrefix(cmd.Use, cmd.Name()), " ") && !files; takes && cmd.ValidArgsFunction == nil {
			t.Errorf("%s: the shell does not complete its arguments", cmd.CommandPath())
		}
		a := alone(t, append(strings.Fields(path), "--help")...)
		if a.code != 0 || !strings.Contains(a.out, cmd.Short) && !strings.Contains(a.out, strings.SplitN(cmd.Long, "\n", 2)[0]) || !strings.Contains(a.out, "Examples:") {
			t.Errorf("%+v", a)
		}
		if strings.Contains(a.out, "--certificate-authority") || !strings.Contains(a.out, `"kubectl oab options"`) {
			t.Errorf("%s: the flags of kubectl are not where they belong: %s", cmd.CommandPath(), a.out)
		}
	}
	for line, says := range map[string]string{
		"statsu": "did you mean status?", "bindings exprt": "did you mean export?", "publish": "see kubectl oab --help", "status a b": "see kubectl oab status --help",
	} {
		if a := alone(t, strings.Fields(line)...); a.code != exitUsage || !strings.Contains(a.errors, says) {
			t.Errorf("%s: %+v", line, a)
		}
	}
	if a := alone(t, "options"); a.code != 0 || !strings.Contains(a.out, "--certificate-authority") || !strings.Contains(a.out, "-n, --namespace") {
		t.Errorf("%+v", a)
	}
	if a := alone(t, "version"); a.code != 0 || strings.TrimSpace(a.out) == "" {
		t.Errorf("%+v", a)
	}
}

// Every list is there for programs, as JSON and as YAML of the same content, and with more columns for people.
func TestFormatsOfLists(t *testing.T) {
	for _, line := range []string{"records", "dead", "signins", "trace T-0001", "status", "bindings conflicts hq", "bindings export hq", "preset list", "placeholders -s F012", "explain 60020"} {
		w := stocked(t)
		if strings.HasPrefix(line, "bindings") {
			w = staffed(t)
		}
		args := strings.Fields(line)
		asJSON, asYAML := w.run(append(slices.Clone(args), "-o", "json")...), w.run(append(slices.Clone(args), "-o", "yaml")...)
		if asJSON.code == exitNone && line == "bindings conflicts hq" {
			continue // TestConflicts has some
		}
		var fromJSON, fromYAML any
		if err := json.Unmarshal([]byte(asJSON.out), &fromJSON); err != nil {
			t.Errorf("%s: %v %+v", line, err, asJSON)
		}
		if err := yaml.Unmarshal([]byte(asYAML.out), &fromYAML); err != nil {
			t.Errorf("%s: %v %+v", line, err, asYAML)
		}
		one, _ := json.Marshal(fromJSON)
		two, _ := json.Marshal(fromYAML)
		if string(one) != string(two) || len(one) < 10 {
			t.Errorf("%s: JSON and YAML differ:\n%s\n%s", line, one, two)
		}
		if wide := w.run(append(slices.Clone(args), "-o", "wide")...); wide.code > exitNone || wide.out == "" {
			t.Errorf("%s -o wide: %+v", line, wide)
		}
	}
}

// Colours are for terminals whose owner wants them.
func TestColoursAreForTerminals(t *testing.T) {
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("this machine gives out no terminal: ", err)
	}
	defer func() { _ = terminal.Close() }()
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = null.Close() }()
	for _, c := range []struct {
		out           *os.File
		noColor, kind string
		want          bool
	}{
		{terminal, "", "xterm-256color", true}, {terminal, "1", "xterm-256color", false}, {terminal, "", "dumb", false}, {file, "", "xterm", false}, {null, "", "xterm", false},
	} {
		t.Setenv("NO_COLOR", c.noColor)
		t.Setenv("TERM", c.kind)
		if got := newApp(c.out, file).colour; got != c.want {
			t.Errorf("%s, NO_COLOR=%q, TERM=%s: colours %v", c.out.Name(), c.noColor, c.kind, got)
		}
	}
}
