package controllers_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/report"
	"github.com/oabridge/oabridge/internal/slo"
)

// The status says how deliveries do against the promise. Noise below what is shown costs no write.
func TestTheObjectiveInTheStatus(t *testing.T) {
	w := newWorld(t)
	pod := w.ready(func(c *v1alpha1.OAConnector) {
		c.Spec.SLO = v1alpha1.SLO{Objective: "99", Within: metav1.Duration{Duration: 30 * time.Second}}
	})
	status := func() v1alpha1.SLOStatus { return get(w, "hq", &v1alpha1.OAConnector{}).Status.SLO }
	say := func(f slo.Figures) { pod.say(func(r *report.Report) { r.SLO = &f }) }

	say(slo.Figures{})
	w.Eventually(status).WithTimeout(patience).Should(And(
		HaveField("Objective", "99"), HaveField("Within.Duration", 30*time.Second), HaveField("Window.Duration", time.Hour),
		HaveField("Items", HaveValue(BeEquivalentTo(0))), HaveField("InTime", ""), HaveField("BurnRate", ""),
		HaveField("Latency", v1alpha1.LatencyStatus{})))

	// 12,345 items, of which 70 were late and 5 dead: 0.6075 % missed, of 1 % that may.
	busy := slo.Figures{InTime: 12_270, Late: 70, Dead: 5, Latencies: map[int]int64{53: 6_000, 60: 6_000, 80: 340}}
	say(busy)
	w.Eventually(status).WithTimeout(patience).Should(And(
		HaveField("Items", HaveValue(BeEquivalentTo(12_000))), HaveField("InTime", "99.39"), HaveField("BurnRate", "0.61"),
		HaveField("Latency.P50.Duration", 170*time.Millisecond), HaveField("Latency.P95.Duration", 170*time.Millisecond), HaveField("Latency.P99.Duration", 980*time.Millisecond)))

	before := w.quiet()
	busy.InTime += 10
	busy.Latencies = map[int]int64{53: 6_010, 60: 6_000, 80: 340}
	say(busy)
	// A condition that follows shows that the noise was seen.
	pod.say(func(r *report.Report) { r.Delivery.Dead = 1 })
	w.expectCondition(v1alpha1.ConditionDeliveryHealthy, HavePrefix("False DeadLetters"))
	w.Expect(requests.in(w.ns)[len(before):]).To(HaveLen(1), "one write for the condition, none for the noise")
	w.Expect(status().InTime).To(Equal("99.39"))
}
