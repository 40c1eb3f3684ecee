package capture

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/scenario"
)

// kept are the fields that say nothing about a person or a customer: the date, the enterprise, the kind of record.
var kept = []string{"F009", "F028", "F037"}

// Masks replace what tests must not tell about people and customers by the examples of the dictionary. One of them is for
// all tests of a run: the same value has the same stand-in, and two values never have one.
type Masks struct {
	standIns map[string]string // by field and value
	used     map[string]int    // by field
}

// NewMasks returns masks that have replaced nothing yet.
func NewMasks() *Masks { return &Masks{standIns: map[string]string{}, used: map[string]int{}} }

// of is the stand-in of a field's value.
func (m *Masks) of(field, value, example string) string {
	key := field + "=" + value
	if s, known := m.standIns[key]; known {
		return s
	}
	m.used[field]++
	s := example
	if n := m.used[field]; n > 1 {
		s = fmt.Sprintf("%s-%d", example, n)
	}
	m.standIns[key] = s
	return s
}

// hide returns the test with stand-ins. Its request is what the template makes of them: that the template makes the request
// that went out was looked at before.
func (m *Masks) hide(t Template, test v1alpha1.TemplateTest) (v1alpha1.TemplateTest, error) {
	real := test.Fields
	test.Fields = maps.Clone(real)
	replaced := map[string]string{}
	for _, p := range scenario.Dictionary() {
		if value := real[p.ID]; value != "" && !slices.Contains(kept, p.ID) {
			test.Fields[p.ID] = m.of(p.ID, value, p.Example)
			replaced[value] = test.Fields[p.ID]
		}
	}
	for name, value := range real {
		if strings.HasPrefix(name, scenario.CapturedPrefix) || strings.HasPrefix(name, scenario.LookupPrefix) {
			test.Fields[name] = m.of(name, value, "value-1")
			replaced[value] = test.Fields[name]
		}
	}
	made, problem := scenario.RunTest(t.Spec, v1alpha1.TemplateTest{Name: test.Name, Action: test.Action, Fields: test.Fields, Parameters: test.Parameters})
	if problem != nil {
		return test, t.masked(problem)
	}
	if batch := &test.Request.Batch; batch.Path != "" {
		body, err := made.Batch.Join([][]byte{made.Body})
		if err != nil {
			return test, err
		}
		batch.Body = readable(body)
	} else {
		test.Request.Path, test.Request.Body = made.Path, readable(made.Body)
	}
	test.Answer.Body = replace(test.Answer.Body, replaced)
	if _, problem := scenario.RunTest(t.Spec, test); problem != nil {
		return test, t.masked(problem)
	}
	return test, nil
}

func (t Template) masked(p *scenario.Problem) error {
	_, field, _ := strings.Cut(p.Field, "].")
	return fmt.Errorf("with stand-ins for what the item says, %s: %s; keep the real values", field, p.Message)
}

// shortest value that is looked for in an answer, in bytes: a shorter one may be anything.
const shortest = 4

// replace the values in an answer, the longest first.
func replace(text string, values map[string]string) string {
	for _, value := range slices.SortedFunc(maps.Keys(values), func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) }) {
		if len(value) >= shortest {
			text = strings.ReplaceAll(text, value, values[value])
		}
	}
	return text
}

// readable spreads JSON over lines.
func readable(body []byte) string {
	var out bytes.Buffer
	if json.Indent(&out, body, "", "  ") == nil {
		return out.String()
	}
	return string(body)
}
