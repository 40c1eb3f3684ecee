package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/oabridge/oabridge/internal/dispatch/index"
	"github.com/oabridge/oabridge/internal/dispatch/lookup"
	"github.com/oabridge/oabridge/internal/dispatch/record"
)

func (a *app) newRecordsCommand() *cobra.Command {
	var f filter
	cmd := &cobra.Command{
		Use:   "records [CONNECTOR]",
		Short: "List what became of to-dos and reminders, one line for each attempt or decision",
		Example: `  # the last attempts that the OA refused, with what it said
  kubectl oab records hq --class BusinessCode --since 1h

  # who is not bound
  kubectl oab records --outcome Held --since 24h -o json | jq -r '.[].receiver' | sort -u`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeConnectors(0),
		RunE:              func(cmd *cobra.Command, args []string) error { return a.records(cmd.Context(), first(args), &f) },
	}
	f.bind(cmd)
	cmd.Flags().StringSliceVar(&f.outcomes, "outcome", nil, "Delivered, Retrying, Held, Dead or Skipped")
	completeWords(cmd, "outcome", wordsOutcome)
	a.bindFormat(cmd)
	return cmd
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

// page of the answer of one dispatcher.
type page[T any] struct {
	lines []T
	more  bool
}

// merge joins the pages of several dispatchers: the newest lines, in order.
func merge[T any](pages []page[T], limit int, record func(*T) (partition int, r *record.Record)) (all []T, more bool) {
	for _, p := range pages {
		all, more = append(all, p.lines...), more || p.more
	}
	slices.SortStableFunc(all, func(x, y T) int {
		p, a := record(&x)
		q, b := record(&y)
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(p, q), cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Attempt, b.Attempt))
	})
	if limit > 0 && len(all) > limit {
		all, more = all[len(all)-limit:], true
	}
	return all, more
}

func (a *app) records(ctx context.Context, connector string, f *filter) error {
	c, pages, err := ask(ctx, a, connector, func(ctx context.Context, c *lookup.Client) (p page[lookup.Record], err error) {
		p.lines, p.more, err = c.Records(ctx, f.values())
		return p, err
	})
	if pages == nil {
		return err
	}
	found, more := merge(pages, f.limit, func(r *lookup.Record) (int, *record.Record) { return r.Partition, &r.Record })
	if len(found) == 0 && err == nil {
		return none("connector %q has no such records", c.Name)
	}
	if printed, failed := a.document(found); printed {
		return cmp.Or(failed, err)
	}
	rows := [][]cell{a.header("TIME", "AGE", "ITEM", "ACTION", "RECEIVER", "OUTCOME", "REASON", "ATTEMPT", "MESSAGE")}
	for i := range found {
		rows = append(rows, a.row(&found[i].Record))
	}
	if failed := a.table(rows); failed != nil {
		return failed
	}
	if more {
		a.older(found[0].At)
	}
	return err
}

// header of a table; the wide one has more columns before the message.
func (a *app) header(titles ...string) []cell {
	out := plain(titles...)
	if a.format == formatWide {
		last := len(out) - 1
		out = append(append(out[:last:last], plain("CLASS", "HTTP", "LATENCY", "TEMPLATE", "EVENT", "TRACE")...), out[last])
	}
	return out
}

func (a *app) row(r *record.Record) []cell {
	row := plain(a.clock(r.At), a.age(r.At), orDash(r.ItemID), orDash(string(r.Action)), person(r.Receiver, r.ReceiverOA), string(r.Outcome), orDash(r.Reason), strconv.Itoa(r.Attempt))
	row[5].paint = colourOf(row[5].text)
	return append(append(row, a.wide(r)...), cell{text: oneLine(r.Message)})
}

func (a *app) wide(r *record.Record) []cell {
	if a.format != formatWide {
		return nil
	}
	status := "-"
	if r.Status != 0 {
		status = strconv.Itoa(r.Status)
	}
	return plain(orDash(r.Class), status, milliseconds(r.LatencyMS), orDash(template(r)), orDash(r.EventID), orDash(index.TraceID(r.TraceParent)))
}

func template(r *record.Record) string {
	if r.Template == "" {
		return ""
	}
	return r.Template + "@" + r.Revision
}

// person by both accounts.
func person(crm, oa string) string {
	if oa == "" || oa == crm {
		return orDash(crm)
	}
	return fmt.Sprintf("%s (%s)", crm, oa)
}
