package chart

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// The chart with its default values and config/default say the same, object by object. They differ in what each has to have:
// kustomize brings the namespace, helm its labels, its keep policy and its test.
func TestChartAndKustomizeSayTheSame(t *testing.T) {
	manifests, _ := render(t, nil)
	chart := byID(t, manifests)
	manifests, err := Kustomize(Root + "/config/default")
	if err != nil {
		t.Fatal(err)
	}
	kustomize := byID(t, manifests)
	delete(kustomize, "Namespace /"+Namespace)
	delete(chart, "Pod "+Namespace+"/oabridge-test-ready")
	if len(kustomize) < 10 {
		t.Fatalf("config/default has only %d objects", len(kustomize))
	}
	if diff := cmp.Diff(kustomize, chart); diff != "" {
		t.Errorf("config/default (-) and the chart (+) differ:\n%s", diff)
	}
}

// What a component adds to config/default, values add to the chart.
func TestComponentsAndValuesSayTheSame(t *testing.T) {
	enabled := map[string]any{"enabled": true}
	monitoring := map[string]any{"podMonitor": enabled, "prometheusRule": enabled}
	tested := map[string]bool{}
	for _, c := range []struct {
		components []string
		values     map[string]any
	}{
		{[]string{"namespace-selector"}, map[string]any{"namespaceSelector": "oabridge.dev/enabled=true"}},
		{[]string{"metrics-auth"}, map[string]any{"metrics": map[string]any{"auth": enabled}}},
		{[]string{"monitoring"}, monitoring},
		{[]string{"monitoring", "metrics-auth"}, map[string]any{
			"podMonitor":     map[string]any{"enabled": true, "tokenSecret": map[string]any{"name": "oabridge-metrics-reader"}},
			"prometheusRule": enabled, "metrics": map[string]any{"auth": enabled},
		}},
		{[]string{"dashboards"}, map[string]any{"dashboards": enabled}},
		{[]string{"high-availability"}, map[string]any{
			"replicaCount": 2, "podDisruptionBudget": enabled,
			"topologySpreadConstraints": []any{map[string]any{
				"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway",
			}},
		}},
		{[]string{"network-policy"}, map[string]any{"networkPolicy": enabled}},
		{[]string{"namespaced"}, map[string]any{"watchNamespaces": []any{"crm"}}},
		{[]string{"monitoring", "namespaced"}, map[string]any{
			"podMonitor": enabled, "prometheusRule": enabled, "watchNamespaces": []any{"crm"},
		}},
	} {
		t.Run(strings.Join(c.components, "+"), func(t *testing.T) {
			manifests, _ := render(t, c.values)
			chart := byID(t, manifests)
			kustomize := byID(t, withComponents(t, c.components))
			delete(kustomize, "Namespace /"+Namespace)
			delete(chart, "Pod "+Namespace+"/oabridge-test-ready")
			if diff := cmp.Diff(kustomize, chart); diff != "" {
				t.Errorf("config (-) and the chart (+) differ:\n%s", diff)
			}
		})
		for _, name := range c.components {
			tested[name] = true
		}
	}
	all, err := os.ReadDir(Root + "/config/components")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range all {
		if !tested[entry.Name()] {
			t.Errorf("config/components/%s is in no case", entry.Name())
		}
	}
}

// withComponents builds a kustomization that somebody writes beside config/default.
func withComponents(t *testing.T, names []string) string {
	t.Helper()
	dir := t.TempDir()
	root, err := filepath.Abs(Root)
	if err != nil {
		t.Fatal(err)
	}
	up, err := filepath.Rel(dir, root)
	if err != nil {
		t.Fatal(err)
	}
	text := "resources: [" + up + "/config/default]\ncomponents:\n"
	for _, name := range names {
		text += "- " + up + "/config/components/" + name + "\n"
	}
	if err := os.WriteFile(dir+"/kustomization.yaml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	manifests, err := Kustomize(dir)
	if err != nil {
		t.Fatal(err)
	}
	return manifests
}

// byID returns what the objects say, without what helm adds to each.
func byID(t *testing.T, manifests string) map[string]map[string]any {
	t.Helper()
	objects, err := Objects(manifests)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]map[string]any{}
	for _, o := range objects {
		if found[ID(o)] != nil {
			t.Errorf("%s is there twice", ID(o))
		}
		withoutHelm(o)
		found[ID(o)] = o.Object
	}
	return found
}

