package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/match"
)

// objects of a file with several.
func objectsOf(t *testing.T, path string) (found []client.Object) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, document := range strings.Split(string(data), "\n---\n") {
		o := client.Object(new(v1alpha1.AccountBinding))
		if strings.Contains(document, "kind: ConfigMap") {
			o = new(corev1.ConfigMap)
		}
		if err := yaml.UnmarshalStrict([]byte(document), o); err != nil {
			t.Fatal(err)
		}
		found = append(found, o)
	}
	return found
}

// People who are not matched are listed with what is wrong in the directories; what was matched is exported, and import
// neither changes it nor adds to it. // F7 F160
func TestMatchedBindings(t *testing.T) {
	objects := objectsOf(t, filepath.Join("..", "..", "config", "samples", "matching.yaml"))
	objects[0].(*corev1.ConfigMap).Data["people.csv"] += "\n1022,孙悦,,,\n,无名,13800001023,,\n1024,郑爽,13800001024,,7024\n"
	objects[1].(*corev1.ConfigMap).Data["people.csv"] += "\nwangfang,王芳,13800001024,,\n"
	rule := &objects[2].(*v1alpha1.AccountBinding).Spec.Match
	rule.CRM.ConfigMapKeyRefs[0].Key, rule.OA.ConfigMapKeyRefs[0].Key = "people.csv", "people.csv" // as the API server would
	w := staffed(t, objects[:3]...)
	golden(t, "conflicts-matching", w.run("bindings", "conflicts", "hq"))
	if a := w.run("bindings", "export"); strings.Contains(a.out, "zhengshuang") {
		t.Errorf("nobody was matched yet: %+v", a)
	}
	file, err := match.EncodeMemory([]v1alpha1.AccountPair{{CRM: "1020", OA: "zhengshuang"}})
	if err != nil {
		t.Fatal(err)
	}
	memory := &corev1.ConfigMap{BinaryData: map[string][]byte{match.MemoryKey: file}}
	memory.Namespace, memory.Name = "crm", "hq-matched-matched"
	if err := w.access.Create(t.Context(), memory); err != nil {
		t.Fatal(err)
	}
	if a := w.run("bindings", "export"); a.code != 0 || !strings.Contains(a.out, "1020,zhengshuang\n") {
		t.Errorf("%+v", a)
	}
	if a := w.run("bindings", "import", "newcomers", "-f", "testdata/staff.csv", "--dry-run"); !strings.Contains(a.out, "2 there before") {
		t.Errorf("%+v", a)
	}
	if a := w.run("bindings", "import", "hq-matched", "-f", "testdata/staff.csv"); a.code != exitUsage || !strings.Contains(a.errors, `AccountBinding "hq-matched" makes its pairs by spec.match`) {
		t.Errorf("%+v", a)
	}
	memory.BinaryData[match.MemoryKey] = []byte("nonsense")
	if err := w.access.Update(t.Context(), memory); err != nil {
		t.Fatal(err)
	}
	if a := w.run("bindings", "export"); a.code != exitOther || !strings.Contains(a.errors, "the operator repairs it") {
		t.Errorf("%+v", a)
	}
}

// withCompanies is a world with a connector of WeCom that has one more company, and people of companies that it has no more:
// in a binding, in a file, and among those who were matched.
func withCompanies(t *testing.T) *world {
	c := connector("wecom")
	c.Spec.Type, c.Spec.Accounts.Selector.MatchLabels = v1alpha1.TypeWeCom, map[string]string{"oa": "wecom"}
	c.Spec.SSO.Companies = []v1alpha1.CompanySSO{{Name: "bb", Title: "乙公司"}}
	set := func(name string) *v1alpha1.AccountBinding {
		b := &v1alpha1.AccountBinding{}
		b.Namespace, b.Name, b.Labels = "crm", name, map[string]string{"oa": "wecom"}
		return b
	}
	file, byHand, matched := set("file"), set("staff"), set("auto")
	file.Spec.AccountsFrom.ConfigMapKeyRef = v1alpha1.ConfigMapKeyReference{Name: "file", Key: "accounts.csv"}
	byHand.Spec.Accounts = []v1alpha1.AccountPair{{CRM: "1000", OA: "zhangsan"}, {CRM: "1001", OA: "aa/lisi"}, {CRM: "1002", OA: "aa/wangwu"}, {CRM: "1003", OA: "bb/wangwu"}}
	matched.Spec.Match.By = []v1alpha1.MatchKey{v1alpha1.MatchMobile}
	pairs, err := match.EncodeMemory([]v1alpha1.AccountPair{{CRM: "1008", OA: "qian"}, {CRM: "1009", OA: "aa/sunqi"}})
	if err != nil {
		t.Fatal(err)
	}
	accounts := &corev1.ConfigMap{Data: map[string]string{"accounts.csv": "name,crm,oa\n\"赵, 六\",1004,aa/zhaoliu\n 孙七 , 1005 , sunqi\n"}}
	accounts.Namespace, accounts.Name, accounts.Labels = "crm", "file", map[string]string{v1alpha1.LabelAccounts: "true"}
	memory := &corev1.ConfigMap{BinaryData: map[string][]byte{match.MemoryKey: pairs}}
	memory.Namespace, memory.Name = "crm", "auto-matched"
	return newWorld(t, c, file, byHand, matched, accounts, memory)
}

