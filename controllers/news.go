package controllers

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// newsOf remembers of which connectors this process has heard all pods once. Until then their statuses stand as an earlier
// process wrote them: ten thousand connectors must not turn unknown, and back, whenever the operator starts.
type newsOf struct {
	mu    sync.Mutex
	heard map[types.NamespacedName]bool
}

func newNews() *newsOf { return &newsOf{heard: map[types.NamespacedName]bool{}} }

// unheard is true until a connector's pods were heard for the first time.
func (n *newsOf) unheard(connector types.NamespacedName, heardNow bool) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if heardNow {
		n.heard[connector] = true
	}
	return !n.heard[connector]
}

func (n *newsOf) forget(connector types.NamespacedName) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.heard, connector)
}

// reportPriority is that of rounds after a pod's report: behind what people changed (0), before what a start or a resync looks
// at again (handler.LowPriority).
const reportPriority = handler.LowPriority / 2

// afterFirst lets through what comes after the first list. Every object of a controller's own kind is looked at when it starts,
// so what they depend on need not ask for it once more: ninety thousand children of ten thousand connectors, each time.
//
// It takes what else an event has to pass: of two options with predicates, a watch heeds the second one only.
func afterFirst(also ...predicate.Predicate) builder.Predicates {
	return builder.WithPredicates(append(also, afterFirstList)...)
}

var afterFirstList = predicate.Funcs{CreateFunc: func(e event.CreateEvent) bool { return !e.IsInInitialList }}

// changedMeanwhile asks at once for rounds of connectors that nobody has looked at as they are now: somebody made or changed them while
// no operator was there, and need not wait until all others were looked at again.
var changedMeanwhile = handler.Funcs{CreateFunc: func(_ context.Context, e event.CreateEvent, q requestQueue) {
	c, ok := e.Object.(*v1alpha1.OAConnector)
	if pq, priorities := q.(priorityqueue.PriorityQueue[reconcile.Request]); ok && priorities && c.Generation != c.Status.ObservedGeneration {
		pq.AddWithOpts(priorityqueue.AddOpts{Priority: ptr.To(0)}, requestFor(c))
	}
}}

// childPriority is that of rounds after a child changed, which most often is what an earlier round wrote: a thousand new connectors
// all get their children first. It is behind what people changed and before reports.
const childPriority = reportPriority / 2

// ofChildren lets a handler ask for rounds with childPriority, unless it wants less.
func ofChildren(h handler.EventHandler) handler.EventHandler {
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q requestQueue) { h.Create(ctx, e, childQueue(q)) },
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q requestQueue) { h.Update(ctx, e, childQueue(q)) },
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q requestQueue) { h.Delete(ctx, e, childQueue(q)) },
	}
}

// patientQueue gives what comes without a priority that of children.
type patientQueue struct {
	priorityqueue.PriorityQueue[reconcile.Request]
}

func childQueue(q requestQueue) requestQueue {
	if pq, ok := q.(priorityqueue.PriorityQueue[reconcile.Request]); ok {
		return patientQueue{pq}
	}
	return q
}

// Add implements workqueue.TypedInterface.
func (q patientQueue) Add(request reconcile.Request) { q.AddWithOpts(priorityqueue.AddOpts{}, request) }

// AddWithOpts implements priorityqueue.PriorityQueue.
func (q patientQueue) AddWithOpts(o priorityqueue.AddOpts, requests ...reconcile.Request) {
	if o.Priority == nil {
		o.Priority = ptr.To(childPriority)
	}
	q.PriorityQueue.AddWithOpts(o, requests...)
}

// afterChanges is the handler of reports.
type afterChanges struct{ handler.Funcs }

type requestQueue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// Generic implements handler.EventHandler.
func (afterChanges) Generic(_ context.Context, e event.GenericEvent, q requestQueue) {
	if pq, ok := q.(priorityqueue.PriorityQueue[reconcile.Request]); ok {
		pq.AddWithOpts(priorityqueue.AddOpts{Priority: ptr.To(reportPriority)}, requestFor(e.Object))
		return
	}
	q.Add(reconcile.Request{NamespacedName: client.ObjectKeyFromObject(e.Object)})
}
