package stage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oasim/crm"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/seeyon"
)

// SigningKey is the one of config/samples/secrets.yaml.
const SigningKey = "whsec_dHJpYWwta2V5LW9mLW9hLWJyaWRnZS0yMDI2"

// RefuseForGood makes the OA refuse the one to-do that is meant to fail for good.
func (s *Stage) RefuseForGood(ctx context.Context) error {
	return s.Call(ctx, http.MethodPut, OA("/_sim/faults"), map[string]any{"rules": []fault.Rule{{
		Match:  fault.Match{Path: "/seeyon/rest/thirdpartyPending/", Title: crm.FailMarker},
		Action: fault.Action{Kind: fault.Business, ErrorMsgs: []string{"该待办不允许接收"}},
	}}}, nil)
}

// Emit lets the CRM send a workload to the sample's dispatcher and returns the run at once.
func (s *Stage) Emit(ctx context.Context, e crm.Emission) (crm.Run, error) {
	return s.EmitTo(ctx, client.ObjectKey{Namespace: Namespace, Name: Connector}, e)
}

// EmitTo lets the CRM send a workload to the dispatcher of a connector and returns the run at once. It is signed with the key
// of the samples, unless the emission names another one.
func (s *Stage) EmitTo(ctx context.Context, connector client.ObjectKey, e crm.Emission) (crm.Run, error) {
	type emission struct {
		crm.Target
		crm.Workload
	}
	e.URL = fmt.Sprintf("http://%s-dispatcher.%s.svc:8080/events", connector.Name, connector.Namespace)
	e.SigningKey = cmp.Or(e.SigningKey, SigningKey)
	e.EnterpriseID = "714439"
	var run crm.Run
	err := s.Call(ctx, http.MethodPost, CRM("/_sim/emit"), emission{e.Target, e.Workload}, &run)
	return run, err
}

// WaitRun waits until the CRM has been told of every event that it is on disk.
func (s *Stage) WaitRun(ctx context.Context, id string) (crm.Run, error) {
	var run crm.Run
	err := Until(ctx, func() error {
		if err := s.Call(ctx, http.MethodGet, CRM("/_sim/runs/"+id), nil, &run); err != nil {
			return err
		}
		switch run.State {
		case "done":
			return nil
		case "running":
			return fmt.Errorf("the CRM sent %d of %d events (%d accepted; %s)", run.Counts.Sent, run.Total, run.Counts.Accepted, run.Error)
		}
		return fmt.Errorf("the run %s: %s", run.State, run.Error)
	})
	return run, err
}

// Tally compares what must be in the OA with what is in it, counted at the OA.
type Tally struct {
	Sent, Delivered, Held, Dead int
	// Repeated counts writes beyond those that events ask for; the OA shows none of them twice.
	Repeated int
	// Wrong says what is not as it must be.
	Wrong []string
}

// Lost events are in none of the places where an event may be.
func (t Tally) Lost() int { return t.Sent - t.Delivered - t.Held - t.Dead }

func (t Tally) String() string {
	return fmt.Sprintf("sent %d delivered %d held %d dead %d lost %d", t.Sent, t.Delivered, t.Held, t.Dead, t.Lost())
}

// Settled is nil when nothing is lost and nothing is wrong.
func (t Tally) Settled() error {
	if t.Lost() == 0 && len(t.Wrong) == 0 {
		return nil
	}
	wrong := t.Wrong
	if len(wrong) > 5 {
		wrong = append(wrong[:5:5], "…")
	}
	return errors.New(t.String() + "; " + strings.Join(wrong, "; "))
}

// Tally counts the events of a run at the OA; held and dead are the connector's own figures, compared with what they
// must be. Every event of a to-do changes the to-do, so every event is one write in its history.
func (s *Stage) Tally(ctx context.Context, run crm.Run) (Tally, error) {
	var have struct {
		Items []seeyon.Item `json:"items"`
	}
	if err := s.Call(ctx, http.MethodGet, OA("/_sim/items"), nil, &have); err != nil {
		return Tally{}, err
	}
	type key struct{ task, login string }
	items := map[key]seeyon.Item{}
	for _, item := range have.Items {
		items[key{item.TaskID, item.LoginName}] = item
	}
	oac, err := s.OAC(ctx)
	if err != nil {
		return Tally{}, err
	}
	t := Tally{Sent: run.Total}
	if d := oac.Status.Delivery; d.Held != nil && d.Dead != nil {
		t.Held, t.Dead = int(*d.Held), int(*d.Dead)
	}
	for _, want := range run.Expected {
		item, there := items[key{want.ToDo, want.OALogin}]
		if want.Fate != crm.Delivered {
			if there {
				t.Wrong = append(t.Wrong, fmt.Sprintf("%s (%s) is in the OA", want.ToDo, want.Fate))
			}
			continue
		}
		if !there {
			t.Wrong = append(t.Wrong, want.ToDo+" is not in the OA")
			continue
		}
		writes := changes(item.History)
		t.Delivered += min(writes, want.Version)
		t.Repeated += len(item.History) - writes
		state := map[string]string{crm.Open: seeyon.StateOpen, crm.Done: seeyon.StateDone, crm.Gone: seeyon.StateRevoked}[want.State]
		if item.State != state || item.Title != want.Title || item.Revived > 0 {
			t.Wrong = append(t.Wrong, fmt.Sprintf("%s is in state %s as %q (revived %d), wanted %s as %q",
				want.ToDo, item.State, item.Title, item.Revived, state, want.Title))
		}
	}
	return t, nil
}

// changes counts the writes that differ from the one before them.
func changes(history []seeyon.Write) int {
	n := 0
	for i, w := range history {
		if i == 0 || w.State != history[i-1].State || w.Title != history[i-1].Title || w.Path != history[i-1].Path {
			n++
		}
	}
	return n
}

// Clickable is an open to-do that reached the OA.
func Clickable(run crm.Run) crm.Expected {
	for _, want := range run.Expected {
		if want.Fate == crm.Delivered && want.State == crm.Open {
			return want
		}
	}
	return crm.Expected{}
}

// Clear makes the stage as it was before the first play: no connector, no bindings that a person added, nothing in the
// OA, no faults.
func (s *Stage) Clear(ctx context.Context) error {
	oac, err := s.OAC(ctx)
	if client.IgnoreNotFound(err) != nil {
		return err
	}
	if err == nil {
		before := oac.DeepCopy()
		oac.Spec.OnDelete.Policy = v1alpha1.DeleteAbandon
		if err := s.Patch(ctx, oac, client.MergeFrom(before)); client.IgnoreNotFound(err) != nil {
			return err
		}
		if _, err := s.Kubectl(ctx, "-n", Namespace, "delete", "oac", oac.Name, "--ignore-not-found", "--timeout=120s"); err != nil {
			return err
		}
	}
	if _, err := s.Kubectl(ctx, "-n", Namespace, "delete", "ab", "--all", "--timeout=60s"); err != nil {
		return err
	}
	for _, path := range []string{"/_sim/items", "/_sim/faults"} {
		if err := s.Call(ctx, http.MethodDelete, OA(path), nil, nil); err != nil {
			return err
		}
	}
	return nil
}
