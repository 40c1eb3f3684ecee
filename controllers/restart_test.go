package controllers_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
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
func (w *world) operatorOfOwn(build string, changes ...func(*controllers.Options)) (made *counter, end func()) {
	w.Helper()
	ctx, cancel := context.WithCancel(w.Context())
	made = &counter{}
	o := controllers.Options{
		Build: build, PresetsNamespace: w.ns, Reports: controllers.NewReports(fakeReportURL), Scope: controllers.Scope{Namespaces: []string{w.ns}, Class: w.ns},
	}
	for _, change := range changes {
		change(&o)
	}
	stopped, err := startOperator(ctx, adminConfig, made, o)
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

// A status that is written, or a label or annotation that means nothing here, is no reason to look at anything again: with ten thousand
// connectors, one template's count of its users would be ten thousand looks.
func TestWhatIsNoChangeAsksForNoLook(t *testing.T) {
	w := newWorld(t)
	var looks atomic.Int64 // each one asks what time it is
	_, end := w.operatorOfOwn("one", func(o *controllers.Options) {
		o.Now = func() time.Time { looks.Add(1); return time.Now() }
	})
	defer end()
	own := func(o client.Object) { o.SetLabels(map[string]string{v1alpha1.LabelControllerClass: w.ns}) }
	w.ready(func(c *v1alpha1.OAConnector) { own(c) })
	calm := func() int64 {
		seen, since := looks.Load(), time.Now()
		w.Eventually(func() time.Duration {
			if now := looks.Load(); now != seen {
				seen, since = now, time.Now()
			}
			return time.Since(since)
		}).WithTimeout(patience).WithPolling(50 * time.Millisecond).Should(BeNumerically(">", 3*time.Second))
		return seen
	}
	w.Eventually(func() int64 { return ptr.Deref(get(w, "seeyon-todo", &v1alpha1.ScenarioTemplate{}).Status.UsedBy, 0) }).
		WithTimeout(patience).Should(BeEquivalentTo(1))
	before := calm()
	for name, o := range map[string]client.Object{"seeyon-todo": &v1alpha1.ScenarioTemplate{}, "hq": &v1alpha1.OAConnector{}, "staff": &v1alpha1.AccountBinding{}} {
		o.SetNamespace(w.ns)
		o.SetName(name)
		w.Expect(admin.Patch(w.Context(), o, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"annotations":{"corp.example/note":"seen"}}}`)))).To(Succeed())
	}
	w.Consistently(looks.Load).WithTimeout(2 * time.Second).Should(Equal(before))
	change(w, "hq", &v1alpha1.OAConnector{}, func(c *v1alpha1.OAConnector) { c.Spec.DataCenterID = "dc-9" })
	w.Eventually(looks.Load).WithTimeout(patience).Should(BeNumerically(">", before), "what is one asks for a look")
}
