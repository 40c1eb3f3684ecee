package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oasim/crm"
	"github.com/oabridge/oabridge/internal/oasim/seeyon"
	"github.com/oabridge/oabridge/test/stage"
)

// 200 events of 40 to-dos appear in the OA, change, finish and vanish there, in order; a person without a binding is
// held, a to-do that fails for good is dead, nothing is lost (F1, F3, F19, F32, F119).
func TestMainJob(t *testing.T) {
	ctx := bounded(t)
	must(t, scene.RefuseForGood(ctx))
	before := baseline(ctx, t)
	run := emit(ctx, t, crm.Workload{Seed: 7}, crm.Target{Concurrency: 8})
	tally := settled(ctx, t, run, before)
	t.Log(tally)
	if tally.Held == 0 || tally.Dead == 0 || tally.Delivered < 150 {
		t.Errorf("%s: some must be held, some dead, most delivered", tally)
	}

	want := stage.Clickable(mustRun(ctx, t, run))
	click, err := scene.ClickTodo(ctx, want)
	must(t, err)
	canaries["the ticket of a click"] = click.Ticket
	must(t, click.Check(want)) // F33, F42, F43, F105–F107
}

func mustRun(ctx context.Context, t *testing.T, run crm.Run) crm.Run {
	t.Helper()
	run, err := scene.WaitRun(ctx, run.ID)
	must(t, err)
	return run
}

// The dispatcher's pod is deleted, and its process killed with SIGKILL, in the middle of the stream: every accepted event
// is delivered, in order per to-do, and nobody sees a to-do twice.
func TestKilledInTheMiddle(t *testing.T) {
	ctx := bounded(t)
	must(t, scene.RefuseForGood(ctx))
	before := baseline(ctx, t)
	run := emit(ctx, t, crm.Workload{Seed: 11, Events: 400, ToDos: 80}, crm.Target{Concurrency: 8, RatePerSecond: 40})

	must(t, accepted(ctx, run, 80))
	pod := dispatcherPod(ctx, t)
	must(t, scene.Delete(ctx, pod))

	must(t, accepted(ctx, run, 240))
	killDispatcher(ctx, t)

	tally := settled(ctx, t, run, before)
	t.Log(tally, "repeated", tally.Repeated)
	var stats seeyon.Stats
	must(t, scene.Call(ctx, http.MethodGet, stage.OA("/_sim/stats"), nil, &stats))
	if stats.Revived != 0 || stats.Duplicates != 0 {
		t.Errorf("the OA shows %d revived and %d duplicate to-dos", stats.Revived, stats.Duplicates)
	}
}

func accepted(ctx context.Context, run crm.Run, n int64) error {
	return stage.Until(ctx, func() error {
		var now crm.Run
		if err := scene.Call(ctx, http.MethodGet, stage.CRM("/_sim/runs/"+run.ID), nil, &now); err != nil {
			return err
		}
		if now.Counts.Accepted < n {
			return fmt.Errorf("%d of %d events accepted (%s)", now.Counts.Accepted, n, now.Error)
		}
		return nil
	})
}

func dispatcherPod(ctx context.Context, t *testing.T) *corev1.Pod {
	t.Helper()
	var pod *corev1.Pod
	must(t, stage.Until(ctx, func() error {
		var pods corev1.PodList
		if err := scene.List(ctx, &pods, client.InNamespace(stage.Namespace), client.MatchingLabels{
			v1alpha1.LabelConnector: stage.Connector, v1alpha1.LabelComponent: v1alpha1.ComponentDispatcher,
		}); err != nil {
			return err
		}
		for i := range pods.Items {
			if p := &pods.Items[i]; p.DeletionTimestamp == nil && p.Status.Phase == corev1.PodRunning {
				pod = p
				return nil
			}
		}
		return errors.New("no dispatcher runs")
	}))
	return pod
}

// killDispatcher sends SIGKILL to the dispatcher's process when the node is this machine, and takes the pod away without
// grace (which is SIGKILL too) when it is not.
func killDispatcher(ctx context.Context, t *testing.T) {
	t.Helper()
	pod := dispatcherPod(ctx, t)
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	must(t, err)
	for _, path := range lines {
		words, err := os.ReadFile(path)
		if err != nil || !bytes.HasPrefix(words, []byte("/oabridge\x00dispatcher\x00")) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		must(t, err)
		t.Log("SIGKILL to the dispatcher's process")
		must(t, syscall.Kill(pid, syscall.SIGKILL))
		return
	}
	t.Log("the node is elsewhere: the pod is deleted without grace")
	must(t, scene.Delete(ctx, pod, client.GracePeriodSeconds(0)))
}

// A wrong password over a good one is said in words within seconds, and the good one goes on. When the OA takes that away as
// well, it is said that nothing is accepted; the right one drains the queue without a restart.
func TestWrongPassword(t *testing.T) {
	ctx := bounded(t)
	const user, right = "fxiaoke", "Fx/2026 ?trial#"
	before := baseline(ctx, t)
	pod := dispatcherPod(ctx, t)
	says := func(condition string, status metav1.ConditionStatus, reason string) {
		t.Helper()
		c, err := scene.WaitCondition(ctx, time.Minute, condition, status, reason)
		must(t, err)
		t.Log(c.Message)
	}
	has := func(password string) {
		t.Helper()
		must(t, scene.Call(ctx, http.MethodPut, stage.OA("/_sim/passwords"), map[string]string{"user": user, "password": password}, nil))
		must(t, scene.Call(ctx, http.MethodDelete, stage.OA("/_sim/tokens"), nil, nil))
	}

	setPassword(ctx, t, canaries["a wrong password"])
	says(v1alpha1.ConditionCredentialsAccepted, metav1.ConditionFalse, v1alpha1.ReasonCredentialRejected)
	settled(ctx, t, emit(ctx, t, crm.Workload{Seed: 3, Events: 40, ToDos: 10}, crm.Target{}), before)

	canaries["a password of nobody"] = "nobody-" + "password-canary"
	has(canaries["a password of nobody"])
	run := emit(ctx, t, crm.Workload{Seed: 4, Events: 40, ToDos: 10}, crm.Target{})
	says(v1alpha1.ConditionOAReachable, metav1.ConditionFalse, v1alpha1.ReasonTokenRejected)

	has(right)
	setPassword(ctx, t, right)
	run = mustRun(ctx, t, run)
	must(t, stage.Until(ctx, func() error { // after an outage the OA gets what is true now, and not all that was
		items, err := scene.Inbox(ctx, "seeyon")
		if err != nil {
			return err
		}
		if wrong := member(t, "seeyon").Differences(items, run); len(wrong) > 0 {
			return errors.New(strings.Join(wrong, "; "))
		}
		return nil
	}))
	says(v1alpha1.ConditionOAReachable, metav1.ConditionTrue, "")
	says(v1alpha1.ConditionCredentialsAccepted, metav1.ConditionTrue, "")
	if again := dispatcherPod(ctx, t); again.UID != pod.UID || restarts(again) != restarts(pod) {
		t.Error("the dispatcher was restarted")
	}
}

func setPassword(ctx context.Context, t *testing.T, password string) {
	t.Helper()
	_, err := scene.Kubectl(ctx, "-n", stage.Namespace, "patch", "secret", "hq-seeyon", "--type=merge",
		"-p", fmt.Sprintf(`{"stringData":{"password":%q}}`, password))
	must(t, err)
}

func restarts(pod *corev1.Pod) (n int32) {
	for _, c := range pod.Status.ContainerStatuses {
		n += c.RestartCount
	}
	return n
}
