package dispatch

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/report"
)

// Of two replicas one tells people of the failures of both, and of whom both hold; when it ends, the other one goes on
// where it was.
func TestOneOfTwoReplicasTells(t *testing.T) {
	const partitions = 4
	urls, _ := natsCluster(t)
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
			c.Queue = bundle.Queue{Type: queueNATS, URLs: urls, AllowedCIDRs: loopback, StreamReplicas: 3, Partitions: partitions, MaxBytes: 256 << 20}
			hook.notify(w, c, 2*time.Second, nil)
		})
		w.run()
		replicas = append(replicas, w)
	}
	turns := map[string][]int{}
	for p, owner := range shareOut([]string{replicas[0].options.Replica, replicas[1].options.Replica}, partitions) {
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
