package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/controllers"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/report"
	"github.com/oabridge/oabridge/internal/workload"
)

// builders of pods work at the same time.
const builders = 8

// standIn plays the Deployment controller, the scheduler, the kubelets and the dispatchers: a Deployment gets one running
// pod, which has an address in 127/8 and reports the bundle that the ConfigMaps hold. All pods are answered for by one HTTP server.
type standIn struct {
	cluster *cluster
	server  *http.Server
	stop    context.CancelFunc
	unwatch context.CancelFunc
	work    chan types.NamespacedName

	mu sync.Mutex
	// deployments seen, and when.
	deployments map[types.NamespacedName]time.Time
	// pods by address, and by connector.
	pods        map[string]*pod
	byConnector map[types.NamespacedName]*pod
	shards      map[types.NamespacedName]string
	// live is told of each document that is live in a pod.
	live chan liveBundle
	err  error
}

// pod is one dispatcher.
type pod struct {
	*report.Publisher

	// asked counts the requests for its report since the manager started.
	asked atomic.Int32

	mu     sync.Mutex
	report report.Report
	// document is the newest root document, which may wait for its shards.
	document string
}

// liveBundle says that the pod of a connector has the bundle of a hash.
type liveBundle struct {
	connector types.NamespacedName
	hash      string
	at        time.Time
}

// say changes what the pod reports.
func (p *pod) say(change func(*report.Report)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.report)
	p.Publish(p.report)
}

// address of the pod with a number: always 15 characters, so that one can stand in the place of another.
func address(n int) string {
	const base, from = 156, 100
	return fmt.Sprintf("127.%d.%d.%d", from+n/base/base%base, from+n/base%base, from+n%base)
}

func startStandIn(ctx context.Context, c *cluster) (*standIn, error) {
	ctx, stop := context.WithCancel(ctx)
	s := &standIn{
		cluster: c, stop: stop, work: make(chan types.NamespacedName, 1<<16),
		deployments: map[types.NamespacedName]time.Time{}, pods: map[string]*pod{},
		byConnector: map[types.NamespacedName]*pod{}, shards: map[types.NamespacedName]string{},
		live: make(chan liveBundle, 1<<16),
	}
	if err := s.serve(); err != nil {
		return s, err
	}
	if err := s.watch(ctx); err != nil {
		return s, err
	}
	for range builders {
		go s.build(ctx)
	}
	return s, nil
}

func (s *standIn) close() {
	s.stop()
	if s.server != nil { // it got its port
		_ = s.server.Close()
	}
}

// serve answers GET /report at the address of every pod.
func (s *standIn) serve() error {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", ":"+strconv.Itoa(bundle.PortAdmin))
	if err != nil {
		return fmt.Errorf("the pods' reports need port %d of this machine: %w", bundle.PortAdmin, err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /report", func(w http.ResponseWriter, r *http.Request) {
		local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		host, _, _ := net.SplitHostPort(local.String())
		s.mu.Lock()
		p := s.pods[host]
		s.mu.Unlock()
		if p == nil {
			http.NotFound(w, r)
			return
		}
		p.asked.Add(1)
		p.ServeHTTP(w, r)
	})
	s.server = &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() { _ = s.server.Serve(listener) }()
	return nil
}

// watch follows Deployments, pods and the bundles' ConfigMaps, from a list on.
func (s *standIn) watch(ctx context.Context) error {
	if s.unwatch != nil {
		s.unwatch()
	}
	ctx, s.unwatch = context.WithCancel(ctx)
	exists, err := labels.Parse(v1alpha1.LabelConnector)
	if err != nil {
		return err
	}
	bodiless := func(o any) (any, error) {
		switch o := o.(type) {
		case *appsv1.Deployment:
			o.Spec, o.ManagedFields = appsv1.DeploymentSpec{}, nil
		case *corev1.Pod:
			o.Spec, o.ManagedFields = corev1.PodSpec{}, nil
		}
		return o, nil
	}
	seen, err := cache.New(s.cluster.config, cache.Options{
		Scheme: controllers.Scheme(), DefaultLabelSelector: exists, DefaultTransform: bodiless,
	})
	if err != nil {
		return err
	}
	for o, handle := range map[client.Object]func(any){
		&appsv1.Deployment{}: s.sawDeployment,
		&corev1.Pod{}:        s.sawPod,
		&corev1.ConfigMap{}:  s.sawConfig,
	} {
		informer, err := seen.GetInformer(ctx, o, cache.BlockUntilSynced(false))
		if err != nil {
			return err
		}
		if _, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
			AddFunc: handle, UpdateFunc: func(_, now any) { handle(now) },
		}); err != nil {
			return err
		}
	}
	go func() { _ = seen.Start(ctx) }()
	if !seen.WaitForCacheSync(ctx) {
		return errors.New("the stand-in for workloads sees nothing of the cluster")
	}
	return nil
}

func connectorOf(o client.Object) types.NamespacedName {
	return types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetLabels()[v1alpha1.LabelConnector]}
}

func (s *standIn) sawDeployment(o any) {
	d, ok := o.(*appsv1.Deployment)
	if !ok {
		return
	}
	key := client.ObjectKeyFromObject(d)
	s.mu.Lock()
	_, known := s.deployments[key]
	if !known {
		s.deployments[key] = time.Now()
	}
	s.mu.Unlock()
	if !known && d.Status.AvailableReplicas == 0 {
		s.work <- key
	}
}

// sawPod takes a pod into service, also one that was put into etcd.
func (s *standIn) sawPod(o any) {
	p, ok := o.(*corev1.Pod)
	if !ok || p.Status.PodIP == "" {
		return
	}
	s.mu.Lock()
	served := s.podOf(connectorOf(p))
	s.pods[p.Status.PodIP] = served
	s.mu.Unlock()
}

