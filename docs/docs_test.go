package docs

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// root of the repository.
const root = ".."

// skipped folders hold nothing that was written for readers.
var skipped = []string{".git", "bin", "out", "node_modules"}

// pages returns the text of every Markdown file by its path below root.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for path, text := range files(t, ".md") {
		found[path] = text
	}
	if len(found) < 5 {
		t.Fatalf("only %d pages were found: is this the root of the repository?", len(found))
	}
	return found
}

// files returns the text of every file with a suffix by its path below root.
func files(t *testing.T, suffix string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains(skipped, d.Name()):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, suffix):
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		found[rel] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

var (
	fence      = regexp.MustCompile("(?ms)^```([a-z]*)[^\n]*\n(.*?)^```")
	inlineCode = regexp.MustCompile("`[^`\n]*`")
	link       = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading    = regexp.MustCompile(`(?m)^#{1,6} +(.+?) *$`)
)

// Every relative link of every page leads to a file that is there, and its anchor to a heading.
func TestLinks(t *testing.T) {
	all := pages(t)
	for page, text := range all {
		plain := inlineCode.ReplaceAllString(fence.ReplaceAllString(text, ""), "")
		for _, m := range link.FindAllStringSubmatch(plain, -1) {
			u, err := url.Parse(m[1])
			if err != nil {
				t.Errorf("%s: the link %s is not a URL: %v", page, m[1], err)
				continue
			}
			if u.Scheme != "" || u.Host != "" {
				continue
			}
			target := page
			if u.Path != "" {
				target = filepath.Join(filepath.Dir(page), filepath.FromSlash(u.Path))
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s: the link %s leads nowhere", page, m[1])
				continue
			}
			if to, isPage := all[target]; isPage && u.Fragment != "" && !slices.Contains(anchors(to), u.Fragment) {
				t.Errorf("%s: %s has no heading #%s", page, target, u.Fragment)
			}
		}
	}
}

// anchors of a page as GitHub makes them of its headings.
func anchors(page string) []string {
	var found []string
	for _, m := range heading.FindAllStringSubmatch(fence.ReplaceAllString(page, ""), -1) {
		anchor := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, m[1])
		found = append(found, anchor)
	}
	return found
}

// The list of decisions names each of them.
func TestDecisionsAreListed(t *testing.T) {
	list, err := os.ReadFile("decisions/README.md")
	if err != nil {
		t.Fatal(err)
	}
	decisions, err := filepath.Glob("decisions/[0-9]*.md")
	if err != nil || len(decisions) == 0 {
		t.Fatal("no decisions were found", err)
	}
	for _, path := range decisions {
		if name := filepath.Base(path); !strings.Contains(string(list), "("+name+")") {
			t.Errorf("docs/decisions/README.md does not list %s", name)
		}
	}
}
