package gateway

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Steps of a sign-in that wait for somebody else: values of the label step.
const (
	stepReserve = "reserve"
	stepVerify  = "verify"
)

// metrics of one process. Labels are bounded: outcomes are Codes.
type metrics struct {
	registry *prometheus.Registry
	logins   *prometheus.CounterVec
	total    prometheus.Histogram
	steps    *prometheus.HistogramVec
	skew     prometheus.Histogram
	inFlight prometheus.Gauge
	config   prometheus.Gauge
	// kept and dropped sign-ins: those that the dispatcher took, and those that nobody will find.
	kept, dropped prometheus.Counter
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		logins: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "oabridge_sso_logins_total", Help: "Clicks by outcome: OK or an error code.",
		}, []string{"outcome"}),
		total: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "oabridge_sso_duration_seconds", Help: "Time from a click to its answer.",
			Buckets: []float64{.005, .01, .025, .05, .1, .2, .3, .5, 1, 2, 4, 8, 12},
		}),
		steps: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "oabridge_sso_step_duration_seconds", Help: "Time that a click waited: for the proof store (reserve) or the OA (verify).",
			Buckets: []float64{.001, .005, .01, .025, .05, .1, .2, .5, 1, 2, 4, 8},
		}, []string{"step"}),
		skew: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "oabridge_sso_skew_seconds", Help: "Distance between the time in a signed link and the gateway's clock.",
			Buckets: []float64{1, 5, 15, 30, 60, 120, 300, 600, 900, 3600},
		}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "oabridge_sso_in_flight", Help: "Clicks that are being answered.",
		}),
		config: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "oabridge_config_problem", Help: "1 while newer configuration or keys on disk are not in use.",
		}),
		kept: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "oabridge_sso_records_kept_total", Help: "Finished sign-ins whose record the dispatcher keeps.",
		}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "oabridge_sso_records_dropped_total", Help: "Finished sign-ins whose record was dropped, because the dispatcher did not take it in time.",
		}),
	}
	for _, code := range []Code{SignedIn, Begun, Shown, Announced} {
		m.logins.WithLabelValues(string(code))
	}
	for _, step := range []string{stepReserve, stepVerify} {
		m.steps.WithLabelValues(step)
	}
	for code := range explanations {
		m.logins.WithLabelValues(string(code))
	}
	m.registry.MustRegister(m.logins, m.total, m.steps, m.skew, m.inFlight, m.config, m.kept, m.dropped,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Reference has every metric of a gateway with every value of its labels: what docs/reference/metrics.md is made of, and
// dashboards are tried with.
func Reference() prometheus.Gatherer { return newMetrics().registry }
