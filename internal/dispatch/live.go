package dispatch

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/oabridge/oabridge/internal/bundle"
	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/dispatch/lanes"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/oa"
	"github.com/oabridge/oabridge/internal/scenario"
)

// live is a bundle in use. It never changes; a new bundle makes a new one, and calls in flight finish with the old.
type live struct {
	bundle    *bundle.Bundle
	hash      string
	accounts  *bundle.Directory
	scenarios map[target]*scenario.Scenario
	// names of the scenarios that serve a kind, the unnamed one first.
	names  map[string][]string
	pusher oa.Pusher
	policy policy
	// trials by the scenario that is tried.
	trials map[*scenario.Scenario]*trial
	// originals holds earlier revisions of templates that replays asked for.
	originals sync.Map
}

// target is a scenario for a kind of item.
type target struct{ kind, name string }

// add makes a scenario that of the kinds that it serves. Of two without a name the enabled one serves.
func (v *live) add(d scenario.Definition) error {
	s, err := scenario.New(d)
	if err != nil {
		return fmt.Errorf("template %s revision %s: %w", d.Template, d.Revision, err)
	}
	if err := v.try(s); err != nil {
		return err
	}
	for _, kind := range d.Kinds() {
		t := target{kind, d.Name}
		known := v.scenarios[t]
		switch {
		case known == nil && d.Name == "":
			v.names[kind] = slices.Insert(v.names[kind], 0, "")
		case known == nil:
			v.names[kind] = append(v.names[kind], d.Name)
		case known.Definition().Enabled:
			continue
		}
		v.scenarios[t] = s
	}
	return nil
}

// targets are the names of the scenarios that an item of a kind goes to. Without any, the item is recorded as skipped.
func (v *live) targets(kind string) []string {
	if names := v.names[kind]; len(names) > 0 {
		return names
	}
	return noNames
}

var noNames = []string{""}

// newLive makes the parts of a bundle. An error means that the bundle cannot be used. The driver of the bundle before is
// kept when nothing that it is made of is different, and with it its token and connections.
func newLive(l *bundle.Loaded, before *live, secrets string, newPusher func(*bundle.Bundle, string, func() time.Time) (oa.Pusher, error)) (*live, error) {
	v := &live{bundle: l.Bundle, hash: l.Hash, accounts: l.Accounts, scenarios: map[target]*scenario.Scenario{}, names: map[string][]string{}, trials: map[*scenario.Scenario]*trial{}, policy: policy{l.Bundle.Delivery}}
	for _, d := range l.Bundle.Scenarios {
		if err := v.add(d); err != nil {
			return nil, err
		}
	}
	if v.passive() {
		v.pusher = idlePusher{}
		return v, nil
	}
	if before != nil && !before.passive() && sameDriver(before.bundle, v.bundle) {
		v.pusher = before.pusher
		return v, nil
	}
	var err error
	if v.pusher, err = newPusher(l.Bundle, secrets, time.Now); err != nil {
		return nil, fmt.Errorf("driver %s: %w", l.Bundle.Type, err)
	}
	return v, nil
}

// sameDriver reports whether two bundles make the same driver.
func sameDriver(a, b *bundle.Bundle) bool {
	return a.Type == b.Type && a.Delivery.Timeout == b.Delivery.Timeout && a.Delivery.Concurrency == b.Delivery.Concurrency &&
		reflect.DeepEqual(a.OA, b.OA)
}

// takesEvents reports whether events can prove their origin; otherwise only the CRM's callbacks are taken.
func (v *live) takesEvents() bool { return v.bundle.Source.Signing || v.bundle.Source.Token }

// concurrency is how many calls may be in flight.
func (v *live) concurrency() int { return max(v.bundle.Delivery.Concurrency, 1) }

// together is how many entries of a form may go into one call.
func (v *live) together(f lanes.Form) int {
	if _, can := v.pusher.(oa.BatchPusher); !can || v.policy.BatchSize <= 1 {
		return 1
	}
	if s := v.scenarios[target{f.Kind, f.Scenario}]; s == nil || s.Definition().Calls[f.Action].Batch == nil {
		return 1
	}
	return v.policy.BatchSize
}

// limit sets the pace of the calls of one of several partitions, which are numbered from 0. Each has its share, so that
// all of them together keep the limit exactly, wherever they run; only a burst of fewer calls than there are partitions
// counts as one for each.
func (v *live) limit(l *rate.Limiter, number, of int) {
	d := v.bundle.Delivery
	if d.RatePerSecond <= 0 {
		l.SetLimit(rate.Inf)
		return
	}
	burst := d.RateBurst / of
	if number < d.RateBurst%of {
		burst++
	}
	l.SetBurst(max(burst, 1))
	l.SetLimit(rate.Limit(d.RatePerSecond) / rate.Limit(of))
}

// refuse returns why an event is not for this connector, nil when it is.
func (v *live) refuse(events []crm.Event) *crm.Problem {
	var wrong []crm.FieldError
	for i := range events {
		e := &events[i]
		if e.DataCenterID != "" && e.DataCenterID != v.bundle.DataCenterID {
			wrong = append(wrong, crm.FieldError{Event: i, Field: "datacenterid", Cause: "it is not that of this connector",
				NextStep: fmt.Sprintf("send it to the connector of that data center; this one is for %q", v.bundle.DataCenterID)})
		}
		if id := e.Item.EnterpriseID; id != "" && id != v.bundle.EnterpriseID {
			wrong = append(wrong, crm.FieldError{Event: i, Field: "data.enterpriseID", Cause: "it is not that of this connector",
				NextStep: fmt.Sprintf("send it to the connector of that enterprise; this one is for %q", v.bundle.EnterpriseID)})
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	p := crm.NewProblem(http.StatusBadRequest, "nothing of the request was taken: see errors")
	p.Errors = wrong[:min(len(wrong), maxProblemErrors)]
	return p
}

// maxProblemErrors bounds the list of errors in an answer.
const maxProblemErrors = 50

// decision is what to do with a delivery now: a call, or a record without one.
type decision struct {
	request scenario.Request
	result  scenario.Result
	// decided is set when there is no call to make; the record then says why.
	decided bool
	record  record.Record
}
