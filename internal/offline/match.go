package offline

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/match"
)

func matches(b *v1alpha1.AccountBinding) bool { return len(b.Spec.Match.By) > 0 }

func (s *Set) configMap(namespace, name string) *corev1.ConfigMap {
	i := slices.IndexFunc(s.configMaps, func(cm Entry[corev1.ConfigMap]) bool {
		return cm.Object.Namespace == namespace && cm.Object.Name == name
	})
	if i < 0 {
		return nil
	}
	return s.configMaps[i].Object
}

// matched are the pairs of a binding that matches people: what it remembers, if that is in the files, and whom it would find
// now, if its directories are. bound are the pairs of other sets.
func (s *Set) matched(b *v1alpha1.AccountBinding, bound []v1alpha1.AccountPair) []v1alpha1.AccountPair {
	var pairs []v1alpha1.AccountPair
	if memory := s.configMap(b.Namespace, match.MemoryName(b.Name)); memory != nil {
		pairs, _ = match.DecodeMemory(memory.BinaryData[match.MemoryKey]) // what cannot be read is nothing
	}
	rule := b.Spec.Match
	pairs = slices.DeleteFunc(pairs, func(p v1alpha1.AccountPair) bool { return slices.Contains(rule.Exclude, p.CRM) })
	crm, _, ours := s.people(b, match.CRM)
	oa, _, theirs := s.people(b, match.OA)
	if !ours || !theirs {
		return pairs
	}
	found := match.Join(match.Input{By: rule.By, CRM: crm, OA: oa, Bound: slices.Concat(pairs, bound), Exclude: rule.Exclude})
	return append(pairs, found.Pairs...)
}

// people of one side; they are usable when the files have all of the directory and it can be read.
func (s *Set) people(b *v1alpha1.AccountBinding, side match.Side) (people []match.Person, rows []match.Row, usable bool) {
	refs := b.Spec.Match.CRM.ConfigMapKeyRefs
	if side == match.OA {
		refs = b.Spec.Match.OA.ConfigMapKeyRefs
	}
	var files []match.File
	for _, ref := range refs {
		if cm := s.configMap(b.Namespace, ref.Name); cm != nil {
			files = append(files, match.File{Name: fmt.Sprintf("configmap %q", ref.Name), Data: []byte(cm.Data[ref.Key])})
		}
	}
	people, rows, usable = match.Read(side, files, b.Spec.Match.By)
	return people, rows, usable && len(files) == len(refs)
}

// checkDirectories says which rows of a binding's directories cannot be used.
func (s *Set) checkDirectories(b Entry[v1alpha1.AccountBinding]) (findings []Finding) {
	for _, side := range []match.Side{match.CRM, match.OA} {
		_, rows, _ := s.people(b.Object, side)
		for _, r := range rows {
			findings = append(findings, finding(b.Source, fmt.Sprintf("spec.match.%s.configMapKeyRefs", side), v1alpha1.ReasonAccountsInvalid, r.Message()))
		}
	}
	return findings
}

// withMatched adds the pairs of bindings that match people to those of the others, which count as bound.
func (s *Set) withMatched(sets []bundle.AccountSet, bindings []*v1alpha1.AccountBinding) []bundle.AccountSet {
	var bound []v1alpha1.AccountPair
	for _, set := range sets {
		bound = append(bound, set.Pairs...)
	}
	for _, b := range bindings {
		pairs := s.matched(b, bound)
		bound = append(bound, pairs...)
		sets = append(sets, bundle.AccountSet{Namespace: b.Namespace, Name: b.Name, Pairs: pairs})
	}
	return sets
}
