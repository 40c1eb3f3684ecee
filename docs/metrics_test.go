package docs

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	_ "sigs.k8s.io/controller-runtime" // registers the metrics of a manager
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/oabridge/oabridge/internal/dispatch"
	"github.com/oabridge/oabridge/internal/gateway"
)

const metricsPage = "reference/metrics.md"

//go:generate go test . -run TestMetricsReference -update

// The page of the metrics is written from the metrics that the programs register.
func TestMetricsReference(t *testing.T) {
	page := `# Metrics

Prometheus format: /metrics on port 8081 of dispatchers and gateways (port name ` + "`admin`" + `), and on port 8080 of the manager. Labels have
few, fixed values, but for the name of a channel. The chart's PodMonitors add ` + "`namespace`, `connector`, `component` and `pod`" + `. Each
program has the metrics of the Go runtime (` + "`go_…`) and of its process (`process_…`)" + ` too.

This page is written from the code (` + "`go generate ./docs`" + `).

## Dispatcher

` + metricsTable(families(t, dispatch.Reference())) + `
## Gateway

` + metricsTable(families(t, gateway.Reference())) + `
## Manager

Those of controller-runtime. ` + "`controller`" + ` is ` + "`connector`, `template`, `binding` or `replay`" + `, among others.

` + managerTable()
	if *update {
		if err := os.WriteFile(metricsPage, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(page, read(t, metricsPage)); diff != "" {
		t.Errorf("docs/%s is not up to date (go generate ./docs):\n%s", metricsPage, diff)
	}
}

// Names, types and help are as Prometheus wants them.
func TestMetricsAreWellNamed(t *testing.T) {
	for name, gatherer := range map[string]prometheus.Gatherer{"dispatcher": dispatch.Reference(), "gateway": gateway.Reference()} {
		own := families(t, gatherer)
		if len(own) < 8 {
			t.Errorf("the %s has %d metrics only", name, len(own))
		}
		problems, err := promlint.NewWithMetricFamilies(own).Lint()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Errorf("%s: %s: %s", name, p.Metric, p.Text)
		}
		for _, f := range own {
			if !strings.HasSuffix(f.GetHelp(), ".") {
				t.Errorf("%s: the help is no sentence: %q", f.GetName(), f.GetHelp())
			}
		}
	}
}

// families are the metrics of our own.
func families(t *testing.T, g prometheus.Gatherer) (own []*dto.MetricFamily) {
	t.Helper()
	all, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if strings.HasPrefix(f.GetName(), "oabridge_") {
			own = append(own, f)
		}
	}
	return own
}

func metricsTable(own []*dto.MetricFamily) string {
	var b strings.Builder
	b.WriteString("| metric | type | labels | meaning |\n|---|---|---|---|\n")
	for _, f := range own {
		values := map[string][]string{}
		var names []string
		for _, m := range f.Metric {
			for _, l := range m.Label {
				if !slices.Contains(names, l.GetName()) {
					names = append(names, l.GetName())
				}
				if v := "`" + l.GetValue() + "`"; !slices.Contains(values[l.GetName()], v) {
					values[l.GetName()] = append(values[l.GetName()], v)
				}
			}
			for _, q := range m.GetSummary().GetQuantile() {
				names = []string{"quantile"}
				values["quantile"] = append(values["quantile"], fmt.Sprintf("`%g`", q.GetQuantile()))
			}
		}
		var labels []string
		for _, name := range names {
			labels = append(labels, "`"+name+"`: "+strings.Join(values[name], ", "))
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.GetName(), strings.ToLower(f.GetType().String()), strings.Join(labels, "; "), f.GetHelp())
	}
	return b.String()
}

// described takes a description apart; the library offers no other way.
var described = regexp.MustCompile(`fqName: "([^"]+)", help: "((?:[^"\\]|\\.)*)",.* constLabels: \{[^}]*\}, variableLabels: \{([^}]*)\}`)

func managerTable() string {
	descriptions := make(chan *prometheus.Desc)
	go func() {
		defer close(descriptions)
		ctrlmetrics.Registry.(*prometheus.Registry).Describe(descriptions)
	}()
	var rows []string
	for d := range descriptions {
		m := described.FindStringSubmatch(d.String())
		if m == nil || strings.HasPrefix(m[1], "go_") || strings.HasPrefix(m[1], "process_") {
			continue
		}
		labels := ""
		if m[3] != "" {
			labels = "`" + strings.ReplaceAll(m[3], ",", "`, `") + "`"
		}
		rows = append(rows, fmt.Sprintf("| `%s` | %s | %s |\n", m[1], labels, strings.TrimSpace(m[2])))
	}
	slices.Sort(rows)
	return "| metric | labels | meaning |\n|---|---|---|\n" + strings.Join(slices.Compact(rows), "")
}
