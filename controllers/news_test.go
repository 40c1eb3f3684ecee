package controllers

import (
	"context"
	"fmt"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// While ten thousand connectors wait to be looked at again, and as many pods have news, what a person changes comes first, then
// what the operator made, and then the news.
func TestChangesGoBeforeChildrenReportsAndResyncs(t *testing.T) {
	const many = 10_000
	g := NewWithT(t)
	q := priorityqueue.New[reconcile.Request]("test")
	defer q.ShutDown()
	connector := func(kind string, n int) *v1alpha1.OAConnector {
		return &v1alpha1.OAConnector{ObjectMeta: metav1.ObjectMeta{Namespace: "crm", Name: fmt.Sprintf("%s-%d", kind, n)}}
	}
	child := func(n int, version string) *corev1.Pod {
		return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
			Namespace: "crm", ResourceVersion: version, Labels: map[string]string{v1alpha1.LabelConnector: fmt.Sprintf("child-%d", n)},
		}}
	}
	for n := range many {
		q.AddWithOpts(priorityqueue.AddOpts{Priority: ptr.To(handler.LowPriority)}, requestFor(connector("resync", n)))
		afterChanges{}.Generic(context.Background(), event.GenericEvent{Object: connector("report", n)}, q)
	}
	children := ofChildren(mapWith(ofConnector))
	children.Update(t.Context(), event.UpdateEvent{ObjectOld: child(0, "1"), ObjectNew: child(0, "2")}, q)
	children.Create(t.Context(), event.CreateEvent{Object: child(1, "1"), IsInInitialList: true}, q)
	q.Add(requestFor(connector("change", 0)))
	g.Eventually(q.Len).Should(Equal(2*many + 3))
	next := func() string {
		r, _, _ := q.GetWithPriority()
		q.Done(r)
		return r.Name
	}
	g.Expect(next()).To(HavePrefix("change"))
	g.Expect(next()).To(Equal("child-0"))
	for range many {
		g.Expect(next()).To(HavePrefix("report"))
	}
	g.Expect(next()).To(Or(HavePrefix("resync"), Equal("child-1")), "a child of the first list is no news")
}

// A connector is unheard until its pods were heard once; a pod that is silent later is news of its own.
func TestUnheardIsForTheFirstTimeOnly(t *testing.T) {
	g := NewWithT(t)
	n, hq := newNews(), types.NamespacedName{Namespace: "crm", Name: "hq"}
	g.Expect(n.unheard(hq, false)).To(BeTrue())
	g.Expect(n.unheard(hq, true)).To(BeFalse())
	g.Expect(n.unheard(hq, false)).To(BeFalse())
	n.forget(hq)
	g.Expect(n.unheard(hq, false)).To(BeTrue())
}

// The first list of what bindings and templates depend on asks for nothing: each of them is looked at anyway.
func TestTheFirstListAsksForNothing(t *testing.T) {
	g := NewWithT(t)
	c := &v1alpha1.OAConnector{}
	g.Expect(afterFirstList.Create(event.CreateEvent{Object: c, IsInInitialList: true})).To(BeFalse())
	g.Expect(afterFirstList.Create(event.CreateEvent{Object: c})).To(BeTrue())
	g.Expect(afterFirstList.Update(event.UpdateEvent{ObjectOld: c, ObjectNew: c})).To(BeTrue())
	g.Expect(afterFirstList.Delete(event.DeleteEvent{Object: c})).To(BeTrue())
}
