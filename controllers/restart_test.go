package controllers_test

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/controllers"
)

// An operator that starts, or that takes over from another one, looks at everything and writes nothing: what is in the
// cluster says by itself that it is as it was left, and no status turns unknown while the pods have not been heard.
func TestAnOperatorThatStartsWritesNothing(t *testing.T) {
	w := newWorld(t)
	w.ready(func(c *v1alpha1.OAConnector) { c.Spec.SSO = sampleConnector(t).Spec.SSO })
	w.quiet()
	var pods corev1.PodList
	w.Expect(admin.List(w.Context(), &pods, client.InNamespace(w.ns))).To(Succeed())
	w.Expect(pods.Items).To(HaveLen(2))

	ctx, cancel := context.WithCancel(w.Context())
	defer cancel()
	fresh, reports := &counter{}, controllers.NewReports(fakeReportURL)
	stopped, err := startOperator(ctx, adminConfig, fresh, controllers.Options{
		PresetsNamespace: presetsNamespace, Reports: reports, Scope: controllers.Scope{Namespaces: []string{w.ns}},
	})
	w.Expect(err).NotTo(HaveOccurred())
	w.Eventually(func() bool {
		for _, p := range pods.Items {
			if _, heard := reports.Latest(p.UID); !heard {
				return false
			}
		}
		return true
	}).WithTimeout(patience).Should(BeTrue())
	w.Expect(reports.Resync(ctx, w.key("hq"))).To(Succeed())
	w.Consistently(func() []string { return fresh.in(w.ns) }).WithTimeout(2 * time.Second).Should(BeEmpty())
	cancel()
	w.Expect(<-stopped).To(Succeed())
}
