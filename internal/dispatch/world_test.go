package dispatch

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/report"
	"github.com/oabridge/oabridge/internal/scenario"
)

// patience is how long a test waits for something that must happen.
const patience = 30 * time.Second

const (
	eventToken = "canary-event-token-0123456789"
	peerToken  = "canary-peer-token-0123456789"
	signingKey = "whsec_Y2FuYXJ5LXNpZ25pbmcta2V5LTAxMjM0NTY3ODk="
	password   = "canary-password/0123"
)

// world is a connector: its directories, its CRM, its OA, and a dispatcher that can be stopped and started again.
type world struct {
	t       testing.TB
	options Options
	oa      *fakeOA
	d       *Dispatcher
	logs    *syncBuffer
	stop    func() error
	// base is what every bundle of this world has, before its own change.
	base func(*connector)
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) add(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.b.WriteString(line + "\n")
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// newWorld makes the directories of a connector whose OA is a fake. Tests start the dispatcher themselves, so that they
// can change what they need first.
func newWorld(t testing.TB) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{t: t, oa: newFakeOA(), logs: &syncBuffer{}}
	o := DefaultOptions()
	o.Bundle, o.Secrets, o.Store = filepath.Join(dir, "bundle"), filepath.Join(dir, "secrets"), filepath.Join(dir, "store")
	o.ListenPublic, o.ListenAdmin, o.ListenPeer, o.ListenLocal = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	o.StoreMaxBytes = 256 << 20
	o.ShutdownTimeout = 5 * time.Second
	o.NewPusher = func(*bundle.Bundle, string, func() time.Time) (oa.Pusher, error) { return w.oa, nil }
	o.Log = funcr.NewJSON(w.logs.add, funcr.Options{Verbosity: 4})
	o.tuning.probeFirst, o.tuning.probeMax = 20*time.Millisecond, 50*time.Millisecond
	o.tuning.confirmFirst = 5 * time.Millisecond
	w.options = o
	w.secret(bundle.SlotSigning, "signing-key", signingKey)
	w.secret(bundle.SlotToken, "token", eventToken)
	w.secret(bundle.SlotPeer, "token", peerToken)
	w.secret(bundle.SlotCredentials, "username", "fxiaoke")
	w.secret(bundle.SlotCredentials, "password", password)
	w.bundle(nil)
	return w
}

func (w *world) secret(slot, key, value string) {
	w.t.Helper()
	w.write(filepath.Join(w.options.Secrets, slot, key), []byte(value))
}

func (w *world) write(path string, data []byte) {
	w.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		w.t.Fatal(err)
	}
}

func definition(kind string) scenario.Definition {
	call := func(path string) scenario.Call {
		return scenario.Call{Method: "POST", Path: path, Body: `{"id":"#F012","to":"#F001","from":"#F049","title":"#F054 #F056 #F053"}`}
	}
	return scenario.Definition{
		Template: "crm/" + strings.ToLower(kind), Revision: "r1", Kind: kind, Enabled: true, TimeZone: "Asia/Shanghai", DateFormat: "yyyy-MM-dd HH:mm",
		Calls:  map[scenario.Action]scenario.Call{"create": call("/create"), "update": call("/update"), "complete": call("/complete"), "delete": call("/delete")},
		Result: scenario.Result{CodeName: "success", SuccessCode: "true"},
	}
}

// connector is what bundle writes.
type connector struct {
	bundle.Bundle
	pairs     map[string]string
	conflicts []string
}

