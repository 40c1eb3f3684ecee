package index_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/dispatch/index"
	"github.com/oabridge/oabridge/internal/dispatch/record"
)

// listed is a record that puts an item on the list, or takes it off when the text is empty.
func listed(frame uint64, item, receiver, oa, text string) index.Located {
	return index.Located{Frame: frame, Record: &record.Record{
		Seq: frame, Kind: "Todo", ItemID: item, Receiver: receiver, ReceiverOA: oa, Outcome: record.Delivered,
		AcceptedAt: start.Add(time.Duration(frame) * time.Minute), At: start, Listed: &record.Listed{Item: text},
	}}
}

func items(page []index.Pending) (out []string) {
	for _, p := range page {
		out = append(out, p.Item)
	}
	return out
}

// The list follows the records, once each, in both databases. // F103
func TestPendings(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			x := open(t, engine.config(t))
			apply := func(batch ...index.Located) {
				t.Helper()
				if err := x.Apply(t.Context(), batch); err != nil {
					t.Fatal(err)
				}
			}
			lisi, wangwu := index.Account{CRM: "1002", OA: "lisi"}, index.Account{CRM: "1003", OA: "wangwu"}
			check := func(want []string, people ...index.Account) {
				t.Helper()
				page, total, err := x.Pendings(t.Context(), people, "", 10)
				if err != nil || !slices.Equal(items(page), want) || total != int64(len(want)) {
					t.Errorf("%v of %d (%v), not %v", items(page), total, err, want)
				}
			}
			failed := listed(4, "T-9", "1002", "lisi", "refused")
			failed.Record.Outcome = record.Dead
			first := []index.Located{listed(1, "T-1", "1002", "lisi", "one"), listed(2, "T-2", "1003", "wangwu", "two"), listed(3, "T-3", "1002", "lisi", "three"), failed}
			apply(first...)
			check([]string{"one", "two", "three"}, lisi, wangwu)
			check([]string{"two"}, wangwu)
			check(nil)
			check(nil, index.Account{CRM: "1002", OA: "wangwu"}, index.Account{CRM: "1003", OA: "lisi"})

			apply(listed(5, "T-1", "1002", "lisi", "one, changed"), listed(6, "T-3", "1002", "lisi", ""))
			check([]string{"one, changed", "two"}, lisi, wangwu)
			apply(first...) // again: what is done stays done
			check([]string{"one, changed", "two"}, lisi, wangwu)

			page, total, err := x.Pendings(t.Context(), []index.Account{lisi, wangwu}, "", 1)
			if err != nil || total != 2 || len(page) != 1 {
				t.Fatal(page, total, err)
			}
			if page, _, err = x.Pendings(t.Context(), []index.Account{lisi, wangwu}, page[0].After(), 1); err != nil || !slices.Equal(items(page), []string{"two"}) {
				t.Errorf("the second page: %v %v", items(page), err)
			}
			if _, _, err := x.Pendings(t.Context(), []index.Account{lisi}, "nowhere", 1); !errors.Is(err, index.ErrPlace) {
				t.Errorf("a place of nowhere: %v", err)
			}
			if err := x.Forget(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
			check(nil, lisi, wangwu)
		})
	}
}
