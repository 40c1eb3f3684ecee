package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// replayOptions of a command line.
type replayOptions struct {
	filter
	all       bool
	template  string
	perSecond int32
	dryRun    bool
	wait      bool
	timeout   time.Duration
	// fromLeftovers is the name of a deleted connector.
	fromLeftovers string
	// steer names of replays that are there already.
	cancel, suspend, resume string
}

func (a *app) newReplayCommand() *cobra.Command {
	o := replayOptions{}
	cmd := &cobra.Command{
		Use:   "replay [CONNECTOR]",
		Short: "Send dead letters once more, by a Replay object",
		Long: `Send dead letters once more: creates a Replay, which the operator and the dispatcher carry out in order, once.

An item of which a newer state was delivered meanwhile is skipped. --dry-run sends nothing and shows what would be sent;
it waits for the answer and removes its Replay again.`,
		Example: `  # what would go out with the template as it is now?
  kubectl oab replay hq --class BusinessCode --dry-run

  # send it, and wait until all of it has ended
  kubectl oab replay hq --class BusinessCode --wait

  # send what a deleted connector left to the one that took its place
  kubectl oab replay hq --from-leftovers old-hq

  kubectl oab replay --cancel hq-x7k2p`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeConnectors(0),
		RunE:              func(cmd *cobra.Command, args []string) error { return a.replay(cmd.Context(), first(args), &o) },
	}
	o.bindSelection(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&o.all, "all", false, "all dead letters of the connector")
	flags.StringVar(&o.template, "template", "current", "current, or original for the revision with which each item failed")
	flags.Int32Var(&o.perSecond, "per-second", 0, "pace of the replay; 0 leaves it to the connector")
	flags.BoolVar(&o.dryRun, "dry-run", false, "send nothing; show what would be sent")
	flags.BoolVar(&o.wait, "wait", false, "wait until all of it has ended, and show how far it is")
	flags.DurationVar(&o.timeout, "timeout", 10*time.Minute, "how long --wait and --dry-run wait")
	flags.StringVar(&o.fromLeftovers, "from-leftovers", "", "send what the deleted connector of this name did not deliver, from its Secrets; see kubectl oab leftovers")
	flags.StringVar(&o.cancel, "cancel", "", "stop the replay of this name where it is; what is queued goes out")
	flags.StringVar(&o.suspend, "suspend", "", "pause the replay of this name")
	flags.StringVar(&o.resume, "resume", "", "let the replay of this name go on")
	completeWords(cmd, "template", []string{"current", "original"})
	for _, name := range []string{"cancel", "suspend", "resume"} {
		if err := cmd.RegisterFlagCompletionFunc(name, func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return a.complete(cmd, &v1alpha1.ReplayList{})
		}); err != nil {
			panic("kubectl-oab: " + err.Error())
		}
	}
	a.bindFormat(cmd)
	return cmd
}

// steering returns the replay that is to be steered and its new state, if any.
func (o *replayOptions) steering() (name string, state v1alpha1.ReplayState, err error) {
	n := 0
	for _, s := range []struct {
		name  string
		state v1alpha1.ReplayState
	}{{o.cancel, v1alpha1.ReplayCancelled}, {o.suspend, v1alpha1.ReplaySuspended}, {o.resume, v1alpha1.ReplayRunning}} {
		if s.name != "" {
			name, state = s.name, s.state
			n++
		}
	}
	if n > 1 {
		return "", "", usage("give one of --cancel, --suspend and --resume")
	}
	return name, state, nil
}

func (a *app) replay(ctx context.Context, connector string, o *replayOptions) error {
	name, state, err := o.steering()
	if err != nil {
		return err
	}
	if o.fromLeftovers != "" {
		return a.replayLeftovers(ctx, o.fromLeftovers, connector, o.dryRun)
	}
	x, err := a.connect()
	if err != nil {
		return err
	}
	if name != "" {
		return a.steer(ctx, x, name, state, o)
	}
	spec, err := o.spec(a.now())
	if err != nil {
		return err
	}
	c, err := x.connector(ctx, connector)
	if err != nil {
		return err
	}
	spec.ConnectorRef.Name = c.Name
	r := &v1alpha1.Replay{ObjectMeta: metav1.ObjectMeta{Namespace: c.Namespace, GenerateName: c.Name + "-"}, Spec: spec}
	if err := x.Create(ctx, r); err != nil {
		if apierrors.IsInvalid(err) {
			return usage("%w", err)
		}
		return err
	}
	if o.dryRun {
		return a.dryRun(ctx, x, r, o)
	}
	if !o.wait {
		return a.created(r)
	}
	a.say("replay.oabridge.dev/%s created", r.Name)
	return a.await(ctx, x, r, o)
}

