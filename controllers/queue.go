package controllers

import (
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// givenWay is for how long a round that nobody waits for stands back. It is a pause and not a stop: the worker is soon free for the
// next thing that somebody waits for, and what nobody waits for is done in the end, whatever else is going on.
const givenWay = 50 * time.Millisecond

// traffic is what all controllers have under way that somebody waits for.
//
// The order of a queue is not enough: ten thousand objects that are looked at again after a start keep all processors busy, and Go's
// scheduler has no priorities. A new connector's first round makes a dozen requests, and each answer of the API server waited 20 to
// 30 ms until it was read.
type traffic struct {
	mu       sync.Mutex
	underWay map[waitedFor]bool
	// calm is closed when nothing is under way any more; nil when nothing is.
	calm chan struct{}
}

// waitedFor is a round that somebody waits for.
type waitedFor struct {
	queue   *courteousQueue
	request reconcile.Request
}

func newTraffic() *traffic { return &traffic{underWay: map[waitedFor]bool{}} }

func (t *traffic) begin(r waitedFor) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.underWay) == 0 {
		t.calm = make(chan struct{})
	}
	t.underWay[r] = true
}

func (t *traffic) end(r waitedFor) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.underWay[r] {
		return
	}
	delete(t.underWay, r)
	if len(t.underWay) == 0 {
		close(t.calm)
		t.calm = nil
	}
}

// giveWay returns when nothing is under way, and after givenWay at the latest.
func (t *traffic) giveWay() {
	t.mu.Lock()
	calm := t.calm
	t.mu.Unlock()
	if calm == nil {
		return
	}
	select {
	case <-calm:
	case <-time.After(givenWay):
	}
}

// courteousQueue has what a start or a resync looks at again, and what pods report, give way to what people changed.
type courteousQueue struct {
	priorityqueue.PriorityQueue[reconcile.Request]
	traffic *traffic
}

// newQueue is for controller.Options.
func (t *traffic) newQueue(controller string, limiter workqueue.TypedRateLimiter[reconcile.Request]) requestQueue {
	return &courteousQueue{traffic: t, PriorityQueue: priorityqueue.New(controller, func(o *priorityqueue.Opts[reconcile.Request]) {
		o.RateLimiter = limiter
	})}
}

// GetWithPriority implements priorityqueue.PriorityQueue.
func (q *courteousQueue) GetWithPriority() (request reconcile.Request, priority int, shutdown bool) {
	request, priority, shutdown = q.PriorityQueue.GetWithPriority()
	switch {
	case shutdown:
	case priority >= 0:
		q.traffic.begin(waitedFor{q, request})
	case priority <= reportPriority:
		q.traffic.giveWay()
	}
	return request, priority, shutdown
}

// Done implements workqueue.TypedInterface.
func (q *courteousQueue) Done(request reconcile.Request) {
	q.traffic.end(waitedFor{q, request})
	q.PriorityQueue.Done(request)
}
