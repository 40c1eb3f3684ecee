package controllers_test

import (
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/report"
)

// problems of the connector hq, as "reason object key", without the warning that its OA is reached by plain http.
func (w *world) problems() []string {
	var out []string
	for _, p := range get(w, "hq", &v1alpha1.OAConnector{}).Status.Problems {
		if p.Reason != v1alpha1.ReasonPlainHTTP {
			out = append(out, p.Reason+" "+p.Object+" "+p.Key)
		}
	}
	return out
}

// notes of the Events so far, as "type reason: note".
func (w *world) notes() []string {
	var out []string
	for _, e := range w.events() {
		out = append(out, e.Type+" "+e.Reason+": "+e.Note)
	}
	return out
}

// A person who mends one thing after the other sees all of them at once, since when each is there, and one less after each
// step. What came and what went is told once.
func TestEverythingThatIsWrong(t *testing.T) {
	w := newWorld(t)
	pod := w.ready()
	w.Expect(w.problems()).To(BeEmpty())
	before := time.Now().Add(-time.Second)

	change(w, "hq-seeyon", &corev1.Secret{}, func(s *corev1.Secret) { delete(s.Data, "username"); delete(s.Data, "password") })
	change(w, "hq-events", &corev1.Secret{}, func(s *corev1.Secret) { s.Data["signing-key"] = []byte("do-not-show-me-anywhere") })
	pod.say(func(r *report.Report) {
		r.OA = &report.OA{State: "False", Reason: v1alpha1.ReasonTokenRejected, Message: "the OA does not accept the account: check username and password"}
		r.Delivery.Dead, r.Delivery.Held = 2, 3
		r.Store.Records = "the database of the index does not answer"
	})
	w.Eventually(w.problems).WithTimeout(patience).Should(ConsistOf(
		"KeyMissing Secret/hq-seeyon username", "KeyMissing Secret/hq-seeyon password", "KeyInvalid Secret/hq-events signing-key",
		"TokenRejected OAConnector/hq OAReachable",
		"DeadLetters OAConnector/hq DeliveryHealthy", "Held OAConnector/hq DeliveryHealthy", "RecordsBehind OAConnector/hq DeliveryHealthy"))
	all := get(w, "hq", &v1alpha1.OAConnector{}).Status.Problems
	for _, p := range all {
		if p.Reason != v1alpha1.ReasonPlainHTTP { // which was there before
			w.Expect(p.Since.Time).To(BeTemporally(">=", before.Truncate(time.Second)))
		}
		w.Expect(p.Message).NotTo(ContainSubstring("do-not-show-me"))
	}
	w.Expect(all[0].Message).To(HavePrefix("spec.credentialsSecretRef: secret"))
	w.Eventually(w.notes).WithTimeout(patience).Should(And(
		ContainElement(And(HavePrefix("Warning KeyMissing: "), ContainSubstring(`"username"`))),
		ContainElement(And(HavePrefix("Warning KeyMissing: "), ContainSubstring(`"password"`)))))

	// More of the same is no news, and costs no Event.
	w.quiet()
	events := len(w.events())
	pod.say(func(r *report.Report) { r.Delivery.Dead = 5 })
	w.expectCondition(v1alpha1.ConditionDeliveryHealthy, ContainSubstring("see OAReachable"))
	w.Eventually(func() string {
		for _, p := range get(w, "hq", &v1alpha1.OAConnector{}).Status.Problems {
			if p.Reason == v1alpha1.ReasonDeadLetters {
				return p.Message
			}
		}
		return ""
	}).WithTimeout(patience).Should(Equal("5 items are dead letters; kubectl oab dead lists them"))
	w.Expect(w.events()).To(HaveLen(events))
	for i, p := range get(w, "hq", &v1alpha1.OAConnector{}).Status.Problems {
		w.Expect(p.Since).To(Equal(all[i].Since), p.Reason)
	}

	// One step, one less; its condition is still False, so an Event of its own says it.
	change(w, "hq-seeyon", &corev1.Secret{}, func(s *corev1.Secret) { s.Data = map[string][]byte{"username": []byte("fxiaoke")} })
	w.Eventually(w.problems).WithTimeout(patience).Should(And(HaveLen(6), Not(ContainElement("KeyMissing Secret/hq-seeyon username"))))
	w.Eventually(w.notes).WithTimeout(patience).Should(ContainElement("Normal ProblemGone: KeyMissing is gone: Secret/hq-seeyon username"))

	change(w, "hq-seeyon", &corev1.Secret{}, func(s *corev1.Secret) { s.Data["password"] = []byte("x") })
	change(w, "hq-events", &corev1.Secret{}, func(s *corev1.Secret) {
		s.Data["signing-key"] = []byte("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz")
	})
	pod.say(func(r *report.Report) {
		r.OA = &report.OA{State: "True", Reason: v1alpha1.ReasonReachable, Message: "the OA answers and accepts the account"}
		r.Delivery.Dead, r.Delivery.Held, r.Store.Records = 0, 0, ""
	})
	w.Eventually(w.problems).WithTimeout(patience).Should(BeEmpty())
	// The condition spoke of the outage; that there are dead letters, only an Event of their own says.
	w.Eventually(w.notes).WithTimeout(patience).Should(ContainElement("Warning DeadLetters: OAConnector/hq DeliveryHealthy: 2 items are dead letters; kubectl oab dead lists them"))
	for _, note := range w.notes() {
		w.Expect(strings.Count(note, "do-not-show-me")).To(BeZero())
	}
	for _, e := range w.events() {
		w.Expect(e.Series).To(BeNil(), "each of several was told in words of its own: %s", e.Note)
	}
}
