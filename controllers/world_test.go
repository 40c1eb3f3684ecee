package controllers_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	. "github.com/onsi/gomega"
	gomegatypes "github.com/onsi/gomega/types"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/report"
)

// world is one namespace of the cluster.
type world struct {
	*testing.T
	Gomega
	ns string
}

var worlds atomic.Int32

func newWorld(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	w := &world{T: t, Gomega: NewWithT(t), ns: fmt.Sprintf("story-%d", worlds.Add(1))}
	w.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.ns}})
	t.Cleanup(func() { // a later resync of this story's connectors would cost the other stories time
		_ = admin.DeleteAllOf(context.Background(), &v1alpha1.OAConnector{}, client.InNamespace(w.ns))
	})
	return w
}

func (w *world) create(objects ...client.Object) {
	w.Helper()
	for _, o := range objects {
		if w.ns != "" && o.GetNamespace() == "" {
			if _, isNamespace := o.(*corev1.Namespace); !isNamespace {
				o.SetNamespace(w.ns)
			}
		}
		w.Expect(admin.Create(w.Context(), o)).To(Succeed())
	}
}

func (w *world) key(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: w.ns, Name: name}
}

// sampleConnector is the one that ships in config/samples.
func sampleConnector(t *testing.T) *v1alpha1.OAConnector {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "config", "samples", "connector.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var c v1alpha1.OAConnector
	if err := yaml.UnmarshalStrict(data, &c); err != nil {
		t.Fatal(err)
	}
	c.Namespace = ""
	return &c
}

// connector creates the sample connector with changes.
func (w *world) connector(changes ...func(*v1alpha1.OAConnector)) *v1alpha1.OAConnector {
	w.Helper()
	c := sampleConnector(w.T)
	for _, change := range changes {
		change(c)
	}
	w.create(c)
	return c
}

func withoutSSO(c *v1alpha1.OAConnector) { c.Spec.SSO = v1alpha1.SSO{} }

func credentials(name string, data map[string]string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{v1alpha1.LabelCredentials: "true"}},
		StringData: data,
	}
}

// secrets creates all that the sample connector refers to.
func (w *world) secrets() {
	w.Helper()
	w.create(
		credentials("hq-seeyon", map[string]string{"username": "fxiaoke", "password": "correct horse"}),
		credentials("hq-events", map[string]string{"signing-key": "whsec_dHJpYWwta2V5LW9mLW9hLWJyaWRnZS0yMDI2"}),
		credentials("hq-login", map[string]string{"key.pem": privateKey(w.T)}),
	)
}

func privateKey(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// binding creates a set of pairs, "crm=oa" each, that the sample connector selects.
func (w *world) binding(name string, pairs ...string) *v1alpha1.AccountBinding {
	w.Helper()
	b := &v1alpha1.AccountBinding{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"oa": "hq"}}}
	for _, p := range pairs {
		crm, oa, _ := strings.Cut(p, "=")
		b.Spec.Accounts = append(b.Spec.Accounts, v1alpha1.AccountPair{CRM: crm, OA: oa})
	}
	w.create(b)
	return b
}

// get reads an object by name.
func get[T client.Object](w *world, name string, into T) T {
	w.Helper()
	w.Expect(admin.Get(w.Context(), w.key(name), into)).To(Succeed())
	return into
}

// change edits an object as a person would.
func change[T client.Object](w *world, name string, o T, edit func(T)) {
	w.Helper()
	w.Eventually(func() error {
		if err := admin.Get(w.Context(), w.key(name), o); err != nil {
			return err
		}
		edit(o)
		return admin.Update(w.Context(), o)
	}).WithTimeout(patience).Should(Succeed())
}

// condition reads one condition of the connector hq, with its status in front: "False SecretNotFound: message".
func (w *world) condition(kind string) func(Gomega) string {
	return func(g Gomega) string {
		var c v1alpha1.OAConnector
		g.Expect(admin.Get(w.Context(), w.key("hq"), &c)).To(Succeed())
		return spell(c.Status.Conditions, kind, c.Generation)
	}
}

func spell(conditions []metav1.Condition, kind string, generation int64) string {
	found := meta.FindStatusCondition(conditions, kind)
	if found == nil {
		return "absent"
	}
	if found.ObservedGeneration != generation {
		return "outdated"
	}
	return fmt.Sprintf("%s %s: %s", found.Status, found.Reason, found.Message)
}

// expectCondition waits until a condition of the connector hq reads as expected.
func (w *world) expectCondition(kind string, expected gomegatypes.GomegaMatcher) {
	w.Helper()
	w.Eventually(w.condition(kind)).WithTimeout(patience).Should(expected)
}

func fakeReportURL(pod *corev1.Pod) string {
	served, _ := reportServers.Load(pod.Status.PodIP)
	return fmt.Sprintf("http://%s/report", served)
}