func withoutHelm(o *unstructured.Unstructured) {
	added := []string{"app.kubernetes.io/instance", "app.kubernetes.io/version", "app.kubernetes.io/managed-by", "helm.sh/chart"}
	for _, at := range [][]string{
		{"metadata", "labels"}, {"spec", "selector"}, {"spec", "selector", "matchLabels"}, {"spec", "podSelector", "matchLabels"}, {"spec", "template", "metadata", "labels"},
	} {
		for _, label := range added {
			unstructured.RemoveNestedField(o.Object, append(at, label)...)
		}
	}
	constraints, _, _ := unstructured.NestedSlice(o.Object, "spec", "template", "spec", "topologySpreadConstraints")
	for _, constraint := range constraints {
		if fields, ok := constraint.(map[string]any); ok {
			unstructured.RemoveNestedField(fields, "labelSelector", "matchLabels", "app.kubernetes.io/instance")
			_ = unstructured.SetNestedSlice(o.Object, constraints, "spec", "template", "spec", "topologySpreadConstraints")
		}
	}
	unstructured.RemoveNestedField(o.Object, "metadata", "annotations", "helm.sh/resource-policy")
	// On objects that have no other labels in config/.
	if o.GetKind() != "Deployment" && o.GetKind() != "Service" {
		unstructured.RemoveNestedField(o.Object, "metadata", "labels", "app.kubernetes.io/name")
	}
	if len(o.GetLabels()) == 0 {
		unstructured.RemoveNestedField(o.Object, "metadata", "labels")
	}
}

// The chart has the CRDs and rules that are generated into config/, and the dashboards that are written there.
func TestCopiesAreUpToDate(t *testing.T) {
	sources, err := filepath.Glob(Root + "/config/crd/bases/*.yaml")
	if err != nil || len(sources) == 0 {
		t.Fatal("no CRDs: ", err)
	}
	copies := map[string]string{Root + "/config/rbac/role.yaml": chartDir + "/files/role.yaml"}
	for _, name := range []string{"connector.json", "fleet.json"} {
		copies[Root+"/config/components/dashboards/"+name] = chartDir + "/files/dashboards/" + name
	}
	for _, path := range sources {
		copies[path] = filepath.Join(chartDir, "files", "crds", filepath.Base(path))
	}
	for from, to := range copies {
		want, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(to); err != nil || !bytes.Equal(want, got) {
			t.Errorf("%s is not a copy of %s: run `make generate` (%v)", to, from, err)
		}
	}
	if copied, err := filepath.Glob(chartDir + "/files/crds/*"); err != nil || len(copied) != len(sources) {
		t.Errorf("%d CRDs in the chart, %d in config: %v", len(copied), len(sources), err)
	}
}

// CRDs outlive the release, unless people say otherwise, and may be left to somebody else.
func TestKeepingCRDs(t *testing.T) {
	for _, c := range []struct {
		values     map[string]any
		crds, kept int
	}{
		{nil, 4, 4},
		{map[string]any{"crds": map[string]any{"keep": false}}, 4, 0},
		{map[string]any{"crds": map[string]any{"install": false}}, 0, 0},
	} {
		manifests, _ := render(t, c.values)
		objects, err := Objects(manifests)
		if err != nil {
			t.Fatal(err)
		}
		crds, kept := 0, 0
		for _, o := range objects {
			if o.GetKind() == "CustomResourceDefinition" {
				crds++
			}
			if o.GetAnnotations()["helm.sh/resource-policy"] == "keep" {
				kept++
			}
		}
		if crds != c.crds || kept != c.kept {
			t.Errorf("%v: %d CRDs, %d of them kept", c.values, crds, kept)
		}
	}
}
