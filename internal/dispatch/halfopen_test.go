package dispatch

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/oasim/desk"
	"github.com/oabridge/oabridge/internal/oasim/generic"
	"github.com/oabridge/oabridge/internal/report"
)

// apiKey carries the fixed token, changed is what it becomes.
const (
	apiKey  = "X-Api-Key"
	changed = "another-token/4567"
)

// observer stands before an OA and notes what the dispatcher says of the OA whenever a push arrives: a condition that flaps
// is True at each trial.
type observer struct {
	oa http.Handler
	w  *world

	mu sync.Mutex
	// status of a refusal, 0 while pushes pass.
	status int
	states []string
}

func (o *observer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || strings.HasSuffix(r.URL.Path, "/token") {
		o.oa.ServeHTTP(w, r)
		return
	}
	_, said, _ := o.w.engine().report()
	o.mu.Lock()
	status := o.status
	if r.Header.Get(apiKey) == changed { // the OA has another token now
		r.Header.Set(apiKey, password)
		status = 0
	}
	o.states = append(o.states, said.State)
	o.mu.Unlock()
	if status != 0 {
		http.Error(w, "no", status)
		return
	}
	o.oa.ServeHTTP(w, r)
}

func (o *observer) refuse(status int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.status, o.states = status, nil
}

func (o *observer) seen() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.states)
}

