package controllers

import (
	"math"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/slo"
)

// sloDigits are the digits of a figure in the status: more would be noise, and each change is a write.
const sloDigits = 2

// sloStatus keeps the last figures while the dispatcher is away, as deliveryStatus does.
func sloStatus(before v1alpha1.SLOStatus, spec v1alpha1.SLO, dispatcher fleet) v1alpha1.SLOStatus {
	if dispatcher.report == nil || dispatcher.report.SLO == nil || dispatcher.unserved > 0 {
		return before
	}
	promised := bundle.Objective(spec)
	percent, _ := strconv.ParseFloat(promised.Objective, 64) // the schema lets nothing else through
	objective := slo.Objective{Ratio: percent / 100, Within: promised.Within.Std()}
	f := dispatcher.report.SLO
	next := v1alpha1.SLOStatus{
		Objective: promised.Objective, Within: metav1.Duration{Duration: objective.Within}, Window: metav1.Duration{Duration: slo.Span},
		Items: ptr.To(int64(rounded(float64(f.Items())))),
	}
	if f.Items() > 0 {
		next.InTime = percentage(f.Ratio())
		next.BurnRate = figure(rounded(f.BurnRate(objective)))
	}
	if f.Delivered() > 0 {
		next.Latency = v1alpha1.LatencyStatus{P50: latency(f, 0.5), P95: latency(f, 0.95), P99: latency(f, 0.99)}
	}
	return next
}

// percentage of a ratio. What is missing to 100 has two digits: between 99.91 and 99.99 lies a world.
func percentage(ratio float64) string { return figure(100 - rounded(100*(1-ratio))) }

func figure(v float64) string {
	// The sum of rounded numbers is rounded once more, to hide what binary fractions leave behind.
	return strconv.FormatFloat(math.Round(v*1e5)/1e5, 'f', -1, 64)
}

func latency(f *slo.Figures, q float64) metav1.Duration {
	return metav1.Duration{Duration: time.Duration(rounded(float64(f.Quantile(q)))).Round(time.Microsecond)}
}

// rounded to sloDigits.
func rounded(v float64) float64 {
	out, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'e', sloDigits-1, 64), 64) // what was written can be read
	return out
}
