package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/dispatch/lookup"
	"github.com/oabridge/oabridge/internal/manifest"
	"github.com/oabridge/oabridge/internal/offline"
)

// diffOptions of a command line.
type diffOptions struct {
	files []string
	event string
	last  int
}

func (a *app) newDiffCommand() *cobra.Command {
	var o diffOptions
	cmd := &cobra.Command{
		Use:   "diff [CONNECTOR] -f FILE",
		Short: "Show how the latest events would go out after a change, and how they go out now",
		Long: `Show how the latest events that the dispatchers accepted would go out after a change, compared with how they go out now. A file
holds the changed connector, ScenarioTemplates or AccountBindings; everything else is taken from the cluster. Nothing is applied
or sent, and Secrets are not read. Presets are those of the version of this plugin.

Dispatchers keep the latest 200 events in memory, until they restart; --event takes events from a file instead
(docs/reference/events.md).

Exit code 0: nothing differs; 1: something does; 2: the files are wrong.`,
		Example: `  kubectl oab diff hq -f my-todo.yaml
  kubectl oab diff hq -f deploy/ --last 100
  kustomize build deploy | kubectl oab diff hq -f - --event event.json`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeConnectors(0),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(o.files) == 0:
				return usage("which change? Give its files with -f")
			case o.last < 1 || o.last > lookup.MaxLimit:
				return usage("--last: give a number from 1 to %d", lookup.MaxLimit)
			case o.event == manifest.Stdin && slices.Contains(o.files, manifest.Stdin):
				return usage("-f and --event cannot both be the standard input")
			}
			return a.diff(cmd.Context(), cmd.InOrStdin(), first(args), &o)
		},
	}
	cmd.Flags().StringSliceVarP(&o.files, "file", "f", nil, "file or directory with what changes, - for the standard input; may be repeated")
	cmd.Flags().StringVar(&o.event, "event", "", "file with a CloudEvent in JSON or a list of them, instead of the latest events; - for the standard input")
	cmd.Flags().IntVar(&o.last, "last", 20, "how many of the latest events")
	a.bindFormat(cmd)
	return cmd
}

// difference is how an event goes out to one receiver, before and after.
type difference struct {
	EventID string           `json:"eventID"`
	ItemID  string           `json:"itemID"`
	Before  offline.Rendered `json:"before"`
	After   offline.Rendered `json:"after"`
}

func (d *difference) same() bool { return d.Before.Request() == d.After.Request() }

// readable is a request with its JSON spread over lines, so that a small change is a small difference.
func readable(r offline.Rendered) string {
	var body bytes.Buffer
	if json.Indent(&body, []byte(r.Body), "", "  ") == nil {
		r.Body = body.String()
	}
	return r.Request()
}

func (a *app) diff(ctx context.Context, stdin io.Reader, connector string, o *diffOptions) error {
	x, err := a.connect()
	if err != nil {
		return err
	}
	c, err := x.connector(ctx, connector)
	if err != nil {
		return err
	}
	changed, problems := manifest.Read(o.files, stdin)
	now, err := x.objectsOf(ctx, c)
	if err != nil {
		return err
	}
	before, _, err := offline.Load(ctx, now, nil)
	if err != nil {
		return err
	}
	after, findings, err := offline.Load(ctx, replaced(now, inNamespace(changed, c.Namespace)), problems)
	if err != nil {
		return err
	}
	known := before.Check()
	for _, f := range after.Check() {
		if !slices.Contains(known, f) {
			findings = append(findings, f)
		}
	}
	for _, f := range findings {
		level := ""
		if f.Warning {
			level = ", a warning"
		}
		a.say("%s:%d: %s %s: %s (%s%s)", f.File, f.Line, f.Object, f.Field, f.Message, f.Reason, level)
	}
	if n := offline.Problems(findings); n > 0 {
		return usage("the change is wrong: %s", count(n, "finding", "findings"))
	}
	events, missing, err := a.eventsFor(ctx, stdin, x, c.Name, o)
	if err != nil {
		return err
	}
	if len(events) == 0 {
		return none("the dispatchers of connector %q have accepted nothing since they started; give events with --event", c.Name)
	}
	all := []difference{}
	for _, e := range events {
		d, err := differences(before, after, c.Namespace, c.Name, e)
		if err != nil {
			return err
		}
		all = append(all, d...)
	}
	return cmp.Or(missing, a.tellDifferences(all))
}