// staticWorld is an OA with a fixed token whose front page, which is what a probe sees, asks nobody for it.
func staticWorld(t *testing.T) (*world, *observer) {
	t.Helper()
	sim, err := generic.New(generic.Options{
		Auth: generic.Auth{Type: "static", Password: password, Place: "header", Name: apiKey}, People: []desk.Person{{ID: "oa1002"}},
		Shape: &generic.Shape{
			Operations: []generic.Operation{{Action: "create", Path: "/create"}, {Action: "update", Path: "/update"}, {Action: "complete", Path: "/complete"}, {Action: "delete", Path: "/delete"}},
			Fields:     generic.Fields{TaskID: "id", Receiver: "to", Title: "title"},
			Result:     generic.Result{Code: "success", Success: "true", Failure: "false"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	return observed(t, w, sim, func(c *connector) {
		c.Type = "Generic"
		c.OA.Generic = &bundle.Generic{Authentication: "Static", Placement: "Header", Name: apiKey, ProbePath: "/"}
	})
}

func observed(t *testing.T, w *world, sim http.Handler, change func(*connector)) (*world, *observer) {
	t.Helper()
	o := &observer{oa: sim, w: w}
	server := httptest.NewServer(o)
	t.Cleanup(server.Close)
	w.options.NewPusher = nil // the real drivers
	w.options.tuning.probeToken, w.options.tuning.probeTokenMax = 20*time.Millisecond, 50*time.Millisecond
	w.secret(bundle.SlotCredentials, "token", password)
	w.bundle(func(c *connector) {
		change(c)
		c.OA.URL, c.OA.AllowedCIDRs, c.OA.ConnectTimeout = server.URL, []string{"127.0.0.0/8"}, bundle.Duration(5*time.Second)
	})
	return w, o
}

// halfOpen waits until the OA refused some trials, and wants that nobody was told in between that it works.
func halfOpen(t *testing.T, w *world, o *observer) {
	t.Helper()
	w.until("some trials are refused", func(report.Report) bool { return len(o.seen()) >= 8 })
	states := o.seen()
	if first := slices.Index(states, "False"); first < 0 || slices.Contains(states[first:], "True") {
		t.Errorf("the OA is said to be, at each push: %v", states)
	}
	if _, said, _ := w.engine().report(); said.State != "False" || said.Reason != "TokenRejected" {
		t.Errorf("in the end: %+v", said)
	}
}

// Where no probe can tell whether the account is accepted, the next push has to: one at a time, and the condition stays
// False until one succeeds. // F40
func TestNobodyIsToldThatARefusedAccountWorks(t *testing.T) {
	t.Run("a fixed token behind a public front page", func(t *testing.T) {
		w, o := staticWorld(t)
		w.start()
		w.mustSend(todo("e1", "T-1", "created"))
		w.drained(1)
		o.refuse(http.StatusUnauthorized)
		w.mustSend(todo("e2", "T-2", "created"), todo("e3", "T-3", "created"), todo("e4", "T-2", "completed"))
		halfOpen(t, w, o)
		w.secret(bundle.SlotCredentials, "token", changed)
		if r := w.drained(4); r.OA.State != "True" {
			t.Errorf("after the correction: %+v", r.OA)
		}
	})
	t.Run("a token that is issued, and no right to push", func(t *testing.T) {
		w, sim := seeyonWorld(t)
		w, o := observed(t, w, sim, func(*connector) {})
		o.refuse(http.StatusForbidden)
		w.start()
		w.mustSend(todos(1, 3, "created")...)
		halfOpen(t, w, o)
		o.refuse(0)
		if r := w.drained(2); r.OA.State != "True" {
			t.Errorf("after the right was given: %+v", r.OA)
		}
	})
}

// transitions counts how often a gate says another thing of the OA.
type transitions struct {
	g     *gate
	last  string
	count int
}

func (c *transitions) look() {
	if c.g.oa.State != c.last {
		c.last = c.g.oa.State
		c.count++
	}
}

// Refused trials over a day make one transition of the condition, and so does the success in the end; the pauses between
// them grow.
func TestTrialsWithoutAProbeThatTells(t *testing.T) {
	now := time.Date(2026, 11, 26, 9, 30, 0, 0, time.UTC)
	g := newGate(defaultTuning(), now)
	c := &transitions{g: &g}
	probe := func(a oa.Attempt, waiting bool) {
		t.Helper()
		if !g.due(now) {
			t.Fatal("no probe is due")
		}
		g.probed(a, g.version, waiting, 0, now)
		c.look()
	}
	push := func(a oa.Attempt) {
		t.Helper()
		ok, trial := g.admit(now)
		if again, _ := g.admit(now); !ok || trial == again {
			t.Fatalf("admitted %t, on trial %t, another one %t", ok, trial, again)
		}
		g.observe(a, trial, 0, now)
		c.look()
	}
	probe(oa.Attempt{}, false)
	push(rejected())
	for i, want := range []time.Duration{30, 60, 120, 240, 300, 300} {
		if got := g.probeAt.Sub(now); got != want*time.Second {
			t.Fatalf("pause %d is %s", i, got)
		}
		now = g.probeAt
		probe(oa.Attempt{}, i%2 == 0)
		push(rejected())
	}
	if now = g.probeAt; c.count != 2 {
		t.Errorf("%d transitions: the first probe and the first refusal make two", c.count)
	}

	// The OA is down for a while: a probe sees its end, and what only calls see stands as before.
	probe(refused(), true)
	now = g.probeAt
	probe(oa.Attempt{}, true)
	if g.oa.Reason != rejected().Reason || c.count != 2 {
		t.Errorf("after an outage: %+v, %d transitions", g.oa, c.count)
	}
	push(oa.Attempt{})
	if g.oa.State != "True" || c.count != 3 {
		t.Errorf("after a push that worked: %+v, %d transitions", g.oa, c.count)
	}

	// A Secret is another one: with nothing to send, the probe has the word again. A bundle with other people is no reason.
	push(rejected())
	g.changed(false, now)
	if probe(oa.Attempt{}, false); g.oa.State != "False" {
		t.Error("another bundle changed the account")
	}
	g.changed(true, now)
	if probe(oa.Attempt{}, false); g.oa.State != "True" {
		t.Errorf("after the change: %+v", g.oa)
	}

	// A timeout of calls alone: with something to try, the trial decides; with nothing, an OA that answers is reachable.
	g.close(oa.Attempt{Class: oa.Timeout, Reason: "Timeout"}, 0, now)
	g.doubt = &doubt{oa: g.oa}
	now = g.probeAt
	if probe(oa.Attempt{}, true); g.oa.State != "False" {
		t.Errorf("before the trial: %+v", g.oa)
	}
	g.changed(false, now)
	if probe(oa.Attempt{}, false); g.oa.State != "True" {
		t.Errorf("with nothing to try: %+v", g.oa)
	}
}

// What a probe saw, a probe takes back.
func TestAProbeSeesTheEndOfWhatItSaw(t *testing.T) {
	now := time.Now()
	g := newGate(defaultTuning(), now)
	ok, trial := g.admit(now)
	if !ok {
		t.Fatal("not admitted")
	}
	g.observe(rejected(), trial, 0, now)
	g.due(g.probeAt)
	g.probed(rejected(), g.version, true, 0, now)
	g.due(g.probeAt)
	if g.probed(oa.Attempt{}, g.version, true, 0, now); g.oa.State != "True" || g.state != gateTrial {
		t.Errorf("%+v, state %d", g.oa, g.state)
	}
}
