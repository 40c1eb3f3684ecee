package controllers_test

import (
	"context"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
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

// operatorOfOwn starts an operator for this story alone, as another process would be, and returns its requests and its end.
func (w *world) operatorOfOwn(build string) (made *counter, end func()) {
	w.Helper()
	ctx, cancel := context.WithCancel(w.Context())
	made = &counter{}
	stopped, err := startOperator(ctx, adminConfig, made, controllers.Options{
		Build: build, PresetsNamespace: w.ns, Reports: controllers.NewReports(fakeReportURL), Scope: controllers.Scope{Namespaces: []string{w.ns}, Class: w.ns},
	})
	if err != nil {
		cancel()
		w.Fatal(err)
	}
	return made, func() {
		cancel()
		w.Expect(<-stopped).To(Succeed())
	}
}

// What a build of the operator left as it should be, the same build finds so without making anything anew; what somebody changed while
// it was away is put right; and another build looks at everything for itself.
func TestAnOperatorTrustsWhatTheSameBuildSettled(t *testing.T) {
	w := newWorld(t)
	settled := func() string { return get(w, "hq", &v1alpha1.OAConnector{}).Status.Config.Settled }
	_, end := w.operatorOfOwn("one")
	w.ready(func(c *v1alpha1.OAConnector) { c.Labels = map[string]string{v1alpha1.LabelControllerClass: w.ns} })
	w.Eventually(settled).WithTimeout(patience).ShouldNot(BeEmpty())
	first := settled()
	end()

	change(w, "hq-dispatcher", &appsv1.Deployment{}, func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = "somebody/else" })
	_, end = w.operatorOfOwn("one")
	w.Eventually(func() string {
		return get(w, "hq-dispatcher", &appsv1.Deployment{}).Spec.Template.Spec.Containers[0].Image
	}).WithTimeout(patience).Should(Equal("oabridge:test"))
	w.Eventually(settled).WithTimeout(patience).Should(Equal(first), "the same operator left the same")
	end()

	status := "PATCH /apis/oabridge.dev/v1alpha1/namespaces/" + w.ns + "/oaconnectors/hq/status"
	of := func(made *counter) func() []string {
		return func() (found []string) {
			for _, request := range made.in(w.ns) {
				if !strings.Contains(request, "/scenariotemplates") {
					found = append(found, request)
				}
			}
			return found
		}
	}
	made, end := w.operatorOfOwn("two")
	w.Eventually(settled).WithTimeout(patience).ShouldNot(Equal(first))
	w.Consistently(of(made)).WithTimeout(2 * time.Second).Should(ConsistOf(status))
	end()
}
