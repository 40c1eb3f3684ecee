// Command oabridge is the one program of OA Bridge: the operator (manager), the two workloads that it runs for each
// connector (dispatcher, gateway), and commands that work on files (lint, render, test, template).
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/oabridge/oabridge/internal/bundle"
)

// version is set by the linker (-X main.version=v1.2.3).
var version = ""

func main() {
	// The first signal ends the context, a second one the process.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop()
	}()
	if err := newRootCommand().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "oabridge:", err)
		os.Exit(exitCode(err))
	}
}

func newRootCommand() *cobra.Command {
	var level string
	root := &cobra.Command{
		Use:   "oabridge",
		Short: "Connect a CRM to an OA: to-dos out, one-click sign-in back",
		Long: "OA Bridge pushes the to-dos and reminders of a CRM into an OA and lets OA users into the CRM with one click.\n" +
			"The manager runs in Kubernetes; dispatcher and gateway run anywhere, from a bundle directory; lint, render, test and\n" +
			"template work on files.",
		Example: `  oabridge lint deploy/                          # in a pipeline
  oabridge test deploy/
  oabridge render --event event.json deploy/`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          unknownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			log, err := newLogger(level)
			if err != nil {
				return err
			}
			cmd.SetContext(logr.NewContext(cmd.Context(), log))
			return nil
		},
	}
	root.PersistentFlags().StringVar(&level, "log-level", "info", "error, info or debug; logs are JSON lines on stderr")
	root.AddCommand(newManagerCommand(), newDispatcherCommand(), newGatewayCommand(), newLintCommand(), newRenderCommand(), newTestCommand(), newTemplateCommand(), newProbeCommand(), newVersionCommand())
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	for _, c := range root.Commands() {
		if check := c.Args; check != nil {
			c.Args = func(cmd *cobra.Command, args []string) error { return usage(check(cmd, args)) }
		}
	}
	return root
}

// unknownCommand refuses what is no command, and names the one that was meant.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 2 // letters
	next := "see " + cmd.CommandPath() + " --help"
	if meant := cmd.SuggestionsFor(args[0]); len(meant) > 0 {
		next = "did you mean " + strings.Join(meant, " or ") + "?"
	}
	return usage(fmt.Errorf("there is no command %q; %s", args[0], next))
}

// newLogger returns the logger of the process and makes the Kubernetes libraries use it too.
func newLogger(level string) (logr.Logger, error) {
	var least slog.Level
	switch level {
	case "error":
		least = slog.LevelError
	case "info":
		least = slog.LevelInfo
	case "debug":
		// logr's V(4), the most detailed level in use, becomes slog's -4.
		least = slog.LevelDebug
	default:
		return logr.Logger{}, fmt.Errorf("--log-level %q: must be error, info or debug", level)
	}
	log := logr.FromSlogHandler(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: least}))
	ctrl.SetLogger(log)
	klog.SetLogger(log)
	return log, nil
}

// connectorLog names the connector of a workload in every line, as far as its bundle says which one that is. A pod is never
// given to another connector.
func connectorLog(log logr.Logger, dir string) logr.Logger {
	namespace, name, err := bundle.Identify(dir)
	if err != nil {
		return log // the watch of the bundle says what is wrong with it
	}
	return log.WithValues("namespace", namespace, "connector", name)
}

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  oabridge version",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), currentVersion())
			return err
		},
	}
}

// currentVersion is what the linker set, or else what the Go toolchain knows of the build.
func currentVersion() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return info.Main.Version + " " + s.Value
		}
	}
	return info.Main.Version
}
