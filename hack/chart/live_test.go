package chart

import (
	"crypto/sha1" //nolint:gosec // Weaver's form of a signed link
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/promqltest"
)

// quiet are the panels that stay empty in this short play: a channel first speaks when its window is over.
var quiet = []string{"Notifications", "Since a channel had nothing left to tell"}

// Each panel shows something of programs that work: the manager against an API server, and a dispatcher and a gateway with the
// configuration that it made, while a to-do is delivered, one is held, and two people click.
func TestPanelsShowWhatRuns(t *testing.T) {
	play := newPlay(t)
	var scrapes []map[string]string
	for round := range 2 {
		play.round(round)
		scrapes = append(scrapes, play.scrape())
	}
	var load strings.Builder
	load.WriteString("load 3m\n")
	for _, series := range slices.Sorted(maps.Keys(scrapes[1])) {
		before, ok := scrapes[0][series]
		if !ok {
			before = "_"
		}
		fmt.Fprintf(&load, "  %s %s %s\n", series, before, scrapes[1][series])
	}
	data := promqltest.LoadedStorage(t, load.String())
	engine := promqltest.NewTestEngine(t, false, 0, promqltest.DefaultMaxSamplesPerQuery)
	all := panels(t)
	for _, where := range slices.Sorted(maps.Keys(all)) {
		query, err := engine.NewInstantQuery(t.Context(), data, nil, all[where], time.Unix(0, 0).Add(4*time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		vector, err := query.Exec(t.Context()).Vector()
		expected := !slices.ContainsFunc(quiet, func(title string) bool { return strings.Contains(where, fmt.Sprintf("panel %q", title)) })
		if shows := err == nil && len(vector) > 0; shows != expected {
			t.Errorf("%s shows something: %t, want %t: %s: %v", where, shows, expected, all[where], err)
		}
		query.Close()
	}
}

// round is a to-do for somebody who is bound and one for somebody who is not, and a click that is let in and one that is not.
func (p *play) round(n int) {
	p.Helper()
	for _, receiver := range []string{"1002", "1999"} {
		event := fmt.Sprintf(`{"specversion":"1.0","id":"e-%d-%s","source":"/crm/714439","type":"dev.oabridge.todo.created","data":{
			"id":"T-%[1]d","version":1,"heading":"报价单审批","subject":"提交","detail":"QT-1","createdAt":"2026-11-22T09:30:00+08:00",
			"object":{"apiName":"QuoteObj","id":"5f3c2ab1"},"sender":{"account":"1000","name":"张三"},"receivers":[{"account":"%[2]s"}]}}`, n, receiver)
		req, err := http.NewRequestWithContext(p.Context(), http.MethodPost, p.events, strings.NewReader(event))
		p.must(err)
		req.Header.Set("Content-Type", "application/cloudevents+json")
		req.Header.Set("Authorization", "Bearer "+eventToken)
		resp, err := http.DefaultClient.Do(req)
		p.must(err)
		p.must(resp.Body.Close())
		if resp.StatusCode != http.StatusAccepted {
			p.Fatalf("the event was answered %d", resp.StatusCode)
		}
	}
	want := fmt.Sprintf(`oabridge_deliveries_total{outcome="Delivered"} %d`, n+1)
	p.until("a to-do is delivered", func() error {
		for labels, at := range p.metrics {
			if _, text, err := p.get("http://" + at + "/metrics"); strings.Contains(labels, "dispatcher") && (err != nil || !strings.Contains(text, want)) {
				return fmt.Errorf("no %s: %w\n%s", want, err, text)
			}
		}
		return nil
	})
	stamp := fmt.Sprint(time.Now().UnixMilli())
	sum := sha1.Sum([]byte(linkSecret + "lisi" + stamp)) //nolint:gosec // as above
	for token, status := range map[string]int{hex.EncodeToString(sum[:]): http.StatusSeeOther, "00": http.StatusForbidden} {
		query := url.Values{"loginid": {"lisi"}, "stamp": {stamp}, "token": {token}}
		got, text, _ := p.get(p.click + "/erp/syncdata/open/oa/authorizeWeb/webhook/QuoteObj/5f3c2ab1/714439?" + query.Encode())
		if got != status {
			p.Fatalf("the click was answered %d, want %d: %s", got, status, text)
		}
	}
}

var sampleLine = regexp.MustCompile(`(?m)^(\w+)(?:\{(.*)\})? (\S+)$`)

// scrape returns the value of each series, with the labels that Prometheus would add.
func (p *play) scrape() map[string]string {
	p.Helper()
	found := map[string]string{}
	for labels, at := range p.metrics {
		_, text, err := p.get("http://" + at + "/metrics")
		p.must(err)
		for _, m := range sampleLine.FindAllStringSubmatch(text, -1) {
			own := labels
			if m[2] != "" {
				own += "," + m[2]
			}
			found[m[1]+"{"+own+"}"] = m[3]
		}
	}
	return found
}

// get follows no redirect; a status of 400 or more is an error.
func (p *play) get(address string) (status int, text string, err error) {
	p.Helper()
	req, err := http.NewRequestWithContext(p.Context(), http.MethodGet, address, nil)
	p.must(err)
	if strings.HasPrefix(address, p.click) && p.click != "" {
		req.Host = ssoHost
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= http.StatusBadRequest {
		err = fmt.Errorf("%s: %s: %s", address, resp.Status, body)
	}
	return resp.StatusCode, string(body), err
}
