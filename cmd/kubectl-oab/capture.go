package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/capture"
	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/dispatch/lookup"
	"github.com/oabridge/oabridge/internal/dispatch/record"
	"github.com/oabridge/oabridge/internal/offline"
	"github.com/oabridge/oabridge/internal/scenario"
)

// captureOptions of a command line.
type captureOptions struct {
	filter
	realValues, testsOnly bool
}

func (a *app) newCaptureCommand() *cobra.Command {
	var o captureOptions
	cmd := &cobra.Command{
		Use:   "capture [CONNECTOR]",
		Short: "Make tests of templates from what really went out to the OA and what it answered",
		Long: `Make tests of templates from the latest calls that a connector made: the fields of the item, the request that went out, the
answer that came and what it meant. It prints each template that made them, with these tests alone, so that oabridge test runs
them; --tests-only prints the entries to paste into spec.tests of your own file.

Secrets are masked in the records already. Names, accounts, texts and ids of the items are replaced by examples, in the answer
as well; --real-values keeps them.

A call becomes a test only if the template, as it is now, makes the very request that went out and judges the answer in the same
way; otherwise it is left out, and stderr says why. The fields come from the events: those of dead letters, and the latest 200 that each
dispatcher accepted since it started.

Exit code 0: all calls became tests; 1: there is none; 3: some were left out.`,
		Example: `  kubectl oab capture --last 1 > case.yaml && oabridge test case.yaml
  kubectl oab capture hq --last 20 --class BusinessCode --tests-only
  kubectl oab capture hq --item T-0001 --real-values`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeConnectors(0),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.limit < 1 || o.limit > lookup.MaxLimit {
				return usage("--last: give a number from 1 to %d", lookup.MaxLimit)
			}
			return a.capture(cmd.Context(), first(args), &o)
		},
	}
	o.bindSelection(cmd)
	flags := cmd.Flags()
	flags.StringSliceVar(&o.scenarios, "scenario", nil, "name of a scenario of the connector (spec.scenarios)")
	flags.StringSliceVar(&o.outcomes, "outcome", nil, "Delivered, Retrying or Dead")
	flags.IntVar(&o.limit, "last", 10, "how many of the latest calls")
	flags.BoolVar(&o.realValues, "real-values", false, "keep names, accounts, texts and ids as they were")
	flags.BoolVar(&o.testsOnly, "tests-only", false, "print the tests alone, not the templates around them")
	completeWords(cmd, "outcome", []string{"Delivered", "Retrying", "Dead"})
	return cmd
}

// maxLooked bounds the records that are looked at for calls, for each that is wanted: decisions without a call are records too.
const maxLooked = 20

func (a *app) capture(ctx context.Context, connector string, o *captureOptions) error {
	x, err := a.connect()
	if err != nil {
		return err
	}
	c, err := x.connector(ctx, connector)
	if err != nil {
		return err
	}
	exchanges, partly, err := a.exchanges(ctx, x, c, o)
	if err != nil {
		return err
	}
	if len(exchanges) == 0 {
		return cmp.Or(partly, none("connector %q has made no such calls", c.Name))
	}
	objects, err := x.objectsOf(ctx, c)
	if err != nil {
		return err
	}
	set, _, err := offline.Load(ctx, objects, nil)
	if err != nil {
		return err
	}
	made, leftOut := a.captured(c, set, exchanges, o)
	if len(made) == 0 {
		return none("none of %s could be made a test", count(len(exchanges), "call", "calls"))
	}
	if err := a.tellCaptured(made, o.testsOnly); err != nil {
		return err
	}
	if leftOut > 0 {
		return &failure{exitOther, fmt.Errorf("%d of %s were left out", leftOut, count(len(exchanges), "call", "calls"))}
	}
	return partly
}

// exchanges are the latest calls, the oldest first, with the events that they were made for, as far as the dispatchers know them.
// partly says that a dispatcher did not answer.
func (a *app) exchanges(ctx context.Context, x *access, c *v1alpha1.OAConnector, o *captureOptions) (all []capture.Exchange, partly, err error) {
	_, pods, err := x.dispatchers(ctx, c.Name)
	if err != nil {
		return nil, nil, err
	}
	query := o.values()
	query.Set(lookup.ParamLimit, strconv.Itoa(min(o.limit*maxLooked, lookup.MaxLimit)))
	type answer struct {
		records page[lookup.Record]
		events  map[string]crm.Event
	}
	pages, partly := look(ctx, a, x, pods, func(ctx context.Context, l *lookup.Client) (p answer, err error) {
		if p.records.lines, _, err = l.Records(ctx, query); err != nil {
			return p, err
		}
		p.events, err = events(ctx, l, p.records.lines)
		return p, err
	})
	if pages == nil {
		return nil, nil, partly
	}
	known := map[string]crm.Event{}
	var records []page[lookup.Record]
	for _, p := range pages {
		maps.Copy(known, p.events)
		records = append(records, p.records)
	}
	lines, _ := merge(records, 0, func(r *lookup.Record) (int, *record.Record) { return r.Partition, &r.Record })
	carried := map[record.Key]map[string]string{}
	for i := range lines {
		r := &lines[i].Record
		if r.Method != "" && r.ReadBacks == 0 {
			all = append(all, capture.Exchange{Record: *r, Event: known[r.EventID], Captured: maps.Clone(carried[r.Key()])})
		}
		if r.Captured != nil {
			carried[r.Key()] = r.Captured
		}
	}
	return all[max(0, len(all)-o.limit):], partly, nil
}

