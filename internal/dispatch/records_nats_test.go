package dispatch

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/dispatch/index/pgtest"
	"github.com/oabridge/oabridge/internal/dispatch/lookup"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/report"
)

// Two replicas share a queue: each answers for its partitions, no record twice, and when one ends the other one answers for
// all, also for what was recorded before it took over. With a file in each replica, and with one database for both.
func TestLookupAtTwoReplicas(t *testing.T) {
	const partitions, items = 4, 40
	urls, _ := natsCluster(t)
	for _, index := range []string{"files", "database"} {
		t.Run(index, func(t *testing.T) {
			var replicas []*world
			database := ""
			if index == "database" {
				database = pgtest.Database(t)
			}
			for i := range 2 {
				w := newWorld(t)
				w.options.Replica = fmt.Sprint("replica-", i)
				w.options.tuning.lease = 3 * time.Second
				w.oa.set(always(oa.Attempt{Class: oa.BusinessCode, Message: "no"}), nil)
				if database != "" {
					w.secret(bundle.SlotIndex, "url", database)
				}
				w.bundle(func(c *connector) {
					c.Name = index
					c.Queue = bundle.Queue{Type: queueNATS, URLs: urls, AllowedCIDRs: loopback, StreamReplicas: 3, Partitions: partitions, MaxBytes: 256 << 20}
					c.Records.Postgres = database != ""
				})
				w.run()
				replicas = append(replicas, w)
			}
			for _, w := range replicas {
				w.until("the partitions are shared", func(r report.Report) bool {
					return r.Store != nil && len(r.Store.Partitions) > 0 && len(r.Store.Partitions) < partitions
				})
			}
			var events []event
			for i := range items {
				events = append(events, todo(fmt.Sprint("e", i), fmt.Sprint("T-", i), "created"))
			}
			replicas[0].mustSend(events...)
			sum := func(all ...*world) (dead int64) {
				for _, w := range all {
					if d := w.d.report().Delivery; d != nil {
						dead += d.Dead
					}
				}
				return dead
			}
			replicas[0].until("all are dead", func(report.Report) bool { return sum(replicas...) == items })
			ask := func(all ...*world) (records, letters map[string]int) {
				t.Helper()
				records, letters = map[string]int{}, map[string]int{}
				for _, w := range all {
					if p := w.d.report().Store.Records; p != "" {
						w.until("the index works", func(r report.Report) bool { return r.Store.Records == "" })
					}
					found, _, err := w.ask().Records(t.Context(), url.Values{lookup.ParamLimit: {"1000"}})
					if err != nil {
						t.Fatal(err)
					}
					for _, r := range found {
						records[r.ItemID]++
						if r.Request == "" || r.Partial {
							t.Errorf("%s has no request", r.ItemID)
						}
					}
					dead, _, err := w.ask().Dead(t.Context(), url.Values{lookup.ParamLimit: {"1000"}})
					if err != nil {
						t.Fatal(err)
					}
					for _, l := range dead {
						letters[l.Record.ItemID]++
					}
				}
				return records, letters
			}
			check := func(what string, found map[string]int) {
				t.Helper()
				for i := range items {
					if n := found[fmt.Sprint("T-", i)]; n != 1 {
						t.Errorf("%s: T-%d is there %d times", what, i, n)
					}
				}
			}
			records, letters := ask(replicas...)
			check("records", records)
			check("dead letters", letters)
			if own, _ := ask(replicas[0]); len(own) == 0 || len(own) == items {
				t.Errorf("one replica knows %d items: the test proves nothing", len(own))
			}
			if err := replicas[0].stop(); err != nil {
				t.Fatal(err)
			}
			replicas[1].until("it takes over", func(r report.Report) bool { return len(r.Store.Partitions) == partitions })
			records, letters = ask(replicas[1])
			check("records of one", records)
			check("dead letters of one", letters)
		})
	}
}
