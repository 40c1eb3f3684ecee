package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/dispatch"
	"github.com/oabridge/oabridge/internal/dispatch/lookup"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/internal/report"
	"github.com/oabridge/oabridge/internal/tracing"
	"github.com/oabridge/oabridge/internal/tracing/collector"
)

const (
	// patience is how long a case waits for something that must happen.
	patience = 30 * time.Second
	// look is how long a report is waited for before the records are read again.
	look = 100 * time.Millisecond

	eventToken = "canary-event-token-0123456789"
	peerToken  = "canary-peer-token-0123456789"
	ssoHost    = "sso.crm.example"
)

// stage is one OA with a connector and its dispatcher.
type stage struct {
	target
	oa      *system
	parrot  *parrot // in front of it
	dir     string
	secrets string
	d       *dispatch.Dispatcher
	end     func() error // of the dispatcher
	logs    *logs
	// collector of the traces.
	collector *collector.Collector
	// spec and templates are what the dispatcher's bundle was made from.
	spec      v1alpha1.OAConnectorSpec
	templates map[string]*v1alpha1.ScenarioTemplate
}

type logs struct {
	sync.Mutex
	bytes.Buffer
}

func (l *logs) add(line string) {
	l.Lock()
	defer l.Unlock()
	l.WriteString(line + "\n")
}

func (l *logs) text() string {
	l.Lock()
	defer l.Unlock()
	return l.String()
}

// newStage starts the OA, compiles the connector and starts its dispatcher.
func newStage(t *testing.T, o target, traces *collector.Collector) *stage {
	t.Helper()
	oa, err := o.open()
	if err != nil {
		t.Fatal(err)
	}
	front := &parrot{Handler: oa}
	server := httptest.NewServer(front)
	t.Cleanup(func() { oa.Close(); server.Close() })
	dir := t.TempDir()
	s := &stage{target: o, oa: oa, secrets: filepath.Join(dir, "secrets"), logs: &logs{}, parrot: front, collector: traces}
	s.write(t, filepath.Join(s.secrets, bundle.SlotToken, v1alpha1.KeyToken), []byte(eventToken))
	s.write(t, filepath.Join(s.secrets, bundle.SlotPeer, v1alpha1.KeyToken), []byte(peerToken))
	s.credentials(t, o.account)
	for name, content := range s.compile(t, server.URL) {
		s.write(t, filepath.Join(dir, "bundle", name), content)
	}
	s.dir = dir
	s.start(t)
	t.Cleanup(func() { s.stop(t) })
	s.until(t, "the OA is reachable", func(r report.Report) bool { return r.OA != nil && r.OA.State == "True" })
	return s
}

// start runs the dispatcher over what stands in the stage's directory.
func (s *stage) start(t *testing.T) {
	t.Helper()
	options := dispatch.DefaultOptions()
	options.Bundle, options.Secrets, options.Store = filepath.Join(s.dir, "bundle"), s.secrets, filepath.Join(s.dir, "store")
	options.ListenPublic, options.ListenAdmin, options.ListenPeer, options.ListenLocal = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	options.StoreMaxBytes = 256 << 20
	options.Log = funcr.NewJSON(s.logs.add, funcr.Options{Verbosity: 4})
	ctx, cancel := context.WithCancel(context.Background())
	tracer, err := tracing.Start(ctx, "dispatcher", "v1", "", options.Log)
	if err != nil {
		t.Fatal(err)
	}
	options.Tracer = tracer
	d, err := dispatch.New(ctx, options)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	s.d, s.end = d, func() error {
		cancel()
		defer tracer.Close()
		return <-ended
	}
}

// stop ends the dispatcher.
func (s *stage) stop(t *testing.T) {
	t.Helper()
	if err := s.end(); err != nil {
		t.Error(err)
	}
}

func (s *stage) write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// credentials replaces the OA account.
func (s *stage) credentials(t *testing.T, keys map[string]string) {
	t.Helper()
	for key, value := range keys {
		s.write(t, filepath.Join(s.secrets, bundle.SlotCredentials, key), []byte(value))
	}
}

