package bundle

import (
	"slices"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/scenario"
)

// Defaults of spec.rollout.canary, for connectors that were stored without them.
const (
	DefaultMinDeliveries     = 20
	DefaultMaxFailurePercent = 10
)

// Canary is how a new revision of a template is tried (F55).
type Canary struct {
	Share
	// MinDeliveries is how many first attempts decide, MaxFailurePercent how many of them may fail.
	MinDeliveries     int `json:"minDeliveries"`
	MaxFailurePercent int `json:"maxFailurePercent"`
}

// Trial names the trial of a new revision against the stable one.
func Trial(stable, candidate *scenario.Definition) string {
	return candidate.Name + "/" + candidate.Template + "@" + stable.Revision + ">" + candidate.Revision
}

// StableOf returns the stable revision of a scenario that is on trial, nil when it is not.
func (b *Bundle) StableOf(d *scenario.Definition) *scenario.Definition {
	if b.Canary == nil {
		return nil
	}
	return sameScenario(b.Stable, d)
}

func sameScenario(list []scenario.Definition, d *scenario.Definition) *scenario.Definition {
	i := slices.IndexFunc(list, func(s scenario.Definition) bool { return s.Template == d.Template && s.Name == d.Name })
	if i < 0 {
		return nil
	}
	return &list[i]
}

// compileCanary finds the scenarios whose template has another revision than the one that is live for everybody, and keeps
// that one beside it. Whether a trial was won or lost is known to the dispatcher; a lost one stays in the bundle, so that
// the stable revision stays at hand.
func compileCanary(in Input, scenarios []scenario.Definition) (*Canary, []scenario.Definition) {
	canary := in.Connector.Spec.Rollout.Canary
	share := compileShare(canary.RolloutShare)
	if share == nil || in.Previous == nil {
		return nil, nil
	}
	var stable []scenario.Definition
	for i := range scenarios {
		d := &scenarios[i]
		base := in.lastGood(d)
		if base == nil || base.Revision == d.Revision {
			continue
		}
		kept := *base
		kept.Enabled, kept.Sources, kept.Result = d.Enabled, d.Sources, kept.Result.Override(in.Connector.Spec.Result)
		if _, err := scenario.New(kept); err == nil {
			stable = append(stable, kept)
		}
	}
	if stable == nil {
		return nil, nil
	}
	most := DefaultMaxFailurePercent
	if p := canary.MaxFailurePercent; p != nil {
		most = int(*p)
	}
	return &Canary{Share: *share, MinDeliveries: int(or(canary.MinDeliveries, DefaultMinDeliveries)), MaxFailurePercent: most}, stable
}

// lastGood is the revision of a scenario that is live for everybody, nil when there is none yet.
func (in Input) lastGood(d *scenario.Definition) *scenario.Definition {
	live := sameScenario(in.Previous.Scenarios, d)
	if live == nil {
		return nil
	}
	if stable := in.Previous.StableOf(live); stable != nil && !in.Promoted[Trial(stable, live)] {
		return stable
	}
	return live
}

// HasCanary reports whether new revisions of templates are tried first.
func HasCanary(c *v1alpha1.OAConnector) bool {
	return compileShare(c.Spec.Rollout.Canary.RolloutShare) != nil
}
