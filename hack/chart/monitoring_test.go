package chart

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
)

// PodMonitors and alerts are made where the cluster has the kinds of the Prometheus operator, unless the values say otherwise.
func TestMonitoringWhereThePrometheusOperatorIs(t *testing.T) {
	const monitor, rule = "monitoring.coreos.com/v1/PodMonitor", "monitoring.coreos.com/v1/PrometheusRule"
	for _, c := range []struct {
		name            string
		cluster         []string
		monitors, rules any
		want            string
	}{
		{name: "no operator", want: ""},
		{name: "an operator", cluster: []string{monitor, rule}, want: "PodMonitor PodMonitor PrometheusRule"},
		{name: "monitors only", cluster: []string{monitor}, want: "PodMonitor PodMonitor"},
		{name: "rules only", cluster: []string{rule}, want: "PrometheusRule"},
		{name: "not wanted", cluster: []string{monitor, rule}, monitors: false, rules: false, want: ""},
		{name: "wanted in any case", monitors: true, rules: true, want: "PodMonitor PodMonitor PrometheusRule"},
		{name: "auto in words", cluster: []string{monitor, rule}, monitors: "auto", rules: "auto", want: "PodMonitor PodMonitor PrometheusRule"},
	} {
		t.Run(c.name, func(t *testing.T) {
			values := map[string]any{}
			for key, enabled := range map[string]any{"podMonitor": c.monitors, "prometheusRule": c.rules} {
				if enabled != nil {
					values[key] = map[string]any{"enabled": enabled}
				}
			}
			manifests, notes, err := Render(chartDir, values, c.cluster...)
			if err != nil {
				t.Fatal(err)
			}
			objects, err := Objects(manifests)
			if err != nil {
				t.Fatal(err)
			}
			var kinds []string
			for _, o := range objects {
				if strings.HasPrefix(o.GetAPIVersion(), "monitoring.coreos.com/") {
					kinds = append(kinds, o.GetKind())
				}
			}
			slices.Sort(kinds)
			if got := strings.Join(kinds, " "); got != c.want {
				t.Errorf("made %q, want %q", got, c.want)
			}
			if warned, want := strings.Contains(notes, "The alerts need the labels"), c.want == "PrometheusRule"; warned != want {
				t.Errorf("the notes warn of missing labels: %t, want %t", warned, want)
			}
		})
	}
	if _, _, err := Render(chartDir, map[string]any{"podMonitor": map[string]any{"enabled": "yes"}}); err == nil {
		t.Error("another word than auto is taken")
	}
	if _, _, err := Render(chartDir, map[string]any{"podMonitor": map[string]any{"enabled": true}, "metrics": map[string]any{"auth": map[string]any{"enabled": true}}}); err == nil || !strings.Contains(err.Error(), "podMonitor.tokenSecret.name") {
		t.Errorf("protected metrics without a reader: %v", err)
	}
}

// metric is a row of the page.
type metric struct {
	name, kind string
	labels     map[string][]string
}

var (
	row        = regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| (.*?) \\| ")
	label      = regexp.MustCompile("`([a-z]+)`: ((?:`[^`]+`(?:, )?)+)")
	labelValue = regexp.MustCompile("`([^`]+)`")
)

// metricsPage is docs/reference/metrics.md, which is written from the code, by the heading of its sections.
func metricsPage(t *testing.T) map[string][]metric {
	t.Helper()
	found := map[string][]metric{}
	for _, section := range strings.Split(read(t, "docs/reference/metrics.md"), "\n## ")[1:] {
		heading, text, _ := strings.Cut(section, "\n")
		for _, line := range strings.Split(text, "\n") {
			m := row.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			x := metric{name: m[1], kind: m[2], labels: map[string][]string{}}
			for _, l := range label.FindAllStringSubmatch(line, -1) {
				for _, v := range labelValue.FindAllStringSubmatch(l[2], -1) {
					x.labels[l[1]] = append(x.labels[l[1]], v[1])
				}
			}
			found[heading] = append(found[heading], x)
		}
	}
	if len(found["Dispatcher"]) < 10 || len(found["Gateway"]) < 5 || len(found["Manager"]) < 5 {
		t.Fatalf("the page has %d, %d and %d metrics only", len(found["Dispatcher"]), len(found["Gateway"]), len(found["Manager"]))
	}
	return found
}

