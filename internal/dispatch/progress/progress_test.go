package progress_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/oabridge/oabridge/internal/dispatch/progress"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/scenario"
)

// Done is a set, whatever the order in which it fills.
func TestDoneIsASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var d progress.Done
		model := map[uint64]bool{}
		floor := uint64(0)
		for _, seq := range rapid.SliceOfN(rapid.Uint64Range(1, 400), 0, 600).Draw(t, "seqs") {
			if d.Add(seq) == model[seq] {
				t.Fatalf("Add(%d) is wrong about whether it was there", seq)
			}
			model[seq] = true
			for model[floor+1] {
				floor++
			}
			if d.Floor() != floor {
				t.Fatalf("floor %d, want %d", d.Floor(), floor)
			}
		}
		check := func(limit uint64) {
			for seq := uint64(1); seq < 500; seq++ {
				if want := model[seq] && seq <= limit; d.Has(seq) != want {
					t.Fatalf("Has(%d) = %t", seq, !want)
				}
			}
		}
		check(500)
		from := rapid.Uint64Range(0, 450).Draw(t, "from")
		to := rapid.Uint64Range(from, 450).Draw(t, "to")
		want := uint64(0)
		for seq := from + 1; seq <= to; seq++ {
			if model[seq] {
				want++
			}
		}
		if got := d.Between(from, to); got != want {
			t.Fatalf("Between(%d, %d) = %d, want %d", from, to, got, want)
		}
	})
}

// A checkpoint at any point, followed by the records after it, leads to the same place as all records. So does reading
// some of the records twice.
func TestCheckpointEqualsHistory(t *testing.T) {
	at := time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)
	outcomes := []record.Outcome{record.Delivered, record.Retrying, record.Held, record.Dead, record.Skipped}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 200).Draw(t, "records")
		cut := rapid.IntRange(0, n).Draw(t, "cut")
		back := rapid.IntRange(0, cut).Draw(t, "back")
		var history []record.Record
		for i := range n {
			history = append(history, record.Record{
				Seq: rapid.Uint64Range(1, 150).Draw(t, "seq"), Kind: "Todo", ItemID: fmt.Sprint(rapid.IntRange(1, 9).Draw(t, "item")), Receiver: "1002",
				Version: rapid.Int64Range(0, 3).Draw(t, "version"), EventTime: at.Add(time.Duration(i) * time.Second),
				Action:  rapid.SampledFrom([]scenario.Action{scenario.Create, scenario.Complete}).Draw(t, "action"),
				Attempt: i, Outcome: rapid.SampledFrom(outcomes).Draw(t, "outcome"), Reason: "Because", Class: "ServerError", At: at,
			})
		}
		all, resumed := progress.New(), progress.New()
		for i := range history {
			all.Apply(uint64(i+1), uint64(i/3+1), &history[i])
		}
		for i := range history[:cut] {
			resumed.Apply(uint64(i+1), uint64(i/3+1), &history[i])
		}
		data, err := resumed.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if resumed, err = progress.Decode(data); err != nil {
			t.Fatal(err)
		}
		for i := back; i < n; i++ {
			resumed.Apply(uint64(i+1), uint64(i/3+1), &history[i])
		}
		one, err := all.Encode()
		if err != nil {
			t.Fatal(err)
		}
		two, err := resumed.Encode()
		if err != nil {
			t.Fatal(err)
		}
		// Maps are written in any order: compare what they mean.
		a, err := progress.Decode(one)
		if err != nil {
			t.Fatal(err)
		}
		b, err := progress.Decode(two)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(a, b, cmp.AllowUnexported(progress.Done{}, progress.Latest{})); diff != "" {
			t.Fatal(diff)
		}
	})
}

// An old event never revives a finished item.
func TestSuperseded(t *testing.T) {
	at := time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)
	for _, c := range []struct {
		name    string
		last    record.Record
		version int64
		action  scenario.Action
		at      time.Time
		want    bool
	}{
		{"lower version", record.Record{Version: 3, Action: scenario.Update}, 2, scenario.Complete, at, true},
		{"same version, same action", record.Record{Version: 3, Action: scenario.Update}, 3, scenario.Update, at, true},
		{"same version, old create", record.Record{Version: 3, Action: scenario.Complete}, 3, scenario.Create, at, true},
		{"same version, goes on", record.Record{Version: 3, Action: scenario.Create}, 3, scenario.Complete, at, false},
		{"opened again on purpose", record.Record{Version: 3, Action: scenario.Complete}, 4, scenario.Update, at, false},
		{"no version, dated before the end", record.Record{Action: scenario.Complete, EventTime: at}, 0, scenario.Create, at.Add(-time.Second), true},
		{"no version, dated after the end", record.Record{Action: scenario.Complete, EventTime: at}, 0, scenario.Update, at.Add(time.Second), false},
		{"no version, no date: order of acceptance", record.Record{Action: scenario.Complete, EventTime: at}, 0, scenario.Create, time.Time{}, false},
		{"no version, still open", record.Record{Action: scenario.Update, EventTime: at}, 0, scenario.Update, at.Add(-time.Second), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := progress.New()
			c.last.Seq, c.last.Outcome, c.last.Kind, c.last.ItemID, c.last.Receiver = 1, record.Delivered, "Todo", "T-1", "1002"
			p.Apply(1, 1, &c.last)
			if got := p.Latest.Superseded(c.last.Key(), c.version, c.action, c.at, 2); got != c.want {
				t.Errorf("superseded: %t", got)
			}
			if p.Latest.Superseded(record.Key{1}, 1, scenario.Create, at, 2) {
				t.Error("another item is superseded too")
			}
		})
	}
}

func TestCheckpointOfAnotherVersion(t *testing.T) {
	if _, err := progress.Decode([]byte(`{"format":99}`)); err == nil {
		t.Error("a format that is not known is read")
	}
}

// Of an item that came and went without the OA, the rest is not sent by a process that starts in the middle of it; a new item of
// the same name is, and so is the rest of an item that the OA does show.
func TestCameAndWentInTheMiddle(t *testing.T) {
	create := record.Record{Seq: 7, Outcome: record.Skipped, Reason: record.ReasonCameAndWent, Merged: 9, Version: 1, Action: scenario.Create, ItemID: "T-1", Receiver: "1002"}
	key := create.Key()
	p := progress.New()
	p.Apply(1, 1, &create)
	for order, want := range map[uint64]bool{8: true, 9: true, 10: false} {
		if got := p.Latest.Superseded(key, int64(order), scenario.Complete, time.Time{}, order); got != want {
			t.Errorf("number %d: superseded %t, want %t", order, got, want)
		}
	}
	if p.Latest.Superseded(key, 1, scenario.Create, time.Now(), 10) {
		t.Error("a new item of the same name is kept from the OA")
	}

	p = progress.New()
	p.Apply(1, 1, &record.Record{Seq: 3, Outcome: record.Delivered, Version: 1, Action: scenario.Create, ItemID: "T-1", Receiver: "1002"})
	create.Version = 2
	p.Apply(2, 2, &create)
	if p.Latest.Superseded(key, 3, scenario.Complete, time.Time{}, 9) {
		t.Error("the end of an item that the OA shows is kept from it")
	}
}
