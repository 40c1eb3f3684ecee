package dispatch

import (
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/ptr"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/crm/fxiaoke"
	"github.com/oabridge/oabridge/internal/dispatch/digest"
	"github.com/oabridge/oabridge/internal/report"
	"github.com/oabridge/oabridge/internal/slo"
)

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
	d := l.dispatcher
	now := time.Now()
	s := d.session.Load()
	var p present
	if v := d.live.Load(); v != nil {
		p.objective, p.figures = objective(v.bundle), s.figures(now)
	}
	p.delivered, p.seconds = d.latencies.Sum()
	if s == nil {
		p.target = ptr.To(false)
		p.collect(c)
		return
	}
	var sum report.Report
	for _, e := range s.owned() {
		d, oa, _ := e.report()
		add(&sum, d, oa, nil)
	}
	if p.items = sum.Delivery; p.items != nil { // something is ours
		if p.items.OldestTime != nil {
			p.age = now.Sub(*p.items.OldestTime)
		}
		if sum.OA.Reason != v1alpha1.ReasonSuspended { // nobody knows then, and nobody is to be woken
			p.target = ptr.To(sum.OA.State == "True")
		}
		p.bytes, p.limit = float64(s.journal.Bytes()), float64(s.journal.MaxBytes())
		up, behind := s.index.up()
		p.indexUp, p.behind = up, float64(behind)
	}
	p.collect(c)
}

// present is the state at one moment.
type present struct {
	objective slo.Objective
	figures   slo.Figures
	delivered uint64
	seconds   float64
	// target is nil when nobody knows whether the OA works.
	target *bool
	// items is nil when no partition is served, and then the rest is not known either.
	items        *report.Delivery
	age          time.Duration
	bytes, limit float64
	indexUp      bool
	behind       float64
}

func (p *present) collect(c chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		c <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	yes := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	if p.objective.Within > 0 { // a bundle is live
		gauge(descObjective, p.objective.Ratio)
		gauge(descWithin, p.objective.Within.Seconds())
		gauge(descBurn, p.figures.BurnRate(p.objective))
		c <- prometheus.MustNewConstSummary(descSLOLatency, p.delivered, p.seconds, quantiles(&p.figures))
	}
	if p.target != nil {
		gauge(descUp, yes(*p.target))
	}
	if p.items == nil {
		return
	}
	gauge(descItems, float64(p.items.Pending), "Pending")
	gauge(descItems, float64(p.items.Retrying), "Retrying")
	gauge(descItems, float64(p.items.Held), "Held")
	gauge(descItems, float64(p.items.Dead), "Dead")
	gauge(descOldest, p.age.Seconds())
	gauge(descBytes, p.bytes)
	gauge(descLimit, p.limit)
	gauge(descIndex, yes(p.indexUp))
	gauge(descBehind, p.behind)
}

func quantiles(f *slo.Figures) map[float64]float64 {
	out := map[float64]float64{}
	for _, q := range []float64{0.5, 0.95, 0.99} {
		out[q] = math.NaN() // as the client library says of a summary without observations
		if f.Delivered() > 0 {
			out[q] = f.Quantile(q).Seconds()
		}
	}
	return out
}

// Reference has every metric of a dispatcher with every value of its labels: what docs/reference/metrics.md is made of, and
// dashboards are tried with. Of the labels that hold a name it has one value, in angle brackets.
func Reference() prometheus.Gatherer {
	m := newMetrics()
	m.registry.MustRegister(&reference{}, fxiaoke.NewCallback("", nil, time.Now), digest.Reference())
	return m.registry
}

type reference struct{ levels }

// Collect implements prometheus.Collector.
func (reference) Collect(c chan<- prometheus.Metric) {
	(&present{
		objective: slo.Objective{Ratio: 0.999, Within: time.Minute}, figures: slo.Figures{InTime: 1, Latencies: map[int]int64{0: 1}}, delivered: 1,
		target: ptr.To(true), items: &report.Delivery{}, limit: 1, indexUp: true,
	}).collect(c)
}
