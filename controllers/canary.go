package controllers

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/report"
)

// joinTrials adds what a replica says. A verdict that one of them knows holds for all.
func joinTrials(sum, trials map[string]report.Trial) {
	for id, t := range trials {
		if known, ok := sum[id]; ok {
			t.Delivered, t.Failed = t.Delivered+known.Delivered, t.Failed+known.Failed
			if known.State != v1alpha1.ReasonCanary {
				t.State = known.State
			}
		}
		sum[id] = t
	}
}

// promoted are the trials of the live bundle that the dispatcher has promoted.
func (c *ConnectorReconciler) promoted(r *round) map[string]bool {
	if !bundle.HasCanary(r.connector) {
		return nil
	}
	f := joinReports(r.connector, observePods(c.options.Reports, r.pods, v1alpha1.ComponentDispatcher))
	if f.report == nil {
		return nil
	}
	out := map[string]bool{}
	for id, t := range f.report.Trials {
		if t.State == v1alpha1.ReasonPromoted {
			out[id] = true
		}
	}
	return out
}

// rolledOut says which revisions of the templates are live for whom.
func (r *round) rolledOut(dispatcher *report.Report) metav1.Condition {
	set := func(status metav1.ConditionStatus, reason, message string) metav1.Condition {
		return condition(v1alpha1.ConditionRolledOut, status, reason, message)
	}
	b := r.bundle()
	if b == nil {
		return set(metav1.ConditionUnknown, v1alpha1.ReasonUnknown, "no configuration was compiled yet")
	}
	var live, tried, back []string
	for i := range b.Scenarios {
		d := &b.Scenarios[i]
		stable := b.StableOf(d)
		if stable == nil {
			live = append(live, fmt.Sprintf("%s: %s", d.Template, d.Revision))
			continue
		}
		var t report.Trial
		if dispatcher != nil {
			t = dispatcher.Trials[bundle.Trial(stable, d)]
		}
		switch t.State {
		case v1alpha1.ReasonPromoted:
			live = append(live, fmt.Sprintf("%s: %s", d.Template, d.Revision))
		case v1alpha1.ReasonRolledBack:
			back = append(back, fmt.Sprintf("%s: revision %s failed in %d of %d first attempts, and revision %s is live for everybody again; change the template",
				d.Template, d.Revision, t.Failed, t.Failed+t.Delivered, stable.Revision))
		default:
			tried = append(tried, fmt.Sprintf("%s: revision %s goes to the canary's receivers until %d first attempts were made, and revision %s to the others",
				d.Template, d.Revision, b.Canary.MinDeliveries, stable.Revision))
		}
	}
	sentence := func(parts []string) string { return strings.Join(parts, "; ") }
	switch {
	case len(back) > 0:
		return set(metav1.ConditionFalse, v1alpha1.ReasonRolledBack, sentence(append(back, tried...)))
	case len(tried) > 0:
		return set(metav1.ConditionFalse, v1alpha1.ReasonCanary, sentence(tried))
	}
	slices.Sort(live)
	return set(metav1.ConditionTrue, v1alpha1.ReasonPromoted, "live for everybody: "+sentence(live))
}
