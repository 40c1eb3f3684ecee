package controllers_test

import (
	"net"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/report"
)

func (w *world) revision(pod *fakePod) string {
	return get(w, pod.Name, &corev1.Pod{}).Annotations[v1alpha1.AnnotationConfigRevision]
}

// ConfigLive is a statement of the pods, not a hope of the operator.
func TestConfigIsLiveWhenEveryPodHasReportedIt(t *testing.T) {
	w := newWorld(t)
	pod := w.ready()
	old := w.hash()
	w.expectCondition(v1alpha1.ConditionConfigLive, HavePrefix("True Live"))
	w.Expect(w.revision(pod)).To(HavePrefix(old[:12] + "-"))

	change(w, "hq", &v1alpha1.OAConnector{}, func(c *v1alpha1.OAConnector) { c.Spec.Delivery.Concurrency = 7 })
	w.expectCondition(v1alpha1.ConditionConfigLive, Equal("False Progressing: 1 pod of dispatcher has not taken the new configuration yet"))
	w.expectCondition(v1alpha1.ConditionReconciling, HavePrefix("True"))
	next := w.hash()
	w.Expect(next).NotTo(Equal(old))
	w.Expect(get(w, "hq", &v1alpha1.OAConnector{}).Status.Config.LiveTime.IsZero()).To(BeTrue())
	// The kubelet is told at once, and again after 2 seconds because the pod still reports the old hash.
	w.Eventually(func() string { return w.revision(pod) }).WithTimeout(patience).Should(HavePrefix(next[:12] + "-"))
	w.Eventually(func() string { return w.revision(pod) }).WithTimeout(patience).Should(MatchRegexp(`^` + next[:12] + `-[0-9a-f]+\.[1-9]$`))

	pod.say(func(r *report.Report) { r.Config.Hash = next })
	w.expectCondition(v1alpha1.ConditionConfigLive, HavePrefix("True Live"))
	w.expectCondition(v1alpha1.ConditionReady, HavePrefix("True"))
	w.Expect(get(w, "hq", &v1alpha1.OAConnector{}).Status.Config.LiveTime.Time).To(BeTemporally("~", time.Now(), patience))
}

func TestRefusedConfigurationIsShown(t *testing.T) {
	w := newWorld(t)
	pod := w.ready()
	pod.say(func(r *report.Report) {
		r.Config = report.Config{Hash: "0000", Problem: "shard accounts-00 does not fit its hash"}
	})
	w.expectCondition(v1alpha1.ConditionConfigLive, Equal(
		"False BundleRejected: dispatcher keeps its old configuration: shard accounts-00 does not fit its hash"))
}

// A pod that does not answer makes the state unknown; nothing is guessed from what it said before.
func TestSilentPod(t *testing.T) {
	w := newWorld(t)
	w.ready()
	silent := w.runPod(v1alpha1.ComponentDispatcher, report.Report{Config: report.Config{Hash: w.hash()}})
	reportServers.Store(silent.Status.PodIP, net.JoinHostPort(silent.Status.PodIP, "1"))
	change(w, silent.Name, &corev1.Pod{}, func(p *corev1.Pod) { p.Annotations = map[string]string{"test.oabridge.dev/look": "again"} })
	w.expectCondition(v1alpha1.ConditionConfigLive, HavePrefix("False ReportsMissing: 1 pod of dispatcher has not reported"))
}

// Rotation: a Secret that changes reaches the pod at once, although the bundle stays the same.
func TestRotatedSecretRefreshesThePod(t *testing.T) {
	w := newWorld(t)
	pod := w.ready()
	before := w.revision(pod)
	change(w, "hq-seeyon", &corev1.Secret{}, func(s *corev1.Secret) { s.Data["password"] = []byte("battery staple") })
	w.Eventually(func() string { return w.revision(pod) }).WithTimeout(patience).ShouldNot(Equal(before))
	bundlePart, _, _ := strings.Cut(before, "-")
	// Once more a little later, in case the kubelet had not seen the new Secret yet.
	w.Eventually(func() string { return w.revision(pod) }).WithTimeout(patience).Should(MatchRegexp(`^` + bundlePart + `-[0-9a-f]+\.1$`))
	w.expectCondition(v1alpha1.ConditionConfigLive, HavePrefix("True Live"))
}

// An outage of the OA is visible at once and is nobody's mistake: a GitOps sync does not fail for it. // F192
func TestOutageOfTheOA(t *testing.T) {
	w := newWorld(t)
	pod := w.ready()
	pod.say(func(r *report.Report) {
		r.OA = &report.OA{State: "False", Reason: v1alpha1.ReasonRefused, Message: "oa.example:8080 refuses connections; is the OA running?"}
		r.Delivery = &report.Delivery{Pending: 2, Retrying: 1}
	})
	w.expectCondition(v1alpha1.ConditionOAReachable, HavePrefix("False ConnectionRefused: oa.example:8080 refuses"))
	w.expectCondition(v1alpha1.ConditionDeliveryHealthy, HavePrefix("False OADown"))
	w.expectCondition(v1alpha1.ConditionReady, HavePrefix("False OADown: oa.example:8080"))
	w.expectCondition(v1alpha1.ConditionStalled, HavePrefix("False"))
	w.expectCondition(v1alpha1.ConditionReconciling, HavePrefix("False"))
	w.Expect(kstatus(get(w, "hq", &v1alpha1.OAConnector{}))).NotTo(Equal("Failed"))
	pod.say(func(r *report.Report) { *r = healthyReport(r.Config.Hash) })
	w.expectCondition(v1alpha1.ConditionReady, HavePrefix("True"))
	w.Eventually(func() []string { return w.eventReasons() }).WithTimeout(patience).Should(ContainElements("ConnectionRefused", "OADown", "Reachable"))
}

// A rejected account is somebody's move, and Ready says whose.
func TestRejectedAccount(t *testing.T) {
	w := newWorld(t)
	pod := w.ready()
	pod.say(func(r *report.Report) {
		r.OA = &report.OA{State: "False", Reason: v1alpha1.ReasonTokenRejected, Message: "the account in credentialsSecretRef is not accepted"}
	})
	w.expectCondition(v1alpha1.ConditionReady, HavePrefix("False TokenRejected"))
}

func (w *world) eventReasons() []string {
	w.Helper()
	var reasons []string
	for _, e := range w.events() {
		reasons = append(reasons, e.Reason)
	}
	return reasons
}
