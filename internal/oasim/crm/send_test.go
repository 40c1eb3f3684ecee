package crm

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// The example of the Standard Webhooks specification.
func TestSignature(t *testing.T) {
	key, err := signingKey("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	parcel{id: "msg_p5jXN8AQM9LWM0D4loKWxJek", body: []byte(`{"test": 2432232314}`)}.sign(h, key, time.Unix(1614265330, 0))
	if got := h.Get("webhook-signature"); got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Error(got)
	}
	for _, bad := range []string{"", "whsec_", "whsec_!"} {
		if _, err := signingKey(bad); err == nil {
			t.Errorf("%q is a key", bad)
		}
	}
}

// intake is a dispatcher that answers as a script says and remembers what it took.
type intake struct {
	mu     sync.Mutex
	script []int // statuses of the first requests; then 202
	got    []Event
	types  []string
	heads  []http.Header
}

func (i *intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	if len(i.script) > 0 {
		status := i.script[0]
		i.script = i.script[1:]
		if status == 0 {
			panic(http.ErrAbortHandler)
		}
		if status == 429 {
			w.Header().Set("Retry-After", "3")
		}
		w.WriteHeader(status)
		return
	}
	var events []Event
	switch r.Header.Get("Content-Type") {
	case "application/cloudevents-batch+json":
		_ = json.Unmarshal(body, &events)
	case "application/cloudevents+json":
		events = make([]Event, 1)
		_ = json.Unmarshal(body, &events[0])
	default:
		e := Event{ID: r.Header.Get("ce-id"), Type: r.Header.Get("ce-type"), Source: r.Header.Get("ce-source")}
		_ = json.Unmarshal(body, &e.Data)
		events = []Event{e}
	}
	i.got = append(i.got, events...)
	i.types = append(i.types, r.Header.Get("Content-Type"))
	i.heads = append(i.heads, r.Header)
	w.WriteHeader(http.StatusAccepted)
	_, _ = fmt.Fprintf(w, `{"accepted":%d,"duplicates":1}`, len(events))
}

func TestModes(t *testing.T) {
	s, _ := Generate(Workload{Seed: 1})
	for _, tc := range []struct {
		target   Target
		requests int
	}{
		{Target{}, 200},
		{Target{Mode: Binary, Concurrency: 8}, 200},
		{Target{Mode: Batch, BatchSize: 30}, 7},
		{Target{Mode: Batch, Concurrency: 4, RatePerSecond: 1e6}, 0},
		{Target{Repeat: 1}, 400},
	} {
		var in intake
		srv := httptest.NewServer(&in)
		tc.target.URL, tc.target.Token = srv.URL, "secret"
		var p Progress
		if err := Send(t.Context(), tc.target, s.Events, &p); err != nil {
			t.Fatal(err)
		}
		srv.Close()
		want := int64(200 * (1 + tc.target.Repeat))
		if c := p.Counts(); c.Sent != want || c.Accepted != want || c.Refused+c.Retried != 0 || c.Duplicates != int64(len(in.types)) {
			t.Errorf("%+v: %+v", tc.target, c)
		}
		if tc.requests != 0 && len(in.types) != tc.requests {
			t.Errorf("%+v: %d requests", tc.target, len(in.types))
		}
		if in.heads[0].Get("Authorization") != "Bearer secret" || in.heads[0].Get("webhook-id") != "" {
			t.Errorf("headers = %v", in.heads[0])
		}
		version := map[string]int{}
		for _, e := range in.got[:200] {
			if e.Data.Version != version[e.Data.ID]+1 {
				t.Fatalf("%+v: %s version %d after %d", tc.target, e.Data.ID, e.Data.Version, version[e.Data.ID])
			}
			version[e.Data.ID]++
		}
	}
}

