package main

import (
	"github.com/spf13/cobra"

	"github.com/oabridge/oabridge/internal/sample/fromsample"
)

func newTemplateCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "template", Short: "Help to write templates",
		Example: "  oabridge template from-sample --type Weaver sample.json > todo.yaml"}
	cmd.AddCommand(fromsample.NewCommand("oabridge", usage))
	return cmd
}
