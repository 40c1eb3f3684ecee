package index_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/dispatch/index"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/scenario"
)

// batchRows is what the projection takes at once.
const batchRows = 1000

// traffic returns the n-th batch of what a healthy connector writes: nearly all of it delivered, 2,000 people.
func traffic(n int) []index.Located {
	batch := make([]index.Located, batchRows)
	for i := range batch {
		seq := n*batchRows + i
		r := &record.Record{
			Seq: uint64(seq), Kind: "Todo", ItemID: fmt.Sprintf("T-%08d", max(0, seq-seq*7919%3000)), Version: 1, Action: scenario.Create,
			Receiver: fmt.Sprint(100_000 + seq*31%2000), ReceiverOA: fmt.Sprintf("user%04d", seq*31%2000), Attempt: 1, Outcome: record.Delivered,
			Template: "crm/seeyon-todo", Revision: "5f3c2ab1", Status: 200, LatencyMS: 12.5,
			AcceptedAt: start.Add(time.Duration(seq) * time.Millisecond), At: start.Add(time.Duration(seq)*time.Millisecond + 40*time.Millisecond),
			TraceParent: fmt.Sprintf("00-%016x%016x-00f067aa0ba902b7-01", uint64(seq+1)*0x9E3779B97F4A7C15, seq),
		}
		if seq%50 == 0 {
			r.Outcome, r.Class, r.Reason, r.Message = record.Retrying, "Timeout", "Timeout", "the OA did not answer within 60s"
		}
		batch[i] = index.Located{Frame: uint64(seq/100 + 1), Index: seq % 100, Record: r}
	}
	return batch
}

func BenchmarkApply(b *testing.B) {
	for _, engine := range engines {
		b.Run(engine.name, func(b *testing.B) {
			x := open(b, engine.config(b))
			for n := 0; b.Loop(); n++ {
				if err := x.Apply(b.Context(), traffic(n)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*batchRows/b.Elapsed().Seconds(), "records/s")
			s, err := x.Stats(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(s.Bytes)/float64(s.Records), "disk-B/record")
		})
	}
}

func BenchmarkQuery(b *testing.B) {
	for _, engine := range engines {
		b.Run(engine.name, func(b *testing.B) {
			x := open(b, engine.config(b))
			for n := range 200 {
				if err := x.Apply(b.Context(), traffic(n)); err != nil {
					b.Fatal(err)
				}
			}
			for name, f := range map[string]index.Filter{
				"newest":      {},
				"item":        {Items: []string{"T-00007919"}},
				"receiver":    {Receivers: []string{"user0031"}},
				"class":       {Classes: []string{"Timeout"}},
				"dead":        {Outcomes: []record.Outcome{record.Dead}, NotReplayed: true},
				"trace":       {Traces: []string{index.TraceID(traffic(3)[7].Record.TraceParent)}},
				"last-minute": {Since: start.Add(190 * time.Second), Limit: 1000},
			} {
				b.Run(name, func(b *testing.B) {
					for b.Loop() {
						if _, err := x.Query(b.Context(), f); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		})
	}
}
