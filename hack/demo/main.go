// Command demo plays the main job of OA Bridge on the cluster that KUBECONFIG points at: install, push 200 events of 40
// to-dos to a Seeyon OA, and let a person click one.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oasim/crm"
	"github.com/oabridge/oabridge/test/stage"
)

// timeout bounds the whole play; warm, it takes about a minute.
const timeout = 10 * time.Minute

func main() {
	log.SetLogger(logr.Discard())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("the demo did not end within %s", timeout))
	defer cancel()
	if err := play(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "demo failed:", err)
		os.Exit(1)
	}
}

func play(ctx context.Context, out io.Writer) error {
	s, err := stage.New(out)
	if err != nil {
		return err
	}
	if err := s.Install(ctx); err != nil {
		return err
	}
	if err := s.Clear(ctx); err != nil {
		return err
	}
	if err := s.Step("apply the samples: a connector, account bindings, secrets", func() error {
		if err := s.ApplySamples(ctx); err != nil {
			return err
		}
		_, err := s.WaitCondition(ctx, 3*time.Minute, v1alpha1.ConditionReady, metav1.ConditionTrue, "")
		return err
	}); err != nil {
		return err
	}

	var run crm.Run
	var tally stage.Tally
	if err := s.Step("the CRM sends 200 events of 40 to-dos for 20 people", func() (err error) {
		if err = s.RefuseForGood(ctx); err != nil {
			return err
		}
		if run, err = s.Emit(ctx, crm.Emission{Target: crm.Target{Concurrency: 8}, Workload: crm.Workload{Seed: uint64(time.Now().UnixNano() % 1000)}}); err != nil {
			return err
		}
		if run, err = s.WaitRun(ctx, run.ID); err != nil {
			return err
		}
		settle, cancel := context.WithTimeout(ctx, 2*time.Minute)
		defer cancel()
		return stage.Until(settle, func() error {
			if tally, err = s.Tally(settle, run); err != nil {
				return err
			}
			return tally.Settled()
		})
	}); err != nil {
		return err
	}

	want := stage.Clickable(run)
	var click stage.Click
	if err := s.Step("a person clicks a to-do in the OA", func() error {
		if click, err = s.ClickTodo(ctx, want); err != nil {
			return err
		}
		return click.Check(want)
	}); err != nil {
		return err
	}

	table, err := s.Kubectl(ctx, "get", "oac,st,ab", "-A")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, `
%s
what happened
  sent       %3d events by the CRM, each answered 202 after it was on disk
  delivered  %3d, counted at the OA, each in its order (%d repeated, none shown twice)
  held       %3d for 郑爽, who has no binding: bind her in an AccountBinding and they go out
  dead       %3d of the to-do that the OA refuses for good
  click      %s opened %q
             and landed on %s, logged in as %s (%s)
             the same link again: refused (SSO-1003)
  pictures   out/inbox.png out/record.png out/refused.png

look around: export KUBECONFIG=%s
             kubectl get oac,st,ab -A; kubectl -n crm describe oac hq
take it away: make demo-down

demo: %s click ok
`, strings.TrimRight(table, "\n"), tally.Sent, tally.Delivered, tally.Repeated, tally.Held, tally.Dead,
		want.OALogin, oneLine(want.Title), click.Landed, click.User, click.Account, os.Getenv("KUBECONFIG"), tally)
	return err
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
