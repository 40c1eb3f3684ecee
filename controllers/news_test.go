package controllers

import (
	"context"
	"fmt"
	"testing"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// While ten thousand connectors wait to be looked at again, and as many pods have news, what a person changes comes first,
// and then the news.
func TestChangesGoBeforeReportsAndReportsBeforeResyncs(t *testing.T) {
	const many = 10_000
	g := NewWithT(t)
	q := priorityqueue.New[reconcile.Request]("test")
	defer q.ShutDown()
	connector := func(kind string, n int) *v1alpha1.OAConnector {
		return &v1alpha1.OAConnector{ObjectMeta: metav1.ObjectMeta{Namespace: "crm", Name: fmt.Sprintf("%s-%d", kind, n)}}
	}
	for n := range many {
		q.AddWithOpts(priorityqueue.AddOpts{Priority: ptr.To(handler.LowPriority)}, requestFor(connector("resync", n)))
		afterChanges{}.Generic(context.Background(), event.GenericEvent{Object: connector("report", n)}, q)
	}
	q.Add(requestFor(connector("change", 0)))
	g.Eventually(q.Len).Should(Equal(2*many + 1))
	next := func() string {
		r, _, _ := q.GetWithPriority()
		q.Done(r)
		return r.Name
	}
	g.Expect(next()).To(HavePrefix("change"))
	for range many {
		g.Expect(next()).To(HavePrefix("report"))
	}
	g.Expect(next()).To(HavePrefix("resync"))
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