// Each alert and each panel asks for metrics that the programs have, and for values of labels that they use.
func TestQueriesAskForWhatThereIs(t *testing.T) {
	known := map[string]metric{}
	for _, section := range metricsPage(t) {
		for _, m := range section {
			known[m.name] = m
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				known[m.name+suffix] = m
			}
		}
	}
	process := regexp.MustCompile(`^(process_(resident_memory_bytes|cpu_seconds_total)|go_[a-z_]+)$`)
	for where, expr := range queries(t) {
		parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
		if err != nil {
			t.Errorf("%s: %v", where, err)
			continue
		}
		parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
			s, ok := node.(*parser.VectorSelector)
			if !ok {
				return nil
			}
			m, ok := known[s.Name]
			if !ok && !process.MatchString(s.Name) {
				t.Errorf("%s asks for %s, which is in no program", where, s.Name)
			}
			for _, matcher := range s.LabelMatchers {
				values := m.labels[matcher.Name]
				if len(values) > 0 && !slices.ContainsFunc(values, matcher.Matches) {
					t.Errorf("%s asks for %s, and there is no such value", where, matcher)
				}
			}
			return nil
		})
	}
}

// queries of alerts and dashboards, with the variables of dashboards filled in.
func queries(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for name, rule := range alerts(t) {
		found["alert "+name] = rule.Expr
	}
	for where, expr := range panels(t) {
		found[where] = expr
	}
	return found
}

// Each panel shows something of a system that works: its query has a result over an hour of the metrics that the programs have.
func TestPanelsShowSomething(t *testing.T) {
	var load strings.Builder
	load.WriteString("load 1m\n")
	for section, metrics := range metricsPage(t) {
		own := map[string]string{
			"Dispatcher": `namespace="crm",connector="hq",component="dispatcher",pod="hq-dispatcher-1"`,
			"Gateway":    `namespace="crm",connector="hq",component="gateway",pod="hq-gateway-1"`,
			"Manager":    `namespace="oabridge-system",component="manager",pod="oabridge-manager-1",controller="connector",name="connector",result="success",code="200",method="GET"`,
		}[section]
		for _, m := range metrics {
			for _, labels := range combinations(m) {
				series(&load, m, own+labels)
			}
		}
		fmt.Fprintf(&load, "  process_resident_memory_bytes{%s} 1e8x1500\n  process_cpu_seconds_total{%s} 0+3x1500\n", own, own)
	}
	data := promqltest.LoadedStorage(t, load.String())
	engine := promqltest.NewTestEngine(t, false, 0, promqltest.DefaultMaxSamplesPerQuery)
	at := time.Unix(0, 0).Add(24 * time.Hour)
	all := panels(t)
	for _, where := range slices.Sorted(maps.Keys(all)) {
		query, err := engine.NewInstantQuery(t.Context(), data, nil, all[where], at)
		if err != nil {
			t.Fatal(err)
		}
		vector, err := query.Exec(t.Context()).Vector()
		if err != nil || len(vector) == 0 {
			t.Errorf("%s shows nothing: %s: %v", where, all[where], err)
		}
		query.Close()
	}
}

// combinations of the values of a metric's labels, one label at a time: no metric of ours has two.
func combinations(m metric) (out []string) {
	for name, values := range m.labels {
		for _, v := range values {
			if name != "quantile" {
				out = append(out, fmt.Sprintf(",%s=%q", name, v))
			}
		}
	}
	if len(out) == 0 {
		return []string{""}
	}
	return out
}

// series writes a day of a metric: counters rise, gauges are 1. The manager's page names no types; the name tells.
func series(load *strings.Builder, m metric, labels string) {
	histogram := m.kind == "histogram" || strings.HasSuffix(m.name, "_time_seconds") || strings.HasSuffix(m.name, "_duration_seconds")
	switch {
	case histogram:
		for _, le := range []string{"0.1", "1", "+Inf"} {
			fmt.Fprintf(load, "  %s_bucket{%s,le=%q} 0+5x1500\n", m.name, labels, le)
		}
	case strings.HasSuffix(m.name, "_total"):
		fmt.Fprintf(load, "  %s{%s} 0+5x1500\n", m.name, labels)
	default:
		fmt.Fprintf(load, "  %s{%s} 1x1500\n", m.name, labels)
	}
}
