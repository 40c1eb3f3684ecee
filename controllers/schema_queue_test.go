package controllers_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// Each partition of a queue gets its share of the calls that may be under way and of the rate.
func TestTheAPIRefusesSharesOfNothing(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		name    string
		edit    func(*v1alpha1.OAConnector)
		message string
	}{
		{"fewer calls than partitions", func(c *v1alpha1.OAConnector) { c.Spec.Delivery.Concurrency = 7 },
			"spec.delivery.concurrency must be at least spec.dispatcher.queue.nats.partitions"},
		{"a burst below the partitions", func(c *v1alpha1.OAConnector) { c.Spec.Delivery.RateLimit = v1alpha1.RateLimit{PerSecond: 50, Burst: 7} },
			"spec.delivery.rateLimit.burst (default: perSecond) must be at least"},
		{"a rate below the partitions", func(c *v1alpha1.OAConnector) { c.Spec.Delivery.RateLimit = v1alpha1.RateLimit{PerSecond: 7} },
			"spec.delivery.rateLimit.burst (default: perSecond) must be at least"},
		{"a list of the OA in each replica", func(c *v1alpha1.OAConnector) {
			c.Spec.Seeyon.Mode, c.Spec.Seeyon.Pull.TokenSecretRef.Name = v1alpha1.SeeyonBoth, "hq-pull"
		}, "need spec.dispatcher.records.indexSecretRef: the replicas share the list that Seeyon reads"},
		{"ranges of a database that is a file", func(c *v1alpha1.OAConnector) {
			c.Spec.Dispatcher.Records = v1alpha1.Records{AllowedCIDRs: []string{"127.0.0.0/8"}}
		}, "allowedCIDRs is for the database of indexSecretRef"},
		{"an address in place of a range", func(c *v1alpha1.OAConnector) { c.Spec.Dispatcher.Queue.NATS.AllowedCIDRs = []string{"127.0.0.1"} },
			"must be a CIDR such as 127.0.0.0/8"},
		{"a burst of the partitions", func(c *v1alpha1.OAConnector) { c.Spec.Delivery.RateLimit = v1alpha1.RateLimit{PerSecond: 1, Burst: 8} }, ""},
		{"more partitions than calls by default", func(c *v1alpha1.OAConnector) {
			c.Spec.Delivery = v1alpha1.Delivery{}
			c.Spec.Dispatcher.Queue.NATS.Partitions = 17
		}, "spec.delivery.concurrency must be at least"},
	} {
		t.Run(c.name, func(t *testing.T) {
			connector := sampleConnector(t)
			connector.Namespace = w.ns
			connector.Spec.Dispatcher.Queue = v1alpha1.Queue{Type: v1alpha1.QueueNATS,
				NATS: v1alpha1.NATSQueue{URLs: []string{"nats://nats.infra"}, Partitions: 8}}
			c.edit(connector)
			err := admin.Create(t.Context(), connector, client.DryRunAll)
			if c.message == "" {
				NewWithT(t).Expect(err).NotTo(HaveOccurred())
			} else {
				NewWithT(t).Expect(err).To(MatchError(ContainSubstring(c.message)))
			}
		})
	}
}

// Where the queue is decides where accepted events are: neither can be changed under them.
func TestTheAPIRefusesToMoveAQueue(t *testing.T) {
	w := newWorld(t)
	inNATS := func(c *v1alpha1.OAConnector) {
		c.Spec.Dispatcher.Queue = v1alpha1.Queue{Type: v1alpha1.QueueNATS, NATS: v1alpha1.NATSQueue{URLs: []string{"nats://nats.infra"}}}
	}
	w.connector(withoutSSO)
	w.connector(withoutSSO, inNATS, func(c *v1alpha1.OAConnector) { c.Name = "big" })
	for _, c := range []struct {
		name, connector string
		edit            func(*v1alpha1.OAConnector)
		message         string
	}{
		{"into NATS", "hq", inNATS, "spec.dispatcher.queue.type is immutable"},
		{"out of NATS", "big", func(c *v1alpha1.OAConnector) { c.Spec.Dispatcher = v1alpha1.Dispatcher{} }, "spec.dispatcher.queue.type is immutable"},
		{"other partitions", "big", func(c *v1alpha1.OAConnector) { c.Spec.Dispatcher.Queue.NATS.Partitions = 8 }, "partitions is immutable"},
		{"another server and more room", "big", func(c *v1alpha1.OAConnector) {
			c.Spec.Dispatcher.Queue.NATS.URLs, c.Spec.Dispatcher.Queue.NATS.MaxBytes = []string{"tls://nats.infra"}, "8Gi"
		}, ""},
		{"spelling the default out", "hq", func(c *v1alpha1.OAConnector) { c.Spec.Dispatcher.Queue.Type = v1alpha1.QueueEmbedded }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			connector := get(w, c.connector, &v1alpha1.OAConnector{})
			base := connector.DeepCopy()
			c.edit(connector)
			err := admin.Patch(t.Context(), connector, client.MergeFrom(base), client.DryRunAll)
			if c.message == "" {
				NewWithT(t).Expect(err).NotTo(HaveOccurred())
			} else {
				NewWithT(t).Expect(err).To(MatchError(ContainSubstring(c.message)))
			}
		})
	}
}

