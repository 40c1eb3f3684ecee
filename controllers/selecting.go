package controllers

import (
	"context"
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// Which connectors select a binding is asked for each binding, and the other way round. With thousands of both in a namespace,
// nobody can look at all pairs: connectors are indexed by one of the labels that they ask for, bindings by all that they have.

// anyLabel is the index of connectors that ask for no label by value.
const anyLabel = "*"

// askedLabel is the index value of a connector: the first label that a selected binding must have.
func askedLabel(o client.Object) []string {
	wanted := o.(*v1alpha1.OAConnector).Spec.Accounts.Selector.MatchLabels //nolint:forcetypeassert // the index is of this kind
	if len(wanted) == 0 {
		return []string{anyLabel}
	}
	key := slices.Min(slices.Collect(maps.Keys(wanted)))
	return []string{key + "=" + wanted[key]}
}

// labelsOf are the index values of a binding.
func labelsOf(o client.Object) (all []string) {
	for key, value := range o.GetLabels() {
		all = append(all, key+"="+value)
	}
	return all
}

// selected lists the bindings that a connector selects: none when its selector is none.
func selected(ctx context.Context, reader client.Reader, c *v1alpha1.OAConnector, options ...client.ListOption) ([]v1alpha1.AccountBinding, error) {
	selector, err := metav1.LabelSelectorAsSelector(&c.Spec.Accounts.Selector)
	if err != nil {
		return nil, nil //nolint:nilerr // the connector's own look says so; nobody is selected
	}
	options = append(options, client.InNamespace(c.Namespace), client.MatchingLabelsSelector{Selector: selector})
	if label := askedLabel(c)[0]; label != anyLabel {
		options = append(options, client.MatchingFields{indexLabel: inBucket(label)})
	}
	var found v1alpha1.AccountBindingList
	err = reader.List(ctx, &found, options...)
	return found.Items, err
}

// selecting returns the connectors that select a binding. They are those of the cache and must not be changed.
func selecting(ctx context.Context, reader client.Reader, binding client.Object) ([]v1alpha1.OAConnector, error) {
	var found []v1alpha1.OAConnector
	for _, label := range append(labelsOf(binding), anyLabel) {
		var candidates v1alpha1.OAConnectorList
		if err := reader.List(ctx, &candidates, client.InNamespace(binding.GetNamespace()),
			client.MatchingFields{indexAsked: inBucket(label)}, client.UnsafeDisableDeepCopy); err != nil {
			return nil, err
		}
		for i := range candidates.Items {
			if c := &candidates.Items[i]; askedLabel(c)[0] == label && selects(c, binding) { // others share the bucket
				found = append(found, *c)
			}
		}
	}
	return found, nil
}

func selects(c *v1alpha1.OAConnector, binding client.Object) bool {
	s, err := metav1.LabelSelectorAsSelector(&c.Spec.Accounts.Selector)
	return err == nil && s.Matches(labels.Set(binding.GetLabels()))
}
