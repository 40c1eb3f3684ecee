package docs

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oabridge/oabridge/internal/oa/dictionary"
)

var update = flag.Bool("update", false, "write the tables of error codes into docs/oa")

// dictionaryBlock of a page is between these two comments.
var dictionaryBlock = regexp.MustCompile(`(?s)(<!-- error dictionary: go generate ./docs writes it -->\n)(.*?)(<!-- end of the error dictionary -->)`)

//go:generate go test . -run TestErrorDictionaries -update

// The page of each OA has the whole error dictionary of that OA, as kubectl oab explain prints it. // F193
func TestErrorDictionaries(t *testing.T) {
	files, err := filepath.Glob("oa/*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("pages: %v %v", files, err)
	}
	byFile := map[string]string{}
	for _, oa := range dictionary.OAs() {
		byFile["oa/"+strings.ToLower(oa)+".md"] = oa
	}
	for _, file := range files {
		oa, known := byFile[file]
		page, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !known {
			continue // an OA whose codes nobody knows
		}
		if len(dictionaryBlock.FindAll(page, -1)) != 1 {
			t.Errorf("docs/%s has not one place for the error dictionary: write the two comments of dictionaryBlock", file)
			continue
		}
		want := dictionaryBlock.ReplaceAllString(string(page), "${1}"+strings.ReplaceAll(dictionaryTable(oa), "$", "$$")+"${3}")
		if *update {
			if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if diff := cmp.Diff(want, string(page)); diff != "" {
			t.Errorf("docs/%s is not up to date (go generate ./docs):\n%s", file, diff)
		}
	}
}

// dictionaryTable has both languages, because whoever asks reads one and the console is in the other.
func dictionaryTable(oa string) string {
	cell := func(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "|", `\|`), "\n", " ") }
	var b strings.Builder
	b.WriteString("\n| code | means | whose move | next step | class of a push |\n|---|---|---|---|---|\n")
	for _, e := range dictionary.Of(oa).Entries() {
		class := e.Class
		if class == "" {
			class = "–"
		}
		fmt.Fprintf(&b, "| `%s` | %s<br>%s | %s | %s<br>%s | %s |\n", strings.Join(e.Codes, "`, `"),
			cell(e.Cause.EN), cell(e.Cause.ZH), e.Side, cell(e.Next.EN), cell(e.Next.ZH), class)
	}
	b.WriteString("\n")
	return b.String()
}
