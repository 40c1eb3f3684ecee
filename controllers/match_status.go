package controllers

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/match"
)

// condition says whether everybody of the CRM is bound. People who are not keep nothing else from being ready.
func (r *matchResult) condition() metav1.Condition {
	set := func(status metav1.ConditionStatus, reason, message string) metav1.Condition {
		return condition(v1alpha1.ConditionMatched, status, reason, message)
	}
	switch n := len(r.unmatched); {
	case r.problem != nil:
		return set(metav1.ConditionFalse, r.problem.reason, r.problem.message+"; pairs that were matched before stay")
	case n > 0:
		missing := 0
		for _, u := range r.unmatched {
			if u.Why == match.Missing || u.Why == match.Unknown {
				missing++
			}
		}
		return set(metav1.ConditionFalse, v1alpha1.ReasonPeopleUnmatched, fmt.Sprintf(
			"%d of %s in the CRM's directory %s not bound: %d cannot be found and %d cannot be told for certain; status.problems names the first of them, kubectl oab bindings conflicts all",
			n, count(int64(r.people), "person", "people"), isOrAre(n), missing, n-missing))
	}
	return set(metav1.ConditionTrue, v1alpha1.ReasonMatched, fmt.Sprintf("everybody in the CRM's directory (%s) is bound or excluded", count(int64(r.people), "person", "people")))
}

// readMatched finds the pairs that were matched for a binding. While there are none, a connector keeps what it has.
func readMatched(ctx context.Context, reader client.Reader, binding *v1alpha1.AccountBinding) (accountSource, error) {
	s := accountSource{binding: binding, pairs: these(nil)}
	var cm corev1.ConfigMap
	key := types.NamespacedName{Namespace: binding.Namespace, Name: match.MemoryName(binding.Name)}
	if err := client.IgnoreNotFound(reader.Get(ctx, key, &cm)); err != nil {
		return s, err
	}
	file := cm.BinaryData[match.MemoryKey] // none in a ConfigMap that is not there, which is nobody's either
	usable := metav1.IsControlledBy(&cm, binding) && match.CheckMemory(file) == nil
	if !usable {
		p := newProblem(v1alpha1.ReasonProgressing, "nobody is matched yet; its condition "+v1alpha1.ConditionMatched+" says why")
		s.problem = &p
		return s, nil
	}
	s.version = cm.ResourceVersion
	s.pairs = func() ([]v1alpha1.AccountPair, []bundle.RowError) {
		pairs, _ := match.DecodeMemory(file) // CheckMemory has read it
		return pairs, nil
	}
	return s, nil
}
