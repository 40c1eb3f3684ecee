package controllers

import (
	"context"
	"errors"
	"net"
	"net/http"
	"reflect"
	"slices"
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
	of map[types.NamespacedName][]*followed
}

// followed is one pod.
type followed struct {
	uid       types.UID
	connector types.NamespacedName
	line      report.Line
	// stopped: whatever it still answers counts for nothing.
	stopped bool
	latest  *report.Report
	// failures in a row; silent: there were reportFailures of them.
	failures int
	silent   bool
	// told is when the reconciler was last told of this pod; untold: there are newer counts.
	told   time.Time
	untold bool
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
				DialContext: (&net.Dialer{Timeout: report.DialTimeout}).DialContext,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return errors.New("a report is never a redirect")
			},
		},
		ctx:  ctx,
		stop: stop,
		pods: map[types.UID]*followed{},
		of:   map[types.NamespacedName][]*followed{},
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
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.pods {
		f.stop()
	}
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
	known := slices.DeleteFunc(r.of[connector], func(f *followed) bool {
		if running[f.uid] == f.line.URL {
			delete(running, f.uid)
			return false
		}
		f.stop()
		delete(r.pods, f.uid)
		return true
	})
	for uid, url := range running {
		if r.ctx.Err() == nil {
			known = append(known, r.follow(connector, uid, url))
		}
	}
	if len(known) == 0 {
		delete(r.of, connector)
		return
	}
	r.of[connector] = known
}

// follow asks a pod from now on.
func (r *Reports) follow(connector types.NamespacedName, uid types.UID, url string) *followed {
	f := &followed{uid: uid, connector: connector, line: report.Line{URL: url}}
	f.line.Heard = func(next *report.Report, err error) { r.heard(f, next, err) }
	r.pods[uid] = f
	f.line.Ask(0, reportWait)
	return f
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

func (f *followed) stop() {
	f.stopped = true
	f.line.Close()
}

// heard takes what a pod answered, and asks it again.
func (r *Reports) heard(f *followed, next *report.Report, err error) {
	r.mu.Lock()
	if f.stopped {
		r.mu.Unlock()
		return
	}
	pause, news := f.take(next, err)
	r.mu.Unlock()
	if news {
		r.notify(r.ctx, f.connector)
	}
	wait := reportWait
	if f.untold { // do not sit on a count for longer than a status may be old
		wait = min(wait, max(time.Second, statusInterval-time.Since(f.told)-pause))
	}
	f.line.Ask(pause, wait)
}

// take keeps an answer. It says when to ask again, and whether the connector is to be looked at.
func (f *followed) take(next *report.Report, err error) (pause time.Duration, news bool) {
	pause = reportPause
	switch {
	case err != nil:
		f.failures++
		pause = min(reportRetry<<min(f.failures-1, 10), reportRetryMax)
		if f.failures == reportFailures {
			news = f.latest != nil || !f.silent
			f.latest, f.silent = nil, true
		}
	case next != nil:
		news = f.latest == nil || !reflect.DeepEqual(essence(*f.latest), essence(*next))
		leanReport(next)
		f.latest, f.silent, f.failures, f.untold = next, false, 0, true
	default:
		f.failures = 0
	}
	news = news || f.untold && time.Since(f.told) >= statusInterval
	if news {
		f.told, f.untold = time.Now(), false
	}
	return pause, news
}

// leanReport shares what the reports of most pods have in common.
func leanReport(r *report.Report) {
	share := func(words ...*string) {
		for _, s := range words {
			*s = phrase(*s)
		}
	}
	share(&r.Component)
	if o := r.OA; o != nil {
		share(&o.State, &o.Reason, &o.Message)
	}
	if e := r.Exposure; e != nil {
		share(&e.State, &e.Reason, &e.Message)
	}
	for i := range r.Credentials {
		share(&r.Credentials[i].Slot, &r.Credentials[i].Name, &r.Credentials[i].State)
	}
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
