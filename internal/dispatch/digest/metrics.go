package digest

import (
	"iter"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics of the digests. The label is the name of a channel: a connector has at most eight.
type Metrics struct {
	sent, failed *prometheus.CounterVec
	success      *prometheus.GaugeVec

	mu    sync.Mutex
	known map[string]bool
}

// NewMetrics returns the metrics, which live as long as the process.
func NewMetrics() *Metrics {
	channel := []string{"channel"}
	return &Metrics{
		sent:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "oabridge_notifications_sent_total", Help: "Digests that a channel has taken."}, channel),
		failed: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "oabridge_notifications_failed_total", Help: "Attempts to send a digest that failed."}, channel),
		success: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "oabridge_notifications_last_success_timestamp_seconds",
			Help: "When a window last ended with nothing left to tell the channel."}, channel),
		known: map[string]bool{},
	}
}

// Reference returns the metrics with one channel, for the documentation.
func Reference() *Metrics {
	m := NewMetrics()
	m.told("<channel>", time.Unix(1, 0))
	return m
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(out chan<- *prometheus.Desc) {
	m.sent.Describe(out)
	m.failed.Describe(out)
	m.success.Describe(out)
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	m.sent.Collect(out)
	m.failed.Collect(out)
	m.success.Collect(out)
}

// told notes when a channel had nothing left to be told.
func (m *Metrics) told(channel string, at time.Time) {
	m.sent.WithLabelValues(channel)
	m.failed.WithLabelValues(channel)
	if !at.IsZero() {
		m.success.WithLabelValues(channel).Set(float64(at.UnixMilli()) / 1e3)
	}
}

// keep forgets channels that are not in the list.
func (m *Metrics) keep(channels iter.Seq[string]) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.known
	m.known = map[string]bool{}
	for name := range channels {
		m.known[name] = true
	}
	for name := range before {
		if !m.known[name] {
			m.success.DeleteLabelValues(name)
			m.sent.DeleteLabelValues(name)
			m.failed.DeleteLabelValues(name)
		}
	}
}

// leave forgets when channels were told: another replica knows it from now on.
func (m *Metrics) leave() { m.success.Reset() }
