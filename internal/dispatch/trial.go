package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/dispatch/journal"
	"github.com/oabridge/oabridge/internal/dispatch/progress"
	"github.com/oabridge/oabridge/internal/report"
	"github.com/oabridge/oabridge/internal/scenario"
)

const (
	// keyVerdicts of the store's small state holds the verdicts by trial, for all partitions and replicas.
	keyVerdicts = "verdicts"
	// lookForVerdicts is how often a partition looks whether another one has decided.
	lookForVerdicts = 2 * time.Second
)

// trial is a new revision of a template that goes to a share of the receivers first (F55).
type trial struct {
	id     string
	canary *bundle.Canary
	stable *scenario.Scenario
}

// verdict is what the counts of a partition say: Promoted, RolledBack, or nothing yet.
func (t *trial) verdict(n progress.Trial) string {
	total := n.Delivered + n.Failed
	switch {
	case total < int64(t.canary.MinDeliveries):
		return ""
	case n.Failed*100 > total*int64(t.canary.MaxFailurePercent):
		return v1alpha1.ReasonRolledBack
	}
	return v1alpha1.ReasonPromoted
}

// try notes that a scenario is on trial, if it is.
func (v *live) try(s *scenario.Scenario) error {
	d := s.Definition()
	earlier := v.bundle.StableOf(&d)
	if earlier == nil {
		return nil
	}
	stable, err := scenario.New(*earlier)
	if err != nil {
		return fmt.Errorf("template %s revision %s: %w", earlier.Template, earlier.Revision, err)
	}
	v.trials[s] = &trial{id: bundle.Trial(earlier, &d), canary: v.bundle.Canary, stable: stable}
	return nil
}

// choose returns the revision that a receiver gets.
func (e *engine) choose(v *live, s *scenario.Scenario, receiver string) *scenario.Scenario {
	t := v.trials[s]
	if t == nil {
		return s
	}
	switch e.verdicts.get(t.id) {
	case v1alpha1.ReasonPromoted:
		return s
	case v1alpha1.ReasonRolledBack:
		return t.stable
	}
	if t.canary.Includes(receiver) {
		return s
	}
	return t.stable
}

// counted returns the trial that the result of a scenario counts for, empty when it is not on trial any more.
func (e *engine) counted(v *live, s *scenario.Scenario) string {
	if t := v.trials[s]; t != nil && e.verdicts.get(t.id) == "" {
		return t.id
	}
	return ""
}

// judge decides the trials of the live bundle, until ctx ends.
func (e *engine) judge(ctx context.Context) {
	look := time.NewTicker(lookForVerdicts)
	defer look.Stop()
	for {
		if err := e.judgeAll(ctx); err != nil && ctx.Err() == nil {
			e.log.Error(err, "cannot decide about a template revision; it is tried again")
		}
		select {
		case <-ctx.Done():
			return
		case <-e.tried:
		case <-look.C:
		}
	}
}

func (e *engine) judgeAll(ctx context.Context) error {
	v := e.live.Load()
	if v == nil {
		return nil
	}
	for _, t := range v.trials {
		if e.verdicts.get(t.id) != "" {
			continue
		}
		e.mu.Lock()
		n := e.progress.Trials[t.id]
		e.mu.Unlock()
		if err := e.verdicts.decide(ctx, e.journal, v, t.id, t.verdict(n)); err != nil {
			return err
		}
		if verdict := e.verdicts.get(t.id); verdict != "" {
			e.log.Info("a template revision was tried", "trial", t.id, "verdict", verdict, "delivered", n.Delivered, "failed", n.Failed)
			nudge(e.dirty)
		}
	}
	return nil
}

// forgetTrials lets go of the counts of trials that are not in the live bundle. The lock is held.
func (e *engine) forgetTrials(v *live) {
	for id := range e.progress.Trials {
		if !v.tries(id) {
			delete(e.progress.Trials, id)
		}
	}
}

func (v *live) tries(id string) bool {
	for _, t := range v.trials {
		if t.id == id {
			return true
		}
	}
	return false
}

// verdicts on trials. The first one stands, for all partitions and replicas, until the trial is not in the bundle any more.
type verdicts struct {
	mu   sync.Mutex
	byID map[string]string
}

func (x *verdicts) get(id string) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.byID[id]
}

// load reads the verdicts on the trials of a bundle, and forgets others.
func (x *verdicts) load(ctx context.Context, j *journal.Journal, v *live) error {
	return x.decide(ctx, j, v, "", "")
}

// decide gives a verdict, unless it is empty or there is one already, and takes in what others decided.
func (x *verdicts) decide(ctx context.Context, j *journal.Journal, v *live, id, verdict string) error {
	for {
		data, revision, err := j.Get(ctx, keyVerdicts)
		if err != nil {
			return err
		}
		known := map[string]string{}
		if data != nil {
			if err := json.Unmarshal(data, &known); err != nil {
				return fmt.Errorf("verdicts on template revisions: %w", err)
			}
		}
		changed := false
		for other := range known {
			if !v.tries(other) {
				delete(known, other)
				changed = true
			}
		}
		if verdict != "" && known[id] == "" {
			known[id], changed = verdict, true
		}
		if changed {
			if data, err = json.Marshal(known); err != nil {
				return err
			}
			if _, err = j.Put(ctx, keyVerdicts, data, revision); errors.Is(err, journal.ErrConflict) {
				continue // another replica was faster
			} else if err != nil {
				return err
			}
		}
		x.mu.Lock()
		x.byID = known
		x.mu.Unlock()
		return nil
	}
}

// trialReport says how the trials of the live bundle do.
func (d *Dispatcher) trialReport(s *session) map[string]report.Trial {
	v := d.live.Load()
	if v == nil || len(v.trials) == 0 {
		return nil
	}
	out := make(map[string]report.Trial, len(v.trials))
	for candidate, t := range v.trials {
		c := candidate.Definition()
		r := report.Trial{Template: c.Template, Revision: c.Revision, Stable: t.stable.Definition().Revision, State: d.verdicts.get(t.id)}
		if r.State == "" {
			r.State = v1alpha1.ReasonCanary
		}
		for _, e := range s.owned() {
			e.mu.Lock()
			n := e.progress.Trials[t.id]
			e.mu.Unlock()
			r.Delivered, r.Failed = r.Delivered+n.Delivered, r.Failed+n.Failed
		}
		out[t.id] = r
	}
	return out
}