// bundle writes a bundle in which the people 1000 to 1099 are bound, changed by change.
func (w *world) bundle(change func(*connector)) {
	w.t.Helper()
	c := connector{pairs: map[string]string{}, Bundle: bundle.Bundle{
		Format: bundle.Format, Namespace: "crm", Name: "hq", Type: "Seeyon", EnterpriseID: "714439", DataCenterID: "dc-1",
		OA:        bundle.OA{URL: "http://oa.example:8080", ConnectTimeout: bundle.Duration(5 * time.Second)},
		Scenarios: []scenario.Definition{definition("Todo"), definition("Reminder")},
		Accounts:  bundle.Accounts{Unbound: "Hold"},
		Delivery: bundle.Delivery{
			Retry: true, RetryOn: []string{"Network", "Timeout", "ServerError", "RateLimited", "AuthExpired"}, Backoff: "Exponential",
			BackoffDelay: bundle.Duration(10 * time.Millisecond), BackoffMax: bundle.Duration(50 * time.Millisecond),
			RetryAfterMax: bundle.Duration(100 * time.Millisecond), MaxAge: bundle.Duration(time.Hour), Timeout: bundle.Duration(5 * time.Second), Concurrency: 16,
		},
		Source: bundle.Source{Signing: true, Token: true},
	}}
	for i := 1000; i < 1100; i++ {
		c.pairs[strconv.Itoa(i)] = "oa" + strconv.Itoa(i)
	}
	for _, f := range []func(*connector){w.base, change} {
		if f != nil {
			f(&c)
		}
	}
	var shard bytes.Buffer
	gz := gzip.NewWriter(&shard)
	lines := json.NewEncoder(gz)
	for crm, account := range c.pairs {
		if err := lines.Encode([]string{crm, account}); err != nil {
			w.t.Fatal(err)
		}
	}
	for _, crm := range c.conflicts {
		if err := lines.Encode([]string{crm}); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := gz.Close(); err != nil {
		w.t.Fatal(err)
	}
	sum := sha256.Sum256(shard.Bytes())
	name := "accounts-" + hex.EncodeToString(sum[:4]) + ".jsonl.gz"
	c.Accounts.Shards = []bundle.Shard{{File: name, SHA256: hex.EncodeToString(sum[:]), Pairs: len(c.pairs)}}
	document, err := json.Marshal(c.Bundle)
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(filepath.Join(w.options.Bundle, name), shard.Bytes())
	w.write(filepath.Join(w.options.Bundle, bundle.FileName), document)
}

// newWorldOf is another process with the directories of an existing connector.
func newWorldOf(t testing.TB, o Options) *world {
	return &world{t: t, options: o, logs: &syncBuffer{}}
}

// start runs the dispatcher until stop or the end of the test, and waits until its store is open.
func (w *world) start() {
	w.t.Helper()
	w.run()
	w.until("the store is open", func(r report.Report) bool { return r.OA != nil })
}

// run runs the dispatcher until stop or the end of the test.
func (w *world) run() {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	d, err := New(ctx, w.options)
	if err != nil {
		cancel()
		w.t.Fatal(err)
	}
	w.d = d
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	var once sync.Once
	var result error
	w.stop = func() error {
		once.Do(func() { cancel(); result = <-ended })
		return result
	}
	w.t.Cleanup(func() { _ = w.stop() })
}

// until waits for a report, the way the operator does: without polling.
func (w *world) until(what string, ok func(report.Report) bool) report.Report {
	w.t.Helper()
	deadline := time.Now().Add(patience)
	url, etag := "http://"+w.d.Addr("admin")+"/report", ""
	last := report.Report{Delivery: &report.Delivery{}, Store: &report.Store{}}
	for time.Now().Before(deadline) {
		r, tag, fresh, err := report.Get(w.t.Context(), http.DefaultClient, url, etag, 5*time.Second)
		if err != nil {
			w.t.Fatalf("%s: %v", what, err)
		}
		if fresh {
			if last = r; last.Delivery == nil {
				last.Delivery = &report.Delivery{}
			}
		}
		if ok(last) {
			return last
		}
		etag = tag
	}
	text, _ := json.Marshal(last)
	w.t.Fatalf("waited in vain until %s; the report is %s", what, text)
	return last
}

// engine of the only partition.
func (w *world) engine() *engine { return w.d.session.Load().engine(0) }

func (w *world) drained(delivered int64) report.Report {
	w.t.Helper()
	return w.until(fmt.Sprintf("%d are delivered", delivered), func(r report.Report) bool {
		return r.Delivery.Delivered == delivered && r.Delivery.Pending == 0 && r.Delivery.Retrying == 0
	})
}

// event is a CloudEvent in the making.
type event map[string]any

func todo(id, item, action string, receivers ...string) event {
	if len(receivers) == 0 {
		receivers = []string{"1002"}
	}
	var people []map[string]string
	for _, r := range receivers {
		people = append(people, map[string]string{"account": r, "name": "李四"})
	}
	return event{
		"specversion": "1.0", "id": id, "source": "/crm/714439", "type": "dev.oabridge.todo." + action, "datacenterid": "dc-1",
		"data": map[string]any{
			"id": item, "subject": "提交", "detail": "QT-2026-0001 <加急>", "createdAt": "2026-11-22T09:30:00+08:00", "enterpriseID": "714439",
			"object": map[string]string{"apiName": "QuoteObj", "id": "5f3c2ab1"}, "sender": map[string]string{"account": "1000", "name": "张三"},
			"receivers": people,
		},
	}
}

func (e event) version(v int) event {
	e["data"].(map[string]any)["version"] = v
	return e
}

type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) counts(t testing.TB) (accepted, duplicates int) {
	t.Helper()
	var c struct{ Accepted, Duplicates int }
	if a.status != http.StatusAccepted {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), &c); err != nil {
		t.Fatal(err)
	}
	return c.Accepted, c.Duplicates
}

func (w *world) do(method, url string, body []byte, header ...string) answer {
	w.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, url, bytes.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(b)}
}

func (w *world) url(part, path string) string { return "http://" + w.d.Addr(part) + path }

// send sends events as one batch with the bearer token.
func (w *world) send(events ...event) answer {
	w.t.Helper()
	return w.sendBody("application/cloudevents-batch+json", events, "Authorization", "Bearer "+eventToken)
}

func (w *world) sendBody(contentType string, v any, header ...string) answer {
	w.t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.do(http.MethodPost, w.url("public", "/events"), body, append(header, "Content-Type", contentType)...)
}

// mustSend sends events that must all be new.
func (w *world) mustSend(events ...event) {
	w.t.Helper()
	if accepted, duplicates := w.send(events...).counts(w.t); accepted != len(events) || duplicates != 0 {
		w.t.Fatalf("accepted %d, duplicates %d of %d", accepted, duplicates, len(events))
	}
}

// signature returns the headers of Standard Webhooks.
func signature(id string, at time.Time, body []byte) []string {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(signingKey, "whsec_"))
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	_, _ = fmt.Fprintf(mac, "%s.%s.%s", id, stamp, body)
	return []string{"webhook-id", id, "webhook-timestamp", stamp, "webhook-signature", "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))}
}

// records asks for records the way a person does.
func (w *world) records(query string) []record.Record {
	w.t.Helper()
	a := w.do(http.MethodGet, w.url("local", "/records?"+query), nil)
	if a.status != http.StatusOK {
		w.t.Fatalf("GET /records: %d %s", a.status, a.body)
	}
	var out []record.Record
	for line := range strings.Lines(a.body) {
		r, err := record.Decode([]byte(line))
		if err != nil {
			w.t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

// outcomes returns "Outcome/Reason" of an item's records.
func (w *world) outcomes(item string) []string {
	var out []string
	for _, r := range w.records("item=" + item) {
		s := string(r.Outcome)
		if r.Reason != "" {
			s += "/" + r.Reason
		}
		out = append(out, s)
	}
	return out
}
