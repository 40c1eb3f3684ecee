package offline_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/oabridge/oabridge/internal/manifest"
	"github.com/oabridge/oabridge/internal/offline"
)

func check(t testing.TB, text string) []offline.Finding {
	t.Helper()
	objects, problems := manifest.Read([]string{manifest.Stdin}, strings.NewReader(text))
	set, findings, err := offline.Load(t.Context(), objects, problems)
	if err != nil {
		t.Fatal(err)
	}
	set.RunTests()
	return append(findings, set.Check()...)
}

// problems are the findings that are more than a warning.
func problems(t testing.TB, text string) []offline.Finding {
	t.Helper()
	return slices.DeleteFunc(check(t, text), func(f offline.Finding) bool { return f.Warning })
}

// An OA without TLS is allowed: a warning says so, and it is no finding that fails. // F17
func TestPlainHTTPIsAWarning(t *testing.T) {
	sample, err := os.ReadFile("../../config/samples/connector.yaml")
	if err != nil {
		t.Fatal(err)
	}
	found := check(t, string(sample))
	if len(found) != 1 || !found[0].Warning || found[0].Reason != "PlainHTTP" || found[0].Field != "spec.endpoint.url" || found[0].Line == 0 ||
		offline.Problems(found) != 0 {
		t.Errorf("got %+v", found)
	}
	encrypted := strings.Replace(string(sample), "url: http://seeyon.oasim.svc:8080", "url: https://seeyon.oasim.svc", 1)
	if found := check(t, encrypted); len(found) != 0 {
		t.Errorf("https: %+v", found)
	}
	required := strings.Replace(string(sample), "url: http://seeyon.oasim.svc:8080", "url: http://seeyon.oasim.svc:8080\n    tls: Required", 1)
	if found := check(t, required); len(found) != 1 || found[0].Warning || !strings.Contains(found[0].Message, "tls is Required") {
		t.Errorf("required: %+v", found)
	}
}

// A file gets the same answer as from the API server: unknown fields, patterns, lists with keys, rules, and its defaults.
func TestTheSchemaIsThatOfTheAPIServer(t *testing.T) {
	sample, err := os.ReadFile("../../config/samples/connector.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if found := problems(t, string(sample)); len(found) > 0 {
		t.Fatalf("the sample: %v", found)
	}
	for name, c := range map[string]struct{ from, to, field, message string }{
		"unknown field":  {"unbound: Hold", "unbnd: Hold", "spec.accounts.unbnd", "unknown field"},
		"enum":           {"unbound: Hold", "unbound: Keep", "spec.accounts.unbound", `Unsupported value: "Keep"`},
		"wrong type":     {"maxAge: 24h", "maxAge: [1]", "spec.delivery.maxAge", "must be"},
		"pattern":        {`enterpriseID: "714439"`, `enterpriseID: "a b"`, "spec.enterpriseID", "should match"},
		"required":       {`  enterpriseID: "714439"`, "", "spec.enterpriseID", ""},
		"rule":           {"maxAge: 24h", "maxAge: 8760h", "spec.delivery.maxAge", "must be between"},
		"rule of a spec": {"seeyon: {registerCode: \"3004\"}", "", "spec", "type Seeyon needs the block spec.seeyon"},
		"list with keys": {"unbound: Hold", "unbound: Hold\n  headers: [{name: X, value: a}, {name: X, value: b}]", "spec.headers[1]", "Duplicate"},
		"name":           {"name: hq\n", "name: HQ\n", "metadata.name", "lowercase"},
		"no name":        {"name: hq\n", "labels: {a: b}\n", "metadata.name", "name the object"},
		"compiled":       {"name: seeyon-todo", "name: seeyon-tdo", "spec.scenarios[0].templateRef", "there is no ScenarioTemplate seeyon-tdo"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(string(sample), c.from, c.to, 1)
			if text == string(sample) {
				t.Fatal("the sample has changed")
			}
			found := problems(t, text)
			if len(found) == 0 || found[0].Field != c.field || !strings.Contains(found[0].Message, c.message) || found[0].Line == 0 {
				t.Errorf("got %+v", found)
			}
		})
	}
}

