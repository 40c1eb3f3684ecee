package workload

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// podTemplateOf returns what a connector adds to the pods of a component.
func podTemplateOf(c *v1alpha1.OAConnector, component string) v1alpha1.PodTemplate {
	if component == v1alpha1.ComponentGateway {
		return ptr.Deref(c.Spec.SSO.PodTemplate, v1alpha1.PodTemplate{})
	}
	return ptr.Deref(c.Spec.Dispatcher.PodTemplate, v1alpha1.PodTemplate{})
}

// customise adds what the user wants to a pod that is complete without it. The user's choice wins, but for what Check
// refuses.
func customise(t *corev1ac.PodTemplateSpecApplyConfiguration, user v1alpha1.PodTemplate, chosen *metav1ac.LabelSelectorApplyConfiguration) {
	t.WithLabels(withoutKeysOf(user.Metadata.Labels, t.Labels)).WithAnnotations(user.Metadata.Annotations)
	spec := t.Spec.WithNodeSelector(user.Spec.NodeSelector)
	for i := range user.Spec.Tolerations {
		spec.WithTolerations(toleration(user.Spec.Tolerations[i]))
	}
	if affinity, err := affinityOf(user.Spec); err == nil && affinity != nil {
		spec.WithAffinity(affinity)
	}
	if len(user.Spec.TopologySpreadConstraints) > 0 {
		spec.TopologySpreadConstraints = nil
	}
	for _, s := range user.Spec.TopologySpreadConstraints {
		spec.WithTopologySpreadConstraints(corev1ac.TopologySpreadConstraint().
			WithTopologyKey(s.TopologyKey).
			WithMaxSkew(max(s.MaxSkew, 1)).
			WithWhenUnsatisfiable(cmp.Or(s.WhenUnsatisfiable, corev1.ScheduleAnyway)).
			WithLabelSelector(chosen))
	}
	if user.Spec.PriorityClassName != "" {
		spec.WithPriorityClassName(user.Spec.PriorityClassName)
	}
	if user.Spec.RuntimeClassName != "" {
		spec.WithRuntimeClassName(user.Spec.RuntimeClassName)
	}
	for _, s := range user.Spec.ImagePullSecrets {
		spec.WithImagePullSecrets(corev1ac.LocalObjectReference().WithName(s.Name))
	}
	for _, a := range user.Spec.HostAliases {
		spec.WithHostAliases(corev1ac.HostAlias().WithIP(a.IP).WithHostnames(a.Hostnames...))
	}
	for i := range spec.Containers {
		spec.Containers[i].Env = withEnv(spec.Containers[i].Env, user.Spec.Env)
	}
}

// withoutKeysOf keeps a label of the user from replacing one of the operator's, which selectors are made of.
func withoutKeysOf(theirs, ours map[string]string) map[string]string {
	kept := maps.Clone(theirs)
	maps.DeleteFunc(kept, func(key, _ string) bool { _, taken := ours[key]; return taken })
	return kept
}

// withEnv replaces variables that have only a value, and adds the others. One that is taken from the pod itself is part of
// the contract with the workload, and stays.
func withEnv(ours []corev1ac.EnvVarApplyConfiguration, theirs []v1alpha1.EnvVar) []corev1ac.EnvVarApplyConfiguration {
	for _, e := range theirs {
		i := slices.IndexFunc(ours, func(o corev1ac.EnvVarApplyConfiguration) bool { return *o.Name == e.Name })
		switch {
		case i < 0:
			ours = append(ours, *corev1ac.EnvVar().WithName(e.Name).WithValue(e.Value))
		case ours[i].ValueFrom == nil:
			ours[i].WithValue(e.Value)
		}
	}
	return ours
}

func toleration(t corev1.Toleration) *corev1ac.TolerationApplyConfiguration {
	a := corev1ac.Toleration()
	if t.Key != "" {
		a.WithKey(t.Key)
	}
	if t.Operator != "" {
		a.WithOperator(t.Operator)
	}
	if t.Value != "" {
		a.WithValue(t.Value)
	}
	if t.Effect != "" {
		a.WithEffect(t.Effect)
	}
	if t.TolerationSeconds != nil {
		a.WithTolerationSeconds(*t.TolerationSeconds)
	}
	return a
}

// affinityOf is nil without one. The schema of a connector does not spell an affinity out, so it is decoded strictly here.
func affinityOf(s v1alpha1.PodSpec) (*corev1ac.AffinityApplyConfiguration, error) {
	if len(s.Affinity.Raw) == 0 {
		return nil, nil
	}
	affinity := corev1ac.Affinity()
	if err := yaml.UnmarshalStrict(s.Affinity.Raw, affinity); err != nil {
		return nil, fmt.Errorf("is no affinity of a Pod (%w): see kubectl explain pod.spec.affinity", err)
	}
	return affinity, nil
}
