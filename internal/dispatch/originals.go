package dispatch

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/oabridge/oabridge/internal/dispatch/journal"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/scenario"
)

// originalKey is where a template revision is kept, as it was filled in for a scenario.
func originalKey(revision, name string) string {
	key := "template." + stateKey(revision)
	if name != "" {
		key += "." + stateKey(name)
	}
	return key
}

// keepOriginals writes down the template revisions of a bundle, so that a replay can use the one with which an item
// failed.
func keepOriginals(ctx context.Context, j *journal.Journal, v *live) error {
	for _, d := range v.bundle.Scenarios {
		key := originalKey(d.Revision, d.Name)
		if known, _, err := j.Get(ctx, key); err != nil || known != nil {
			if err != nil {
				return err
			}
			continue
		}
		data, err := json.Marshal(d)
		if err != nil {
			return fmt.Errorf("template %s: %w", d.Template, err)
		}
		if err := j.Set(ctx, key, data); err != nil {
			return err
		}
	}
	return nil
}

// scenario returns the scenario that a delivery goes out with, nil when there is none; or why there can be none any more.
func (e *engine) scenario(ctx context.Context, v *live, d *record.Delivery) (s *scenario.Scenario, problem string, err error) {
	s = v.scenarios[target{d.Event.Kind, d.Scenario}]
	if d.Revision == "" {
		return e.choose(v, s, d.Receiver()), "", nil
	}
	if s != nil && s.Definition().Revision == d.Revision {
		return s, "", nil
	}
	key := originalKey(d.Revision, d.Scenario)
	if known, ok := v.originals.Load(key); ok {
		return known.(*scenario.Scenario), "", nil
	}
	data, _, err := e.journal.Get(ctx, key)
	if err != nil {
		return nil, "", err
	}
	var definition scenario.Definition
	if !kept(data, &definition) {
		return nil, fmt.Sprintf("revision %s of the template is not kept any more: replay it with template Current", d.Revision), nil
	}
	if s, problem = original(definition); problem == "" {
		v.originals.Store(key, s)
	}
	return s, problem, nil
}

// original makes a scenario of an earlier revision, or says why it cannot be used.
func original(d scenario.Definition) (*scenario.Scenario, string) {
	s, err := scenario.New(d)
	if err != nil {
		return nil, fmt.Sprintf("revision %s of the template cannot be used by this version (%v): replay it with template Current", d.Revision, err)
	}
	return s, ""
}

// kept reads a stored definition; false when there is none that can be read.
func kept(data []byte, into *scenario.Definition) bool {
	return data != nil && json.Unmarshal(data, into) == nil
}
