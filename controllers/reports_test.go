package controllers_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oabridge/oabridge/controllers"
	"github.com/oabridge/oabridge/internal/report"
)

// Pods are listened to as long as they run, and as long as the operator does: then their connections end, and what they said is
// forgotten with them.
func TestWhoIsListenedTo(t *testing.T) {
	g := NewWithT(t)
	waiting, gone := make(chan string, 2), make(chan string, 2)
	publisher := report.NewPublisher(report.Report{Component: "dispatcher"})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") == "" { // the first report comes at once
			publisher.ServeHTTP(w, r)
			return
		}
		waiting <- r.URL.Path
		<-r.Context().Done()
		gone <- r.URL.Path
	}))
	t.Cleanup(server.Close)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	reports := controllers.NewReports(func(pod *corev1.Pod) string { return server.URL + "/" + string(pod.UID) })
	ended := make(chan error)
	go func() { ended <- reports.Start(ctx) }()

	running := func(uids ...types.UID) (pods []corev1.Pod) {
		for _, uid := range uids {
			pods = append(pods, corev1.Pod{
				ObjectMeta: metav1.ObjectMeta{UID: uid}, Status: corev1.PodStatus{Phase: corev1.PodRunning, PodIP: "127.0.0.1"},
			})
		}
		return pods
	}
	said := func(uid types.UID) bool {
		_, ok := reports.Latest(uid)
		return ok
	}
	hq := types.NamespacedName{Namespace: "oa", Name: "hq"}
	reports.Follow(hq, running("first"))
	g.Eventually(waiting).WithTimeout(patience).Should(Receive(Equal("/first")))
	reports.Follow(hq, running("first", "second"))
	g.Eventually(waiting).WithTimeout(patience).Should(Receive(Equal("/second")))
	g.Expect(reports.Heard(running("first", "second"))).To(BeTrue())

	reports.Follow(hq, running("second"))
	g.Eventually(gone).WithTimeout(patience).Should(Receive(Equal("/first")))
	g.Expect(said("first")).To(BeFalse())
	g.Expect(said("second")).To(BeTrue())

	stop()
	g.Expect(<-ended).To(Succeed())
	g.Eventually(gone).WithTimeout(patience).Should(Receive(Equal("/second")))
	reports.Follow(hq, running("second", "third"))
	g.Expect(reports.Heard(running("third"))).To(BeTrue(), "nobody waits for a pod that is not asked any more")
}
