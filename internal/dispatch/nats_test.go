package dispatch

import (
	"strings"
	"testing"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/report"
)

// loopback is where the servers of tests are; the egress policy refuses it otherwise.
var loopback = []string{"127.0.0.0/8"}

// natsServer is a single NATS server.
func natsServer(t *testing.T, jetStream bool) string {
	t.Helper()
	s, err := natsserver.NewServer(&natsserver.Options{
		Host: "127.0.0.1", Port: natsserver.RANDOM_PORT, NoSigs: true, NoLog: true, JetStream: jetStream, StoreDir: t.TempDir(), MaxPayload: 8 << 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	go s.Start()
	if !s.ReadyForConnections(patience) {
		t.Fatal("the NATS server does not start")
	}
	return s.ClientURL()
}

// A NATS that would not keep what it takes is refused with a reason that becomes a condition, and no event is accepted.
func TestNATSThatWouldNotKeep(t *testing.T) {
	for name, c := range map[string]struct {
		urls   func(*testing.T) []string
		copies int
		want   string
	}{
		"no JetStream":                       {func(t *testing.T) []string { return []string{natsServer(t, false)} }, 3, v1alpha1.ReasonQueueNotDurable},
		"one server":                         {func(t *testing.T) []string { return []string{natsServer(t, true)} }, 3, v1alpha1.ReasonQueueNotDurable},
		"one copy":                           {cluster, 1, v1alpha1.ReasonQueueNotDurable},
		"more copies than there are servers": {cluster, 5, v1alpha1.ReasonQueueNotDurable},
		"a stream in memory":                 {inMemory, 3, v1alpha1.ReasonQueueNotDurable},
		"nobody there":                       {func(*testing.T) []string { return []string{"nats://127.0.0.1:1"} }, 3, v1alpha1.ReasonQueueUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.options.Replica = "replica-0"
			urls := c.urls(t)
			w.bundle(func(b *connector) {
				b.Queue = bundle.Queue{Type: queueNATS, URLs: urls, AllowedCIDRs: loopback, StreamReplicas: c.copies, Partitions: 2, MaxBytes: 256 << 20}
			})
			w.run()
			r := w.until("the report says why", func(r report.Report) bool { return r.Store.Reason == c.want })
			t.Log(r.Store.Problem)
			if a := w.send(todo("e1", "T-1", "created")); a.status != 503 || a.header.Get("Retry-After") == "" {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
}

// A NATS on the pod's own loopback is not dialled unless it is meant, like an OA there.
func TestNATSKeepsTheEgressPolicy(t *testing.T) { // TM-07
	w := newWorld(t)
	w.options.Replica = "replica-0"
	url := natsServer(t, true)
	w.bundle(func(b *connector) {
		b.Queue = bundle.Queue{Type: queueNATS, URLs: []string{url}, StreamReplicas: 3, Partitions: 2, MaxBytes: 256 << 20}
	})
	w.run()
	r := w.until("the report says why", func(r report.Report) bool { return r.Store.Reason == v1alpha1.ReasonQueueUnreachable })
	if want := "address 127.0.0.1 is refused (loopback); list it in spec.dispatcher.queue.nats.allowedCIDRs"; !strings.Contains(r.Store.Problem, want) {
		t.Errorf("got %q, want %q in it", r.Store.Problem, want)
	}
}

func cluster(t *testing.T) []string { urls, _ := natsCluster(t); return urls }

// inMemory is a cluster in which somebody has made one of the streams in memory.
func inMemory(t *testing.T) []string {
	urls := cluster(t)
	nc, err := nats.Connect(urls[0])
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{
		Name: "OAB_crm_hq_DEAD", Subjects: []string{"oabridge.crm.hq.dead.*"}, Storage: jetstream.MemoryStorage, Replicas: 3,
	}); err != nil {
		t.Fatal(err)
	}
	return urls
}
