package controllers_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/report"
)

// A busy dispatcher reports new counts all the time: the status follows, but not at the price of the API server.
func TestCountsAreWrittenAtMostEveryTenSeconds(t *testing.T) {
	w := newWorld(t)
	pod := w.ready()
	pod.say(func(r *report.Report) { r.Delivery.Delivered = 1 })
	delivered := func() *int64 { return get(w, "hq", &v1alpha1.OAConnector{}).Status.Delivery.Delivered }
	w.Eventually(delivered).WithTimeout(patience).Should(HaveValue(BeEquivalentTo(1)))
	start, before := time.Now(), len(requests.in(w.ns))

	n := int64(1)
	w.Eventually(func() *int64 {
		n++
		pod.say(func(r *report.Report) { r.Delivery.Delivered = n })
		return delivered()
	}).WithTimeout(patience).WithPolling(50 * time.Millisecond).Should(HaveValue(BeNumerically(">", 1)))
	w.Expect(requests.in(w.ns)[before:]).To(HaveLen(1), "one write for all that was counted in the meantime")
	w.Expect(time.Since(start)).To(BeNumerically(">", 5*time.Second))

	// A condition does not wait.
	turned := time.Now()
	pod.say(func(r *report.Report) { r.Delivery.Dead = 1 })
	w.expectCondition(v1alpha1.ConditionDeliveryHealthy, HavePrefix("False DeadLetters"))
	w.Expect(time.Since(turned)).To(BeNumerically("<", 5*time.Second))
}

// Somebody who only looks at the object sees what waits for whom.
func TestDeliveryInTheStatus(t *testing.T) {
	w := newWorld(t)
	pod := w.ready()
	accepted := time.Now().Add(-time.Hour).Truncate(time.Second)
	pod.say(func(r *report.Report) {
		r.Delivery = &report.Delivery{
			Held: 3, Delivered: 40, Skipped: 2, OldestTime: &accepted,
			LastFailure: &report.Failure{Time: accepted, Class: "BusinessCode", Message: "the OA says: 系统编码不存在"},
		}
	})
	w.expectCondition(v1alpha1.ConditionDeliveryHealthy, Equal("True Held: 3 items are held until the receiver is bound to an OA account"))
	d := get(w, "hq", &v1alpha1.OAConnector{}).Status.Delivery
	w.Expect(*d.Held).To(BeEquivalentTo(3))
	w.Expect(d.OldestTime.Time).To(BeTemporally("==", accepted))
	w.Expect(d.LastFailure.Message).To(Equal("the OA says: 系统编码不存在"))

	// Records that cannot be looked up hold nothing up; a person who looks for them learns why.
	pod.say(func(r *report.Report) {
		r.Delivery.Held, r.Store.Records = 0, "the database of the index does not answer"
	})
	w.expectCondition(v1alpha1.ConditionDeliveryHealthy, And(HavePrefix("True RecordsBehind: records cannot be looked up, or are late to be; pod "),
		HaveSuffix(": the database of the index does not answer")))

	// What is gone nobody brings back by waiting, so it is said until the dispatcher starts anew.
	pod.say(func(r *report.Report) { r.Store.Records, r.Delivery.Lost, r.Delivery.Retrying = "", 2, 1 })
	w.expectCondition(v1alpha1.ConditionDeliveryHealthy, Equal("False StoreDamaged: 2 accepted items are gone, because files of the queue were damaged: "+
		"send the open items again from the CRM, look at the volume, then restart the dispatcher, which ends this message; 1 item failed and will be tried again"))
	pod.say(func(r *report.Report) { r.Delivery.Lost, r.Delivery.Retrying = 0, 0 })
	w.expectCondition(v1alpha1.ConditionDeliveryHealthy, HavePrefix("True Healthy"))

	// A full disk is somebody's move, whatever the counts say.
	pod.say(func(r *report.Report) { r.Store.Problem = "the volume is full" })
	w.expectCondition(v1alpha1.ConditionDeliveryHealthy, Equal("False Unavailable: no events are taken now: the volume is full"))
}
