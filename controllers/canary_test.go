package controllers_test

import (
	"encoding/json"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/report"
)

// A changed template is tried, and what the dispatcher decides is told: promoted, it is live for everybody; rolled back, it
// stays so until the template changes again. The spec is never written. // F55
func TestAChangedTemplateIsTried(t *testing.T) {
	w := newWorld(t)
	w.create(localTemplate(t, "seeyon-todo"))
	pod := w.ready(func(c *v1alpha1.OAConnector) { c.Spec.Rollout.Canary.Percent = ptr.To(int32(10)) })
	w.expectCondition(v1alpha1.ConditionRolledOut, HavePrefix("True Promoted: live for everybody: "+w.ns+"/seeyon-todo: "))
	generation := get(w, "hq", &v1alpha1.OAConnector{}).Generation

	edit := func(body string) {
		change(w, "seeyon-todo", &v1alpha1.ScenarioTemplate{}, func(t *v1alpha1.ScenarioTemplate) {
			t.Spec.Actions.Create.Body, t.Spec.Tests = body, nil
		})
	}
	// verdict plays the dispatcher, which knows the bundle that is live.
	verdict := func(state string) (candidate, stable string) {
		var b *bundle.Bundle
		w.Eventually(func(g Gomega) {
			b = liveBundle(w)
			g.Expect(b.Stable).To(HaveLen(1))
		}).WithTimeout(patience).Should(Succeed())
		d, s := &b.Scenarios[0], &b.Stable[0]
		pod.say(func(r *report.Report) {
			r.Trials = map[string]report.Trial{bundle.Trial(s, d): {Template: d.Template, Revision: d.Revision, Stable: s.Revision, State: state, Delivered: 15, Failed: 5}}
		})
		return d.Revision, s.Revision
	}

	edit(`{"taskId": "#F012", "title": "one"}`)
	w.expectCondition(v1alpha1.ConditionRolledOut, HavePrefix("False Canary"))
	first, _ := verdict(v1alpha1.ReasonPromoted)
	w.expectCondition(v1alpha1.ConditionRolledOut, Equal("True Promoted: live for everybody: "+w.ns+"/seeyon-todo: "+first))
	w.Eventually(func() int { return len(liveBundle(w).Stable) }).WithTimeout(patience).Should(BeZero())
	pod.say(func(r *report.Report) { r.Trials = nil })

	edit(`{"taskId": "#F012", "title": "two"}`)
	w.expectCondition(v1alpha1.ConditionRolledOut, And(HavePrefix("False Canary"), ContainSubstring("and revision "+first+" to the others")))
	second, stable := verdict(v1alpha1.ReasonRolledBack)
	w.Expect(stable).To(Equal(first))
	w.expectCondition(v1alpha1.ConditionRolledOut, Equal("False RolledBack: "+w.ns+"/seeyon-todo: revision "+second+
		" failed in 5 of 20 first attempts, and revision "+first+" is live for everybody again; change the template"))
	w.expectCondition(v1alpha1.ConditionReady, Not(HavePrefix("Unknown")))

	edit(`{"taskId": "#F012", "title": "three"}`)
	w.expectCondition(v1alpha1.ConditionRolledOut, And(HavePrefix("False Canary"), ContainSubstring("and revision "+first+" to the others"), Not(ContainSubstring(second))))
	w.Expect(get(w, "hq", &v1alpha1.OAConnector{}).Generation).To(Equal(generation))
}

// liveBundle is what the ConfigMap holds.
func liveBundle(w *world) *bundle.Bundle {
	w.Helper()
	var b bundle.Bundle
	w.Expect(json.Unmarshal([]byte(get(w, "hq-bundle", &corev1.ConfigMap{}).Data[bundle.FileName]), &b)).To(Succeed())
	return &b
}
