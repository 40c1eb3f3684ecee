package main

import (
	"os"
	"path/filepath"
	"regexp"
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

// Every sample on the pages is the output of a test: it stands in a golden file, from its first line on.
func TestSamplesInDocs(t *testing.T) {
	files, err := filepath.Glob("testdata/*.golden")
	if err != nil {
		t.Fatal(err)
	}
	var outputs []string
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text, _, _ := strings.Cut(string(data), "-- exit ")
		out, progress, _ := strings.Cut(text, "-- stderr --\n")
		outputs = append(outputs, out+progress, progress+out) // on a terminal, what is said comes when it is said
	}
	n := 0
	for _, page := range []string{"docs/kubectl-oab.md", "README.md"} {
		data, err := os.ReadFile(filepath.Join("..", "..", page))
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
			if sample == "" || !anyStarts(outputs, sample) {
				t.Errorf("%s: the sample of %q is no output of a test:\n%s", page, line, sample)
			}
		}
	}
	if n < 10 {
		t.Errorf("only %d samples were found", n)
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
