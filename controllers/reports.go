package controllers

import (
	"context"
	"errors"
	"net"
	"net/http"
	"reflect"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/report"
)

const (
	// reportWait is how long a request waits at the pod for a change.
	reportWait = 25 * time.Second
	// reportPause is the least time between two requests to a busy pod.
	reportPause = 250 * time.Millisecond
	// A pod that does not answer is asked again after reportRetry, then at doubling intervals up to reportRetryMax.
	reportRetry    = time.Second
	reportRetryMax = 30 * time.Second
	// reportFailures in a row make the last report worthless.
	reportFailures = 3
	// reportDial bounds the connection to a pod.
	reportDial = 3 * time.Second
	// statusInterval is the least time between two writes of mere counts to one object.
	statusInterval = 10 * time.Second
	// reportQueue is how many connectors may wait to be looked at.
	reportQueue = 1024
)

// Reports keeps one long poll per running pod, so that the reconcilers learn what the workloads say without asking over
// the network themselves. It runs on the leader only.
type Reports struct {
	url    func(*corev1.Pod) string
	client *http.Client
	// subscribers are told which connector to look at; they are all there before the first pod is followed.
	subscribers []chan event.TypedGenericEvent[client.Object]
	ctx         context.Context
	stop        context.CancelFunc

	mu   sync.Mutex
	pods map[types.UID]*followed
	// of a connector: nobody looks through all pods.
	of map[types.NamespacedName]map[types.UID]*followed
}

// followed is one pod.
type followed struct {
	connector types.NamespacedName
	url       string
	stop      context.CancelFunc
	latest    *report.Report
	// silent: it did not answer reportFailures times in a row.
	silent bool
}

