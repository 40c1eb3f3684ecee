package main

import (
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// version is set by the linker (-X main.version=v1.2.3).
var version = ""

// usageTemplate is cobra's without the flags of kubectl below each command: they are the same for all, and longer than the rest.
func usageTemplate(all string) string {
	const inherited = "{{if .HasAvailableInheritedFlags}}\n\nGlobal Flags:\n{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}"
	all = strings.Replace(all, inherited, `

Use "kubectl oab options" for the flags of kubectl that every command takes (-n, --context, --as …).`, 1)
	return strings.Replace(all, ".LocalFlags.FlagUsages", ".LocalNonPersistentFlags.FlagUsages", 1)
}

func (a *app) newOptionsCommand() *cobra.Command {
	return &cobra.Command{
		Use: "options", Short: "List the flags of kubectl that every command takes", Args: cobra.NoArgs,
		Example: "  kubectl oab options",
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprint(a.out, cmd.InheritedFlags().FlagUsages())
			return err
		},
	}
}

func (a *app) newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version of this plugin", Args: cobra.NoArgs,
		Example: "  kubectl oab version",
		RunE: func(*cobra.Command, []string) error {
			v := version
			if info, ok := debug.ReadBuildInfo(); v == "" && ok {
				v = info.Main.Version
			}
			_, err := fmt.Fprintln(a.out, v)
			return err
		},
	}
}