func TestRetriesUntilAccepted(t *testing.T) {
	in := intake{script: []int{503, 429, 0, 502}}
	srv := httptest.NewServer(&in)
	defer srv.Close()
	s, _ := Generate(Workload{Seed: 1})
	var waits []time.Duration
	target := Target{
		URL: srv.URL, SigningKey: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
		Wait: func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil },
	}
	var p Progress
	if err := Send(t.Context(), target, s.Events[:1], &p); err != nil {
		t.Fatal(err)
	}
	if c := p.Counts(); c != (Counts{Sent: 1, Accepted: 1, Duplicates: 1, Retried: 4}) {
		t.Errorf("%+v", c)
	}
	if len(waits) != 4 || waits[1] != 3*time.Second || waits[3] < waits[0] {
		t.Errorf("waits = %v", waits)
	}
	if id := in.heads[0].Get("webhook-id"); id != s.Events[0].ID {
		t.Errorf("webhook-id = %q", id)
	}
	if p.Trouble() == "" {
		t.Error("no trouble was noted")
	}
}

func TestOnly202IsAccepted(t *testing.T) {
	in := intake{script: []int{200, 204, 400, 401, 413}}
	srv := httptest.NewServer(&in)
	defer srv.Close()
	s, _ := Generate(Workload{Seed: 1})
	var p Progress
	if err := Send(t.Context(), Target{URL: srv.URL}, s.Events[:6], &p); err != nil {
		t.Fatal(err)
	}
	if c := p.Counts(); c.Accepted != 1 || c.Refused != 5 {
		t.Errorf("%+v", c)
	}
}

func TestSendEndsWithItsContext(t *testing.T) {
	in := intake{script: []int{503, 503}}
	srv := httptest.NewServer(&in)
	defer srv.Close()
	ctx, cancel := context.WithCancel(t.Context())
	target := Target{URL: srv.URL, Wait: func(ctx context.Context, _ time.Duration) error { cancel(); return ctx.Err() }}
	if err := Send(ctx, target, []Event{{ID: "1"}}, &Progress{}); err == nil {
		t.Error("it ended without an error")
	}
}

func TestRuns(t *testing.T) {
	var in intake
	target := httptest.NewServer(&in)
	defer target.Close()
	c, srv := newCRM(t, Login{})
	call := func(method, path, body string) (int, string) {
		req, _ := http.NewRequestWithContext(t.Context(), method, srv.URL+path, strings.NewReader(body))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		b, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(b)
	}
	status, body := call("POST", "/_sim/emit", fmt.Sprintf(`{"target":%q,"token":"t","seed":3,"concurrency":4}`, target.URL))
	var started Run
	if err := json.Unmarshal([]byte(body), &started); err != nil || status != 202 || started.ID == "" || started.Total != 200 {
		t.Fatalf("%d %s", status, body)
	}
	done, err := c.WaitRun(t.Context(), started.ID)
	if err != nil || done.State != "done" || done.Counts.Accepted != 200 || len(done.Expected) != 40 {
		t.Fatalf("%+v %v", done, err)
	}
	if status, body := call("GET", "/_sim/runs/"+started.ID, ""); status != 200 || !strings.Contains(body, `"expected":[{"todo":"T-`) {
		t.Errorf("%d %s", status, body)
	}
	event, _ := json.Marshal(in.got[0])
	_, body = call("POST", "/_sim/emit", fmt.Sprintf(`{"target":%q,"events":[%s]}`, target.URL, event))
	_ = json.Unmarshal([]byte(body), &started)
	if done, _ = c.WaitRun(t.Context(), started.ID); done.Counts.Accepted != 1 || len(done.Expected) != 1 {
		t.Errorf("own events: %s %+v", body, done)
	}
	for _, bad := range []string{`{}`, `{"target":"x"}`, `{"target":"http://x","mode":"pigeon"}`, `{"target":"http://x","signingKey":"?"}`, `{"target":"http://x","tokn":"t"}`, `{"target":"http://x","events":[3]}`} {
		if status, body := call("POST", "/_sim/emit", bad); status != 400 {
			t.Errorf("%s: %d %s", bad, status, body)
		}
	}
	for path, want := range map[string]int{"/_sim/runs": 200, "/_sim/runs/r99": 404, "/_sim/scenario?seed=1": 200, "/_sim/scenario?count=x": 400, "/healthz": 200, "/": 200, "/_sim/people": 200, "/_sim/journal": 200, "/nowhere": 404} {
		if status, _ := call("GET", path, ""); status != want {
			t.Errorf("%s: %d", path, status)
		}
	}
	if status, body := call("PUT", "/_sim/settings", `{"audience":"crm"}`); status != 200 || c.Login().Audience != "crm" {
		t.Errorf("%d %s", status, body)
	}
}
