package crm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/oabridge/oabridge/internal/oasim/desk"
)

const (
	keptRuns  = 50
	busyRuns  = 32
	closeWait = 5 * time.Second
)

// Emission asks for a run: a workload, or events of the caller's own, sent to a target.
type Emission struct {
	Target
	Workload
	Own []Event `json:"events,omitempty"`
}

// Run is how far an emission has got and what must come of it.
type Run struct {
	ID       string     `json:"id"`
	State    string     `json:"state"` // running, done, cancelled or failed
	Total    int        `json:"total"`
	Counts   Counts     `json:"counts"`
	Error    string     `json:"error,omitempty"` // the last thing that went wrong
	Started  time.Time  `json:"started"`
	Finished time.Time  `json:"finished,omitzero"`
	Expected []Expected `json:"expected,omitempty"`
}

type run struct {
	Run
	progress Progress
	cancel   context.CancelFunc
	done     chan struct{}
}

type runs struct {
	now    func() time.Time
	ctx    context.Context
	cancel context.CancelFunc

	mu   sync.Mutex
	seq  int
	list []*run
}

func newRuns(now func() time.Time) *runs {
	ctx, cancel := context.WithCancel(context.Background())
	return &runs{now: now, ctx: ctx, cancel: cancel}
}

// Emit starts a run and returns at once.
func (c *CRM) Emit(e Emission) (Run, error) {
	scenario := Scenario{Events: e.Own, Expected: Expect(e.Own, c.People())}
	if e.Own == nil {
		var err error
		if scenario, err = Generate(e.Workload); err != nil {
			return Run{}, err
		}
	}
	e.publish = c.publish
	if e.Mode == Callback && e.Callback.EnterpriseAccount == "" {
		e.Callback.EnterpriseAccount = c.app.EnterpriseAccount
	}
	target, err := e.Target.withDefaults()
	if err != nil {
		return Run{}, err
	}
	if target.SigningKey != "" {
		if _, err := signingKey(target.SigningKey); err != nil {
			return Run{}, err
		}
	}
	c.Learn(scenario.Events)
	return c.runs.start(target, scenario)
}

func (rs *runs) start(t Target, s Scenario) (Run, error) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	busy := 0
	for _, r := range rs.list {
		if r.State == "running" {
			busy++
		}
	}
	if busy >= busyRuns {
		return Run{}, fmt.Errorf("%d runs are still going", busy)
	}
	if len(rs.list) >= keptRuns {
		oldest := slices.IndexFunc(rs.list, func(r *run) bool { return r.State != "running" })
		rs.list = slices.Delete(rs.list, oldest, oldest+1)
	}
	rs.seq++
	ctx, cancel := context.WithCancel(rs.ctx)
	r := &run{cancel: cancel, done: make(chan struct{}), Run: Run{
		ID: fmt.Sprintf("r%d", rs.seq), State: "running", Total: len(s.Events) * (1 + t.Repeat), Started: rs.now(), Expected: s.Expected,
	}}
	rs.list = append(rs.list, r)
	go func() {
		defer close(r.done)
		defer cancel()
		err := Send(ctx, t, s.Events, &r.progress)
		rs.mu.Lock()
		defer rs.mu.Unlock()
		r.Finished, r.State = rs.now(), "done"
		switch {
		case errors.Is(err, context.Canceled):
			r.State = "cancelled"
		case err != nil:
			r.State, r.Error = "failed", err.Error()
		}
	}()
	return r.snapshot(), nil
}

func (r *run) snapshot() Run {
	out := r.Run
	out.Counts = r.progress.Counts()
	if out.Error == "" {
		out.Error = r.progress.Trouble()
	}
	return out
}

func (rs *runs) find(id string) *run {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for _, r := range rs.list {
		if r.ID == id {
			return r
		}
	}
	return nil
}

// Run returns a run by its id.
func (c *CRM) Run(id string) (Run, bool) {
	r := c.runs.find(id)
	if r == nil {
		return Run{}, false
	}
	c.runs.mu.Lock()
	defer c.runs.mu.Unlock()
	return r.snapshot(), true
}

// WaitRun waits until a run is over.
func (c *CRM) WaitRun(ctx context.Context, id string) (Run, error) {
	r := c.runs.find(id)
	if r == nil {
		return Run{}, fmt.Errorf("there is no run %q", id)
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		return Run{}, ctx.Err()
	}
	got, _ := c.Run(id)
	return got, nil
}

// CancelRun stops a run.
func (c *CRM) CancelRun(id string) bool {
	r := c.runs.find(id)
	if r != nil {
		r.cancel()
	}
	return r != nil
}

// Runs lists the runs without their expectations.
func (c *CRM) Runs() []Run {
	c.runs.mu.Lock()
	defer c.runs.mu.Unlock()
	out := []Run{}
	for _, r := range c.runs.list {
		s := r.snapshot()
		s.Expected = nil
		out = append(out, s)
	}
	return out
}

func (rs *runs) close() {
	rs.cancel()
	deadline := time.After(closeWait)
	rs.mu.Lock()
	list := slices.Clone(rs.list)
	rs.mu.Unlock()
	for _, r := range list {
		select {
		case <-r.done:
		case <-deadline:
			return
		}
	}
}

// UnmarshalJSON reads an emission strictly: "events" is the caller's own list, everything else belongs to the workload
// or the target.
func (e *Emission) UnmarshalJSON(raw []byte) error {
	type plain struct {
		Target
		Workload
		Own []json.RawMessage `json:"events"`
	}
	var p plain
	if err := desk.Strict(raw, &p); err != nil {
		return err
	}
	*e = Emission{Target: p.Target, Workload: p.Workload}
	for i, one := range p.Own {
		var event Event
		if err := json.Unmarshal(one, &event); err != nil {
			return fmt.Errorf("events[%d]: %w", i, err)
		}
		e.Own = append(e.Own, event)
	}
	return nil
}
