package progress

import (
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/oa"
)

// Trial counts first attempts with a template revision that is tried.
type Trial struct {
	Delivered int64 `json:"delivered,omitempty"`
	Failed    int64 `json:"failed,omitempty"`
}

// count counts a record for the trial that it belongs to. Failures that no template can cause, such as a lost connection,
// count neither way.
func (p *Progress) count(r *record.Record) {
	if r.Trial == "" || r.Attempt > 1 {
		return
	}
	t := p.Trials[r.Trial]
	switch {
	case r.Outcome == record.Delivered:
		t.Delivered++
	case r.Reason != r.Class: // not an attempt of its own: it became too old, for example
		return
	case r.Class == string(oa.BusinessCode), r.Class == string(oa.ServerError), r.Class == string(oa.Internal):
		t.Failed++
	default:
		return
	}
	p.Trials[r.Trial] = t
}
