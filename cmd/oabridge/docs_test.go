package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// screens of a page: the command after the prompt, and what it printed, as far as the page shows it.
var screens = regexp.MustCompile("(?s)```console\n\\$ oabridge ([^\n]*)\n(.*?)```")

// Every screen of oabridge on the pages is what the command prints here, in the folder with the files of the tests: the page is
// run, not remembered. Revisions stand as @…, and … is what the page leaves out.
func TestScreensInDocs(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		texts[page] = string(text)
	}
	t.Chdir("testdata")
	n := 0
	for page, text := range texts {
		for _, m := range screens.FindAllStringSubmatch(text, -1) {
			n++
			stdout, stderr, _ := run(t, "", strings.Fields(m[1])...)
			printed := revision.ReplaceAllString(stdout+strings.TrimPrefix(stderr, "oabridge: "), "@…")
			for _, part := range strings.Split(m[2], "…\n") {
				before, after, there := strings.Cut(printed, part)
				if !there || strings.TrimSpace(part) == "" && part != "" {
					t.Errorf("%s: oabridge %s does not print\n%s\nbut\n%s", page, m[1], part, before)
					break
				}
				printed = after
			}
		}
	}
	if n < 3 {
		t.Errorf("only %d screens were found", n)
	}
}

// Every command says in a sentence what it does, shows by example how, and explains each flag.
func TestHelp(t *testing.T) {
	var all func(*cobra.Command) []*cobra.Command
	all = func(cmd *cobra.Command) []*cobra.Command {
		out := []*cobra.Command{cmd}
		for _, c := range cmd.Commands() {
			out = append(out, all(c)...)
		}
		return out
	}
	for _, cmd := range all(newRootCommand()) {
		path := cmd.CommandPath()
		if cmd.Short == "" || !strings.Contains(cmd.Example, path) {
			t.Errorf("%s: %q, example %q", path, cmd.Short, cmd.Example)
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s --%s has no help", path, f.Name)
			}
		})
		stdout, _, code := run(t, "", append(slices.Clone(strings.Fields(path)[1:]), "--help")...)
		if code != 0 || !strings.Contains(stdout, "Examples:") {
			t.Errorf("%s --help: %d\n%s", path, code, stdout)
		}
	}
}
