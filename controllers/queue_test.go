package controllers

import (
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// queueOf makes the queue of a controller as its manager does.
func queueOf(t *testing.T, all *traffic, name string) *courteousQueue {
	t.Helper()
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](time.Second, time.Minute)
	q, ok := all.newQueue(name, limiter).(*courteousQueue)
	if !ok {
		t.Fatal("another queue")
	}
	return q
}

func theConnector(name string) *v1alpha1.OAConnector {
	return &v1alpha1.OAConnector{ObjectMeta: metav1.ObjectMeta{Namespace: "crm", Name: name}}
}

// While somebody's new connector is worked on, workers of all controllers pause before each object that a start looks at again, and
// before what a pod reports. They do not stop: another new connector has a worker soon.
func TestWhatAStartLooksAtAgainGivesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, all := NewWithT(t), newTraffic()
		connectors, bindings := queueOf(t, all, "connector"), queueOf(t, all, "binding")
		defer connectors.ShutDown()
		defer bindings.ShutDown()
		began := time.Now()
		priority := handler.LowPriority
		again := func(name string) reconcile.Request {
			bindings.AddWithOpts(priorityqueue.AddOpts{Priority: &priority}, requestFor(theConnector(name)))
			r, _, _ := bindings.GetWithPriority()
			bindings.Done(r)
			return r
		}
		again("alone")
		g.Expect(time.Since(began)).To(BeZero(), "nobody waits for anything")

		connectors.Add(requestFor(theConnector("new")))
		newcomer, _, _ := connectors.GetWithPriority()
		g.Expect(time.Since(began)).To(BeZero())
		again("beside it")
		g.Expect(time.Since(began)).To(Equal(givenWay))
		priority = reportPriority
		again("what a pod reports")
		g.Expect(time.Since(began)).To(Equal(2 * givenWay))
		priority = childPriority
		again("what becomes of what was made")
		g.Expect(time.Since(began)).To(Equal(2 * givenWay))

		taken := make(chan struct{})
		go func() {
			again("as it ends")
			close(taken)
		}()
		synctest.Wait()
		connectors.Done(newcomer)
		<-taken
		g.Expect(time.Since(began)).To(Equal(2*givenWay), "there is nothing left to give way to")
	})
}

// What somebody made or changed while no operator was there goes before what is only looked at again.
func TestWhatChangedMeanwhileGoesFirst(t *testing.T) {
	g := NewWithT(t)
	q := queueOf(t, newTraffic(), "connector")
	defer q.ShutDown()
	same, changed := theConnector("same"), theConnector("changed")
	same.Generation, same.Status.ObservedGeneration = 2, 2
	changed.Generation, changed.Status.ObservedGeneration = 2, 1
	for _, c := range []*v1alpha1.OAConnector{same, changed} {
		first := event.CreateEvent{Object: c, IsInInitialList: true}
		(&handler.EnqueueRequestForObject{}).Create(t.Context(), first, q)
		changedMeanwhile.Create(t.Context(), first, q)
	}
	g.Eventually(q.Len).Should(Equal(2))
	r, priority, _ := q.GetWithPriority()
	g.Expect(r).To(Equal(requestFor(changed)))
	g.Expect(priority).To(BeZero())
	r, priority, _ = q.GetWithPriority()
	g.Expect(r).To(Equal(requestFor(same)))
	g.Expect(priority).To(Equal(handler.LowPriority))
}