// What is left out of a cluster is filled with what is safe.
func TestDefaultsOfAQueueInNATS(t *testing.T) {
	w := newWorld(t)
	w.connector(withoutSSO, func(c *v1alpha1.OAConnector) {
		c.Spec.Dispatcher.Queue = v1alpha1.Queue{Type: v1alpha1.QueueNATS, NATS: v1alpha1.NATSQueue{URLs: []string{"nats://nats.infra"}}}
	})
	d := get(w, "hq", &v1alpha1.OAConnector{}).Spec.Dispatcher
	w.Expect(d.Replicas).To(BeEquivalentTo(1))
	w.Expect(d.Queue.NATS).To(Equal(v1alpha1.NATSQueue{
		URLs: []string{"nats://nats.infra"}, StreamReplicas: 3, Partitions: 4, MaxBytes: "1Gi",
	}))
}

func TestTheAPIRefusesMistakesInReplays(t *testing.T) {
	w := newWorld(t)
	replay := func(change func(*v1alpha1.Replay)) *v1alpha1.Replay {
		r := &v1alpha1.Replay{}
		r.Name, r.Namespace = "again", w.ns
		r.Spec.ConnectorRef.Name = "hq"
		change(r)
		return r
	}
	backwards := replay(func(r *v1alpha1.Replay) {
		r.Spec.Filter.Since, r.Spec.Filter.Until = metav1.Now(), metav1.NewTime(time.Now().Add(-time.Hour))
	})
	w.Expect(admin.Create(t.Context(), backwards)).To(MatchError(ContainSubstring("since must be before until")))
	unknown := replay(func(r *v1alpha1.Replay) { r.Spec.State = "Paused" })
	w.Expect(admin.Create(t.Context(), unknown)).To(MatchError(ContainSubstring(`Unsupported value: "Paused"`)))

	created := replay(func(*v1alpha1.Replay) {})
	w.create(created)
	w.Expect(created.Spec).To(Equal(v1alpha1.ReplaySpec{ConnectorRef: v1alpha1.ConnectorReference{Name: "hq"},
		Template: v1alpha1.ReplayCurrent, Mode: v1alpha1.ReplaySend, State: v1alpha1.ReplayRunning}))
	base := created.DeepCopy()
	created.Spec.ConnectorRef.Name = "branch"
	w.Expect(admin.Patch(t.Context(), created, client.MergeFrom(base))).To(MatchError(ContainSubstring("connectorRef is immutable")))
}

// Every sample is taken by the API as it is.
func TestSamples(t *testing.T) {
	w := newWorld(t)
	for name, object := range map[string]client.Object{
		"connector": &v1alpha1.OAConnector{}, "connector-nats": &v1alpha1.OAConnector{}, "connector-rules": &v1alpha1.OAConnector{},
		"connector-placed": &v1alpha1.OAConnector{},
		"accounts":         &v1alpha1.AccountBinding{}, "replay": &v1alpha1.Replay{},
	} {
		data, err := os.ReadFile(filepath.Join("..", "config", "samples", name+".yaml"))
		w.Expect(err).NotTo(HaveOccurred())
		w.Expect(yaml.UnmarshalStrict(data, object)).To(Succeed(), name)
		object.SetNamespace(w.ns)
		w.Expect(admin.Create(t.Context(), object, client.DryRunAll, client.FieldValidation("Strict"))).To(Succeed(), name)
	}
}
