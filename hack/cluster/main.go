// Command cluster brings up a real Kubernetes cluster, built from source, on this Debian machine, and takes it down
// again without a trace.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// exit ends the program with a code and without a message: all was said.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit %d", int(e)) }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	err := root().ExecuteContext(ctx)
	var code exit
	switch {
	case err == nil:
	case errors.As(err, &code):
		os.Exit(int(code))
	default:
		fmt.Fprintln(os.Stderr, "cluster: "+err.Error())
		os.Exit(1)
	}
}

// settings are the flags that several commands share.
type settings struct{ source, state string }

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "cluster",
		Short:         "A real Kubernetes cluster from source on this machine",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	s := &settings{}
	cmd.PersistentFlags().StringVar(&s.source, "source", "", "the checkout's hack/cluster (found by itself inside the checkout)")
	cmd.PersistentFlags().StringVar(&s.state, "state", "", "state directory (default ${XDG_STATE_HOME:-~/.local/state}/oabridge/cluster)")
	cmd.AddCommand(buildCommand(s), upCommand(s), loadCommand(s), imageCommand(), statusCommand(s), downCommand(s))
	return cmd
}
