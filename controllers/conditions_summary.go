package controllers

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// outageReasons of OAReachable are the OA's or the network's own matter: Ready then says OADown. With every other reason
// somebody has to change the connector's configuration or the OA's, and Ready repeats it.
var outageReasons = []string{
	v1alpha1.ReasonRefused, v1alpha1.ReasonTimeout, v1alpha1.ReasonServerError, v1alpha1.ReasonNetwork,
}

// readyCondition sums up. Its reason says whose move it is.
func readyCondition(references, available, live, reachable metav1.Condition, suspended bool) metav1.Condition {
	for _, c := range []metav1.Condition{references, available, live} {
		if c.Status != metav1.ConditionTrue {
			return condition(v1alpha1.ConditionReady, metav1.ConditionFalse, c.Reason, c.Message)
		}
	}
	if suspended { // it is known to the pods: ConfigLive is true
		return condition(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSuspended,
			"suspended by spec.suspend: events are accepted and kept, nothing is sent to the OA, and nobody is signed in; set it to false to go on")
	}
	if reachable.Status == metav1.ConditionFalse {
		reason := reachable.Reason
		if slices.Contains(outageReasons, reason) {
			reason = v1alpha1.ReasonOADown
		}
		return condition(v1alpha1.ConditionReady, metav1.ConditionFalse, reason, reachable.Message)
	}
	return condition(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonReady,
		"events are accepted and delivered with the current configuration")
}

// progress returns Reconciling and Stalled in the sense of kstatus. An outage of the OA is neither: nothing that the
// operator does would end it, and nobody has to change the object.
func (r *round) progress(references, available, live metav1.Condition) []metav1.Condition {
	reconciling := condition(v1alpha1.ConditionReconciling, metav1.ConditionFalse, v1alpha1.ReasonReady, "nothing is left to do")
	halted := condition(v1alpha1.ConditionStalled, metav1.ConditionFalse, v1alpha1.ReasonReady, "nothing needs a change of this object")
	var stuck []problem
	for _, p := range r.problems {
		if p.fate == stalled {
			stuck = append(stuck, p)
		}
	}
	if len(stuck) > 0 {
		reason, message := sentence(stuck)
		halted = condition(v1alpha1.ConditionStalled, metav1.ConditionTrue, reason, message)
		reconciling.Message = "waiting for a change of this object: see Stalled"
		reconciling.Reason = reason
		return []metav1.Condition{reconciling, halted}
	}
	for _, c := range []metav1.Condition{references, available, live} {
		if c.Status != metav1.ConditionTrue {
			reconciling = condition(v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonProgressing, c.Message)
			break
		}
	}
	return []metav1.Condition{reconciling, halted}
}
