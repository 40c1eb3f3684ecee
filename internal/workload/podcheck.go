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
	// Message names the field, the cause and the next step.
	Message string
}

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
		for _, words := range append(conflicts(user), insecure(podOf(in, component).template())...) {
			problems = append(problems, Problem{component, components[component] + "." + words})
		}
	}
	return problems
}

// conflicts with what is the operator's, and fields that cannot be read.
func conflicts(user v1alpha1.PodTemplate) []string {
	var words []string
	for _, key := range slices.Sorted(maps.Keys(user.Metadata.Labels)) {
		if strings.HasPrefix(key, prefixOwn) || strings.HasPrefix(key, prefixApp) {
			words = append(words, fmt.Sprintf("metadata.labels: %q is the operator's, which finds the pods by it: choose a label that begins with neither %s nor %s", key, prefixOwn, prefixApp))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(user.Metadata.Annotations)) {
		if strings.HasPrefix(key, prefixOwn) {
			words = append(words, fmt.Sprintf("metadata.annotations: %q is the operator's: choose another prefix than %s", key, prefixOwn))
		}
	}
	for _, e := range user.Spec.Env {
		if e.Name == podNameVariable || strings.HasPrefix(e.Name, prefixEnv) {
			words = append(words, fmt.Sprintf("spec.env: %s is set by OA Bridge itself: choose another name", e.Name))
		}
	}
	if _, err := affinityOf(user.Spec); err != nil {
		words = append(words, fmt.Sprintf("spec.affinity: %v", err))
	}
	return words
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
func insecure(template *corev1ac.PodTemplateSpecApplyConfiguration) []string {
	pod, err := podTemplateSpec(template)
	if err != nil {
		return []string{"spec: " + err.Error()}
	}
	evaluator, err := securityChecks()
	if err != nil {
		return []string{"spec: the Pod Security Standards cannot be read: " + err.Error()}
	}
	level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	var words []string
	for _, result := range evaluator.EvaluatePod(level, &pod.ObjectMeta, &pod.Spec) {
		if !result.Allowed {
			words = append(words, fmt.Sprintf("metadata or spec: the pods would not pass the Pod Security Standard restricted: %s (%s): take it out",
				result.ForbiddenReason, result.ForbiddenDetail))
		}
	}
	return words
}

func podTemplateSpec(template *corev1ac.PodTemplateSpecApplyConfiguration) (*corev1.PodTemplateSpec, error) {
	data, err := json.Marshal(template)
	if err != nil {
		return nil, err
	}
	spec := &corev1.PodTemplateSpec{}
	return spec, json.Unmarshal(data, spec)
}
