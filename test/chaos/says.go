package main

import (
	"context"
	"fmt"
	"time"

	"github.com/oabridge/oabridge/internal/report"
)

// saysPatience is how long the report and the metrics may take to say what is so.
const saysPatience = 10 * time.Second

// says waits until the only dispatcher reports the OA as up or down, with so many items that wait, in its report (from
// which the operator makes the conditions) and in its metrics alike.
func (st *stage) says(ctx context.Context, up bool, waiting int64) error {
	state, target := "False", 0.0
	if up {
		state, target = "True", 1.0
	}
	var r report.Report
	var m map[string]float64
	for deadline := time.Now().Add(saysPatience); time.Now().Before(deadline); {
		var err error
		if r, _, _, err = st.places[0].Report(ctx, "", 0); err != nil {
			return err
		}
		if m, err = st.places[0].Metrics(ctx); err != nil {
			return err
		}
		right := r.OA != nil && r.OA.State == state && r.OA.Reason != "" && r.OA.Message != "" && m["oabridge_target_up"] == target &&
			r.Delivery != nil && r.Delivery.Pending+r.Delivery.Retrying == waiting &&
			m[`oabridge_items{state="Pending"}`]+m[`oabridge_items{state="Retrying"}`] == float64(waiting) &&
			(r.Delivery.OldestTime != nil) == (waiting > 0) && (m["oabridge_oldest_item_age_seconds"] > 0) == (waiting > 0)
		if right {
			st.diary.note("report and metrics say: OA %s (%s), %d waiting", state, r.OA.Reason, waiting)
			return nil
		}
		if !pause(ctx, drainPoll) {
			return ctx.Err()
		}
	}
	return fmt.Errorf("with the OA up=%t and %d items waiting the report says %+v %+v, the metrics target_up %g, items %g and %g, oldest %g s", up, waiting,
		r.OA, r.Delivery, m["oabridge_target_up"], m[`oabridge_items{state="Pending"}`], m[`oabridge_items{state="Retrying"}`], m["oabridge_oldest_item_age_seconds"])
}
