package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/dispatch/lookup"
	"github.com/oabridge/oabridge/internal/dispatch/record"
)

// console blocks of a page, and the command in each.
var (
	consoles = regexp.MustCompile("(?s)```console\n(.*?)```")
	command  = regexp.MustCompile(`^\$ kubectl oab (.*)`)
)

// Every screen on the pages is that of a test: the golden file of that very command line begins with it.
func TestSamplesInDocs(t *testing.T) {
	files, err := filepath.Glob("testdata/*.golden")
	if err != nil {
		t.Fatal(err)
	}
	outputs := map[string][]string{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		line, text, _ := strings.Cut(string(data), "\n")
		text, _, _ = strings.Cut(text, "-- exit ")
		out, progress, _ := strings.Cut(text, "-- stderr --\n")
		outputs[line] = append(outputs[line], out+progress, progress+out) // on a terminal, what is said comes when it is said
	}
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob("../../docs/*/*.md")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, page := range slices.Concat(pages, more, []string{"../../README.md"}) {
		data, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range consoles.FindAllStringSubmatch(string(data), -1) {
			line, sample, _ := strings.Cut(m[1], "\n")
			if !command.MatchString(line) {
				continue
			}
			n++
			sample, _, _ = strings.Cut(sample, "\n…\n") // what follows was left out
			if sample == "" || !anyStarts(outputs[line], sample) {
				t.Errorf("%s: the screen of %q is not that of a test (tests of this line: %d):\n%s", page, line, len(outputs[line])/2, sample)
			}
		}
	}
	if n < 17 {
		t.Errorf("only %d screens were found", n)
	}
}

func anyStarts(texts []string, begin string) bool {
	for _, text := range texts {
		if strings.HasPrefix(text, begin) {
			return true
		}
	}
	return false
}

// The sample of the README: the to-do of the demo that the OA refuses.
func TestReadme(t *testing.T) {
	w := newWorld(t)
	_, _, refused := steps()
	refused.EventID, refused.ItemID, refused.Action, refused.Version = "T-8-00114", "T-FAIL", "update", 5
	refused.Receiver, refused.ReceiverOA = "1015", "guoting"
	w.serve("hq-dispatcher-0", bundle.PortLocal, map[string]any{lookup.PathTrace: jsonLines(t, lookup.Delivery{
		Seq: 9, Kind: "Todo", ItemID: "T-FAIL", Action: "update", Version: 5, EventID: "T-8-00114", TraceID: "4bf92f3577b34da6a3ce929d0e0e4736",
		Receiver: "1015", ReceiverOA: "guoting", AcceptedAt: at(3575), State: "Dead", Steps: []record.Record{refusedAt(refused, 3575)},
	})})
	w.serve("hq-dispatcher-1", bundle.PortLocal, map[string]any{lookup.PathTrace: ""})
	golden(t, "trace-readme", w.run("trace", "T-FAIL", "hq", "-n", "crm", "--receiver", "guoting"))
}

func refusedAt(r record.Record, seconds float64) record.Record {
	r.At, r.AcceptedAt, r.Message = at(seconds), at(seconds), "the OA refused it with success=false: 该待办不允许接收"
	return r
}
