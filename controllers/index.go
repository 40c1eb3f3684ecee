package controllers

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/match"
)

// Field indexes, for the way back from what is referred to to what refers to it.
const (
	indexTemplate  = "oabridge.dev/template"
	indexSecret    = "oabridge.dev/secret"
	indexConfigMap = "oabridge.dev/configmap"
	indexConnector = "oabridge.dev/connector"
	indexClaim     = "oabridge.dev/claim"
	// indexLabel is each label of a binding.
	indexLabel = "oabridge.dev/label"
	// indexAsked is a label that the bindings of a connector must have.
	indexAsked = "oabridge.dev/asked-label"
	// indexChild is the connector of a pod or a ConfigMap; the other children are found by their names.
	indexChild = "oabridge.dev/child"
)

func childOf(o client.Object) []string {
	if name := o.GetLabels()[v1alpha1.LabelConnector]; name != "" {
		return []string{name}
	}
	if owner := metav1.GetControllerOfNoCopy(o); owner != nil && owner.Kind == connectorKind { // the caches drop its labels
		return []string{owner.Name}
	}
	return nil
}

func addIndexes(ctx context.Context, indexer client.FieldIndexer) error {
	for _, child := range []client.Object{&corev1.Pod{}, &corev1.ConfigMap{}} {
		if err := indexer.IndexField(ctx, child, indexChild, childOf); err != nil {
			return err
		}
	}
	if err := indexer.IndexField(ctx, &v1alpha1.OAConnector{}, indexAsked, askedLabel); err != nil {
		return err
	}
	if err := indexer.IndexField(ctx, &v1alpha1.OAConnector{}, indexTemplate, func(o client.Object) []string {
		var names []string
		for _, s := range o.(*v1alpha1.OAConnector).Spec.Scenarios { //nolint:forcetypeassert // the index is of this kind
			names = append(names, s.TemplateRef.Name)
		}
		return names
	}); err != nil {
		return err
	}
	if err := indexer.IndexField(ctx, &v1alpha1.OAConnector{}, indexSecret, func(o client.Object) []string {
		return secretNames(o.(*v1alpha1.OAConnector)) //nolint:forcetypeassert // the index is of this kind
	}); err != nil {
		return err
	}
	if err := indexer.IndexField(ctx, &v1alpha1.OAConnector{}, indexClaim, func(o client.Object) []string {
		var keys []string
		for _, claim := range bundle.Claims(o.(*v1alpha1.OAConnector)) { //nolint:forcetypeassert // the index is of this kind
			keys = append(keys, claim.Key)
		}
		return keys
	}); err != nil {
		return err
	}
	if err := indexer.IndexField(ctx, &v1alpha1.Replay{}, indexConnector, func(o client.Object) []string {
		return []string{o.(*v1alpha1.Replay).Spec.ConnectorRef.Name} //nolint:forcetypeassert // the index is of this kind
	}); err != nil {
		return err
	}
	if err := indexer.IndexField(ctx, &v1alpha1.AccountBinding{}, indexLabel, labelsOf); err != nil {
		return err
	}
	return indexer.IndexField(ctx, &v1alpha1.AccountBinding{}, indexConfigMap, func(o client.Object) []string {
		return configMapNames(o.(*v1alpha1.AccountBinding)) //nolint:forcetypeassert // the index is of this kind
	})
}

// configMapNames are those that a binding reads: its file, or its directories and what was matched.
func configMapNames(b *v1alpha1.AccountBinding) (names []string) {
	if name := b.Spec.AccountsFrom.ConfigMapKeyRef.Name; name != "" {
		names = append(names, name)
	}
	for _, directory := range []v1alpha1.PeopleDirectory{b.Spec.Match.CRM, b.Spec.Match.OA} {
		for _, ref := range directory.ConfigMapKeyRefs {
			names = append(names, ref.Name)
		}
	}
	if len(b.Spec.Match.By) > 0 {
		names = append(names, match.MemoryName(b.Name))
	}
	return names
}
