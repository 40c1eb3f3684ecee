package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	corev1 "k8s.io/api/core/v1"

	"github.com/oabridge/oabridge/internal/bundle"
)

// metricLogins counts clicks by outcome at a gateway.
const metricLogins = "oabridge_sso_logins_total"

// askGateways fills in how many clicks were answered how, by pod. It is an extra: gateways that do not answer are said.
func (a *app) askGateways(ctx context.Context, x *access, pods []corev1.Pod, o *overview) {
	client := newHTTPClient()
	for i := range pods {
		got, err := each(ctx, a, x, pods[i:i+1], bundle.PortAdmin, func(ctx context.Context, url string) (map[string]float64, error) {
			return logins(ctx, client, url+"/metrics")
		})
		if err != nil {
			a.say("pod %s: %v", pods[i].Name, err)
			continue
		}
		if o.SSO == nil {
			o.SSO = map[string]map[string]float64{}
		}
		o.SSO[pods[i].Name] = got[0]
	}
}

func logins(ctx context.Context, client *http.Client, url string) (map[string]float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer drop(resp.Body)
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET /metrics: %s", resp.Status)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("GET /metrics: %w", err)
	}
	out := map[string]float64{}
	for _, m := range families[metricLogins].GetMetric() {
		for _, l := range m.GetLabel() {
			if l.GetName() == "outcome" {
				out[l.GetValue()] += m.GetCounter().GetValue()
			}
		}
	}
	return out, nil
}

func (a *app) sso(o *overview) string {
	if len(o.SSO) == 0 {
		return ""
	}
	refused := map[string]int64{}
	var ok, no int64
	for _, outcomes := range o.SSO {
		for outcome, n := range outcomes {
			switch {
			case outcome == "OK":
				ok += int64(n)
			// BEGUN, SHOWN and ANNOUNCED are steps on the way.
			case n > 0 && strings.HasPrefix(outcome, "SSO-"):
				no += int64(n)
				refused[outcome] += int64(n)
			}
		}
	}
	out := fmt.Sprintf("logins %d   refused %d", ok, no)
	if no > 0 {
		out += " (" + counts(refused) + ")"
	}
	return out + "   since the gateways started"
}
