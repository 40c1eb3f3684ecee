package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/bundle"
)

func (a *app) newBindingsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bindings",
		Short: "Who is who: import and export pairs of accounts, find those that are not used, rename a company in them",
		Example: `  kubectl oab bindings import newcomers -f staff.csv --dry-run
  kubectl oab bindings conflicts hq`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.newImportCommand(), a.newExportCommand(), a.newConflictsCommand(), a.newRebindCommand())
	return cmd
}

func (a *app) newExportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export [CONNECTOR]",
		Short: "Print the pairs that a connector uses, as CSV",
		Long: `Print the pairs that a connector uses, those of all its AccountBindings together, as a CSV file that import takes again.
What is not in use because an earlier pair excludes it is left out; conflicts lists it.`,
		Example:           "  kubectl oab bindings export hq > accounts.csv",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeConnectors(0),
		RunE:              func(cmd *cobra.Command, args []string) error { return a.exportBindings(cmd.Context(), first(args)) },
	}
	a.bindFormat(cmd)
	return cmd
}

func (a *app) exportBindings(ctx context.Context, connector string) error {
	x, err := a.connect()
	if err != nil {
		return err
	}
	c, err := x.connector(ctx, connector)
	if err != nil {
		return err
	}
	sets, _, err := x.accountSets(ctx, c)
	if err != nil {
		return err
	}
	pairs, _ := bundle.Merge(sets)
	if len(pairs) == 0 {
		return none("connector %q has no pairs: no AccountBinding that its spec.accounts.selector picks has any", c.Name)
	}
	if printed, err := a.document(pairs); printed {
		return err
	}
	file, err := bundle.AppendCSV(nil, pairs)
	if err != nil {
		return err
	}
	_, err = a.out.Write(file)
	return err
}

func (a *app) newConflictsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "conflicts [CONNECTOR]",
		Short: "List the pairs that are not used, and people who are not matched, and why",
		Long: `List the pairs of a connector that are not used: those that an earlier pair excludes, because it has one of their accounts,
and lines of CSV files that cannot be read; and the people whom an AccountBinding with spec.match cannot tell for certain. All of
them, where the status of an AccountBinding names the first 20.`,
		Example: `  kubectl oab bindings conflicts hq
  kubectl oab bindings conflicts hq -o json | jq -r '.[].cause' | sort | uniq -c`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeConnectors(0),
		RunE:              func(cmd *cobra.Command, args []string) error { return a.conflicts(cmd.Context(), first(args)) },
	}
	a.bindFormat(cmd)
	return cmd
}

// unused is a pair or a line that is not used.
type unused struct {
	// Binding is the AccountBinding, Line that of its CSV file for a line that cannot be read.
	Binding string `json:"binding"`
	Line    int    `json:"line,omitempty"`
	CRM     string `json:"crm,omitempty"`
	OA      string `json:"oa,omitempty"`
	Cause   string `json:"cause"`
}

func (a *app) conflicts(ctx context.Context, connector string) error {
	x, err := a.connect()
	if err != nil {
		return err
	}
	c, err := x.connector(ctx, connector)
	if err != nil {
		return err
	}
	sets, found, err := x.accountSets(ctx, c)
	if err != nil {
		return err
	}
	_, conflicts := bundle.Merge(sets)
	for _, k := range conflicts {
		found = append(found, unused{Binding: k.Set, CRM: k.Pair.CRM, OA: k.Pair.OA, Cause: claimed(k.Pair, k.Stays, k.StaysSet)})
	}
	unmatched, err := x.unmatched(ctx, c, sets)
	if err != nil {
		return err
	}
	if found = append(found, unmatched...); len(found) == 0 {
		return none("connector %q has no conflicts: all its pairs are used", c.Name)
	}
	if printed, err := a.document(found); printed {
		return err
	}
	rows := [][]cell{plain("BINDING", "LINE", "CRM", "OA", "CAUSE")}
	for _, u := range found {
		line := "-"
		if u.Line > 0 {
			line = strconv.Itoa(u.Line)
		}
		rows = append(rows, plain(u.Binding, line, orDash(u.CRM), orDash(u.OA), u.Cause))
	}
	return a.table(rows)
}

// claimed says why a pair is not used.
func claimed(p, stays v1alpha1.AccountPair, by string) string {
	account := "OA account " + p.OA
	if p.CRM == stays.CRM {
		account = "CRM account " + p.CRM
	}
	return fmt.Sprintf("%s is taken: %s ↔ %s of %s stays; to change it, remove that pair first", account, stays.CRM, stays.OA, by)
}
