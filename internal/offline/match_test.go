package offline_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/oabridge/oabridge/internal/manifest"
	"github.com/oabridge/oabridge/internal/offline"
)

func sampleFiles(t *testing.T, names ...string) string {
	t.Helper()
	var all strings.Builder
	for _, name := range names {
		text, err := os.ReadFile("../../config/samples/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString("---\n" + string(text) + "\n")
	}
	return all.String()
}

// What people would get whom the operator matches: the files of the directories are enough. Who is bound by hand is not
// matched. // F7
func TestMatchedPeopleInFiles(t *testing.T) {
	files := sampleFiles(t, "connector", "accounts", "matching")
	objects, problems := manifest.Read([]string{manifest.Stdin}, strings.NewReader(files))
	set, findings, err := offline.Load(t.Context(), objects, problems)
	if err != nil || len(findings) > 0 || slices.ContainsFunc(set.Check(), func(f offline.Finding) bool { return !f.Warning }) {
		t.Fatal(err, findings, set.Check())
	}
	output, wrong := set.Compile(set.Connectors[0])
	if len(wrong) > 0 || output.Pairs != 22 { // 20 of accounts.yaml, one matched, one by hand
		t.Errorf("%d pairs, %v", output.Pairs, wrong)
	}
	without := strings.Replace(files, "name: oa-people\n  namespace", "name: elsewhere\n  namespace", 1)
	objects, problems = manifest.Read([]string{manifest.Stdin}, strings.NewReader(without))
	if set, _, err = offline.Load(t.Context(), objects, problems); err != nil {
		t.Fatal(err)
	}
	if output, _ := set.Compile(set.Connectors[0]); output.Pairs != 21 {
		t.Errorf("without the OA's directory: %d pairs", output.Pairs)
	}
}

// What cannot be read of a directory is a finding of the AccountBinding, at its line.
func TestDirectoriesInFiles(t *testing.T) {
	sample := sampleFiles(t, "matching")
	for name, c := range map[string]struct{ from, to, field, message string }{
		"bad row":   {"    fengtao,冯涛", "    feng tao,冯涛", "spec.match.oa.configMapKeyRefs", `configmap "oa-people", line 3: account holds white space`},
		"no column": {"account,name,mobile,email,code\n    1020", "account,name,mobile,mail,code\n    1020", "spec.match.crm.configMapKeyRefs", `configmap "crm-people", line 1: the header line must name the columns account, code, mobile and email`},
		"twice":     {"[EmployeeCode, Mobile, Email]", "[Mobile, Mobile]", "spec.match.by", "name each key once"},
	} {
		t.Run(name, func(t *testing.T) {
			found := check(t, strings.Replace(sample, c.from, c.to, 1))
			if len(found) != 1 || found[0].Field != c.field || !strings.Contains(found[0].Message, c.message) || found[0].Line == 0 {
				t.Errorf("got %+v", found)
			}
		})
	}
}