func (a *app) created(r *v1alpha1.Replay) error {
	if printed, err := a.document(r); printed {
		return err
	}
	_, err := fmt.Fprintf(a.out, "replay.oabridge.dev/%s created\n", r.Name)
	return err
}

// spec of the Replay that the flags ask for.
func (o *replayOptions) spec(now time.Time) (s v1alpha1.ReplaySpec, err error) {
	f := v1alpha1.ReplayFilter{Reasons: o.reasons, Classes: o.classes, Items: o.items, Receivers: o.receivers}
	for _, k := range o.kinds {
		f.Kinds = append(f.Kinds, v1alpha1.ItemKind(k))
	}
	for _, t := range []struct {
		flag, value string
		to          *metav1.Time
	}{{"--since", o.since, &f.Since}, {"--until", o.until, &f.Until}} {
		if t.value == "" {
			continue
		}
		at, err := parseTime(t.value, now)
		if err != nil {
			return s, usage("%s: %w", t.flag, err)
		}
		*t.to = metav1.NewTime(at)
	}
	chosen := len(f.Reasons)+len(f.Classes)+len(f.Items)+len(f.Receivers)+len(f.Kinds) > 0 || !f.Since.IsZero() || !f.Until.IsZero()
	switch {
	case chosen && o.all:
		return s, usage("--all is for all dead letters: leave it out, or the other flags that select")
	case !chosen && !o.all:
		return s, usage("which dead letters? Select some with --class, --reason, --item, --receiver, --kind, --since or --until, or take --all")
	}
	s = v1alpha1.ReplaySpec{Filter: f, Mode: v1alpha1.ReplaySend, State: v1alpha1.ReplayRunning, PerSecond: o.perSecond}
	if o.dryRun {
		s.Mode = v1alpha1.ReplayDryRun
	}
	switch strings.ToLower(o.template) {
	case "current":
		s.Template = v1alpha1.ReplayCurrent
	case "original":
		s.Template = v1alpha1.ReplayOriginal
	default:
		return s, usage("--template: %q is neither current nor original", o.template)
	}
	return s, nil
}

// parseTime reads a time, or how long ago it was.
func parseTime(s string, now time.Time) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		return at, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return time.Time{}, fmt.Errorf("%q is neither a time nor a duration; give a time such as 2026-11-22T09:30:00+08:00, or how long ago, such as 90m", s)
	}
	return now.Add(-d), nil
}

// steer changes the state of a replay.
func (a *app) steer(ctx context.Context, x *access, name string, state v1alpha1.ReplayState, o *replayOptions) error {
	r := new(v1alpha1.Replay)
	err := x.Get(ctx, client.ObjectKey{Namespace: x.namespace, Name: name}, r)
	if apierrors.IsNotFound(err) {
		return none("there is no replay %q in namespace %q; kubectl -n %s get replays lists all", name, x.namespace, x.namespace)
	}
	if err != nil {
		return err
	}
	if r.Status.CompletedGeneration == r.Generation {
		return none("replay %q has ended: %s", name, ready(r).Message)
	}
	before := r.DeepCopy()
	r.Spec.State = state
	if err := x.Patch(ctx, r, client.MergeFrom(before)); err != nil {
		return err
	}
	words := map[v1alpha1.ReplayState]string{v1alpha1.ReplayCancelled: "cancelled", v1alpha1.ReplaySuspended: "suspended", v1alpha1.ReplayRunning: "resumed"}
	if o.wait && state != v1alpha1.ReplaySuspended {
		a.say("replay.oabridge.dev/%s %s", r.Name, words[state])
		return a.await(ctx, x, r, o)
	}
	if printed, err := a.document(r); printed {
		return err
	}
	_, err = fmt.Fprintf(a.out, "replay.oabridge.dev/%s %s\n", r.Name, words[state])
	return err
}
