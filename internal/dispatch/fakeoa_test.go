package dispatch

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/scenario"
)

// call is one call that the fake OA got.
type call struct {
	Action, ID, To, From, Title string
}

// fakeOA is an OA whose behaviour a test sets.
type fakeOA struct {
	mu      sync.Mutex
	changed chan struct{}
	calls   []call
	probes  int
	// groups are the calls by exchange; pushes alone are groups of one. asked are the read-backs.
	groups [][]call
	asked  []call
	// behave answers a call, answer a probe; nil means that all is well.
	behave func(call) oa.Attempt
	answer func() oa.Attempt
	// holds answers a read-back.
	holds func(call) (scenario.Presence, oa.Attempt)
}

func newFakeOA() *fakeOA { return &fakeOA{changed: make(chan struct{})} }

func (f *fakeOA) Push(_ context.Context, req scenario.Request, result scenario.Result) oa.Attempt {
	return f.exchange([]oa.Call{{Request: req, Result: result}})[0]
}

// exchange takes calls that come together.
func (f *fakeOA) exchange(calls []oa.Call) []oa.Attempt {
	var group []call
	for _, c := range calls {
		group = append(group, read(c.Request))
	}
	f.mu.Lock()
	f.calls = append(f.calls, group...)
	f.groups = append(f.groups, group)
	behave := f.behave
	close(f.changed)
	f.changed = make(chan struct{})
	f.mu.Unlock()
	attempts := make([]oa.Attempt, len(calls))
	for i, c := range calls {
		if behave != nil {
			attempts[i] = behave(group[i])
		}
		a := &attempts[i]
		a.Method, a.URL, a.Request = c.Request.Method, "http://oa.example"+c.Request.Path, c.Request.Body
		a.Shared = i > 0
		a.Accepted = a.Class == oa.OK && c.Request.Confirm
	}
	return attempts
}

func read(req scenario.Request) call {
	c := call{Action: strings.TrimPrefix(req.Path, "/")}
	if err := json.Unmarshal(req.Body, &c); err != nil {
		panic("a rendered body is always JSON: " + err.Error())
	}
	return c
}

func (f *fakeOA) Probe(context.Context) oa.Attempt {
	f.mu.Lock()
	f.probes++
	answer := f.answer
	close(f.changed)
	f.changed = make(chan struct{})
	f.mu.Unlock()
	if answer != nil {
		return answer()
	}
	return oa.Attempt{}
}

// set changes the behaviour.
func (f *fakeOA) set(behave func(call) oa.Attempt, answer func() oa.Attempt) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.behave, f.answer = behave, answer
}

// got returns the calls so far.
func (f *fakeOA) got() []call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]call(nil), f.calls...)
}

func (f *fakeOA) probed() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.probes
}

// actions returns the actions that an item got, in order.
func (f *fakeOA) actions(item string) (out []string) {
	for _, c := range f.got() {
		if c.ID == item {
			out = append(out, c.Action)
		}
	}
	return out
}

// wait waits until ok, which is asked after every call and probe.
func (f *fakeOA) wait(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		f.mu.Lock()
		changed := f.changed
		f.mu.Unlock()
		if ok() {
			return
		}
		select {
		case <-changed:
		case <-deadline.C:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func refused() oa.Attempt {
	return oa.Attempt{Class: oa.Network, Reason: "ConnectionRefused", Message: "the OA refuses the connection"}
}

func rejected() oa.Attempt {
	return oa.Attempt{Class: oa.AuthExpired, Reason: "TokenRejected", Message: "the account or password in the credentials Secret is not accepted; correct it"}
}

// always answers every call the same way.
func always(a oa.Attempt) func(call) oa.Attempt { return func(call) oa.Attempt { return a } }
