package dispatch

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oa/exchange"
	"github.com/oabridge/oabridge/internal/outbound"
	"github.com/oabridge/oabridge/internal/scenario"
)

// cards is an OA over real HTTP whose items are changed with a code that works once, and withdrawn by an id of its own.
type cards struct {
	mu    sync.Mutex
	calls []string
	codes int
}

func (o *cards) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/" { // the probe: the dispatcher asks whether the OA is there when it likes
		_, _ = io.WriteString(w, `{"ok":true}`)
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	o.calls = append(o.calls, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+string(body)))
	switch {
	case r.URL.Path == "/send":
		o.codes++
		_, _ = fmt.Fprintf(w, `{"ok":true,"data":{"code":"c%d"}}`, o.codes)
	case strings.HasPrefix(r.URL.Path, "/by-source/T-1"):
		_, _ = io.WriteString(w, `{"ok":true,"data":{"id":"oa-77"}}`)
	case strings.HasPrefix(r.URL.Path, "/by-source/"):
		_, _ = io.WriteString(w, `{"ok":true,"data":null}`)
	default:
		_, _ = io.WriteString(w, `{"ok":true}`)
	}
}

func (o *cards) got() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.calls)
}

// The OA's own values reach the calls that need them, over restarts; an item that comes back has a name of its own, and each
// state has a higher number than the one before, whatever the CRM's clock says.
func TestValuesOfTheOA(t *testing.T) {
	o := &cards{}
	srv := httptest.NewServer(o)
	t.Cleanup(srv.Close)
	w := newWorld(t)
	w.options.NewPusher = func(_ *bundle.Bundle, _ string, now func() time.Time) (oa.Pusher, error) {
		u, err := url.Parse(srv.URL)
		if err != nil {
			return nil, err
		}
		client, err := outbound.NewClient(outbound.Config{AllowedCIDRs: []string{"127.0.0.0/8"}, ConnectTimeout: 5 * time.Second})
		if err != nil {
			return nil, err
		}
		return exchange.New(exchange.Config{Endpoint: u, Client: client, Now: now, Pace: pace}), nil
	}
	d := definition("Todo")
	d.Result = scenario.Result{CodeName: "ok", SuccessCode: "true"}
	d.Calls = map[scenario.Action]scenario.Call{
		"create": {Method: "POST", Path: "/send", Body: `{"id":"#F012${item.reopened}","v":"${item.version}"}`,
			Capture: []scenario.Capture{{Name: "code", Path: "data.code", Once: true}}},
		"update":   {Method: "POST", Path: "/change", Body: `{"id":"#F012${item.reopened}","code":"${captured.code}"}`, Missing: scenario.MissingCreate},
		"complete": {Method: "POST", Path: "/done", Body: `{"id":"#F012${item.reopened}","code":"${captured.code}"}`, Missing: scenario.MissingSkip},
		"delete": {Method: "DELETE", Path: "/tasks/${lookup.id}", Missing: scenario.MissingSkip,
			Lookup: &scenario.Lookup{Method: "GET", Path: "/by-source/#F012", Values: map[string]string{"id": "data.id"}}},
	}
	w.base = func(c *connector) { c.Scenarios = []scenario.Definition{d} }
	w.bundle(nil)
	w.start()
	next := 0
	step := func(action, id string, at string) []string {
		t.Helper()
		before := len(o.got())
		next++
		e := todo(fmt.Sprintf("e%d", next), id, action).version(next)
		e["time"] = at
		w.mustSend(e)
		w.drained(int64(next))
		return o.got()[before:]
	}
	version := func(call string) (v struct {
		V int64 `json:"v,string"`
	}) {
		t.Helper()
		if err := json.Unmarshal([]byte(call[strings.IndexByte(call, '{'):]), &v); err != nil {
			t.Fatal(err)
		}
		return v
	}

	restart := func() {
		t.Helper()
		if err := w.stop(); err != nil {
			t.Fatal(err)
		}
		w.start()
	}

	created := step("created", "T-1", "2026-11-22T09:30:00Z")
	restart()
	if got := step("completed", "T-1", "2026-11-22T09:31:00Z"); got[0] != `POST /done {"id":"T-1","code":"c1"}` {
		t.Errorf("complete: got %v", got)
	}
	// The code is used up: there is nothing left to do for the OA, and the record says so.
	if got := step("completed", "T-1", "2026-11-22T09:32:00Z"); len(got) != 0 {
		t.Errorf("a second complete: got %v", got)
	}
	// Opened again, with a clock that went back.
	restart()
	again := step("created", "T-1", "2026-11-22T09:33:00Z")
	if !strings.Contains(again[0], `"id":"T-1-2"`) || version(again[0]).V <= version(created[0]).V {
		t.Errorf("reopened: got %v after %v", again, created)
	}
	if got := step("updated", "T-1", "2026-11-22T09:34:00Z"); got[0] != `POST /change {"id":"T-1-2","code":"c2"}` {
		t.Errorf("update: got %v", got)
	}
	// Without a code the update is sent as a new card, which brings the next code.
	if got := step("updated", "T-1", "2026-11-22T09:20:00Z"); !strings.HasPrefix(got[0], `POST /send {"id":"T-1-2"`) || version(got[0]).V <= version(again[0]).V {
		t.Errorf("update without a code: got %v", got)
	}
	if got := step("deleted", "T-1", "2026-11-22T09:36:00Z"); !slices.Equal(got, []string{"GET /by-source/T-1", "DELETE /tasks/oa-77"}) {
		t.Errorf("delete: got %v", got)
	}
	if got := step("deleted", "T-9", "2026-11-22T09:36:00Z"); !slices.Equal(got, []string{"GET /by-source/T-9"}) {
		t.Errorf("delete of what the OA does not have: got %v", got)
	}
	if got := w.records("item=T-9"); len(got) != 1 || got[0].Outcome != "Delivered" || !strings.Contains(got[0].Message, "does not have") {
		t.Errorf("the record says %+v", got)
	}
}
