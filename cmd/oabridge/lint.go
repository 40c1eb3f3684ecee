package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// newLintCommand checks files as the API server and the operator would.
func newLintCommand() *cobra.Command {
	var o fileOptions
	cmd := &cobra.Command{
		Use:   "lint PATH…",
		Short: "Check the files of connectors, templates and bindings without a cluster",
		Long: `Check files as the API server and the operator would: the schema with its rules, every template with its tests, and
every connector with the templates and account bindings that it selects. Templates that are not in the files are looked
for among the presets. Secrets are not looked at. Other kinds are ignored.

PATH is a file, a directory (its .yaml, .yml and .json files) or - for the standard input.
The exit code is 0 when all is well or there are warnings only (such as an OA that is called without TLS), 1 when there are
findings, 2 when the command was used wrongly.`,
		Example: `  oabridge lint deploy/
  kustomize build deploy | oabridge lint -
  oabridge lint -o github deploy/   # annotations in a pull request`,
		RunE: func(cmd *cobra.Command, args []string) error {
			set, findings, err := o.load(cmd, args)
			if err != nil {
				return err
			}
			findings = append(findings, set.Check()...)
			if err := finish(cmd.OutOrStdout(), o.output, findings); err != nil || o.output != "text" {
				return err
			}
			words := "no findings"
			if n := len(findings); n == 1 {
				words = "1 warning"
			} else if n > 1 {
				words = fmt.Sprintf("%d warnings", n)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d connectors, %d templates, %d account bindings: %s\n",
				len(set.Connectors), len(set.Templates), len(set.Bindings), words)
			return usage(err)
		},
	}
	o.addFlags(cmd, findingFormats)
	return cmd
}

// newTestCommand runs the tests of templates.
func newTestCommand() *cobra.Command {
	var o fileOptions
	cmd := &cobra.Command{
		Use:   "test PATH…",
		Short: "Run the tests of templates",
		Long: `Run the tests of the ScenarioTemplates in files and print a table.

PATH is a file, a directory (its .yaml, .yml and .json files) or - for the standard input.
The exit code is 0 when all tests passed, 1 when not, 2 when the command was used wrongly.`,
		Example: `  oabridge test deploy/
  oabridge test --presets`,
		RunE: func(cmd *cobra.Command, args []string) error {
			set, findings, err := o.load(cmd, args)
			if err != nil {
				return err
			}
			runs, found := set.RunTests()
			if o.output == "text" {
				if err := writeRuns(cmd.OutOrStdout(), runs); err != nil {
					return usage(err)
				}
			}
			return finish(cmd.OutOrStdout(), o.output, append(findings, found...))
		},
	}
	o.addFlags(cmd, findingFormats)
	return cmd
}
