package dispatch

import (
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/report"
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

var (
	descItems      = prometheus.NewDesc("oabridge_items", "Items by state.", []string{"state"}, nil)
	descOldest     = prometheus.NewDesc("oabridge_oldest_item_age_seconds", "Age of the oldest item that waits; 0 when none does.", nil, nil)
	descUp         = prometheus.NewDesc("oabridge_target_up", "1 when the OA answers and accepts the account.", nil, nil)
	descBytes      = prometheus.NewDesc("oabridge_store_bytes", "Bytes used in the store.", nil, nil)
	descLimit      = prometheus.NewDesc("oabridge_store_limit_bytes", "Bytes that the store may use.", nil, nil)
	descIndex      = prometheus.NewDesc("oabridge_records_index_up", "1 when the index takes records, so that they can be looked up.", nil, nil)
	descObjective  = prometheus.NewDesc("oabridge_slo_objective_ratio", "Part of the items that is to be in time, by spec.slo.objective.", nil, nil)
	descWithin     = prometheus.NewDesc("oabridge_slo_within_seconds", "How long an item may take from its acceptance to its delivery, by spec.slo.within.", nil, nil)
	descBurn       = prometheus.NewDesc("oabridge_slo_burn_rate", "How fast the error budget was used up in the last hour: 1 when just as many items missed the objective as may.", nil, nil)
	descSLOLatency = prometheus.NewDesc("oabridge_slo_latency_seconds", "Time from the acceptance of an item to its delivery, with the quantiles of the last hour; without items that waited for a person to be bound.", nil, nil)
	descBehind     = prometheus.NewDesc("oabridge_records_index_behind", "Records that are not in the index yet.", nil, nil)
)

// levels reads the present state when metrics are asked for.
type levels struct{ dispatcher *Dispatcher }

// Describe implements prometheus.Collector.
func (l levels) Describe(c chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descItems, descOldest, descUp, descBytes, descLimit, descIndex, descBehind,
		descObjective, descWithin, descBurn, descSLOLatency} {
		c <- d
	}
}

// Collect implements prometheus.Collector.
func (l levels) Collect(c chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		c <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	l.collectSLO(c, gauge)
	s := l.dispatcher.session.Load()
	if s == nil {
		gauge(descUp, 0)
		return
	}
	var sum report.Report
	for _, e := range s.owned() {
		d, oa, _ := e.report()
		add(&sum, d, oa, nil)
	}
	if sum.Delivery == nil {
		return // nothing is ours
	}
	r, up := sum.Delivery, 0.0
	if sum.OA.State == "True" {
		up = 1
	}
	gauge(descItems, float64(r.Pending), "Pending")
	gauge(descItems, float64(r.Retrying), "Retrying")
	gauge(descItems, float64(r.Held), "Held")
	gauge(descItems, float64(r.Dead), "Dead")
	age := 0.0
	if r.OldestTime != nil {
		age = time.Since(*r.OldestTime).Seconds()
	}
	gauge(descOldest, age)
	if sum.OA.Reason != v1alpha1.ReasonSuspended { // nobody knows then, and nobody is to be woken
		gauge(descUp, up)
	}
	gauge(descBytes, float64(s.journal.Bytes()))
	gauge(descLimit, float64(s.journal.MaxBytes()))
	indexUp, behind := s.index.up()
	gauge(descBehind, float64(behind))
	if up = 0; indexUp {
		up = 1
	}
	gauge(descIndex, up)
}

func (l levels) collectSLO(c chan<- prometheus.Metric, gauge func(*prometheus.Desc, float64, ...string)) {
	w := &l.dispatcher.window
	objective, figures := w.Objective(), w.Figures(time.Now())
	if objective.Within == 0 {
		return // no bundle is live yet
	}
	gauge(descObjective, objective.Ratio)
	gauge(descWithin, objective.Within.Seconds())
	gauge(descBurn, figures.BurnRate(objective))
	quantiles := map[float64]float64{}
	for _, q := range []float64{0.5, 0.95, 0.99} {
		quantiles[q] = math.NaN() // as the client library says of a summary without observations
		if figures.Delivered() > 0 {
			quantiles[q] = figures.Quantile(q).Seconds()
		}
	}
	n, seconds := w.Totals()
	c <- prometheus.MustNewConstSummary(descSLOLatency, n, seconds, quantiles)
}
