package main

import (
	"cmp"
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/oabridge/oabridge/internal/dispatch/lookup"
	"github.com/oabridge/oabridge/internal/dispatch/record"
)

func (a *app) newDeadCommand() *cobra.Command {
	var f filter
	cmd := &cobra.Command{
		Use:   "dead [CONNECTOR]",
		Short: "List the dead letters: what was given up and not sent once more since",
		Example: `  kubectl oab dead hq --since 24h
  kubectl oab dead hq --class BusinessCode -o wide`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeConnectors(0),
		RunE:              func(cmd *cobra.Command, args []string) error { return a.dead(cmd.Context(), first(args), &f) },
	}
	f.bind(cmd)
	a.bindFormat(cmd)
	return cmd
}

func (a *app) dead(ctx context.Context, connector string, f *filter) error {
	c, pages, err := ask(ctx, a, connector, func(ctx context.Context, c *lookup.Client) (p page[lookup.Letter], err error) {
		p.lines, p.more, err = c.Dead(ctx, f.values())
		return p, err
	})
	if pages == nil {
		return err
	}
	found, more := merge(pages, f.limit, func(l *lookup.Letter) (int, *record.Record) { return l.Partition, &l.Record })
	if len(found) == 0 && err == nil {
		return none("connector %q has no such dead letters", c.Name)
	}
	if printed, failed := a.document(found); printed {
		return cmp.Or(failed, err)
	}
	rows := [][]cell{a.header("DIED", "AGE", "ACCEPTED", "ITEM", "ACTION", "RECEIVER", "REASON", "ATTEMPTS", "MESSAGE")}
	for i := range found {
		r := &found[i].Record
		row := plain(a.clock(r.At), a.age(r.At), a.clock(r.AcceptedAt), orDash(r.ItemID), orDash(string(r.Action)), person(r.Receiver, r.ReceiverOA), orDash(r.Reason), strconv.Itoa(r.Attempt))
		rows = append(rows, append(append(row, a.wide(r)...), cell{text: oneLine(r.Message)}))
	}
	if failed := a.table(rows); failed != nil {
		return failed
	}
	if more {
		a.older(found[0].Record.At)
	}
	return err
}
