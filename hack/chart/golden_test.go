package chart

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write the golden files")

const chartDir = Root + "/charts/oabridge"

// valueSets are the files below charts/oabridge/ci by name.
func valueSets(t *testing.T) map[string]map[string]any {
	t.Helper()
	paths, err := filepath.Glob(chartDir + "/ci/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatal("no value sets: ", err)
	}
	sets := map[string]map[string]any{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		values := map[string]any{}
		if err := yaml.UnmarshalStrict(data, &values); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		sets[strings.TrimSuffix(filepath.Base(path), ".yaml")] = values
	}
	return sets
}

func render(t *testing.T, values map[string]any) (manifests, notes string) {
	t.Helper()
	manifests, notes, err := Render(chartDir, values)
	if err != nil {
		t.Fatal(err)
	}
	return manifests, notes
}

// What the chart renders of each value set changes only with a change that people see: the golden file. CRDs, the rules of the
// manager and dashboards are as their own files say, and are left out of it.
func TestGolden(t *testing.T) {
	_, rules, found := strings.Cut(read(t, "config/rbac/role.yaml"), "\nrules:\n")
	if !found {
		t.Fatal("config/rbac/role.yaml has no rules")
	}
	for name, values := range valueSets(t) {
		t.Run(name, func(t *testing.T) {
			manifests, notes := render(t, values)
			var text strings.Builder
			manifests = strings.ReplaceAll(manifests, "\nrules:\n"+strings.TrimSpace(rules), "\nrules: [] # of files/role.yaml")
			for _, document := range strings.Split(manifests, "\n---\n") {
				if strings.Contains(document, "\nkind: CustomResourceDefinition\n") || strings.Contains(document, "-dashboard-") {
					continue
				}
				text.WriteString("---\n" + strings.TrimSpace(strings.TrimPrefix(document, "---\n")) + "\n")
			}
			got := text.String() + "--- NOTES.txt\n" + notes + "\n"
			path := filepath.Join("testdata", name+".golden.yaml")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s (go test ./... -update writes it):\n%s", path, diff)
			}
		})
	}
}

// With a list of namespaces the manager has Roles there and in its own, and no rule for the whole cluster.
func TestNamespacedModeHasNoClusterRoleForTheManager(t *testing.T) {
	manifests, _ := render(t, map[string]any{"watchNamespaces": []any{"crm", "crm-test"}})
	objects, err := Objects(manifests)
	if err != nil {
		t.Fatal(err)
	}
	roles := map[string]bool{}
	for _, o := range objects {
		switch o.GetKind() {
		case "ClusterRoleBinding":
			t.Errorf("%s binds the manager in the whole cluster", ID(o))
		case "Role", "RoleBinding":
			roles[ID(o)] = true
		}
	}
	for _, ns := range []string{"crm", "crm-test", Namespace} {
		for _, kind := range []string{"Role", "RoleBinding"} {
			if id := kind + " " + ns + "/oabridge-manager"; !roles[id] {
				t.Errorf("%s is missing in %v", id, roles)
			}
		}
	}
}

// A digest wins over a tag, and the workloads run what the manager runs.
func TestImage(t *testing.T) {
	digest := "sha256:" + strings.Repeat("ab", 32)
	for _, c := range []struct {
		image map[string]any
		want  string
	}{
		{map[string]any{"repository": "registry.example/oabridge", "tag": "v1.2.3"}, "registry.example/oabridge:v1.2.3"},
		{map[string]any{"repository": "registry.example/oabridge", "tag": "v1.2.3", "digest": digest}, "registry.example/oabridge@" + digest},
	} {
		manifests, _ := render(t, map[string]any{"image": c.image})
		for _, line := range []string{"image: " + c.want, "value: " + c.want} {
			if !strings.Contains(manifests, line+"\n") {
				t.Errorf("%v renders no line %q", c.image, line)
			}
		}
	}
}

// The schema names what is wrong before anything reaches a cluster.
func TestValuesThatAreRefused(t *testing.T) {
	for _, c := range []struct{ values, says string }{
		{"replicas: 2", "replicas"},
		{"image: {repository: x, digest: md5:1}", "/image/digest"},
		{"watchNamespaces: crm", "/watchNamespaces"},
		{"watchNamespaces: [Bad_Name]", "/watchNamespaces/0"},
		{"{watchNamespaces: [crm], namespaceSelector: a=b}", "exclude each other"},
		{"controllerClass: East_1", "/controllerClass"},
		{"backoff: {base: fast}", "/backoff/base"},
		{"kubeAPI: {qps: -1}", "/kubeAPI/qps"},
		{"logLevel: loud", "/logLevel"},
		{"prometheusRule: {disabled: [NoSuchAlert]}", "/prometheusRule/disabled/0"},
		{"maxConcurrentReconciles: 0", "/maxConcurrentReconciles"},
		{"extraArgs: [leader-elect]", "/extraArgs/0"},
	} {
		var values map[string]any
		if err := yaml.Unmarshal([]byte(c.values), &values); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Render(chartDir, values); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want an error that names %s", c.values, err, c.says)
		}
	}
}
