package controllers

import (
	"context"
	"hash/fnv"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
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

// buckets of an index whose values are nearly all different. An index keeps a set for each value, one for its namespace and one for
// all: 600 bytes for each of ten thousand pods. In a bucket some share their sets, and who asks picks his own.
const buckets = 256

// inBucket is the index value that stands for a value and some others.
func inBucket(value string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(value))
	return strconv.FormatUint(uint64(h.Sum32()%buckets), 36)
}

func bucketed(values client.IndexerFunc) client.IndexerFunc {
	return func(o client.Object) []string {
		all := values(o)
		for i, value := range all {
			all[i] = inBucket(value)
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
}

// connectorOf is the name of the connector that a child belongs to, empty for what is none.
func connectorOf(o client.Object) string {
	if name := o.GetLabels()[v1alpha1.LabelConnector]; name != "" {
		return name
	}
	if owner := metav1.GetControllerOfNoCopy(o); owner != nil && owner.Kind == connectorKind { // the caches drop its labels
		return owner.Name
	}
	return ""
}

func childOf(o client.Object) []string {
	if name := connectorOf(o); name != "" {
		return []string{name}
	}
	return nil
}

// podsOf a connector. They are those of the cache and must not be changed.
func podsOf(ctx context.Context, reader client.Reader, connector types.NamespacedName) ([]corev1.Pod, error) {
	var list corev1.PodList
	err := reader.List(ctx, &list, client.InNamespace(connector.Namespace),
		client.MatchingFields{indexChild: inBucket(connector.Name)}, client.UnsafeDisableDeepCopy)
	return pickChildren(list.Items, connector.Name), err
}

// filesOf a connector are the ConfigMaps of its bundle. They are those of the cache and must not be changed.
func filesOf(ctx context.Context, reader client.Reader, connector types.NamespacedName) ([]corev1.ConfigMap, error) {
	var list corev1.ConfigMapList
	err := reader.List(ctx, &list, client.InNamespace(connector.Namespace),
		client.MatchingFields{indexChild: inBucket(connector.Name)}, client.UnsafeDisableDeepCopy)
	return pickChildren(list.Items, connector.Name), err
}

// pickChildren keeps the children of one connector: others share its bucket.
func pickChildren[T any, O interface {
	*T
	client.Object
}](bucket []T, connector string) []T {
	kept := bucket[:0]
	for i := range bucket {
		if connectorOf(O(&bucket[i])) == connector {
			kept = append(kept, bucket[i])
		}
	}
	return kept
}

func addIndexes(ctx context.Context, indexer client.FieldIndexer) error {
	for _, child := range []client.Object{&corev1.Pod{}, &corev1.ConfigMap{}} {
		if err := indexer.IndexField(ctx, child, indexChild, bucketed(childOf)); err != nil {
			return err
		}
	}
	if err := indexer.IndexField(ctx, &v1alpha1.OAConnector{}, indexAsked, bucketed(askedLabel)); err != nil {
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
	if err := indexer.IndexField(ctx, &v1alpha1.OAConnector{}, indexClaim, bucketed(claimKeys)); err != nil {
		return err
	}
	if err := indexer.IndexField(ctx, &v1alpha1.Replay{}, indexConnector, func(o client.Object) []string {
		return []string{o.(*v1alpha1.Replay).Spec.ConnectorRef.Name} //nolint:forcetypeassert // the index is of this kind
	}); err != nil {
		return err
	}
	if err := indexer.IndexField(ctx, &v1alpha1.AccountBinding{}, indexLabel, bucketed(labelsOf)); err != nil {
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