// compile makes the bundle of a connector as a person would write it.
func (s *stage) compile(t *testing.T, url string) map[string][]byte {
	t.Helper()
	d := func(x time.Duration) metav1.Duration { return metav1.Duration{Duration: x} }
	spec := v1alpha1.OAConnectorSpec{
		EnterpriseID: "714439",
		Endpoint:     v1alpha1.Endpoint{URL: url, AllowedCIDRs: []string{"127.0.0.0/8"}},
		Scenarios: []v1alpha1.ScenarioReference{
			{TemplateRef: v1alpha1.TemplateReference{Name: s.todo}}, {TemplateRef: v1alpha1.TemplateReference{Name: s.reminder}},
		},
		Source: v1alpha1.Source{TokenSecretRef: v1alpha1.SecretReference{Name: "events"}},
		Delivery: v1alpha1.Delivery{
			BackoffDelay: d(20 * time.Millisecond), BackoffMax: d(100 * time.Millisecond), RetryAfterMax: d(200 * time.Millisecond),
			Timeout: d(10 * time.Second), BatchSize: 8,
		},
		SSO: v1alpha1.SSO{Mode: v1alpha1.SSONone, Host: ssoHost},
	}
	s.connector(&spec, url)
	templates := map[string]*v1alpha1.ScenarioTemplate{}
	for _, name := range []string{s.todo, s.reminder} {
		text, err := os.ReadFile("../../config/presets/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		template := &v1alpha1.ScenarioTemplate{}
		if err := yaml.UnmarshalStrict(text, template); err != nil {
			t.Fatal(err)
		}
		template.Namespace = "oabridge-system"
		templates[name] = template
	}
	set := bundle.AccountSet{Namespace: "crm", Name: "staff"}
	for crm, person := range pairs {
		account := person
		if s.binding != nil {
			account = s.binding(person)
		}
		set.Pairs = append(set.Pairs, v1alpha1.AccountPair{CRM: crm, OA: account})
	}
	slices.SortFunc(set.Pairs, func(a, b v1alpha1.AccountPair) int { return strings.Compare(a.CRM, b.CRM) })
	s.spec, s.templates = spec, templates
	out, problems := bundle.Compile(bundle.Input{
		Connector: &v1alpha1.OAConnector{ObjectMeta: metav1.ObjectMeta{Namespace: "crm", Name: "hq"}, Spec: spec},
		Templates: templates, Sets: []bundle.AccountSet{set}, ProofsURL: "http://127.0.0.1:9/proofs",
	})
	if len(problems) > 0 || out == nil {
		t.Fatal(problems)
	}
	return out.Files
}

func (s *stage) url(part string) string { return "http://" + s.d.Addr(part) }

// maxLog bounds what a failure shows of the dispatcher's log, in bytes.
const maxLog = 4 << 10

// until waits for a report, the way the operator does.
func (s *stage) until(t *testing.T, what string, ok func(report.Report) bool) {
	t.Helper()
	var last report.Report
	tag := ""
	for end := time.Now().Add(patience); time.Now().Before(end); {
		r, next, fresh, err := report.Get(t.Context(), http.DefaultClient, s.url("admin")+"/report", tag, time.Second)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if fresh {
			last = r
		}
		if ok(last) {
			return
		}
		tag = next
	}
	logs := s.logs.text()
	t.Fatalf("waited in vain until %s; the report is %+v %+v; the log ends with\n%s", what, last.OA, last.Delivery, logs[max(0, len(logs)-maxLog):])
}

// run is one case on a stage.
type run struct {
	*testing.T
	*stage
	// task is the id of the case's item.
	task string
}

// send gives events to the dispatcher, as one batch, and expects that they are taken, as the CRM does: what is answered with 503
// is sent again.
func (r *run) send(events ...event) {
	r.Helper()
	body, err := json.Marshal(events)
	if err != nil {
		r.Fatal(err)
	}
	status, answer := 0, ""
	for end := time.Now().Add(patience); status != http.StatusAccepted; status, answer = r.post(body) {
		if status != 0 && status != http.StatusServiceUnavailable || time.Now().After(end) {
			r.Fatalf("%d %s", status, answer)
		}
	}
}

func (r *run) post(body []byte) (status int, answer string) {
	r.Helper()
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, r.url("public")+"/events", bytes.NewReader(body))
	if err != nil {
		r.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/cloudevents-batch+json")
	req.Header.Set("Authorization", "Bearer "+eventToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text)
}

// settled waits until n deliveries of an item have come to an end, or are held, and returns all its records, oldest first.
func (r *run) settled(item string, n int) []lookup.Record {
	r.Helper()
	return r.recorded(item, fmt.Sprintf("%d deliveries of %s have ended", n, item), func(records []lookup.Record) bool {
		ended := 0
		for _, x := range records {
			if x.Outcome.Final() || x.Outcome == record.Held {
				ended++
			}
		}
		return ended >= n
	})
}

// recorded waits for the records of an item.
func (r *run) recorded(item, what string, ok func([]lookup.Record) bool) []lookup.Record {
	r.Helper()
	client := lookup.Client{URL: r.url("local"), HTTP: http.DefaultClient}
	var found []lookup.Record
	var last error // the index is opened after the store
	for end := time.Now().Add(patience); time.Now().Before(end); {
		var err error
		found, _, last = client.Records(r.Context(), url.Values{lookup.ParamItem: {item}})
		if last == nil && ok(found) {
			return found
		}
		tag := ""
		for range 2 { // the first report tells its tag, the second comes when something happens
			if _, tag, _, err = report.Get(r.Context(), http.DefaultClient, r.url("admin")+"/report", tag, look); err != nil {
				r.Fatal(err)
			}
		}
	}
	r.Fatalf("waited in vain until %s (%v): %s", what, last, story(found))
	return nil
}

// story is the outcomes of records, for people.
func story(records []lookup.Record) string {
	var b strings.Builder
	for _, x := range records {
		fmt.Fprintf(&b, "\n  %s %s/%s %s; %s %s %s → %d %s", x.Action, x.Outcome, x.Reason, x.Message, x.Method, x.URL, x.Request, x.Status, x.Answer)
	}
	return b.String()
}

// outcomes are the words Outcome or Outcome/Reason of records.
func outcomes(records []lookup.Record) []string {
	var out []string
	for _, x := range records {
		text := string(x.Outcome)
		if x.Reason != "" {
			text += "/" + x.Reason
		}
		out = append(out, text)
	}
	return out
}

// expect compares the outcomes of records.
func (r *run) expect(records []lookup.Record, want ...string) {
	r.Helper()
	if got := outcomes(records); !slices.Equal(got, want) {
		r.Fatalf("outcomes are %v, want %v:%s", got, want, story(records))
	}
}

// only is the one item of a matter that the OA has; it fails when there is none, or a second one.
func (r *run) only(task string) inbox.Item {
	r.Helper()
	items := r.oa.items(task)
	if len(items) != 1 {
		r.Fatalf("the OA has %d items of %s, not 1: %+v", len(items), task, items)
	}
	return items[0]
}

// event is a CloudEvent in the making.
type event map[string]any

const (
	subject = "提交"
	detail  = "QT-2026-0001"
)

// event is about an item for one receiver. Its version grows with v.
func (r *run) event(kind, action, item, to string, v int) event {
	return event{
		"specversion": "1.0", "id": fmt.Sprintf("%s-%s-%d", item, action, v), "source": "/crm/714439", "type": "dev.oabridge." + kind + "." + action,
		"data": map[string]any{
			"id": item, "version": v, "heading": "报价单审批", "subject": subject, "detail": detail, "createdAt": "2026-11-22T09:30:00+08:00",
			"object": map[string]string{"apiName": "QuoteObj", "id": "5f3c2ab1"}, "sender": map[string]string{"account": "1000", "name": "张三"},
			"receivers": []map[string]string{{"account": to, "name": "李四"}},
		},
	}
}

func (r *run) todo(action string, v int) event { return r.event("todo", action, r.task, "1002", v) }

// with changes a field of the item.
func (e event) with(field, value string) event {
	e["data"].(map[string]any)[field] = value
	return e
}
