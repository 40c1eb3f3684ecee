package dispatch

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/report"
)

// natsServers is a NATS cluster of three servers with JetStream; it returns their addresses.
func natsServers(t *testing.T) (urls []string) {
	t.Helper()
	const size = 3
	var peers []*url.URL
	var ports []int
	for range size {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
		peers = append(peers, &url.URL{Scheme: "nats", Host: l.Addr().String()})
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	var servers []*natsserver.Server
	for i := range size {
		s, err := natsserver.NewServer(&natsserver.Options{
			ServerName: fmt.Sprint("n", i), Host: "127.0.0.1", Port: natsserver.RANDOM_PORT, NoSigs: true, NoLog: true,
			JetStream: true, StoreDir: t.TempDir(), MaxPayload: 8 << 20,
			Cluster: natsserver.ClusterOpts{Name: "runs", Host: "127.0.0.1", Port: ports[i]}, Routes: slices.Clone(peers),
		})
		if err != nil {
			t.Fatal(err)
		}
		servers = append(servers, s)
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		go s.Start()
	}
	deadline := time.Now().Add(patience)
	for _, s := range servers {
		if !s.ReadyForConnections(patience) {
			t.Fatal("a NATS server does not start")
		}
		for !s.JetStreamIsCurrent() || !slices.ContainsFunc(servers, (*natsserver.Server).JetStreamIsLeader) {
			if time.Now().After(deadline) {
				t.Fatal("the NATS cluster does not form")
			}
			time.Sleep(settlePoll)
		}
		urls = append(urls, s.ClientURL())
	}
	return urls
}

// Of two replicas one tells people of the failures of both, and of whom both hold; when it ends, the other one goes on
// where it was.
func TestOneOfTwoReplicasTells(t *testing.T) {
	const partitions = 4
	urls := natsServers(t)
	hook := newHook(t)
	refuse := func(w *world) {
		w.oa.set(func(c call) oa.Attempt {
			if strings.HasPrefix(c.ID, "bad") {
				return oa.Attempt{Class: oa.BusinessCode, Message: "no"}
			}
			return oa.Attempt{}
		}, nil)
	}
	var replicas []*world
	for i := range 2 {
		w := newWorld(t)
		w.options.Replica = fmt.Sprint("replica-", i)
		w.options.tuning.lease = 3 * time.Second
		refuse(w)
		w.bundle(func(c *connector) {
			c.Queue = bundle.Queue{Type: queueNATS, URLs: urls, StreamReplicas: 3, Partitions: partitions, MaxBytes: 256 << 20}
			hook.notify(w, c, 2*time.Second, nil)
		})
		w.run()
		replicas = append(replicas, w)
	}
	turns := map[string][]int{}
	for p := range partitions {
		owner := rendezvous([]string{replicas[0].options.Replica, replicas[1].options.Replica}, p)
		turns[owner] = append(turns[owner], p)
	}
	first, second := replicas[0], replicas[1]
	if slices.Contains(turns[second.options.Replica], tellingPartition) {
		first, second = second, first
	}
	for _, w := range replicas {
		w.until("the partitions are shared", func(r report.Report) bool {
			return r.Store != nil && slices.Equal(r.Store.Partitions, turns[w.options.Replica])
		})
	}
	first.until("it tells", func(r report.Report) bool { return r.Notifications != nil })

	collect := func(failures, people int64) {
		t.Helper()
		seen := map[string]bool{}
		for failures > 0 || people > 0 {
			one := hook.next(t)
			if seen[one.id] {
				t.Errorf("told twice: %s", one.id)
			}
			seen[one.id] = true
			failures, people = failures-one.Data.GivenUp, people-int64(one.Data.Unbound.People)
		}
		if failures != 0 || people != 0 {
			t.Errorf("%d failures and %d people too many", -failures, -people)
		}
	}
	send := func(w *world, from, to int) {
		t.Helper()
		var events []event
		for i := from; i < to; i++ {
			events = append(events, todo(fmt.Sprint("e", i), fmt.Sprint("bad-", i), "created"), todo(fmt.Sprint("h", i), fmt.Sprint("held-", i), "created", fmt.Sprint(2000+i)))
		}
		w.mustSend(events...)
	}
	// 20 failures and 20 people, spread over the partitions of both.
	send(second, 0, 20)
	collect(20, 20)
	for _, w := range replicas {
		if n := w.d.report().Delivery; n.Dead == 0 || n.Held == 0 {
			t.Fatalf("a replica has no failures of its own: the test proves nothing: %+v", n)
		}
	}
	if r := second.d.report(); r.Notifications != nil {
		t.Errorf("both tell: %+v", r.Notifications)
	}
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	send(second, 20, 30)
	second.until("the other one tells", func(r report.Report) bool { return r.Notifications != nil && len(r.Store.Partitions) == partitions })
	collect(10, 10)
}
