package chart

import (
	"fmt"
	"log/slog"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/storage"
)

const (
	alertsFile = chartDir + "/files/alerts.yaml"
	runbooks   = Root + "/docs/runbooks"
	// step between two evaluations, as Prometheus has it by default.
	step = time.Minute
)

func alerts(t *testing.T) map[string]rulefmt.Rule {
	t.Helper()
	groups, problems := rulefmt.ParseFile(alertsFile, false, model.LegacyValidation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	found := map[string]rulefmt.Rule{}
	for _, g := range groups.Groups {
		for _, r := range g.Rules {
			found[r.Alert] = r
		}
	}
	return found
}

const (
	hq     = `{namespace="crm",connector="hq",component="dispatcher",pod="hq-1"`
	branch = `{namespace="crm",connector="branch",component="dispatcher",pod="branch-1"`
	gate   = `{namespace="crm",connector="hq",component="gateway",pod="hq-gateway-1"`
	one    = `{connector="hq", namespace="crm"}`
)

// Each alert fires when what it is about happens and lasts, for the connector to which it happens, and not before.
func TestAlerts(t *testing.T) {
	for _, c := range []struct {
		alert string
		// series are what Prometheus has read, a sample a minute.
		series string
		// quiet is a minute at which nobody is called, loud one at which fires is.
		quiet, loud int
		fires       []string
	}{
		{
			alert:  "OABridgeTargetDown",
			series: "oabridge_target_up" + hq + "} 1x5 0x60\noabridge_target_up" + branch + "} 1x65",
			quiet:  9, loud: 11, fires: []string{one},
		}, {
			// Of two dispatchers one stands by and has no opinion.
			alert:  "OABridgeTargetDown",
			series: "oabridge_target_up" + hq + "} 1x60\noabridge_target_up" + strings.Replace(hq, "hq-1", "hq-2", 1) + "} 0x30 _x30",
			quiet:  20,
		}, {
			alert:  "OABridgeItemsLate",
			series: "oabridge_oldest_item_age_seconds" + hq + "} 42000+60x60\noabridge_oldest_item_age_seconds" + branch + "} 0x60",
			quiet:  25, loud: 30, fires: []string{one},
		}, {
			alert:  "OABridgeItemsDead",
			series: "oabridge_items" + hq + ",state=\"Dead\"} 5x20 8x40\noabridge_items" + branch + ",state=\"Dead\"} 2x60",
			quiet:  20, loud: 22, fires: []string{one},
		}, {
			// A restart under another name is no news, and old dead letters are none either.
			alert: "OABridgeItemsDead",
			series: "oabridge_items" + hq + ",state=\"Dead\"} 5x20 _x40\n" +
				"oabridge_items" + strings.Replace(hq, "hq-1", "hq-2", 1) + ",state=\"Dead\"} _x20 stale 5x40",
			quiet: 30,
		}, {
			alert: "OABridgeSLOBudgetBurns",
			series: "oabridge_slo_objective_ratio" + hq + "} 0.99x120\noabridge_slo_objective_ratio" + branch + "} 0.99x120\n" +
				"oabridge_slo_deliveries_total" + hq + ",verdict=\"InTime\"} 0+100x60 6000+50x60\noabridge_slo_deliveries_total" + hq + ",verdict=\"Late\"} 0x60 0+50x60\n" +
				"oabridge_slo_deliveries_total" + branch + ",verdict=\"InTime\"} 0+100x120\noabridge_slo_deliveries_total" + branch + ",verdict=\"Late\"} 0+5x120",
			quiet: 62, loud: 90, fires: []string{one},
		}, {
			// What is over calls nobody, although the last hour was bad.
			alert: "OABridgeSLOBudgetBurns",
			series: "oabridge_slo_objective_ratio" + hq + "} 0.99x120\noabridge_slo_deliveries_total" + hq + ",verdict=\"InTime\"} 0+100x120\n" +
				"oabridge_slo_deliveries_total" + hq + ",verdict=\"Late\"} 0+100x60 6000x60",
			quiet: 70,
		}, {
			alert:  "OABridgeSignInRecordsDropped",
			series: "oabridge_sso_records_dropped_total" + gate + "} 0x10 7x30",
			quiet:  12, loud: 18, fires: []string{one},
		}, {
			alert:  "OABridgeItemsHeld",
			series: "oabridge_items" + hq + ",state=\"Held\"} 0x5 3x90\noabridge_items" + hq + ",state=\"Retrying\"} 9x95",
			quiet:  60, loud: 70, fires: []string{one},
		}, {
			alert:  "OABridgeDeliveriesLost",
			series: "oabridge_deliveries_lost_total" + hq + "} 0x10 4x60\noabridge_deliveries_lost_total" + branch + "} 0x70",
			quiet:  10, loud: 12, fires: []string{one},
		}, {
			alert: "OABridgeStoreFull",
			series: "oabridge_store_bytes" + hq + "} 500x10 900x30\noabridge_store_limit_bytes" + hq + "} 1000x40\n" +
				"oabridge_store_bytes" + branch + "} 700x40\noabridge_store_limit_bytes" + branch + "} 1000x40",
			quiet: 20, loud: 22, fires: []string{one},
		}, {
			alert:  "OABridgeEventsRefused",
			series: "oabridge_events_refused_total" + hq + ",reason=\"full\"} 0x5 1+30x30\noabridge_events_refused_total" + hq + ",reason=\"malformed\"} 0+30x35",
			quiet:  9, loud: 13, fires: []string{`{connector="hq", namespace="crm", reason="full"}`},
		}, {
			alert:  "OABridgeNotificationsStale",
			series: "oabridge_notifications_last_success_timestamp_seconds" + hq + ",channel=\"CRM\"} 600x90",
			quiet:  70, loud: 77, fires: []string{`{channel="CRM", connector="hq", namespace="crm"}`},
		}, {
			alert:  "OABridgeSignInsFail",
			series: "oabridge_sso_logins_total" + gate + ",outcome=\"SSO-2001\"} 0x5 1+5x30\noabridge_sso_logins_total" + gate + ",outcome=\"OK\"} 0+9x35",
			quiet:  9, loud: 13, fires: []string{one},
		}, {
			// People who are not bound, and links that were used up, are no outage.
			alert:  "OABridgeSignInsFail",
			series: "oabridge_sso_logins_total" + gate + ",outcome=\"SSO-1101\"} 0+5x60\noabridge_sso_logins_total" + gate + ",outcome=\"SSO-1003\"} 0+5x60",
			quiet:  40,
		}, {
			alert: "OABridgeSignInsSlow",
			series: "oabridge_sso_duration_seconds_bucket" + gate + ",le=\"0.3\"} 0+60x10 600+1x40\n" +
				"oabridge_sso_duration_seconds_bucket" + gate + ",le=\"4\"} 0+60x50\noabridge_sso_duration_seconds_bucket" + gate + ",le=\"+Inf\"} 0+60x50",
			quiet: 15, loud: 35, fires: []string{one},
		}, {
			alert:  "OABridgeConfigProblem",
			series: "oabridge_config_problem" + gate + "} 0x5 1x30",
			quiet:  14, loud: 17, fires: []string{`{connector="hq", namespace="crm", pod="hq-gateway-1"}`},
		}, {
			alert:  "OABridgeRecordsIndexDown",
			series: "oabridge_records_index_up" + hq + "} 1x5 0x40\noabridge_records_index_up" + branch + "} 1x45",
			quiet:  19, loud: 22, fires: []string{one},
		}, {
			alert:  "OABridgeManagerDown",
			series: `controller_runtime_max_concurrent_reconciles{controller="connector",pod="oabridge-manager-1"} 4x10`,
			quiet:  18, loud: 27, fires: []string{`{controller="connector"}`},
		}, {
			alert: "OABridgeReconcileErrors",
			series: `controller_runtime_reconcile_errors_total{namespace="oabridge-system",component="manager",controller="connector"} 0x5 0+30x60` + "\n" +
				`controller_runtime_reconcile_errors_total{namespace="other",component="manager",controller="widget"} 0+30x60`,
			quiet: 18, loud: 35, fires: []string{`{controller="connector", namespace="oabridge-system"}`},
		},
	} {
		t.Run(c.alert, func(t *testing.T) {
			rule, ok := alerts(t)[c.alert]
			if !ok {
				t.Fatalf("%s has no alert %s", alertsFile, c.alert)
			}
			data := promqltest.LoadedStorage(t, "load 1m\n  "+strings.ReplaceAll(c.series, "\n", "\n  ")+"\n")
			if got := firing(t, data, rule, c.quiet); len(got) > 0 {
				t.Errorf("after %d minutes it fires for %v", c.quiet, got)
			}
			if c.loud == 0 {
				return
			}
			if diff := cmp.Diff(c.fires, firing(t, data, rule, c.loud)); diff != "" {
				t.Errorf("after %d minutes (-want +got):\n%s", c.loud, diff)
			}
		})
	}
}

// firing returns the labels for which rule has been true for as long as it has to be, as Prometheus evaluates it.
func firing(t *testing.T, data storage.Queryable, rule rulefmt.Rule, minute int) []string {
	t.Helper()
	engine := promqltest.NewTestEngine(t, false, 0, promqltest.DefaultMaxSamplesPerQuery)
	now := time.Unix(0, 0).Add(time.Duration(minute) * time.Minute)
	lasted := map[string]int{}
	evaluations := 0
	for at := now.Add(-time.Duration(rule.For)); !at.After(now); at = at.Add(step) {
		query, err := engine.NewInstantQuery(t.Context(), data, nil, rule.Expr, at)
		if err != nil {
			t.Fatal(err)
		}
		result := query.Exec(t.Context())
		vector, err := result.Vector()
		if err != nil {
			t.Fatal(err)
		}
		for _, sample := range vector {
			lasted[sample.Metric.String()]++
		}
		query.Close()
		evaluations++
	}
	var found []string
	for labels, times := range lasted {
		if times == evaluations {
			found = append(found, labels)
		}
	}
	slices.Sort(found)
	return found
}

// Each alert says what it is about, how bad it is, and where its runbook is; the list of runbooks has them all.
func TestRunbooks(t *testing.T) {
	list, err := os.ReadFile(runbooks + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, rule := range alerts(t) {
		page := strings.ToLower(name) + ".md"
		if got := path.Base(rule.Annotations["runbook_url"]); got != page {
			t.Errorf("%s: the runbook is %q, want %s", name, got, page)
		}
		text, err := os.ReadFile(runbooks + "/" + page)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, part := range []string{"# " + name + "\n", "## What it costs\n", "## Look\n", "## Do\n"} {
			if !strings.Contains(string(text), part) {
				t.Errorf("docs/runbooks/%s has no %q", page, strings.TrimSpace(part))
			}
		}
		lasting := rule.For.String()
		if rule.For == 0 {
			lasting = "at once"
		}
		row := fmt.Sprintf("| [%s](%s) | %s | %s | %s |\n", name, page, rule.Labels["severity"], lasting, rule.Annotations["summary"])
		if !strings.Contains(string(list), row) {
			t.Errorf("docs/runbooks/README.md has no row %s", row)
		}
		if rule.Annotations["description"] == "" || !slices.Contains([]string{"info", "warning", "critical"}, rule.Labels["severity"]) {
			t.Errorf("%s: description %q, severity %q", name, rule.Annotations["description"], rule.Labels["severity"])
		}
	}
	pages, err := os.ReadDir(runbooks)
	if err != nil || len(pages)-1 != len(alerts(t)) {
		t.Errorf("%d pages for %d alerts: %v", len(pages)-1, len(alerts(t)), err)
	}
}
