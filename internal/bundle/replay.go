package bundle

import (
	"fmt"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// MaxReplays bounds how many replays of a connector are under way at once. Further ones wait for their turn, so that their
// filters never crowd the configuration out of its document.
const MaxReplays = 8

// ReplayID names the run of a Replay that a generation of its spec started.
func ReplayID(r *v1alpha1.Replay, generation int64) string {
	return fmt.Sprintf("%s/%d", r.UID, generation)
}

// NewReplay is what the dispatcher is told of a run.
func NewReplay(r *v1alpha1.Replay, generation int64) Replay {
	f := r.Spec.Filter
	out := Replay{
		ID:        ReplayID(r, generation),
		Name:      r.Name,
		Template:  string(or(r.Spec.Template, v1alpha1.ReplayCurrent)),
		DryRun:    r.Spec.Mode == v1alpha1.ReplayDryRun,
		Cancelled: r.Spec.State == v1alpha1.ReplayCancelled,
		Suspended: r.Spec.State == v1alpha1.ReplaySuspended,
		PerSecond: int(r.Spec.PerSecond),
		Filter: ReplayFilter{
			Reasons: f.Reasons, Classes: f.Classes, Items: f.Items, Receivers: f.Receivers,
			Since: f.Since.UTC(), Until: f.Until.UTC(),
		},
	}
	for _, kind := range f.Kinds {
		out.Filter.Kinds = append(out.Filter.Kinds, string(kind))
	}
	return out
}
