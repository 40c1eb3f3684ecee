package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oabridge/oabridge/internal/dispatch/lookup"
	"github.com/oabridge/oabridge/internal/dispatch/record"
)

func (a *app) newTraceCommand() *cobra.Command {
	var f filter
	cmd := &cobra.Command{
		Use:   "trace [ITEM] [CONNECTOR]",
		Short: "Tell the whole story of one to-do: when it came, each attempt, what the OA said, what it waits for",
		Long: `Tell the whole story of one to-do or reminder, by the id that the CRM gave it, by its event or by its trace id.

For each event and receiver: when it was accepted, each attempt with its template revision and the OA's answer, and what it
waits for now. -o wide shows the requests too; passwords and tokens are masked in both.`,
		Example: `  kubectl oab trace T-0001
  kubectl oab trace T-0001 hq --receiver zhangsan -o wide
  kubectl oab trace --trace 4bf92f3577b34da6a3ce929d0e0e4736`,
		Args:              cobra.MaximumNArgs(2),
		ValidArgsFunction: a.completeConnectors(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				f.items = args[:1]
				args = args[1:]
			} else if len(f.events)+len(f.traces) == 0 {
				return usage("which to-do? Give the id that the CRM gave it, or --event or --trace")
			}
			return a.trace(cmd.Context(), first(args), &f)
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.receivers, "receiver", nil, "account of the person, in the CRM or in the OA")
	flags.StringSliceVar(&f.kinds, "kind", nil, "Todo, Reminder, Subscription or Alert")
	flags.StringSliceVar(&f.events, "event", nil, "id of the event")
	flags.StringSliceVar(&f.traces, "trace", nil, "W3C trace id of the event, 32 hex digits")
	flags.StringVar(&f.since, "since", "", "from this time on: how long ago, such as 90m, or a time such as 2026-11-22T09:30:00+08:00")
	flags.StringVar(&f.until, "until", "", "before this time, in the same forms")
	completeWords(cmd, "kind", wordsKind)
	a.bindFormat(cmd)
	return cmd
}

func (a *app) trace(ctx context.Context, connector string, f *filter) error {
	c, pages, err := ask(ctx, a, connector, func(ctx context.Context, c *lookup.Client) (p page[lookup.Delivery], err error) {
		var missing string
		if p.lines, missing, err = c.Trace(ctx, f.values()); missing != "" {
			a.say("%s", missing)
		}
		return p, err
	})
	if pages == nil {
		return err
	}
	var found []lookup.Delivery
	for _, p := range pages {
		found = append(found, p.lines...)
	}
	slices.SortStableFunc(found, func(a, b lookup.Delivery) int {
		return cmp.Or(a.AcceptedAt.Compare(b.AcceptedAt), cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Seq, b.Seq))
	})
	if len(found) == 0 && err == nil {
		what := strings.Join(slices.Concat(f.items, f.events, f.traces), ", ")
		return none("connector %q knows nothing of %s: the CRM has not sent it, or it is longer ago than records are kept", c.Name, what)
	}
	if printed, failed := a.document(found); printed {
		return cmp.Or(failed, err)
	}
	var b strings.Builder
	for i := range found {
		if i > 0 {
			b.WriteByte('\n')
		}
		a.tell(&b, &found[i], found)
	}
	if _, failed := fmt.Fprint(a.out, b.String()); failed != nil {
		return failed
	}
	return err
}

// tell one delivery of all.
func (a *app) tell(b *strings.Builder, d *lookup.Delivery, all []lookup.Delivery) {
	line := func(indent, title, format string, args ...any) {
		fmt.Fprintf(b, "%s%-10s %s\n", indent, title, fmt.Sprintf(format, args...))
	}
	fmt.Fprintf(b, "%s: %s for %s: %s\n", a.paint(bold, d.Kind+" "+d.ItemID), d.Action, person(d.Receiver, d.ReceiverOA), a.paint(colourOf(d.State), d.State))
	if d.Scenario != "" {
		line("  ", "scenario", "%s", d.Scenario)
	}
	line("  ", "accepted", "%s, %s ago", a.clock(d.AcceptedAt), a.age(d.AcceptedAt))
	event := d.EventID
	if d.Version != 0 {
		event += fmt.Sprintf(", version %d", d.Version)
	}
	if !d.EventTime.IsZero() {
		event += ", of " + a.clock(d.EventTime)
	}
	line("  ", "event", "%s", event)
	if d.TraceID != "" {
		line("  ", "trace", "%s", d.TraceID)
	}
	if d.Replay != "" {
		line("  ", "replay", "%s sent a dead letter once more", d.Replay)
	}
	for i := range d.Steps {
		a.tellStep(b, &d.Steps[i], line)
	}
	if d.Note != "" {
		line("  ", "now", "%s", d.Note)
	}
	if !d.Digest.IsZero() {
		line("  ", "digest", "people are told of it in the digest of %s", a.clock(d.Digest))
	}
	if d.State == string(record.Dead) {
		line("  ", "now", "%s", after(d, all))
	}
}

// after says what came after a delivery was given up.
func after(d *lookup.Delivery, all []lookup.Delivery) string {
	for i := len(all) - 1; i >= 0; i-- {
		if later := &all[i]; later.Partition == d.Partition && later.ReplayOf == d.Seq && later.ReplayOf != 0 {
			return fmt.Sprintf("replay %s sent it once more: %s", later.Replay, later.State)
		}
	}
	return "it is a dead letter: kubectl oab replay sends it once more"
}

func (a *app) tellStep(b *strings.Builder, r *record.Record, line func(indent, title, format string, args ...any)) {
	words := []string{a.clock(r.At)}
	if r.Method != "" || r.Class != "" {
		words = append(words, fmt.Sprintf("attempt %d", r.Attempt))
	}
	words = append(words, a.paint(colourOf(string(r.Outcome)), string(r.Outcome)))
	if r.Reason != "" {
		words = append(words, r.Reason)
	}
	if r.Status != 0 {
		words = append(words, fmt.Sprintf("HTTP %d", r.Status))
	}
	if r.ReadBacks > 0 {
		words = append(words, fmt.Sprintf("asked back %d times", r.ReadBacks))
	}
	if r.LatencyMS != 0 {
		words = append(words, milliseconds(r.LatencyMS))
	}
	fmt.Fprintf(b, "  - %s\n", strings.Join(words, "  "))
	if t := template(r); t != "" {
		line("    ", "template", "%s", t)
	}
	if r.Message != "" {
		line("    ", "message", "%s", oneLine(r.Message))
	}
	if r.Method != "" && a.format == formatWide {
		line("    ", "request", "%s %s", r.Method, r.URL)
		body(b, r.Request)
	}
	if r.Answer != "" {
		line("    ", "answer", "%s", indented(r.Answer))
	}
	if !r.RetryAt.IsZero() {
		line("    ", "next", "not before %s", a.clock(r.RetryAt))
	}
}

// body under its title, whole.
func body(b *strings.Builder, text string) {
	if text != "" {
		fmt.Fprintf(b, "%15s%s\n", "", indented(text))
	}
}

// indented keeps the lines of a text under each other.
func indented(s string) string {
	return strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n"+strings.Repeat(" ", 15))
}
