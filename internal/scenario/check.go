package scenario

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/utils/lru"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// Check is what CheckTemplate found out.
type Check struct {
	// Revision is a short hash of the spec.
	Revision string
	// Passed and Total count the template's own tests.
	Passed, Total int
	// Problems; a template with any of them is not used.
	Problems []Problem
}

// revisionLength is how many hexadecimal digits of the SHA-256 make a revision.
const revisionLength = 12

// Revision returns the short hash of a template's spec. Defaults count as if they were written out, so that a file and
// the object that the API server made of it have the same revision.
func Revision(spec v1alpha1.ScenarioTemplateSpec) string {
	return revision(contentOf(withDefaults(spec)))
}

func revision(content [sha256.Size]byte) string {
	return hex.EncodeToString(content[:])[:revisionLength]
}

// contentOf a spec with its defaults.
func contentOf(spec *v1alpha1.ScenarioTemplateSpec) [sha256.Size]byte {
	canonical, err := json.Marshal(spec)
	if err != nil {
		panic("scenario: a template spec is always JSON: " + err.Error())
	}
	return sha256.Sum256(canonical)
}

func withDefaults(spec v1alpha1.ScenarioTemplateSpec) *v1alpha1.ScenarioTemplateSpec {
	s := spec.DeepCopy()
	s.TimeZone = orDefault(s.TimeZone, DefaultTimeZone)
	s.DateFormat = orDefault(s.DateFormat, DefaultDateFormat)
	if s.Protocol == v1alpha1.ProtocolREST {
		s.Protocol = ""
	}
	for _, c := range []*v1alpha1.Call{&s.Actions.Create, &s.Actions.Update, &s.Actions.Complete, &s.Actions.Delete} {
		if c.Path != "" {
			c.Method = orDefault(c.Method, DefaultMethod)
		}
		if c.Lookup.Path != "" {
			c.Lookup.Method = orDefault(c.Lookup.Method, DefaultReadMethod)
		}
		if c.ReadBack.Path != "" {
			c.ReadBack.Method = orDefault(c.ReadBack.Method, DefaultReadMethod)
		}
	}
	for i := range s.Tests {
		t := &s.Tests[i]
		t.Action = orDefault(t.Action, string(Create))
		if t.Answer.Outcome != "" && t.Answer.Status == 0 {
			t.Answer.Status = 200
		}
		if t.ReadBack.State != "" && t.ReadBack.Status == 0 {
			t.ReadBack.Status = 200
		}
	}
	return s
}

// maxChecked bounds how many results are remembered: some templates serve very many connectors, and each of these asks.
const maxChecked = 256

// checked has the results by content.
var checked = lru.New(maxChecked)

// CheckTemplate parses a template and runs its tests. Fields of problems start with "spec.". What it returns is shared and must
// not be changed.
func CheckTemplate(spec v1alpha1.ScenarioTemplateSpec) Check {
	spec = *withDefaults(spec)
	content := contentOf(&spec)
	if known, ok := checked.Get(content); ok {
		return known.(Check) //nolint:forcetypeassert // nothing else is put there
	}
	check := checkTemplate(spec, revision(content))
	checked.Add(content, check)
	return check
}

func checkTemplate(spec v1alpha1.ScenarioTemplateSpec, revision string) Check {
	check := Check{Revision: revision, Total: len(spec.Tests)}
	check.Problems = append(checkParameters(spec.Parameters), checkCalls(spec)...)
	if len(check.Problems) > 0 {
		return check
	}
	for _, t := range spec.Tests {
		if _, problem := runTest(spec, t); problem != nil {
			check.Problems = append(check.Problems, *problem)
			continue
		}
		check.Passed++
	}
	return check
}

// RunTest runs one test of a template. It returns the request that the test makes, which is zero when there is none, and
// what is wrong; the field starts with "spec.".
func RunTest(spec v1alpha1.ScenarioTemplateSpec, t v1alpha1.TemplateTest) (Request, *Problem) {
	spec.Tests = []v1alpha1.TemplateTest{t}
	spec = *withDefaults(spec)
	return runTest(spec, spec.Tests[0])
}

func runTest(spec v1alpha1.ScenarioTemplateSpec, t v1alpha1.TemplateTest) (Request, *Problem) {
	fail := func(field, message string) *Problem {
		if message == "" {
			return nil
		}
		return &Problem{reasonTests, strings.TrimSuffix("spec.tests["+t.Name+"]."+field, "."), message}
	}
	s, field, message := testScenario(spec, t)
	if message != "" {
		return Request{}, fail(field, message)
	}
	req, err := s.Render(Action(t.Action), t.Fields)
	if err != nil {
		return Request{}, fail("action", err.Error())
	}
	return req, fail(compareTest(t, s, req))
}

func checkParameters(declared []v1alpha1.Parameter) []Problem {
	var problems []Problem
	for _, p := range declared {
		field := "spec.parameters[" + p.Name + "]"
		if message := mismatch(v1alpha1.Parameter{Pattern: p.Pattern}, ""); strings.Contains(message, "(RE2)") {
			problems = append(problems, Problem{reasonTemplate, field + ".pattern", message})
		} else if p.Default != nil {
			if message := mismatch(p, *p.Default); message != "" {
				problems = append(problems, Problem{reasonTemplate, field + ".default", message})
			}
		}
	}
	return problems
}

// sampleConnector are the connector's values in tests that do not set them.
var sampleConnector = map[string]string{
	ConnectorEnterpriseID: "714439",
	ConnectorDataCenterID: "dc-1",
	ConnectorRegisterCode: "3004",
	ConnectorSysCode:      "fxiaoke",
	ConnectorAppName:      "CRM",
	ConnectorAppID:        "500723908",
	ConnectorClientID:     "20260101000000000000",
	ConnectorCorpID:       "ww0123456789abcdef",
	ConnectorAppKey:       "dingabc",
	ConnectorAgentID:      "1000002",
	ConnectorApprovalCode: "E78F1022-A166-447C-8320-E151DA90D70F",
	ConnectorSSOURL:       "https://sso.crm.example",
}

