// Command kubectl-oab is the kubectl plugin of OA Bridge (kubectl oab …): what became of a to-do, what was given up, how a
// connector does, what a code means, and what a change would do.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"golang.org/x/term"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/oabridge/oabridge/internal/sample/fromsample"
)

// The exit codes.
const (
	exitNone  = 1 // nothing was found
	exitUsage = 2 // the command line is wrong
	exitOther = 3 // the question could not be answered, or not completely
)

// failure is an exit code, with what is to be said about it, if anything.
type failure struct {
	code int
	err  error
}

func (f *failure) Error() string {
	if f.err == nil {
		return ""
	}
	return f.err.Error()
}

func (f *failure) Unwrap() error { return f.err }

func none(format string, args ...any) error {
	return &failure{code: exitNone, err: fmt.Errorf(format, args...)}
}

func usage(format string, args ...any) error {
	return &failure{code: exitUsage, err: fmt.Errorf(format, args...)}
}

func main() {
	log := logr.Discard() // the libraries have nothing to say to a person at a prompt
	ctrl.SetLogger(log)
	klog.SetLogger(log)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop()
	}()
	a := newApp(os.Stdout, os.Stderr)
	os.Exit(a.run(ctx, os.Args[1:]))
}

// app is what the commands share.
type app struct {
	out, errors io.Writer
	now         func() time.Time
	zone        *time.Location
	// colour and live are for terminals: words in colour, progress in one line.
	colour, live bool
	format       string

	rules     *clientcmd.ClientConfigLoadingRules
	overrides clientcmd.ConfigOverrides
	// connect reaches the cluster.
	connect func() (*access, error)
}

func newApp(out, errors *os.File) *app {
	a := &app{
		out: out, errors: errors, now: time.Now, zone: time.Local,
		colour: isTerminal(out) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb", live: isTerminal(errors),
		rules: clientcmd.NewDefaultClientConfigLoadingRules(),
	}
	a.connect = a.connectCluster
	return a
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// run executes a command line and returns the exit code.
func (a *app) run(ctx context.Context, args []string) int {
	root := a.newRootCommand()
	root.SetArgs(codesLast(args))
	root.SetOut(a.out)
	root.SetErr(a.errors)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	f := new(failure)
	if !errors.As(err, &f) {
		a.say("%v", err)
		return exitOther
	}
	if f.err != nil {
		a.say("%v", err)
	}
	return f.code
}

// say tells a person something that is not part of the answer.
func (a *app) say(format string, args ...any) { _, _ = fmt.Fprintf(a.errors, format+"\n", args...) }

func (a *app) newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "kubectl-oab",
		Short: "Ask OA Bridge what became of to-dos, and send dead letters once more",
		Long: `Ask OA Bridge what became of to-dos, and send dead letters once more.

The connector is the only one in the namespace, or the one that is named. Answers come from its dispatchers, through a
port-forward to each of them: whoever may forward ports to pods in the namespace may ask.

Exit codes: 0 found or done, 1 nothing found, 2 wrong command line, 3 the question could not be answered (completely).`,
		Example: `  kubectl oab status hq                             # one screen: the OA, the queue, the last hour, what is wrong
  kubectl oab trace T-0001                          # what became of a to-do
  kubectl oab dead && kubectl oab replay --all      # what was given up, and send it once more
  kubectl oab explain SSO-1003                      # what a code means, and what to do`,
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl oab"},
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          wrongArgs(cobra.NoArgs),
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage("%w; see %s --help", err, cmd.CommandPath())
	})
	flags := root.PersistentFlags()
	flags.StringVar(&a.rules.ExplicitPath, "kubeconfig", "", "path of the kubeconfig file to use")
	clientcmd.BindOverrideFlags(&a.overrides, flags, clientcmd.RecommendedConfigOverrideFlags(""))
	root.SetUsageTemplate(usageTemplate(root.UsageTemplate()))
	root.AddCommand(a.newOptionsCommand(), a.newVersionCommand(), a.newStatusCommand(), a.newRecordsCommand(), a.newTraceCommand(), a.newSignInsCommand(), a.newDeadCommand(), a.newLeftoversCommand(), a.newReplayCommand(), a.newSendTestCommand(), a.newDiffCommand(), a.newCaptureCommand(),
		a.newBindingsCommand(), a.newExplainCommand(), a.newPlaceholdersCommand(), a.newPresetCommand(), newTemplateCommand())
	argsAreUsage(root)
	return root
}

// newTemplateCommand is that of oabridge.
func newTemplateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "template", Short: "Help to write templates", Args: cobra.NoArgs,
		Example: "  kubectl oab template from-sample --type Weaver sample.json > todo.yaml",
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(fromsample.NewCommand("kubectl oab", func(err error) error {
		if err == nil {
			return nil
		}
		return usage("%w", err)
	}))
	return cmd
}

// argsAreUsage makes what cobra says about arguments a matter of usage, in all commands.
func argsAreUsage(cmd *cobra.Command) {
	for _, c := range cmd.Commands() {
		c.Args = wrongArgs(c.Args)
		argsAreUsage(c)
	}
}

// suggestionDistance is by how many letters a command may be misspelt to be understood.
const suggestionDistance = 2

// wrongArgs makes what cobra says about arguments a matter of usage, and names the command that was meant.
func wrongArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			cmd.SuggestionsMinimumDistance = suggestionDistance
			if cmd.HasSubCommands() && len(args) > 0 {
				if meant := cmd.SuggestionsFor(args[0]); len(meant) > 0 {
					return usage("%w; did you mean %s?", err, strings.Join(meant, " or "))
				}
			}
			return usage("%w; see %s --help", err, cmd.CommandPath())
		}
		return nil
	}
}
