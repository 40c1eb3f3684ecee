package controllers

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
)

// accountsPlausible of a connector; while it keeps what is live, what was said of that.
func (r *round) accountsPlausible() []metav1.Condition {
	if r.compiled != nil {
		return []metav1.Condition{accountsPlausible(r.compiled.Doubts)}
	}
	if said := meta.FindStatusCondition(r.connector.Status.Conditions, v1alpha1.ConditionAccountsPlausible); said != nil {
		return []metav1.Condition{*said}
	}
	return nil
}

// accountsPlausible warns: the accounts are in use, and Ready does not depend on it.
func accountsPlausible(doubts []bundle.Doubt) metav1.Condition {
	if len(doubts) == 0 {
		return condition(v1alpha1.ConditionAccountsPlausible, metav1.ConditionTrue, v1alpha1.ReasonPlausible, "every OA account has the form of one and names a company of the connector")
	}
	reason, message := bundle.SumUp(doubts)
	return condition(v1alpha1.ConditionAccountsPlausible, metav1.ConditionFalse, reason, message)
}
