package dispatch

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/slo"
)

// metrics of a dispatcher. All labels have few, fixed values.
type metrics struct {
	registry   *prometheus.Registry
	accepted   prometheus.Counter
	duplicates prometheus.Counter
	refused    *prometheus.CounterVec
	attempts   *prometheus.CounterVec
	deliveries *prometheus.CounterVec
	lost       prometheus.Counter
	verdicts   *prometheus.CounterVec
	latency    prometheus.Histogram
	duration   prometheus.Histogram
}

func newMetrics() *metrics {
	m := &metrics{
		registry:   prometheus.NewRegistry(),
		accepted:   prometheus.NewCounter(prometheus.CounterOpts{Name: "oabridge_events_accepted_total", Help: "Events that were synced to disk, without duplicates."}),
		duplicates: prometheus.NewCounter(prometheus.CounterOpts{Name: "oabridge_event_duplicates_total", Help: "Events that were known before."}),
		refused:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "oabridge_events_refused_total", Help: "Requests of the CRM that were not taken."}, []string{"reason"}),
		attempts:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "oabridge_attempts_total", Help: "Calls to the OA by error class; OK when it worked."}, []string{"class"}),
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "oabridge_deliveries_total", Help: "Recorded steps of deliveries by outcome."}, []string{"outcome"}),
		lost:       prometheus.NewCounter(prometheus.CounterOpts{Name: "oabridge_deliveries_lost_total", Help: "Accepted deliveries that the store does not have any more because it was damaged."}),
		verdicts:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "oabridge_slo_deliveries_total", Help: "Items by their verdict against spec.slo: in time, late as soon as their time is over, or dead before."}, []string{"verdict"}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "oabridge_delivery_latency_seconds", Help: "Time from the acceptance of an event to its delivery.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 28800, 86400}}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "oabridge_attempt_duration_seconds", Help: "Duration of a call to the OA.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}}),
	}
	m.registry.MustRegister(m.accepted, m.duplicates, m.refused, m.attempts, m.deliveries, m.lost, m.verdicts, m.latency, m.duration,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, c := range []oa.Class{oa.OK, oa.Network, oa.Timeout, oa.ServerError, oa.RateLimited, oa.AuthExpired, oa.BusinessCode, oa.ReceiverUnknown, oa.Internal} {
		m.attempts.WithLabelValues(classLabel(c))
	}
	for _, o := range []record.Outcome{record.Delivered, record.Retrying, record.Held, record.Dead, record.Skipped} {
		m.deliveries.WithLabelValues(string(o))
	}
	for _, reason := range refusals {
		m.refused.WithLabelValues(reason)
	}
	for _, v := range slo.Verdicts() {
		m.verdicts.WithLabelValues(v.String())
	}
	return m
}

func classLabel(c oa.Class) string {
	if c == oa.OK {
		return "OK"
	}
	return string(c)
}

func (m *metrics) attempted(a oa.Attempt) {
	m.attempts.WithLabelValues(classLabel(a.Class)).Inc()
	m.duration.Observe(a.Latency.Seconds())
}

func (m *metrics) recorded(r *record.Record) {
	m.deliveries.WithLabelValues(string(r.Outcome)).Inc()
	if r.Outcome == record.Delivered {
		m.latency.Observe(r.At.Sub(r.AcceptedAt).Seconds())
	}
}
