// Package e2e plays OA Bridge on a real cluster, as `make e2e` sets it up. The tests share one stage and run one after
// another; each leaves it as it found it: the samples applied, everything delivered.
package e2e

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oasim/crm"
	"github.com/oabridge/oabridge/test/stage"
)

var scene *stage.Stage

func TestMain(m *testing.M) {
	if os.Getenv("OABRIDGE_E2E") == "" {
		fmt.Println("e2e: skipped, it needs a cluster: run `make e2e`")
		return
	}
	log.SetLogger(logr.Discard())
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Minute)
	defer cancel()
	if err := setUp(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "e2e: set-up failed:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func setUp(ctx context.Context) (err error) {
	if scene, err = stage.New(os.Stdout); err != nil {
		return err
	}
	if err := scene.Install(ctx); err != nil {
		return err
	}
	if err := scene.Clear(ctx); err != nil {
		return err
	}
	return ready(ctx)
}

// ready applies the samples and waits until the connector is ready.
func ready(ctx context.Context) error {
	if err := scene.ApplySamples(ctx); err != nil {
		return err
	}
	_, err := scene.WaitCondition(ctx, 3*time.Minute, v1alpha1.ConditionReady, metav1.ConditionTrue, "")
	return err
}

// bounded gives a test a context that ends before the whole run does.
func bounded(t *testing.T) context.Context {
	t.Helper()
	return within(t, 4*time.Minute)
}

func within(t *testing.T, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), limit, fmt.Errorf("%s took longer than %s", t.Name(), limit))
	t.Cleanup(cancel)
	return ctx
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// emit starts a workload with ids of its own.
func emit(ctx context.Context, t *testing.T, load crm.Workload, target crm.Target) crm.Run {
	t.Helper()
	if load.Prefix == "" {
		load.Prefix = fmt.Sprintf("%.1s%d", t.Name()[4:], time.Now().Unix())
	}
	run, err := scene.Emit(ctx, crm.Emission{Target: target, Workload: load})
	must(t, err)
	return run
}

// settled waits until the run was accepted and everything that can be delivered is in the OA.
func settled(ctx context.Context, t *testing.T, run crm.Run, baseline stage.Tally) stage.Tally {
	t.Helper()
	return inPlace(ctx, t, mustRun(ctx, t, run), baseline)
}

// inPlace waits until everything of a finished run that can be delivered is in the OA.
func inPlace(ctx context.Context, t *testing.T, run crm.Run, baseline stage.Tally) stage.Tally {
	t.Helper()
	var tally stage.Tally
	must(t, stage.Until(ctx, func() error {
		var err error
		if tally, err = scene.Tally(ctx, run); err != nil {
			return err
		}
		tally.Held -= baseline.Held
		tally.Dead -= baseline.Dead
		return tally.Settled()
	}))
	return tally
}

// baseline is what other tests left held and dead.
func baseline(ctx context.Context, t *testing.T) stage.Tally {
	t.Helper()
	tally, err := scene.Tally(ctx, crm.Run{})
	must(t, err)
	return tally
}
