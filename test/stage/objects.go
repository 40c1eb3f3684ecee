package stage

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// restricted is a namespace whose pods must fit the Pod Security Standard of that name.
func restricted(name string) *corev1.Namespace {
	return &corev1.Namespace{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"}, ObjectMeta: metav1.ObjectMeta{
		Name: name, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}
}

// credentials are a Secret that a connector of this namespace may refer to.
func credentials(namespace, name string, keys map[string]string) *corev1.Secret {
	return &corev1.Secret{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{v1alpha1.LabelCredentials: "true"}},
		StringData: keys,
	}
}

// typed gives a Secret the kind that a manifest needs.
func typed(secret *corev1.Secret) *corev1.Secret {
	secret.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}
	return secret
}

// applyAll applies objects with one server-side apply, as a person would.
func (s *Stage) applyAll(ctx context.Context, list []client.Object) error {
	manifest := ""
	for _, o := range list {
		text, err := yaml.Marshal(o)
		if err != nil {
			return err
		}
		manifest += "---\n" + string(text)
	}
	_, err := s.KubectlApply(ctx, manifest)
	return err
}

// allReady is nil when the n connectors of a namespace are ready for their present generation.
func (s *Stage) allReady(ctx context.Context, namespace string, n int) error {
	var list v1alpha1.OAConnectorList
	if err := s.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		return err
	}
	if len(list.Items) < n {
		return fmt.Errorf("%d of %d connectors are there", len(list.Items), n)
	}
	var waiting []string
	for _, oac := range list.Items {
		c := meta.FindStatusCondition(oac.Status.Conditions, v1alpha1.ConditionReady)
		if c == nil || c.ObservedGeneration != oac.Generation || c.Status != metav1.ConditionTrue {
			waiting = append(waiting, fmt.Sprintf("%s: %v", oac.Name, c))
		}
	}
	if len(waiting) > 0 {
		return fmt.Errorf("%d are not ready: %s", len(waiting), waiting[:min(len(waiting), 13)])
	}
	return nil
}
