package controllers_test

import (
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/report"
)

// quiet waits until the operator has made no request for a namespace for a while, and returns all that it made.
func (w *world) quiet() []string {
	w.Helper()
	seen, since := requests.in(w.ns), time.Now()
	w.Eventually(func() time.Duration {
		if now := requests.in(w.ns); len(now) != len(seen) {
			seen, since = now, time.Now()
		}
		return time.Since(since)
	}).WithTimeout(patience).WithPolling(100 * time.Millisecond).Should(BeNumerically(">", 3*time.Second))
	return seen
}

// When nothing changes, the operator asks the API for nothing and writes nothing, however often it looks.
func TestSteadyConnectorsCostNoRequests(t *testing.T) {
	w := newWorld(t)
	pod := w.ready(func(c *v1alpha1.OAConnector) { c.Spec.SSO = sampleConnector(t).Spec.SSO })
	before := w.quiet()
	for range 20 {
		w.Expect(resync(w.Context(), w.key("hq"))).To(Succeed())
	}
	// A resync that arrives later shows that the twenty were worked off: its effect is waited for.
	pod.say(func(r *report.Report) { r.Delivery.Dead = 1 })
	w.expectCondition(v1alpha1.ConditionDeliveryHealthy, HavePrefix("False DeadLetters: 1 item is a dead letter"))
	after := requests.in(w.ns)[len(before):]
	w.Expect(after).To(ConsistOf("PATCH /apis/oabridge.dev/v1alpha1/namespaces/" + w.ns + "/oaconnectors/hq/status"))
}

// A new connector gets its children first, and is written of once they are there, also when nothing more becomes of them: at a
// thousand new ones each write counts.
func TestANewConnectorGetsItsChildrenBeforeItsStatus(t *testing.T) {
	w := newWorld(t)
	w.secrets()
	w.connector()
	w.expectCondition(v1alpha1.ConditionReady, HavePrefix("False RollingOut"))
	status := "PATCH /apis/oabridge.dev/v1alpha1/namespaces/" + w.ns + "/oaconnectors/hq/status"
	made := w.quiet()
	written := slices.IndexFunc(made, func(r string) bool { return r == status })
	w.Expect(made[written+1:]).NotTo(ContainElement(Or(Equal(status), HavePrefix("PATCH /apis/apps/"), HavePrefix("PATCH /api/v1/"))), "%v", made)
}

// file is a connector as a GitOps tool applies it: what was written down, and no more.
func (w *world) file(c *v1alpha1.OAConnector) runtime.ApplyConfiguration {
	w.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(c)
	w.Expect(err).NotTo(HaveOccurred())
	delete(content, "status")
	u := &unstructured.Unstructured{Object: content}
	unstructured.RemoveNestedField(u.Object, "metadata", "creationTimestamp")
	u.SetNamespace(w.ns)
	return client.ApplyConfigurationFromUnstructured(u)
}

// A GitOps tool that applies the same files again finds no difference, and the operator's work is no difference to it.
func TestApplyingTheSameFileAgainChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.secrets()
	w.binding("staff", "1000=zhangwei")
	apply := func() {
		w.Expect(admin.Apply(w.Context(), w.file(sampleConnector(t)), client.FieldOwner("gitops"))).To(Succeed())
	}
	apply()
	w.hash()
	w.quiet()
	first := get(w, "hq", &v1alpha1.OAConnector{})
	apply()
	second := get(w, "hq", &v1alpha1.OAConnector{})
	w.Expect(second.Generation).To(Equal(first.Generation))
	w.Expect(second.ResourceVersion).To(Equal(first.ResourceVersion))
	for _, entry := range second.ManagedFields {
		if entry.Manager == "oabridge-connector" && entry.Subresource == "" {
			w.Expect(string(entry.FieldsV1.GetRawBytes())).NotTo(ContainSubstring("f:spec"), "the operator never writes into spec")
		}
	}
}
