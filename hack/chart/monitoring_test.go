package chart

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
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
	name   string
	labels map[string][]string
}

var (
	row        = regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| ")
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
			x := metric{name: m[1], labels: map[string][]string{}}
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