// checkCalls parses the calls with stand-ins for the parameters.
func checkCalls(spec v1alpha1.ScenarioTemplateSpec) []Problem {
	values := map[string]string{}
	for _, p := range spec.Parameters {
		values[p.Name] = "x"
		if p.Default != nil && *p.Default != "" {
			values[p.Name] = *p.Default
		}
	}
	for name, v := range sampleConnector {
		values[connectorPrefix+name] = v
	}
	d, problems := fill(spec, "", values, "")
	if len(problems) == 0 {
		_, err := New(d)
		var invalid *InvalidError
		if errors.As(err, &invalid) {
			problems = invalid.Problems
		}
	}
	for i := range problems {
		problems[i].Field = "spec." + problems[i].Field
	}
	return problems
}

// testScenario makes the scenario of a test, or says where that fails and why.
func testScenario(spec v1alpha1.ScenarioTemplateSpec, t v1alpha1.TemplateTest) (s *Scenario, field, message string) {
	for _, id := range slices.Sorted(maps.Keys(t.Fields)) {
		if isLive(id) && unknownLive(id) == "" {
			continue
		}
		if !known[id] {
			return nil, "fields." + id, unknownPlaceholder(id)
		}
	}
	params, connector := map[string]string{}, maps.Clone(sampleConnector)
	for _, name := range slices.Sorted(maps.Keys(t.Parameters)) {
		own, isConnector := strings.CutPrefix(name, connectorPrefix)
		if !isConnector {
			params[name] = t.Parameters[name]
		} else if _, ok := connector[own]; ok {
			connector[own] = t.Parameters[name]
		} else {
			return nil, "parameters." + name, "a connector has no such value" + didYouMean(own, slices.Sorted(maps.Keys(connector)))
		}
	}
	d, problems := Instantiate(spec, params, connector, "")
	if len(problems) > 0 {
		return nil, problems[0].Field, problems[0].Message
	}
	s, err := New(d)
	if err != nil {
		return nil, "", err.Error()
	}
	return s, "", ""
}

// compareTest returns where a test fails and why; nothing when it passes.
func compareTest(t v1alpha1.TemplateTest, s *Scenario, req Request) (field, message string) {
	d := s.definition
	if want := t.Request.LookupPath; want != "" {
		if req.Lookup == nil {
			return "request.lookupPath", "the action asks for nothing with these fields; take the lookup's values out of fields"
		}
		if want != req.Path {
			return "request.lookupPath", fmt.Sprintf("want %s, got %s", want, req.Path)
		}
	} else if req.Lookup != nil {
		return "fields", "the action has a lookup; give the values that it finds (lookup.NAME), or its path in request.lookupPath"
	}
	if field, message = compareRequest(d.Protocol, t.Request, req); message != "" {
		return "request." + field, message
	}
	if field, message = compareBatch(t.Request.Batch, req); message != "" {
		return "request.batch" + field, message
	}
	if field, message = runReadBack(t, s); message != "" {
		return "readBack" + field, message
	}
	if want := t.Answer.Outcome; want != "" {
		got, why := Classify(int(t.Answer.Status), []byte(t.Answer.Body), d.Result)
		if got = orDefault(got, Delivered); got != want {
			return "answer.outcome", strings.TrimSuffix(fmt.Sprintf("want %s, got %s: %s", want, got, why), ": ")
		}
	}
	return "", ""
}

// compareBatch compares the call that takes several items, made for this item alone.
func compareBatch(want v1alpha1.TestBatch, got Request) (field, message string) {
	if want == (v1alpha1.TestBatch{}) {
		return "", ""
	}
	if got.Batch == nil {
		return "", "the action has no batch"
	}
	if want.Path != got.Batch.Path {
		return ".path", fmt.Sprintf("want %s, got %s", want.Path, got.Batch.Path)
	}
	if want.Body == "" {
		return "", ""
	}
	body, err := got.Batch.Join([][]byte{got.Body})
	if err != nil {
		return ".body", err.Error()
	}
	field, message = compareJSON([]byte(want.Body), body)
	return "." + field, message
}

func runReadBack(t v1alpha1.TemplateTest, s *Scenario) (field, message string) {
	want := t.ReadBack
	if want == (v1alpha1.TestReadBack{}) {
		return "", ""
	}
	req, result, err := s.ReadBack(Action(t.Action), t.Fields)
	if err != nil {
		return "", err.Error()
	}
	if want.Path != "" && want.Path != req.Path {
		return ".path", fmt.Sprintf("want %s, got %s", want.Path, req.Path)
	}
	if want.State == "" {
		return "", ""
	}
	if got, _, why := ClassifyReadBack(int(want.Status), []byte(want.Body), result); string(got) != want.State {
		return ".state", strings.TrimSuffix(fmt.Sprintf("want %s, got %s: %s", want.State, got, why), ": ")
	}
	return "", ""
}

func compareRequest(protocol string, want v1alpha1.TestRequest, got Request) (field, message string) {
	if want.Method != "" && want.Method != got.Method {
		return "method", fmt.Sprintf("want %s, got %s", want.Method, got.Method)
	}
	if want.Path != "" && want.Path != got.Path {
		return "path", fmt.Sprintf("want %s, got %s", want.Path, got.Path)
	}
	if want.Body == "" {
		return "", ""
	}
	return compareBody(protocol, []byte(want.Body), got.Body)
}