// eventsFor are those of the file, or the latest ones; missing says that a dispatcher did not answer.
func (a *app) eventsFor(ctx context.Context, stdin io.Reader, x *access, connector string, o *diffOptions) (events []crm.Event, missing, err error) {
	if o.event != "" {
		if events, err = offline.ReadEvents(o.event, stdin); err != nil {
			return nil, nil, usage("--event: %w", err)
		}
		return events, nil, nil
	}
	_, pods, err := x.dispatchers(ctx, connector)
	if err != nil {
		return nil, nil, err
	}
	pages, err := look(ctx, a, x, pods, func(ctx context.Context, c *lookup.Client) ([]lookup.Event, error) { return c.Recent(ctx, o.last) })
	if pages == nil {
		return nil, nil, err
	}
	all := slices.Concat(pages...)
	slices.SortStableFunc(all, func(a, b lookup.Event) int { return a.AcceptedAt.Compare(b.AcceptedAt) })
	for _, e := range all[max(0, len(all)-o.last):] {
		events = append(events, e.Event)
	}
	return events, err, nil
}

// differences of an event, one for each receiver.
func differences(before, after *offline.Set, namespace, name string, e crm.Event) ([]difference, error) {
	was, problems := before.RenderAt(namespace, name, e)
	if was == nil {
		return nil, fmt.Errorf("connector %q as it is in the cluster cannot be rendered: %s", name, problems[0].Message)
	}
	is, problems := after.RenderAt(namespace, name, e)
	if is == nil {
		return nil, usage("the change is wrong: %s", problems[0].Message)
	}
	return paired(e, was, is), nil
}

// paired joins what goes out of an event before and after, by receiver and scenario.
func paired(e crm.Event, before, after []offline.Rendered) (out []difference) {
	same := func(r offline.Rendered) func(offline.Rendered) bool {
		return func(o offline.Rendered) bool { return o.Receiver == r.Receiver && o.Scenario == r.Scenario }
	}
	absent := func(r offline.Rendered) offline.Rendered {
		return offline.Rendered{
			Origin: r.Origin, Action: r.Action, Receiver: r.Receiver, ReceiverOA: r.ReceiverOA, Scenario: r.Scenario,
			Nothing: fmt.Sprintf("there is no such scenario for the kind %s", e.Kind),
		}
	}
	for _, r := range before {
		d := difference{EventID: e.ID, ItemID: e.Item.ID, Before: r, After: absent(r)}
		if i := slices.IndexFunc(after, same(r)); i >= 0 {
			d.After = after[i]
		}
		out = append(out, d)
	}
	for _, r := range after {
		if !slices.ContainsFunc(before, same(r)) {
			out = append(out, difference{EventID: e.ID, ItemID: e.Item.ID, Before: absent(r), After: r})
		}
	}
	return out
}

func (a *app) tellDifferences(all []difference) error {
	differ := slices.DeleteFunc(slices.Clone(all), func(d difference) bool { return d.same() })
	printed, err := a.document(differ)
	if err != nil {
		return err
	}
	if !printed {
		var b strings.Builder
		for i := range differ {
			d := &differ[i]
			fmt.Fprintf(&b, "%s\n", a.paint(bold, fmt.Sprintf("%s %s for %s, event %s", d.After.Action, d.ItemID, person(d.After.Receiver, d.After.ReceiverOA), d.EventID)))
			b.WriteString(a.differs("now: "+orDash(d.Before.Template), "then: "+orDash(d.After.Template), readable(d.Before), readable(d.After)))
		}
		if _, err := fmt.Fprintf(a.out, "%s%d of %s would go out differently\n", b.String(), len(differ), count(len(all), "delivery", "deliveries")); err != nil {
			return err
		}
	}
	if len(differ) > 0 {
		return &failure{code: exitNone}
	}
	return nil
}