// What two connectors of a namespace exclude each other from is found in files too. // F58
func TestTwoConnectorsForOneDataCenter(t *testing.T) {
	sample, err := os.ReadFile("../../config/samples/connector.yaml")
	if err != nil {
		t.Fatal(err)
	}
	first := strings.Replace(string(sample), "spec:", "spec:\n  dataCenterID: dc-1", 1)
	second := strings.Replace(first, "name: hq\n", "name: again\n", 1)
	found := problems(t, first+"\n---\n"+second)
	if len(found) != 1 || found[0].Reason != "DataCenterTaken" || found[0].Field != "spec.dataCenterID" ||
		!strings.Contains(found[0].Message, `"hq"`) || !strings.Contains(found[0].Object, "again") {
		t.Errorf("got %+v", found)
	}
	if found := problems(t, first+"\n---\n"+strings.Replace(second, "namespace: crm", "namespace: trial", 1)); len(found) != 0 {
		t.Errorf("in another namespace: %+v", found)
	}
}

// Where pods run is checked in files as in the cluster: an affinity that is none, and what takes pods out of "restricted".
func TestPodTemplatesInFiles(t *testing.T) {
	sample, err := os.ReadFile("../../config/samples/connector-placed.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if found := check(t, string(sample)); len(found) > 0 {
		t.Fatalf("the sample: %v", found)
	}
	const at = "        nodeSelector: {pool: office}"
	for name, c := range map[string]struct{ add, field, message string }{
		"no affinity": {"\n        affinity: {nodeAfinity: {}}", "spec.dispatcher.podTemplate.spec.affinity", "is no affinity of a Pod"},
		"an affinity": {"\n        affinity: {podAntiAffinity: {}}", "", ""},
		"a variable":  {"\n        env: [{name: POD_NAME}]", "spec.dispatcher.podTemplate.spec.env", ""},
	} {
		text := strings.Replace(string(sample), at, at+c.add, 1)
		if name == "a variable" {
			text = strings.Replace(text, "\n        env: [{name: TZ, value: Asia/Shanghai}]", "", 1)
		}
		if text == string(sample) {
			t.Fatal("the sample has changed")
		}
		found := check(t, text)
		if (len(found) == 0) != (c.field == "") || len(found) > 0 && (!strings.HasPrefix(found[0].Field, c.field) || !strings.Contains(found[0].Message, c.message) || found[0].Line == 0) {
			t.Errorf("%s: got %+v", name, found)
		}
	}
	unconfined := strings.Replace(string(sample), "labels: {cost-centre: \"4711\"}", "annotations: {container.apparmor.security.beta.kubernetes.io/oabridge: unconfined}", 1)
	if found := check(t, unconfined); len(found) != 1 || found[0].Reason != "PodTemplateInvalid" || found[0].Field != "spec.dispatcher.podTemplate" {
		t.Errorf("got %+v", found)
	}
}

// The presets that ship pass the schema too, not only their own tests.
func TestPresetsHaveNoFindings(t *testing.T) {
	files, err := filepath.Glob("../../config/presets/*-*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("presets: %v %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if found := check(t, string(text)); len(found) > 0 {
			t.Errorf("%s: %v", file, found)
		}
	}
}

// Whatever files hold, checking them ends without a panic.
func FuzzCheck(f *testing.F) {
	for _, pattern := range []string{"../../config/samples/*.yaml", "../../config/presets/*.yaml", "../../cmd/oabridge/testdata/*/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(text))
		}
	}
	f.Add("apiVersion: oabridge.dev/v1alpha1\nkind: OAConnector\nspec: {accounts: {selector: {matchExpressions: [{operator: In}]}}}")
	f.Fuzz(func(t *testing.T, text string) { check(t, text) })
}