// podOf is called with the lock held.
func (s *standIn) podOf(connector types.NamespacedName) *pod {
	p := s.byConnector[connector]
	if p == nil {
		first := report.Report{
			Component: v1alpha1.ComponentDispatcher,
			OA:        &report.OA{State: "True", Reason: v1alpha1.ReasonReachable, Message: "the OA answers and accepts the account"},
			Delivery:  &report.Delivery{}, Store: &report.Store{},
		}
		p = &pod{Publisher: report.NewPublisher(first), report: first}
		s.byConnector[connector] = p
	}
	return p
}

// sawConfig does what a kubelet and a dispatcher do with a bundle: when the document and all its shards are there and fit, it
// is live. How long a kubelet takes (0.3 to 0.9 s on a real node) is not in it.
func (s *standIn) sawConfig(o any) {
	cm, ok := o.(*corev1.ConfigMap)
	if !ok || cm.Labels[v1alpha1.LabelAccounts] != workload.AccountsCompiled {
		return
	}
	key := connectorOf(cm)
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.podOf(key)
	if text, root := cm.Data[bundle.FileName]; root {
		p.document = text
	}
	for file, data := range cm.BinaryData {
		sum := sha256.Sum256(data)
		s.shards[types.NamespacedName{Namespace: cm.Namespace, Name: key.Name + "/" + file}] = hex.EncodeToString(sum[:])
	}
	s.load(key, p)
}

func (s *standIn) load(key types.NamespacedName, p *pod) {
	var b bundle.Bundle
	if p.document == "" || json.Unmarshal([]byte(p.document), &b) != nil {
		return
	}
	for _, shard := range b.Accounts.Shards {
		if s.shards[types.NamespacedName{Namespace: key.Namespace, Name: key.Name + "/" + shard.File}] != shard.SHA256 {
			return
		}
	}
	hash := bundle.Hash(map[string][]byte{bundle.FileName: []byte(p.document)})
	if p.report.Config.Hash == hash {
		return
	}
	p.say(func(r *report.Report) { r.Config.Hash = hash })
	select {
	case s.live <- liveBundle{key, hash, time.Now()}:
	default: // nobody times this one
	}
}

// build makes the pods of Deployments.
func (s *standIn) build(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case key := <-s.work:
			if err := s.run(ctx, key); err != nil && ctx.Err() == nil {
				s.mu.Lock()
				s.err = errors.Join(s.err, fmt.Errorf("pod of %s: %w", key, err))
				s.mu.Unlock()
			}
		}
	}
}

// problem is what went wrong in the background.
func (s *standIn) problem() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

var podNumbers struct {
	sync.Mutex
	next int
}

func nextAddress() string {
	podNumbers.Lock()
	defer podNumbers.Unlock()
	podNumbers.next++
	return address(podNumbers.next)
}

func (s *standIn) run(ctx context.Context, key types.NamespacedName) error {
	var d appsv1.Deployment
	if err := s.cluster.admin.Get(ctx, key, &d); err != nil {
		return client.IgnoreNotFound(err)
	}
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: d.Name + "-0", Namespace: d.Namespace, Labels: d.Spec.Template.Labels},
		Spec:       d.Spec.Template.Spec,
	}
	if err := s.cluster.admin.Create(ctx, p); err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	ip := nextAddress()
	p.Status = corev1.PodStatus{
		Phase: corev1.PodRunning, PodIP: ip, PodIPs: []corev1.PodIP{{IP: ip}},
		Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
	}
	if err := s.cluster.admin.Status().Update(ctx, p); err != nil {
		return err
	}
	base := d.DeepCopy()
	d.Status = appsv1.DeploymentStatus{
		ObservedGeneration: d.Generation, Replicas: 1, UpdatedReplicas: 1, ReadyReplicas: 1, AvailableReplicas: 1,
	}
	return s.cluster.admin.Status().Patch(ctx, &d, client.MergeFrom(base))
}

// deployed returns how many Deployments of a namespace there are, and when the last one came.
func (s *standIn) deployed(namespace string) (n int, last time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, at := range s.deployments {
		if key.Namespace != namespace {
			continue
		}
		n++
		if at.After(last) {
			last = at
		}
	}
	return n, last
}

// seen is when the Deployment of a connector came, zero if it has not.
func (s *standIn) seen(connector types.NamespacedName) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	connector.Name = workload.DispatcherName(connector.Name)
	return s.deployments[connector]
}

// waitLive waits until the pod of a connector has another bundle than before.
func (s *standIn) waitLive(ctx context.Context, connector types.NamespacedName) (time.Time, error) {
	for {
		select {
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("no new bundle of %s: %w", connector, context.Cause(ctx))
		case l := <-s.live:
			if l.connector == connector {
				return l.at, nil
			}
		}
	}
}

// forgetLive drops what nobody waited for.
func (s *standIn) forgetLive() {
	for {
		select {
		case <-s.live:
		default:
			return
		}
	}
}

// forgetAsked begins to count anew.
func (s *standIn) forgetAsked() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.pods {
		p.asked.Store(0)
	}
}

// heard returns how many pods were asked again, so that what they first said has been heard.
func (s *standIn) heard() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.pods {
		if p.asked.Load() > 1 {
			n++
		}
	}
	return n
}

// of returns the pods of a namespace.
func (s *standIn) of(namespace string) []*pod {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*pod
	for key, p := range s.byConnector {
		if key.Namespace == namespace && !strings.HasPrefix(key.Name, "new-") {
			found = append(found, p)
		}
	}
	return found
}
