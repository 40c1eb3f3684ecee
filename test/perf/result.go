package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"

	"sigs.k8s.io/yaml"

	"github.com/oabridge/oabridge/test/process"
)

//go:embed ranges.yaml
var rangesFile []byte

// measure is one line of ranges.yaml.
type measure struct {
	Name  string  `json:"name"`
	Title string  `json:"title"`
	Unit  string  `json:"unit"`
	Goal  float64 `json:"goal"`
	Range bounds  `json:"range"`
	Quick bounds  `json:"quick"`
	// Why the ceiling is what it is.
	Why string `json:"why"`
}

// bounds of a value; a ceiling of 0 means that nothing else will do.
type bounds struct {
	Floor   float64 `json:"floor"`
	Ceiling float64 `json:"ceiling"`
}

// loadRanges reads the measures, with the range of the kind of run.
func loadRanges(quick bool) ([]measure, error) {
	var file struct {
		Measures []measure `json:"measures"`
	}
	if err := yaml.UnmarshalStrict(rangesFile, &file); err != nil {
		return nil, fmt.Errorf("ranges.yaml: %w", err)
	}
	for i, m := range file.Measures {
		if quick {
			file.Measures[i].Range = m.Quick
		}
		if r := file.Measures[i].Range; r.Floor > r.Ceiling {
			return nil, fmt.Errorf("ranges.yaml: %s: the floor %g is above the ceiling %g", m.Name, r.Floor, r.Ceiling)
		}
	}
	return file.Measures, nil
}

// result is everything that a run found.
type result struct {
	Machine string `json:"machine"`
	Command string `json:"command"`
	// LoadBefore and LoadAfter are load averages; Foreign is what others used meanwhile, in cores.
	LoadBefore string  `json:"loadBefore"`
	LoadAfter  string  `json:"loadAfter"`
	Foreign    float64 `json:"foreignCores"`
	Quick      bool    `json:"quick"`
	Rows       []row   `json:"measures"`
}

// row is a measure with its value.
type row struct {
	measure

	Value   float64 `json:"value"`
	Note    string  `json:"note,omitempty"`
	Within  bool    `json:"withinGoal"`
	InRange bool    `json:"inRange"`
}

// result joins what was found with what was wanted. A value without a measure is a mistake in this program.
func (l *lab) result(measures []measure, args []string) (*result, error) {
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	r := &result{
		Machine:    fmt.Sprintf("%s, %d cores, Linux %s, %s", cpuModel(), runtime.NumCPU(), strings.TrimSpace(string(kernel)), runtime.Version()),
		Command:    strings.TrimSpace("go run ./test/perf " + strings.Join(args, " ")),
		LoadBefore: l.load.before, LoadAfter: process.Load(), Foreign: l.load.foreign(), Quick: l.quick,
	}
	found := map[string]value{}
	for _, v := range l.values {
		found[v.name] = v
	}
	for _, m := range measures {
		v, ok := found[m.Name]
		if !ok {
			continue // its section was left out
		}
		delete(found, m.Name)
		r.Rows = append(r.Rows, row{
			measure: m, Value: v.value, Note: v.note, Within: v.value <= m.Goal, InRange: v.value >= m.Range.Floor && v.value <= m.Range.Ceiling,
		})
	}
	for name := range found {
		return nil, fmt.Errorf("ranges.yaml has no measure %s", name)
	}
	return r, nil
}

func (r *result) outOfRange() bool {
	for _, row := range r.Rows {
		if !row.InRange {
			return true
		}
	}
	return false
}

func (r *result) within() (n int) {
	for _, row := range r.Rows {
		if row.Within {
			n++
		}
	}
	return n
}

func (r row) verdict() string {
	switch {
	case !r.InRange:
		return fmt.Sprintf("OUT OF RANGE (%g to %g)", r.Range.Floor, r.Range.Ceiling)
	case !r.Within:
		return "no"
	}
	return "yes"
}

func (r row) amount(v float64) string { return strings.TrimSpace(fmt.Sprintf("%.4g %s", v, r.Unit)) }

// print writes the table, or everything as JSON.
func (r *result) print(out io.Writer, format string) error {
	if format == "json" {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(r)
	}
	_, _ = fmt.Fprintf(out, "Machine: %s\nCommand: %s\n%s\n\n", r.Machine, r.Command, r.loadNote())
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "measure\tvalue\tgoal\twithin\thow")
	for _, row := range r.Rows {
		_, _ = fmt.Fprintf(w, "%s\t%s\t≤ %s\t%s\t%s\n", row.Title, row.amount(row.Value), row.amount(row.Goal), row.verdict(), row.Note)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\nperf: %d of %d within goal\n", r.within(), len(r.Rows))
	return err
}

func (r *result) loadNote() string {
	clean := "the machine was ours"
	if r.Foreign > tolerated {
		clean = "NOT CLEAN: the numbers say less than they seem to"
	}
	return fmt.Sprintf("Load average %s before and %s after; others used %.2f cores: %s", r.LoadBefore, r.LoadAfter, r.Foreign, clean)
}

// The block of a document that holds the table.
const (
	blockBegin = "<!-- perf:begin -->\n"
	blockEnd   = "<!-- perf:end -->"
)

// writeDocs puts the table into a document. Numbers of a machine that others used are not published.
func (r *result) writeDocs(path string) error {
	if r.Foreign > tolerated {
		return fmt.Errorf("%s was not written: others used %.2f cores; run again when the machine is yours", path, r.Foreign)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(text), blockBegin)
	_, after, ended := strings.Cut(rest, blockEnd)
	if !found || !ended {
		return fmt.Errorf("%s has no block between %q and %q", path, strings.TrimSpace(blockBegin), blockEnd)
	}
	return os.WriteFile(path, []byte(before+blockBegin+r.markdown()+blockEnd+after), 0o644) //nolint:gosec // a document
}

func (r *result) markdown() string {
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, "- Machine: %s\n- Command: `%s`\n- %s\n\n", r.Machine, r.Command, r.loadNote())
	b.WriteString("| measure | value | goal | within | how |\n|---|---:|---:|---|---|\n")
	for _, row := range r.Rows {
		_, _ = fmt.Fprintf(&b, "| %s | %s | ≤ %s | %s | %s |\n", row.Title, row.amount(row.Value), row.amount(row.Goal), row.verdict(), row.Note)
	}
	_, _ = fmt.Fprintf(&b, "\n```\nperf: %d of %d within goal\n```\n", r.within(), len(r.Rows))
	return b.String()
}

func cpuModel() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
