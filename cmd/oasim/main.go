// Command oasim runs the simulators as a server: every OA and the CRM, for demonstrations and end-to-end tests.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/oabridge/oabridge/internal/oasim/crm"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := newRoot().ExecuteContext(ctx); err != nil {
		os.Exit(1)
	}
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "oasim",
		Short: "Simulators of OA systems and of a CRM",
		Long: "oasim simulates the two ends of OA Bridge: OA systems that take to-dos and prove who signs in, and a CRM that sends\n" +
			"to-do events and takes signed logins. All keep everything in memory, have web pages to look at and a control API\n" +
			"under /_sim. They are for tests and demonstrations: the control API asks for no password.",
		SilenceUsage: true,
	}
	root.AddCommand(newServe(), newConfig(), newScenario())
	return root
}

func newConfig() *cobra.Command {
	return &cobra.Command{
		Use:   "config",
		Short: "Print the built-in configuration, a starting point for --config",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			out, err := yaml.Marshal(defaultConfig())
			if err == nil {
				_, err = cmd.OutOrStdout().Write(out)
			}
			return err
		},
	}
}

func newScenario() *cobra.Command {
	var load crm.Workload
	cmd := &cobra.Command{
		Use:   "scenario",
		Short: "Print a generated workload: the events and what must come of them, as JSON",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := crm.Generate(load)
			if err != nil {
				return err
			}
			out, err := json.MarshalIndent(s, "", "  ")
			if err == nil {
				_, err = fmt.Fprintln(cmd.OutOrStdout(), string(out))
			}
			return err
		},
	}
	f := cmd.Flags()
	f.Uint64Var(&load.Seed, "seed", 1, "the same seed gives the same events")
	f.IntVar(&load.Events, "count", 200, "number of events")
	f.IntVar(&load.ToDos, "todos", 0, "number of to-dos (default one for every five events)")
	f.IntVar(&load.People, "people", 20, "number of people, accounts 1001 and up; the last one has no binding")
	f.IntVar(&load.Receivers, "receivers", 1, "receivers of each to-do")
	f.StringVar(&load.Prefix, "prefix", "T", "prefix of the ids; another prefix makes other to-dos")
	f.StringVar(&load.EnterpriseID, "enterprise-id", "714439", "enterprise id in every event")
	f.StringVar(&load.DataCenterID, "data-center-id", "", "data center id in every event")
	return cmd
}
