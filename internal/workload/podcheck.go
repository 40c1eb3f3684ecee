package workload

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// Problem is a field of a connector that keeps a workload from being applied.
type Problem struct {
	// Component whose Deployment must stay as it is.
	Component string
	// Field of the connector, e.g. spec.sso.podTemplate.spec.affinity.
	Field string
	// Message says what is wrong and what to do.
	Message string
}

func (p Problem) String() string { return p.Field + ": " + p.Message }

// componentsOf a connector, with the field of the podTemplate of each.
func componentsOf(c *v1alpha1.OAConnector) map[string]string {
	components := map[string]string{v1alpha1.ComponentDispatcher: "spec.dispatcher.podTemplate"}
	if HasGateway(c) {
		components[v1alpha1.ComponentGateway] = "spec.sso.podTemplate"
	}
	return components
}

// Check finds what the schema cannot, or did not yet when the connector was stored: a podTemplate that takes what is the
// operator's, that is not well formed, or that takes a pod out of the Pod Security Standard "restricted".
func Check(in Input) []Problem {
	var problems []Problem
	components := componentsOf(in.Connector)
	for _, component := range slices.Sorted(maps.Keys(components)) {
		user := podTemplateOf(in.Connector, component)
		if reflect.ValueOf(user).IsZero() {
			continue
		}
		for _, p := range append(conflicts(user), insecure(podOf(in, component).template())...) {
			p.Component = component
			p.Field = components[component] + p.Field
			problems = append(problems, p)
		}
	}
	return problems
}

// conflicts with what is the operator's, and fields that cannot be read.
func conflicts(user v1alpha1.PodTemplate) []Problem {
	var problems []Problem
	refuse := func(field, format string, args ...any) {
		problems = append(problems, Problem{Field: field, Message: fmt.Sprintf(format, args...)})
	}
	for _, key := range slices.Sorted(maps.Keys(user.Metadata.Labels)) {
		if strings.HasPrefix(key, prefixOwn) || strings.HasPrefix(key, prefixApp) {
			refuse(".metadata.labels", "%q is the operator's, which finds the pods by it: choose a label that begins with neither %s nor %s", key, prefixOwn, prefixApp)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(user.Metadata.Annotations)) {
		if strings.HasPrefix(key, prefixOwn) {
			refuse(".metadata.annotations", "%q is the operator's: choose another prefix than %s", key, prefixOwn)
		}
	}
	for _, e := range user.Spec.Env {
		if e.Name == podNameVariable || strings.HasPrefix(e.Name, prefixEnv) {
			refuse(".spec.env", "%s is set by OA Bridge itself: choose another name", e.Name)
		}
	}
	if _, err := affinityOf(user.Spec); err != nil {
		refuse(".spec.affinity", "%v", err)
	}
	return problems
}

// Prefixes that are the operator's.
const (
	prefixOwn = "oabridge.dev/"
	prefixApp = "app.kubernetes.io/"
	prefixEnv = "OABRIDGE_"
)

var securityChecks = sync.OnceValues(func() (policy.Evaluator, error) {
	return policy.NewEvaluator(policy.DefaultChecks(), nil)
})

// insecure says what Pod Security admission would have against a pod in a namespace that enforces "restricted".
func insecure(template *corev1ac.PodTemplateSpecApplyConfiguration) []Problem {
	pod, err := podTemplateSpec(template)
	if err != nil {
		return []Problem{{Message: err.Error()}}
	}
	evaluator, err := securityChecks()
	if err != nil {
		return []Problem{{Message: "the Pod Security Standards cannot be read: " + err.Error()}}
	}
	level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	var problems []Problem
	for _, result := range evaluator.EvaluatePod(level, &pod.ObjectMeta, &pod.Spec) {
		if !result.Allowed {
			problems = append(problems, Problem{Message: fmt.Sprintf("the pods would not pass the Pod Security Standard restricted: %s (%s): take it out",
				result.ForbiddenReason, result.ForbiddenDetail)})
		}
	}
	return problems
}

func podTemplateSpec(template *corev1ac.PodTemplateSpecApplyConfiguration) (*corev1.PodTemplateSpec, error) {
	data, err := json.Marshal(template)
	if err != nil {
		return nil, err
	}
	spec := &corev1.PodTemplateSpec{}
	return spec, json.Unmarshal(data, spec)
}
