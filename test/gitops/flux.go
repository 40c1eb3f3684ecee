package gitops

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/cel-go/cel"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// Flux holds the health expressions by kind.
type Flux map[string]fluxHealth

// fluxHealth is one entry of spec.healthCheckExprs of a Flux Kustomization.
type fluxHealth struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	InProgress string `json:"inProgress"`
	Failed     string `json:"failed"`
	Current    string `json:"current"`
}

// ReadFlux reads config/flux/connectors.yaml below the root of the repository.
func ReadFlux(root string) (Flux, error) {
	data, err := os.ReadFile(filepath.Join(root, "config", "flux", "connectors.yaml"))
	if err != nil {
		return nil, err
	}
	var kustomization struct {
		Spec struct {
			HealthCheckExprs []fluxHealth `json:"healthCheckExprs"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(data, &kustomization); err != nil {
		return nil, err
	}
	found := Flux{}
	for _, h := range kustomization.Spec.HealthCheckExprs {
		found[h.Kind] = h
	}
	return found, nil
}

// Status is what Flux makes of an object: InProgress, Failed or Current, in the order of Flux's RFC 0009.
func (f Flux) Status(u *unstructured.Unstructured) (string, error) {
	h, ok := f[u.GetKind()]
	if !ok || h.APIVersion != u.GetAPIVersion() {
		return "", fmt.Errorf("no health expressions for %s %s", u.GetAPIVersion(), u.GetKind())
	}
	observed, found, err := unstructured.NestedInt64(u.Object, "status", "observedGeneration")
	if err != nil {
		return "", err
	}
	if found && observed != u.GetGeneration() {
		return "InProgress", nil
	}
	for _, step := range []struct{ expression, status string }{
		{h.InProgress, "InProgress"}, {h.Failed, "Failed"}, {h.Current, "Current"},
	} {
		holds, err := evaluate(step.expression, u.Object)
		if err != nil {
			return "", fmt.Errorf("%s: %w", step.expression, err)
		}
		if holds {
			return step.status, nil
		}
	}
	return "InProgress", nil
}

// evaluate parses without checking types, as Flux does: the fields of a custom resource are not known to it.
func evaluate(expression string, object map[string]any) (bool, error) {
	env, err := cel.NewEnv(cel.OptionalTypes())
	if err != nil {
		return false, err
	}
	ast, issues := env.Parse(expression)
	if issues.Err() != nil {
		return false, issues.Err()
	}
	program, err := env.Program(ast)
	if err != nil {
		return false, err
	}
	out, _, err := program.Eval(object)
	if err != nil {
		return false, err
	}
	holds, ok := out.Value().(bool)
	if !ok {
		return false, fmt.Errorf("it gives %v, not a boolean", out.Value())
	}
	return holds, nil
}
