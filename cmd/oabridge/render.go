package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/oabridge/oabridge/internal/crm"
	"github.com/oabridge/oabridge/internal/offline"
)

// newRenderCommand prints requests.
func newRenderCommand() *cobra.Command {
	var (
		o     fileOptions
		event string
	)
	cmd := &cobra.Command{
		Use:   "render PATH…",
		Short: "Print the requests that an event, or the tests of the templates, would make",
		Long: `Print the requests that would go to the OA. With --event they are those that the connectors in the files make of a
CloudEvent (docs/reference/events.md), one for each receiver; without it, those of the templates' tests. The OA's own
authentication is left out, and values from Secrets are not shown.

PATH is a file, a directory (its .yaml, .yml and .json files) or - for the standard input.
The exit code is 0 when all is well, 1 when the files have findings, 2 when the command was used wrongly.`,
		Example: `  oabridge render --event event.json deploy/
  oabridge render --presets`,
		RunE: func(cmd *cobra.Command, args []string) error {
			set, findings, err := o.load(cmd, args)
			if err != nil {
				return err
			}
			var rendered []offline.Rendered
			if event == "" {
				runs, found := set.RunTests()
				findings = append(findings, found...)
				for _, run := range runs {
					rendered = append(rendered, run.Rendered)
				}
			} else {
				events, err := readEvents(cmd, event)
				if err != nil {
					return usage(err)
				}
				found := set.Check()
				findings = append(findings, found...)
				for _, c := range set.Connectors {
					for _, e := range events {
						more, _ := set.Render(c, e) // what is wrong is in the findings
						rendered = append(rendered, more...)
					}
				}
			}
			if err := writeRendered(cmd.OutOrStdout(), o.output, rendered); err != nil {
				return usage(err)
			}
			return finish(cmd.ErrOrStderr(), "text", findings)
		},
	}
	o.addFlags(cmd, []string{"text", "json"})
	cmd.Flags().StringVar(&event, "event", "", "file with a CloudEvent in JSON or a list of them; - for the standard input")
	return cmd
}

func readEvents(cmd *cobra.Command, file string) ([]crm.Event, error) {
	events, err := offline.ReadEvents(file, cmd.InOrStdin())
	if err != nil {
		return nil, fmt.Errorf("--event: %w", err)
	}
	return events, nil
}

func writeRendered(out io.Writer, format string, rendered []offline.Rendered) error {
	if format == "json" {
		if rendered == nil {
			rendered = []offline.Rendered{}
		}
		return writeJSON(out, rendered)
	}
	for i, r := range rendered {
		text := r.Text()
		if i > 0 {
			text = "\n" + text
		}
		if _, err := io.WriteString(out, text); err != nil {
			return err
		}
	}
	return nil
}

func writeRuns(out io.Writer, runs []offline.TestRun) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	passed := 0
	fmt.Fprintln(w, "TEMPLATE\tTEST\tRESULT") //nolint:errcheck // Flush reports it
	for _, r := range runs {
		result := "passed"
		if r.Finding != nil {
			result = "FAILED"
		} else {
			passed++
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", r.Template, r.Test, result) //nolint:errcheck // Flush reports it
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "%d of %d tests passed\n", passed, len(runs))
	return err
}