// A company is renamed in every pair that names it, wherever it stands; an account that is somebody else's stays. Without
// --apply nothing is written. // F190
func TestRebind(t *testing.T) {
	w := withCompanies(t)
	texts := func() string {
		var staff v1alpha1.AccountBinding
		var file, memory corev1.ConfigMap
		for name, o := range map[string]client.Object{"staff": &staff, "file": &file, "auto-matched": &memory} {
			if err := w.access.Get(t.Context(), client.ObjectKey{Namespace: "crm", Name: name}, o); err != nil {
				t.Fatal(err)
			}
		}
		pairs, err := match.DecodeMemory(memory.BinaryData[match.MemoryKey])
		return fmt.Sprint(staff.Spec.Accounts, file.Data["accounts.csv"], pairs, err)
	}
	before := texts()
	golden(t, "rebind", w.run("bindings", "rebind", "wecom", "--from", "aa", "--to", "bb"))
	if now := texts(); now != before {
		t.Errorf("written without --apply: %s", now)
	}
	golden(t, "rebind-apply", w.run("bindings", "rebind", "wecom", "--from", "aa", "--to", "bb", "--apply"))
	want := "[{1000 zhangsan} {1001 bb/lisi} {1002 aa/wangwu} {1003 bb/wangwu}]" +
		"name,crm,oa\n\"赵, 六\",1004,bb/zhaoliu\n 孙七 , 1005 , sunqi\n[{1008 qian} {1009 bb/sunqi}] <nil>"
	if now := texts(); now != want {
		t.Errorf("%s\nwant %s", now, want)
	}
	// Into the connector's own company, and out of it.
	if a := w.run("bindings", "rebind", "wecom", "--from", "aa", "--to", "wecom", "--apply", "-o", "json"); a.code != 0 || !strings.Contains(a.out, `"becomes": "wangwu"`) {
		t.Errorf("%+v", a)
	}
	if a := w.run("bindings", "rebind", "wecom", "--from", "wecom", "--to", "bb"); a.code != exitOther || !strings.Contains(a.out, "bb/zhangsan") || !strings.Contains(a.errors, "2 accounts stay as they are") {
		t.Errorf("%+v", a)
	}
	for args, want := range map[string]answer{
		"bindings rebind wecom --from aa --to bb":   {code: exitNone, errors: `no account of connector "wecom" names the company "aa"`},
		"bindings rebind wecom --from= --to bb":     {code: exitNone, errors: `names the company ""`},
		"bindings rebind wecom --to bb":             {code: exitUsage, errors: "which companies?"},
		"bindings rebind wecom --from aa --to 乙公司":  {code: exitUsage, errors: `connector "wecom" has the companies wecom, bb; add it to spec.sso.companies first`},
		"bindings rebind hq --from aa --to bb":      {code: exitUsage, errors: "only accounts of WeCom name a company"},
		"bindings rebind nowhere --from aa --to bb": {code: exitNone, errors: "nowhere"},
	} {
		if a := w.run(strings.Fields(args)...); a.code != want.code || !strings.Contains(a.errors, want.errors) {
			t.Errorf("%s: %+v", args, a)
		}
	}
}

// What WeCom cannot mean is imported and warned of, each line by its number. // F186 F187 F188
func TestImportWarnsOfWeComAccounts(t *testing.T) {
	w := withCompanies(t)
	const file = "testdata/members.csv"
	golden(t, "import-wecom", w.run("bindings", "import", "newcomers", "-f", file, "--connector", "wecom", "--dry-run"))
	if a := w.run("bindings", "import", "newcomers", "-f", file, "--connector", "wecom", "-o", "json"); a.code != 0 || strings.Count(a.out, `"cause"`) != 4 || !strings.Contains(a.out, `"added": 5`) {
		t.Errorf("%+v", a)
	}
}
