package controllers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
)

// accountSource is an AccountBinding with the file that it names, if it names one, or with the pairs that were matched.
type accountSource struct {
	binding *v1alpha1.AccountBinding
	// pairs reads them; lines that cannot be read are left out.
	pairs func() ([]v1alpha1.AccountPair, []bundle.RowError)
	// version changes with what pairs reads.
	version string
	// problem is why there is nothing to read.
	problem *problem
}

// set returns the pairs.
func (s accountSource) set() bundle.AccountSet {
	pairs, _ := s.pairs()
	return bundle.AccountSet{
		Namespace: s.binding.Namespace,
		Name:      s.binding.Name,
		Created:   s.binding.CreationTimestamp.Time,
		Pairs:     pairs,
	}
}

// these pairs, and no others.
func these(pairs []v1alpha1.AccountPair) func() ([]v1alpha1.AccountPair, []bundle.RowError) {
	return func() ([]v1alpha1.AccountPair, []bundle.RowError) { return pairs, nil }
}

func unreadable(sources []accountSource) bool {
	return slices.ContainsFunc(sources, func(s accountSource) bool { return s.problem != nil })
}

// selectAccounts lists what a connector selects, by name.
func selectAccounts(ctx context.Context, reader client.Reader, c *v1alpha1.OAConnector) ([]accountSource, error) {
	bindings, err := selected(ctx, reader, c)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(bindings, func(a, b v1alpha1.AccountBinding) int { return strings.Compare(a.Name, b.Name) })
	var sources []accountSource
	for i := range bindings {
		s, err := readAccounts(ctx, reader, &bindings[i])
		if err != nil {
			return nil, err
		}
		sources = append(sources, s)
	}
	return sources, nil
}

// readAccounts finds the pairs of one binding.
func readAccounts(ctx context.Context, reader client.Reader, binding *v1alpha1.AccountBinding) (accountSource, error) {
	s := accountSource{binding: binding, pairs: these(binding.Spec.Accounts)}
	if len(binding.Spec.Match.By) > 0 {
		return readMatched(ctx, reader, binding)
	}
	ref := binding.Spec.AccountsFrom.ConfigMapKeyRef
	if ref.Name == "" {
		return s, nil
	}
	const field = "spec.accountsFrom.configMapKeyRef"
	file, err := readAccountsFile(ctx, reader, field, types.NamespacedName{Namespace: binding.Namespace, Name: ref.Name}, ref.Key)
	if err != nil {
		return s, err
	}
	s.version, s.problem = file.version, file.problem
	if s.problem != nil {
		return s, nil
	}
	if cause := unusable(file.text); cause != "" {
		p := newProblem(v1alpha1.ReasonAccountsInvalid, fmt.Sprintf("%s: key %q of configmap %q %s", field, ref.Key, ref.Name, cause))
		s.problem = &p
		return s, nil
	}
	s.pairs = func() ([]v1alpha1.AccountPair, []bundle.RowError) { return bundle.ParseCSV([]byte(file.text)) }
	return s, nil
}

// accountsFile is a key of a labelled ConfigMap.
type accountsFile struct {
	text    string
	version string
	// problem is why there is no text.
	problem *problem
}

func readAccountsFile(ctx context.Context, reader client.Reader, field string, name types.NamespacedName, key string) (accountsFile, error) {
	var cm corev1.ConfigMap
	err := reader.Get(ctx, name, &cm)
	switch {
	case apierrors.IsNotFound(err) || (err == nil && cm.Labels[v1alpha1.LabelAccounts] != "true"):
		p := newProblem(v1alpha1.ReasonConfigMapNotFound, fmt.Sprintf(
			"%s: configmap %q was not found with the label %s: \"true\"; create it or add the label", field, name.Name, v1alpha1.LabelAccounts))
		return accountsFile{problem: &p}, nil
	case err != nil:
		return accountsFile{}, err
	}
	f := accountsFile{text: cm.Data[key], version: cm.ResourceVersion}
	if f.text == "" {
		f.text = string(cm.BinaryData[key]) // kubectl stores a file with a byte order mark as text, GBK as binary
	}
	if f.text == "" {
		p := newProblem(v1alpha1.ReasonKeyMissing, fmt.Sprintf("%s: configmap %q has no text under the key %q; add it", field, name.Name, key))
		f.problem = &p
	}
	return f, nil
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