// NewReports returns a Reports that asks each pod at url(pod); nil means the admin port of the pod's address.
func NewReports(url func(*corev1.Pod) string) *Reports {
	if url == nil {
		url = func(pod *corev1.Pod) string {
			return "http://" + net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(bundle.PortAdmin)) + "/report"
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	return &Reports{
		url: url,
		client: &http.Client{
			Transport: &http.Transport{ // no proxy: pods are reached directly
				DialContext: (&net.Dialer{Timeout: reportDial}).DialContext,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return errors.New("a report is never a redirect")
			},
		},
		ctx:  ctx,
		stop: stop,
		pods: map[types.UID]*followed{},
		of:   map[types.NamespacedName]map[types.UID]*followed{},
	}
}

// subscribe is for a controller's setup: the channel names each connector whose pods have news.
func (r *Reports) subscribe() <-chan event.TypedGenericEvent[client.Object] {
	events := make(chan event.TypedGenericEvent[client.Object], reportQueue)
	r.subscribers = append(r.subscribers, events)
	return events
}

// Start implements manager.Runnable: everything ends with ctx.
func (r *Reports) Start(ctx context.Context) error {
	<-ctx.Done()
	r.stop()
	r.client.CloseIdleConnections()
	return nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (r *Reports) NeedLeaderElection() bool { return true }

func (r *Reports) context() context.Context { return r.ctx }

// Follow listens to the running ones of a connector's pods, and to no other pod of it.
func (r *Reports) Follow(connector types.NamespacedName, pods []corev1.Pod) {
	running := map[types.UID]string{}
	for i := range pods {
		if p := &pods[i]; p.Status.Phase == corev1.PodRunning && p.Status.PodIP != "" {
			running[p.UID] = r.url(p)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.of[connector]
	for uid, f := range known {
		if running[uid] != f.url {
			f.stop()
			delete(r.pods, uid)
			delete(known, uid)
		}
	}
	for uid, url := range running {
		if known[uid] == nil {
			ctx, stop := context.WithCancel(r.ctx)
			f := &followed{connector: connector, url: url, stop: stop}
			if known == nil {
				known = map[types.UID]*followed{}
				r.of[connector] = known
			}
			r.pods[uid], known[uid] = f, f
			go r.follow(ctx, f)
		}
	}
	if len(known) == 0 {
		delete(r.of, connector)
	}
}

// Latest returns the last report of a pod, false if there is none or the pod stopped answering.
func (r *Reports) Latest(pod types.UID) (report.Report, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f := r.pods[pod]; f != nil && f.latest != nil {
		return *f.latest, true
	}
	return report.Report{}, false
}

// Heard says whether each of the running pods has answered, or is known not to.
func (r *Reports) Heard(pods []corev1.Pod) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range pods {
		if f := r.pods[pods[i].UID]; f != nil && f.latest == nil && !f.silent {
			return false
		}
	}
	return true
}

// follow asks one pod until ctx ends.
func (r *Reports) follow(ctx context.Context, f *followed) {
	var etag string
	var failures int
	var told time.Time // when the reconciler was last told of this pod
	var untold bool
	line := &report.Line{Dial: reportDial}
	defer line.Close()
	for ctx.Err() == nil {
		wait := reportWait
		if untold { // do not sit on a count for longer than a status may be old
			wait = min(wait, max(time.Second, statusInterval-time.Since(told)))
		}
		next, newETag, changed, err := report.Get(ctx, line, f.url, etag, wait)
		pause := reportPause
		switch {
		case err != nil:
			failures++
			pause = min(reportRetry<<min(failures-1, 10), reportRetryMax)
			etag = ""
			if failures == reportFailures && r.store(f, nil) {
				r.notify(ctx, f.connector)
			}
		case changed:
			failures, etag = 0, newETag
			urgent := r.urgent(f, next)
			r.store(f, &next)
			untold = true
			if urgent {
				told, untold = time.Now(), false
				r.notify(ctx, f.connector)
			}
		default:
			failures = 0
		}
		if untold && time.Since(told) >= statusInterval {
			told, untold = time.Now(), false
			r.notify(ctx, f.connector)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// store keeps a report, or drops the last one; it is true when that changed anything.
func (r *Reports) store(f *followed, next *report.Report) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	changed := f.latest != nil || next != nil || !f.silent
	f.latest, f.silent = next, next == nil
	return changed
}

// urgent says whether a report differs from the last one in more than how many.
func (r *Reports) urgent(f *followed, next report.Report) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return f.latest == nil || !reflect.DeepEqual(essence(*f.latest), essence(next))
}

// essence of a report: everything that a condition's status or reason depends on.
func essence(r report.Report) any {
	e := struct {
		config                        report.Config
		oa                            *report.OA
		store                         *report.Store
		pending, retrying, held, dead bool
		counted                       bool
		replays                       map[string]report.Replay
		notified                      string
	}{config: r.Config, oa: r.OA, store: r.Store, replays: map[string]report.Replay{}}
	if d := r.Delivery; d != nil {
		e.counted = true
		e.pending, e.retrying, e.held, e.dead = d.Pending > 0, d.Retrying > 0, d.Held > 0, d.Dead > 0
	}
	for id, replay := range r.Replays {
		e.replays[id] = report.Replay{Done: replay.Done, Message: replay.Message}
	}
	if r.Notifications != nil {
		e.notified = r.Notifications.Problem
	}
	return e
}

// notify has a connector, and what depends on its reports, reconciled.
func (r *Reports) notify(ctx context.Context, connector types.NamespacedName) {
	e := event.TypedGenericEvent[client.Object]{Object: &v1alpha1.OAConnector{ObjectMeta: metav1.ObjectMeta{
		Namespace: connector.Namespace, Name: connector.Name,
	}}}
	for _, events := range r.subscribers {
		select {
		case events <- e:
		case <-ctx.Done():
		}
	}
}

// Resync has a connector looked at again, as a periodic resync does.
func (r *Reports) Resync(ctx context.Context, connector types.NamespacedName) error {
	r.notify(ctx, connector)
	return ctx.Err()
}