// events that the records are about: those that the dispatcher accepted lately, and those of dead letters.
func events(ctx context.Context, l *lookup.Client, records []lookup.Record) (map[string]crm.Event, error) {
	out := map[string]crm.Event{}
	recent, err := l.Recent(ctx, lookup.MaxLimit)
	if err != nil {
		return nil, err
	}
	for _, e := range recent {
		out[e.ID] = e.Event
	}
	query := map[string][]string{}
	for i := range records {
		if r := &records[i].Record; r.Outcome == record.Dead && out[r.EventID].ID == "" && !slices.Contains(query[lookup.ParamEvent], r.EventID) {
			query[lookup.ParamEvent] = append(query[lookup.ParamEvent], r.EventID)
		}
	}
	for chunk := range slices.Chunk(query[lookup.ParamEvent], maxEvents) {
		letters, _, err := l.Dead(ctx, map[string][]string{lookup.ParamEvent: chunk})
		if err != nil {
			return nil, err
		}
		for i := range letters {
			if d := letters[i].Delivery; d != nil {
				out[d.Event.ID] = d.Event
			}
		}
	}
	return out, nil
}

// maxEvents is how many events are asked for at once; a dispatcher takes no more values of a parameter.
const maxEvents = 100

// captured are the templates with their tests, in the order in which they were used first.
func (a *app) captured(c *v1alpha1.OAConnector, set *offline.Set, exchanges []capture.Exchange, o *captureOptions) (made []*v1alpha1.ScenarioTemplate, leftOut int) {
	accounts := set.AccountsOf(c.Namespace, c.Name)
	var masks *capture.Masks
	if !o.realValues {
		masks = capture.NewMasks()
	}
	for i := range exchanges {
		e := &exchanges[i]
		r := &e.Record
		e.SenderOA = accounts[e.Event.Item.Sender.Account]
		e.Event.Item.EnterpriseID = cmp.Or(e.Event.Item.EnterpriseID, c.Spec.EnterpriseID)
		_, name, _ := strings.Cut(r.Template, "/")
		template, parameters := set.TemplateOf(c, r.Scenario, name)
		test, err := v1alpha1.TemplateTest{}, fmt.Errorf("the connector does not use the template %s any more", r.Template)
		switch {
		case e.Event.ID == "":
			err = fmt.Errorf("the event %s is not among the latest that a dispatcher keeps, and it is no dead letter", r.EventID)
		case template != nil:
			test, err = capture.Test(capture.Template{Spec: template.Spec, Parameters: parameters, Revision: scenario.Revision(template.Spec)}, e, masks)
		}
		if err != nil {
			leftOut++
			a.say("%s %s for %s at %s is left out: %v", r.Action, r.ItemID, person(r.Receiver, r.ReceiverOA), a.clock(r.At), err)
			continue
		}
		made = add(made, c.Namespace, template, test)
	}
	return made, leftOut
}

// add puts a test to those of its template, which in the namespace of the connector goes before a preset.
func add(made []*v1alpha1.ScenarioTemplate, namespace string, template *v1alpha1.ScenarioTemplate, test v1alpha1.TemplateTest) []*v1alpha1.ScenarioTemplate {
	i := slices.IndexFunc(made, func(t *v1alpha1.ScenarioTemplate) bool { return t.Name == template.Name })
	if i < 0 {
		own := &v1alpha1.ScenarioTemplate{TypeMeta: template.TypeMeta, Spec: *template.Spec.DeepCopy()}
		own.APIVersion, own.Kind = v1alpha1.GroupVersion.String(), "ScenarioTemplate"
		own.Name, own.Namespace, own.Spec.Tests = template.Name, namespace, nil
		i, made = len(made), append(made, own)
	}
	tests := &made[i].Spec.Tests
	name := test.Name
	for n := 2; slices.ContainsFunc(*tests, func(t v1alpha1.TemplateTest) bool { return t.Name == test.Name }); n++ {
		test.Name = fmt.Sprintf("%s (%d)", name, n)
	}
	*tests = append(*tests, test)
	return made
}

func (a *app) tellCaptured(made []*v1alpha1.ScenarioTemplate, testsOnly bool) error {
	var b strings.Builder
	for _, t := range made {
		var document any = map[string]any{"tests": t.Spec.Tests}
		head := "# " + count(len(t.Spec.Tests), "test", "tests") + " of the ScenarioTemplate " + t.Name + ", from real calls\n"
		if !testsOnly {
			document = map[string]any{
				"apiVersion": t.APIVersion, "kind": t.Kind, "spec": t.Spec,
				"metadata": map[string]string{"name": t.Name, "namespace": t.Namespace},
			}
		}
		data, err := yaml.Marshal(document)
		if err != nil {
			return err
		}
		if b.Len() > 0 {
			b.WriteString("---\n")
		}
		b.WriteString(head)
		b.Write(data)
	}
	_, err := fmt.Fprint(a.out, b.String())
	return err
}
