package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

const (
	// watchAgain is the pause before a watch that the API server ended is begun anew.
	watchAgain = time.Second
	// removeTimeout bounds the removal of the Replay of a dry run, also after an interrupt.
	removeTimeout = 10 * time.Second
)

// await shows how far a replay is until it has ended.
func (a *app) await(ctx context.Context, x *access, r *v1alpha1.Replay, o *replayOptions) error {
	ended, err := a.untilEnded(ctx, x, r, o.timeout)
	if err != nil {
		return err
	}
	if printed, err := a.document(ended); printed {
		return errOr(err, outcome(ended))
	}
	if _, err := fmt.Fprintf(a.out, "replay.oabridge.dev/%s %s\n", ended.Name, ready(ended).Message); err != nil {
		return err
	}
	return outcome(ended)
}

func errOr(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// outcome of a replay as an error, nil when all is well.
func outcome(r *v1alpha1.Replay) error {
	switch dead := value(r.Status.Dead); {
	case value(r.Status.Matched) == 0 && ready(r).Reason != v1alpha1.ReasonCancelled:
		return none("no dead letter matches")
	case dead > 0:
		return fmt.Errorf("%s again; kubectl oab dead %s says why", count(int(dead), "item is dead", "items are dead"), r.Spec.ConnectorRef.Name)
	}
	return nil
}

func ready(r *v1alpha1.Replay) metav1.Condition {
	if c := meta.FindStatusCondition(r.Status.Conditions, v1alpha1.ConditionReady); c != nil {
		return *c
	}
	return metav1.Condition{Message: "the operator has not looked at it yet"}
}

// untilEnded watches a replay until its generation is done.
func (a *app) untilEnded(ctx context.Context, x *access, r *v1alpha1.Replay, timeout time.Duration) (*v1alpha1.Replay, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("not done within %s; it goes on: kubectl -n %s get replay %s", timeout, r.Namespace, r.Name))
	defer cancel()
	shown := ""
	defer func() { a.endProgress(shown) }()
	for {
		watch, err := x.Watch(ctx, &v1alpha1.ReplayList{}, client.InNamespace(r.Namespace), client.MatchingFields{"metadata.name": r.Name})
		if err == nil {
			// What happened before the watch began.
			now := new(v1alpha1.Replay)
			for err = x.Get(ctx, client.ObjectKeyFromObject(r), now); err == nil; {
				shown = a.progress(now, shown)
				if now.Status.CompletedGeneration >= r.Generation {
					watch.Stop()
					return now, nil
				}
				event, ok := <-watch.ResultChan()
				if !ok {
					break
				}
				next, is := event.Object.(*v1alpha1.Replay)
				if !is {
					err = apierrors.FromObject(event.Object)
					break
				}
				if next.Name == r.Name {
					now = next
				}
			}
			watch.Stop()
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if apierrors.IsNotFound(err) {
			return nil, errors.New("the replay was deleted")
		}
		if err != nil && !apierrors.IsTimeout(err) && !apierrors.IsResourceExpired(err) && !apierrors.IsTooManyRequests(err) {
			return nil, err
		}
		timer := time.NewTimer(watchAgain)
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
}

// progress shows how far it is: a line that changes on a terminal, a line for each change elsewhere.
func (a *app) progress(r *v1alpha1.Replay, shown string) string {
	s := r.Status
	line := fmt.Sprintf("matched %d   queued %d   delivered %d   skipped %d   dead %d", value(s.Matched), value(s.Queued), value(s.Delivered), value(s.Skipped), value(s.Dead))
	if s.Matched == nil {
		line = ready(r).Message
	}
	if line == shown {
		return shown
	}
	if a.live {
		_, _ = fmt.Fprintf(a.errors, "\r\x1b[K%s", line)
	} else {
		a.say("%s", line)
	}
	return line
}

func (a *app) endProgress(shown string) {
	if a.live && shown != "" {
		a.say("")
	}
}

// dryRun waits for the answer of a dry run, shows it and removes its Replay.
func (a *app) dryRun(ctx context.Context, x *access, r *v1alpha1.Replay, o *replayOptions) error {
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTimeout)
		defer cancel()
		if err := x.Delete(ctx, r); client.IgnoreNotFound(err) != nil {
			a.say("the Replay of the dry run is left: kubectl -n %s delete replay %s (%v)", r.Namespace, r.Name, err)
		}
	}()
	ended, err := a.untilEnded(ctx, x, r, o.timeout)
	if err != nil {
		return err
	}
	if printed, err := a.document(ended.Status); printed {
		return err
	}
	var b strings.Builder
	for _, d := range ended.Status.Differences {
		a.difference(&b, d)
	}
	matched := int(value(ended.Status.Matched))
	if n := len(ended.Status.Differences); n < matched {
		fmt.Fprintf(&b, "… and %d more\n", matched-n)
	}
	if matched == 0 {
		return none("no dead letter matches")
	}
	fmt.Fprintf(&b, "%s; nothing was sent\n", count(matched, "dead letter matches", "dead letters match"))
	_, err = fmt.Fprint(a.out, b.String())
	return err
}

func (a *app) difference(b *strings.Builder, d v1alpha1.ReplayDifference) {
	fmt.Fprintf(b, "%s for %s: %s\n", a.paint(bold, d.ItemID), d.Receiver, d.Would)
	switch {
	case d.After == "":
	case d.Before == d.After:
		fmt.Fprintf(b, "    same as before: %s\n", d.After)
	default:
		fmt.Fprintf(b, "  %s\n  %s\n", a.paint(red, "- "+d.Before), a.paint(green, "+ "+d.After))
	}
}
