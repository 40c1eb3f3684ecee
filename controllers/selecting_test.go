package controllers

import (
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// The index never hides a connector from a binding that it selects: the label that is asked for is one that the binding has.
func TestTheIndexOfSelectorsHidesNothing(t *testing.T) {
	word := rapid.SampledFrom([]string{"a", "b", "c"})
	set := rapid.MapOfN(word, word, 0, 3)
	rapid.Check(t, func(t *rapid.T) {
		c := &v1alpha1.OAConnector{}
		c.Spec.Accounts.Selector = metav1.LabelSelector{MatchLabels: set.Draw(t, "wanted")}
		if rapid.Bool().Draw(t, "expression") {
			c.Spec.Accounts.Selector.MatchExpressions = []metav1.LabelSelectorRequirement{{Key: word.Draw(t, "key"), Operator: metav1.LabelSelectorOpExists}}
		}
		b := &v1alpha1.AccountBinding{ObjectMeta: metav1.ObjectMeta{Labels: set.Draw(t, "labels")}}
		if !selects(c, b) {
			return
		}
		asked := []string{anyLabel}
		for key, value := range b.Labels {
			asked = append(asked, key+"="+value)
		}
		if !slices.Contains(asked, askedLabel(c)[0]) {
			t.Fatalf("%v selects %v and is found under %v only", c.Spec.Accounts.Selector, b.Labels, askedLabel(c))
		}
	})
}
