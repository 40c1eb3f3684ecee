package stage

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/oabridge/oabridge/internal/dispatch/lookup"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/oasim/crm"
	"github.com/oabridge/oabridge/internal/oasim/fault"
	"github.com/oabridge/oabridge/internal/oasim/inbox"
	"github.com/oabridge/oabridge/internal/oasim/seeyon"
)

// Script replaces the script of failures of a simulator.
func (s *Stage) Script(ctx context.Context, oa string, rules ...fault.Rule) error {
	return s.Call(ctx, http.MethodPut, At(oa, "/_sim/faults"), map[string]any{"rules": rules}, nil)
}

// Inbox is what the people of an OA have, in the form that all simulators share.
func (s *Stage) Inbox(ctx context.Context, oa string) ([]inbox.Item, error) {
	if oa != "seeyon" {
		var have struct {
			Items []inbox.Item `json:"items"`
		}
		err := s.Call(ctx, http.MethodGet, At(oa, "/_sim/items"), nil, &have)
		return have.Items, err
	}
	var have struct {
		Items []seeyon.Item `json:"items"`
	}
	if err := s.Call(ctx, http.MethodGet, OA("/_sim/items"), nil, &have); err != nil {
		return nil, err
	}
	states := map[string]inbox.State{seeyon.StateOpen: inbox.Open, seeyon.StateDone: inbox.Done, seeyon.StateRevoked: inbox.Gone}
	var out []inbox.Item
	for _, i := range have.Items {
		out = append(out, inbox.Item{ID: i.ID, Person: i.LoginName, Revived: i.Revived, Content: inbox.Content{
			TaskID: i.TaskID, Kind: inbox.ToDo, Title: i.Title, URL: i.URL, MobileURL: i.H5URL, State: states[i.State],
		}})
	}
	return out, nil
}

// Differences says where an inbox is not what a run asks for: an open to-do of the CRM is open there, once, with its last
// title; a finished or withdrawn one is not open; and what must not arrive did not.
func (m Member) Differences(items []inbox.Item, run crm.Run) (wrong []string) {
	type key struct{ task, person string }
	there := map[key][]inbox.Item{}
	for _, i := range items {
		// Some OAs have one id for each receiver: TASK@PERSON.
		task, _, _ := strings.Cut(i.TaskID, "@")
		there[key{task, i.Person}] = append(there[key{task, i.Person}], i)
	}
	for _, want := range run.Expected {
		found := there[key{want.ToDo, want.OALogin}]
		switch {
		case want.Fate != crm.Delivered:
			if len(found) > 0 {
				wrong = append(wrong, fmt.Sprintf("%s (%s) is there", want.ToDo, want.Fate))
			}
		case len(found) == 0 && want.State != crm.Open:
			// It came and went while the OA was out of order.
		case len(found) != 1:
			wrong = append(wrong, fmt.Sprintf("%s of %s is there %d times", want.ToDo, want.OALogin, len(found)))
		case (found[0].State == inbox.Open) != (want.State == crm.Open) || found[0].Revived > 0:
			wrong = append(wrong, fmt.Sprintf("%s is %s (revived %d), wanted %s", want.ToDo, found[0].State, found[0].Revived, want.State))
		case m.Retitles && want.State == crm.Open && !strings.Contains(words(found[0].Title+" "+found[0].Text), words(want.Title)):
			wrong = append(wrong, fmt.Sprintf("%s is %q, wanted %q", want.ToDo, found[0].Title, want.Title))
		}
	}
	return wrong
}

// words are the text without differences in white space, which XML and some OAs change.
func words(text string) string { return strings.Join(strings.Fields(text), " ") }

// Oab runs the plugin as a person does and returns what it printed.
func (s *Stage) Oab(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(s.Root, "bin", "kubectl-oab"), args...)
	cmd.Dir = s.Root
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return string(out), fmt.Errorf("kubectl oab %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(errs.String()))
	}
	return string(out), nil
}

// Records are what a connector's dispatchers wrote down since a time, asked for with the plugin, oldest first.
func (s *Stage) Records(ctx context.Context, namespace, connector string, since time.Time, more ...string) ([]lookup.Record, error) {
	out, err := s.Oab(ctx, append([]string{"records", connector, "-n", namespace, "-o", "json", "--limit", "1000",
		"--since", since.UTC().Format(time.RFC3339Nano)}, more...)...)
	if err != nil {
		return nil, err
	}
	var records []lookup.Record
	return records, json.Unmarshal([]byte(out), &records)
}

// Latency is how long deliveries took from acceptance to the OA's receipt.
type Latency struct {
	N        int
	P50, P99 time.Duration
}

func (l Latency) String() string {
	return fmt.Sprintf("%d deliveries, p50 %s, p99 %s", l.N, l.P50.Round(time.Millisecond), l.P99.Round(time.Millisecond))
}

// LatencyOf the delivered ones among records.
func LatencyOf(records []lookup.Record) Latency {
	var took []time.Duration
	for _, r := range records {
		if r.Outcome == record.Delivered {
			took = append(took, r.At.Sub(r.AcceptedAt))
		}
	}
	if len(took) == 0 {
		return Latency{}
	}
	slices.Sort(took)
	return Latency{N: len(took), P50: took[len(took)/2], P99: took[min(len(took)*99/100, len(took)-1)]}
}
