package controllers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
)

// accountSource is an AccountBinding with the file that it names, if it names one.
type accountSource struct {
	binding *v1alpha1.AccountBinding
	// file is the CSV text, version changes with it.
	file    string
	version string
	// problem is why there is nothing to read.
	problem *problem
}

// set returns the pairs; lines that cannot be read are left out.
func (s accountSource) set() bundle.AccountSet {
	pairs, _ := s.pairs()
	return bundle.AccountSet{
		Namespace: s.binding.Namespace,
		Name:      s.binding.Name,
		Created:   s.binding.CreationTimestamp.Time,
		Pairs:     pairs,
	}
}

func (s accountSource) pairs() ([]v1alpha1.AccountPair, []bundle.RowError) {
	if s.file == "" {
		return s.binding.Spec.Accounts, nil
	}
	return bundle.ParseCSV([]byte(s.file))
}

func unreadable(sources []accountSource) bool {
	return slices.ContainsFunc(sources, func(s accountSource) bool { return s.problem != nil })
}

// selectAccounts lists the bindings of a namespace that selector picks, by name.
func selectAccounts(ctx context.Context, reader client.Reader, namespace string, selector labels.Selector) ([]accountSource, error) {
	var bindings v1alpha1.AccountBindingList
	if err := reader.List(ctx, &bindings, client.InNamespace(namespace), client.MatchingLabelsSelector{Selector: selector}); err != nil {
		return nil, err
	}
	slices.SortFunc(bindings.Items, func(a, b v1alpha1.AccountBinding) int { return strings.Compare(a.Name, b.Name) })
	var sources []accountSource
	for i := range bindings.Items {
		s, err := readAccounts(ctx, reader, &bindings.Items[i])
		if err != nil {
			return nil, err
		}
		sources = append(sources, s)
	}
	return sources, nil
}

// readAccounts finds the file of one binding.
func readAccounts(ctx context.Context, reader client.Reader, binding *v1alpha1.AccountBinding) (accountSource, error) {
	s := accountSource{binding: binding}
	ref := binding.Spec.AccountsFrom.ConfigMapKeyRef
	if ref.Name == "" {
		return s, nil
	}
	var cm corev1.ConfigMap
	err := reader.Get(ctx, types.NamespacedName{Namespace: binding.Namespace, Name: ref.Name}, &cm)
	switch {
	case apierrors.IsNotFound(err) || (err == nil && cm.Labels[v1alpha1.LabelAccounts] != "true"):
		p := newProblem(v1alpha1.ReasonConfigMapNotFound, fmt.Sprintf(
			"spec.accountsFrom.configMapKeyRef: configmap %q was not found with the label %s: \"true\"; create it or add the label",
			ref.Name, v1alpha1.LabelAccounts))
		s.problem = &p
		return s, nil
	case err != nil:
		return s, err
	}
	s.version = cm.ResourceVersion
	s.file = cm.Data[ref.Key]
	if s.file == "" {
		s.file = string(cm.BinaryData[ref.Key]) // kubectl stores a file with a byte order mark as text, GBK as binary
	}
	if s.file == "" {
		p := newProblem(v1alpha1.ReasonKeyMissing, fmt.Sprintf(
			"spec.accountsFrom.configMapKeyRef: configmap %q has no text under the key %q; add it", ref.Name, ref.Key))
		s.problem = &p
	} else if cause := unusable(s.file); cause != "" {
		p := newProblem(v1alpha1.ReasonAccountsInvalid, fmt.Sprintf(
			"spec.accountsFrom.configMapKeyRef: key %q of configmap %q %s", ref.Key, ref.Name, cause))
		s.problem = &p
	}
	return s, nil
}

// unusable says why no line of a file can be read, or nothing. It reads the header only: the lines are read when they
// are compiled.
func unusable(file string) string {
	head := file
	if utf8.ValidString(file) {
		head, _, _ = strings.Cut(file, "\n")
	}
	if _, rows := bundle.ParseCSV([]byte(head)); len(rows) > 0 {
		return fmt.Sprintf("cannot be read: line %d: %s", rows[0].Line, rows[0].Cause)
	}
	return ""
}
