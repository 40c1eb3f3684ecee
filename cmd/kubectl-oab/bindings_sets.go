package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
)

// bindings that a connector selects, by name.
func (x *access) bindings(ctx context.Context, c *v1alpha1.OAConnector) ([]v1alpha1.AccountBinding, error) {
	selector, err := metav1.LabelSelectorAsSelector(&c.Spec.Accounts.Selector)
	if err != nil {
		return nil, fmt.Errorf("connector %q: spec.accounts.selector: %w", c.Name, err)
	}
	var all v1alpha1.AccountBindingList
	if err := x.List(ctx, &all, client.InNamespace(c.Namespace), client.MatchingLabelsSelector{Selector: selector}); err != nil {
		return nil, err
	}
	slices.SortFunc(all.Items, func(a, b v1alpha1.AccountBinding) int { return strings.Compare(a.Name, b.Name) })
	return all.Items, nil
}

// selects reports whether a connector uses a binding.
func selects(c *v1alpha1.OAConnector, b *v1alpha1.AccountBinding) bool {
	selector, err := metav1.LabelSelectorAsSelector(&c.Spec.Accounts.Selector)
	return err == nil && selector.Matches(labels.Set(b.Labels))
}

// accountSets reads the pairs that a connector selects, and what of them cannot be read.
func (x *access) accountSets(ctx context.Context, c *v1alpha1.OAConnector) (sets []bundle.AccountSet, wrong []unused, err error) {
	bindings, err := x.bindings(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	for i := range bindings {
		b := &bindings[i]
		s := bundle.AccountSet{Namespace: b.Namespace, Name: b.Name, Created: b.CreationTimestamp.Time, Pairs: b.Spec.Accounts}
		if matches(b) {
			if s.Pairs, err = x.matched(ctx, b); err != nil {
				return nil, nil, err
			}
		}
		if ref := b.Spec.AccountsFrom.ConfigMapKeyRef; ref.Name != "" {
			file, err := x.accountsFile(ctx, b.Namespace, ref)
			if err != nil {
				return nil, nil, err
			}
			id := b.Namespace + "/" + b.Name
			if file == nil || file.Labels[v1alpha1.LabelAccounts] != "true" {
				wrong = append(wrong, unused{Binding: id, Cause: fmt.Sprintf("there is no ConfigMap %q with the label %s=true", ref.Name, v1alpha1.LabelAccounts)})
				continue
			}
			text := []byte(file.Data[ref.Key])
			if len(text) == 0 {
				text = file.BinaryData[ref.Key]
			}
			var rows []bundle.RowError
			s.Pairs, rows = bundle.ParseCSV(text)
			for _, r := range rows {
				wrong = append(wrong, unused{Binding: id, Line: r.Line, Cause: r.Cause})
			}
		}
		sets = append(sets, s)
	}
	return sets, wrong, nil
}

// accountsFile returns the ConfigMap of a binding, nil when there is none.
func (x *access) accountsFile(ctx context.Context, namespace string, ref v1alpha1.ConfigMapKeyReference) (*corev1.ConfigMap, error) {
	file := new(corev1.ConfigMap)
	err := x.Get(ctx, client.ObjectKey{Namespace: namespace, Name: ref.Name}, file)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return file, err
}