// reportServers are the listening addresses by those of the pods.
var reportServers sync.Map

var addresses atomic.Int32

// fakePod is a running pod of a connector whose report is served by a real HTTP server on a loopback address.
type fakePod struct {
	*corev1.Pod
	*report.Publisher
	report report.Report
	mux    *http.ServeMux
}

// runPod plays kubelet and workload: a ready pod of a component of the connector hq that reports r.
func (w *world) runPod(component string, r report.Report) *fakePod {
	w.Helper()
	r.Component = component
	n := addresses.Add(1)
	address := fmt.Sprintf("127.0.%d.%d", 1+n/200, 1+n%200)
	listener, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	w.Expect(err).NotTo(HaveOccurred())
	p := &fakePod{Publisher: report.NewPublisher(r), report: r}
	mux := http.NewServeMux()
	p.mux = mux
	mux.Handle("GET /report", p.Publisher)
	server := httptest.NewUnstartedServer(mux)
	server.Listener = listener
	server.Start()
	w.Cleanup(server.CloseClientConnections)
	w.Cleanup(func() { go server.Close() })
	reportServers.Store(address, listener.Addr().String())
	p.Pod = &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			GenerateName: "hq-" + component + "-",
			Labels:       map[string]string{v1alpha1.LabelConnector: "hq", v1alpha1.LabelComponent: component},
		},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "oabridge", Image: "oabridge:test"}}},
	}
	w.create(p.Pod)
	p.Status = corev1.PodStatus{
		Phase: corev1.PodRunning, PodIP: address, PodIPs: []corev1.PodIP{{IP: address}},
		Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
	}
	w.Expect(admin.Status().Update(w.Context(), p.Pod)).To(Succeed())
	return p
}

// say changes what the pod reports.
func (p *fakePod) say(change func(*report.Report)) {
	change(&p.report)
	p.Publish(p.report)
}

// available plays the Deployment controller.
func (w *world) available(deployments ...string) {
	w.Helper()
	for _, name := range deployments {
		var d appsv1.Deployment
		w.Eventually(func() error { return admin.Get(w.Context(), w.key(name), &d) }).WithTimeout(patience).Should(Succeed())
		base := d.DeepCopy()
		d.Status = appsv1.DeploymentStatus{
			ObservedGeneration: d.Generation, Replicas: *d.Spec.Replicas, UpdatedReplicas: *d.Spec.Replicas,
			ReadyReplicas: *d.Spec.Replicas, AvailableReplicas: *d.Spec.Replicas,
		}
		w.Expect(admin.Status().Patch(w.Context(), &d, client.MergeFrom(base))).To(Succeed())
	}
}

// hash waits for the bundle of the connector's present generation.
func (w *world) hash() string {
	w.Helper()
	var hash string
	w.Eventually(func(g Gomega) {
		var c v1alpha1.OAConnector
		g.Expect(admin.Get(w.Context(), w.key("hq"), &c)).To(Succeed())
		g.Expect(c.Status.ObservedGeneration).To(Equal(c.Generation))
		g.Expect(c.Status.Config.Hash).NotTo(BeEmpty())
		hash = c.Status.Config.Hash
	}).WithTimeout(patience).Should(Succeed())
	return hash
}

// bound waits until the connector hq knows so many pairs: a connector may be seen before a binding that was created first.
func (w *world) bound(pairs int) {
	w.Helper()
	w.Eventually(func() *int64 { return get(w, "hq", &v1alpha1.OAConnector{}).Status.Accounts.Bound }).
		WithTimeout(patience).Should(HaveValue(BeEquivalentTo(pairs)))
}

// healthyReport of a dispatcher that has nothing to do.
func healthyReport(hash string) report.Report {
	return report.Report{
		Config:   report.Config{Hash: hash},
		OA:       &report.OA{State: "True", Reason: v1alpha1.ReasonReachable, Message: "the OA answers and accepts the account"},
		Delivery: &report.Delivery{},
		Store:    &report.Store{},
	}
}

// ready brings the connector hq up, without SSO unless a change adds it, with one pod of each component, and returns the
// dispatcher's.
func (w *world) ready(changes ...func(*v1alpha1.OAConnector)) *fakePod {
	w.Helper()
	w.secrets()
	w.binding("staff", "1000=zhangwei", "1001=lina")
	c := w.connector(append([]func(*v1alpha1.OAConnector){withoutSSO}, changes...)...)
	w.bound(2)
	hash := w.hash()
	pod := w.runPod(v1alpha1.ComponentDispatcher, healthyReport(hash))
	w.available("hq-dispatcher")
	if c.Spec.SSO.Mode != "" {
		w.runPod(v1alpha1.ComponentGateway, report.Report{Config: report.Config{Hash: hash}})
		w.available("hq-gateway")
	}
	w.expectCondition(v1alpha1.ConditionReady, HavePrefix("True Ready"))
	return pod
}
