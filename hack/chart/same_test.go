package chart

import (
	"bytes"
	"os"
	"path/filepath"
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
		{"metadata", "labels"}, {"spec", "selector"}, {"spec", "selector", "matchLabels"}, {"spec", "template", "metadata", "labels"},
	} {
		for _, label := range added {
			unstructured.RemoveNestedField(o.Object, append(at, label)...)
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

// The chart has the CRDs and rules that are generated into config/.
func TestCopiesAreUpToDate(t *testing.T) {
	sources, err := filepath.Glob(Root + "/config/crd/bases/*.yaml")
	if err != nil || len(sources) == 0 {
		t.Fatal("no CRDs: ", err)
	}
	copies := map[string]string{Root + "/config/rbac/role.yaml": chartDir + "/files/role.yaml"}
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
