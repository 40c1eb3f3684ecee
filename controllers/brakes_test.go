package controllers_test

import (
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/report"
)

// The brake reaches the pods as configuration, not by taking them away: Ready says Suspended when every pod has reported it,
// and what waits is counted. Without it everything goes on. // F172
func TestASuspendedConnectorKeepsItsPods(t *testing.T) {
	w := newWorld(t)
	pod := w.ready()
	running := w.hash()
	change(w, "hq", &v1alpha1.OAConnector{}, func(c *v1alpha1.OAConnector) { c.Spec.Suspend = ptr.To(true) })
	w.Eventually(func() string { return get(w, "hq-bundle", &corev1.ConfigMap{}).Data["bundle.json"] }).WithTimeout(patience).
		Should(ContainSubstring(`"suspended": true`))
	suspended := w.hash()
	w.Expect(suspended).NotTo(Equal(running))
	w.expectCondition(v1alpha1.ConditionReady, HavePrefix("False Progressing")) // not before the pods know

	pod.say(func(r *report.Report) {
		r.Config.Hash = suspended
		r.OA = &report.OA{State: "Unknown", Reason: v1alpha1.ReasonSuspended, Message: "the connector is suspended, so the OA is not asked"}
		r.Delivery.Pending = 2
	})
	w.expectCondition(v1alpha1.ConditionReady, HavePrefix("False Suspended: suspended by spec.suspend"))
	w.expectCondition(v1alpha1.ConditionDeliveryHealthy, And(HavePrefix("False Suspended"), HaveSuffix("2 items wait")))
	w.expectCondition(v1alpha1.ConditionOAReachable, HavePrefix("Unknown Suspended"))
	w.expectCondition(v1alpha1.ConditionStalled, HavePrefix("False"))
	w.expectCondition(v1alpha1.ConditionReconciling, HavePrefix("False"))
	w.Expect(*get(w, "hq-dispatcher", &appsv1.Deployment{}).Spec.Replicas).To(BeEquivalentTo(1))

	change(w, "hq", &v1alpha1.OAConnector{}, func(c *v1alpha1.OAConnector) { c.Spec.Suspend = nil })
	w.Eventually(w.hash).WithTimeout(patience).Should(Equal(running))
	pod.say(func(r *report.Report) { *r = healthyReport(running); r.Component = v1alpha1.ComponentDispatcher })
	w.expectCondition(v1alpha1.ConditionReady, HavePrefix("True Ready"))
}

// A suspended connector that is deleted delivers nothing until its deadline; the status says how to have it delivered.
func TestASuspendedConnectorIsDeleted(t *testing.T) {
	w := newWorld(t)
	pod := w.ready(drainFor(time.Hour))
	pod.say(func(r *report.Report) { r.Delivery.Pending = 1 })
	change(w, "hq", &v1alpha1.OAConnector{}, func(c *v1alpha1.OAConnector) { c.Spec.Suspend = ptr.To(true) })
	w.Eventually(func() string { return get(w, "hq-bundle", &corev1.ConfigMap{}).Data["bundle.json"] }).WithTimeout(patience).
		Should(ContainSubstring(`"suspended": true`))
	w.Expect(admin.Delete(w.Context(), get(w, "hq", &v1alpha1.OAConnector{}))).To(Succeed())
	w.expectCondition(v1alpha1.ConditionReady, And(HavePrefix("False Deleting"), ContainSubstring("set it to false")))
	change(w, "hq", &v1alpha1.OAConnector{}, func(c *v1alpha1.OAConnector) { c.Spec.Suspend = ptr.To(false) })
	w.Eventually(func() string { return get(w, "hq-bundle", &corev1.ConfigMap{}).Data["bundle.json"] }).WithTimeout(patience).
		Should(And(ContainSubstring(`"draining":true`), Not(ContainSubstring("suspended"))))
}

// An annotation asks for a full round: every child is applied again, once for each value, and the status repeats the value.
func TestAReconcileIsRequested(t *testing.T) {
	w := newWorld(t)
	w.ready()
	before := len(w.quiet())
	request := func(value string) []string {
		change(w, "hq", &v1alpha1.OAConnector{}, func(c *v1alpha1.OAConnector) {
			c.Annotations = map[string]string{v1alpha1.AnnotationReconcileRequested: value}
		})
		w.Eventually(func() string { return get(w, "hq", &v1alpha1.OAConnector{}).Status.LastHandledReconcileAt }).
			WithTimeout(patience).Should(Equal(value))
		all := w.quiet()
		made := all[before:]
		before = len(all)
		return made
	}
	for _, value := range []string{"2026-11-26T10:00:00Z", "2026-11-26T10:00:01Z"} {
		made := request(value)
		for _, child := range []string{
			"PATCH /api/v1/namespaces/" + w.ns + "/configmaps/hq-bundle", "PATCH /apis/apps/v1/namespaces/" + w.ns + "/deployments/hq-dispatcher",
			"PATCH /api/v1/namespaces/" + w.ns + "/services/hq-dispatcher",
		} {
			if n := len(slices.DeleteFunc(slices.Clone(made), func(r string) bool { return r != child })); n != 1 {
				t.Errorf("%s: %s was made %d times of %q", value, child, n, made)
			}
		}
	}
	change(w, "hq", &v1alpha1.OAConnector{}, func(c *v1alpha1.OAConnector) { c.Annotations = nil })
	w.Expect(w.quiet()[before:]).To(BeEmpty())
	w.Expect(get(w, "hq", &v1alpha1.OAConnector{}).Status.LastHandledReconcileAt).To(Equal("2026-11-26T10:00:01Z"))
}

// While the pods are paused an engineer may edit the Deployments; a condition says so, and everything else is kept as the
// spec says. Afterwards the Deployments are as they were.
func TestPodsArePaused(t *testing.T) {
	w := newWorld(t)
	w.ready()
	change(w, "hq", &v1alpha1.OAConnector{}, func(c *v1alpha1.OAConnector) {
		c.Annotations = map[string]string{v1alpha1.AnnotationPausePods: "true"}
	})
	w.expectCondition(v1alpha1.ConditionPodsPaused, HavePrefix("True PausedByAnnotation"))
	change(w, "hq-dispatcher", &appsv1.Deployment{}, func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = "oabridge:debug" })
	change(w, "hq-dispatcher", &corev1.Service{}, func(s *corev1.Service) { s.Labels[v1alpha1.LabelConnector] = "hq"; s.Spec.Ports[0].Name = "edited" })
	w.Eventually(func() string { return get(w, "hq-dispatcher", &corev1.Service{}).Spec.Ports[0].Name }).WithTimeout(patience).ShouldNot(Equal("edited"))
	w.quiet()
	w.Expect(get(w, "hq-dispatcher", &appsv1.Deployment{}).Spec.Template.Spec.Containers[0].Image).To(Equal("oabridge:debug"))

	change(w, "hq", &v1alpha1.OAConnector{}, func(c *v1alpha1.OAConnector) { c.Annotations = nil })
	w.Eventually(func() string {
		return get(w, "hq-dispatcher", &appsv1.Deployment{}).Spec.Template.Spec.Containers[0].Image
	}).WithTimeout(patience).Should(Equal("oabridge:test"))
	w.expectCondition(v1alpha1.ConditionPodsPaused, Equal("absent"))
}
