package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	corev1 "k8s.io/api/core/v1"

	"github.com/oabridge/oabridge/api/v1alpha1"
)

// patience is how long a test waits on a busy machine.
const patience = 30 * time.Second

// cluster is a real API server with a namespace and the connector hq. Tests play the operator.
func cluster(t *testing.T) *world {
	t.Helper()
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Fatal("KUBEBUILDER_ASSETS is not set: it names the directory with kube-apiserver and etcd; make test sets it")
	}
	environment := &envtest.Environment{
		CRDDirectoryPaths: []string{filepath.Join("..", "..", "config", "crd", "bases")}, ErrorIfCRDPathMissing: true, Scheme: newScheme(),
	}
	config, err := environment.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = environment.Stop() })
	c, err := client.NewWithWatch(config, client.Options{Scheme: newScheme()})
	if err != nil {
		t.Fatal(err)
	}
	sample, err := os.ReadFile(filepath.Join("..", "..", "config", "samples", "connector.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	hq := new(v1alpha1.OAConnector)
	if err := yaml.UnmarshalStrict(sample, hq); err != nil {
		t.Fatal(err)
	}
	for _, o := range []client.Object{&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "crm"}}, hq} {
		if err := c.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	return &world{t: t, access: access{WithWatch: c, namespace: "crm"}}
}

// operate plays the operator for the next Replay that is not done: each step is a status.
func (w *world) operate(ctx context.Context, steps ...func(*v1alpha1.Replay)) <-chan v1alpha1.ReplaySpec {
	specs := make(chan v1alpha1.ReplaySpec, 1)
	go func() {
		defer close(specs)
		for ctx.Err() == nil {
			var all v1alpha1.ReplayList
			if err := w.access.List(ctx, &all, client.InNamespace("crm")); err != nil {
				return
			}
			for i := range all.Items {
				r := &all.Items[i]
				if r.Status.CompletedGeneration == r.Generation {
					continue
				}
				for _, step := range steps {
					before := r.DeepCopy()
					r.Status.ObservedGeneration = r.Generation
					step(r)
					if err := w.access.Status().Patch(ctx, r, client.MergeFrom(before)); err != nil {
						w.t.Errorf("status: %v", err)
						return
					}
				}
				specs <- r.Spec
				return
			}
		}
	}()
	return specs
}

func counted(matched, queued, delivered, skipped, dead int64) func(*v1alpha1.Replay) {
	return func(r *v1alpha1.Replay) {
		s := &r.Status
		s.Matched, s.Queued, s.Delivered, s.Skipped, s.Dead = ptr.To(matched), ptr.To(queued), ptr.To(delivered), ptr.To(skipped), ptr.To(dead)
	}
}

func completed(message string) func(*v1alpha1.Replay) {
	return func(r *v1alpha1.Replay) {
		r.Status.CompletedGeneration, r.Status.CompletionTime = r.Generation, metav1.Now()
		r.Status.Conditions = []metav1.Condition{{
			Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonCompleted, Message: message, LastTransitionTime: metav1.Now(),
		}}
	}
}

// replayName is what the API server made of the connector's name.
var replayName = regexp.MustCompile(`hq-[a-z0-9]{5}\b`)

// onlyTheEnd leaves of the progress only the last line, because what comes before depends on when the watch looked.
func onlyTheEnd(a answer) answer {
	lines := strings.SplitAfter(a.errors, "\n")
	if len(lines) > 3 {
		lines = append(lines[:1], lines[len(lines)-2:]...)
	}
	a.out, a.errors = replayName.ReplaceAllString(a.out, "hq-x7k2p"), replayName.ReplaceAllString(strings.Join(lines, ""), "hq-x7k2p")
	return a
}

// A person sends dead letters once more: looks first, sends, waits, stops and goes on.
func TestReplay(t *testing.T) {
	w := cluster(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()

	t.Run("dry run", func(t *testing.T) {
		specs := w.operate(ctx, counted(3, 0, 0, 0, 0), func(r *v1alpha1.Replay) {
			r.Status.Differences = []v1alpha1.ReplayDifference{
				{ItemID: "T-1", Receiver: "1002", Would: "Send", Before: `{"title":"报价单"}`, After: `{"title":"[急] 报价单"}`},
				{ItemID: "T-2", Receiver: "1003", Would: "Skipped: a newer state of the item was delivered"},
			}
		}, completed("dry run: 3 dead letters match"))
		a := w.run("replay", "hq", "--class", "BusinessCode", "--since", "2026-11-22T09:00:00+08:00", "--template", "original", "--dry-run")
		a.errors = "" // how far it was, whenever the watch looked
		golden(t, "replay-dry-run", a)
		s := <-specs
		if s.Mode != v1alpha1.ReplayDryRun || s.Template != v1alpha1.ReplayOriginal || s.ConnectorRef.Name != "hq" || len(s.Filter.Classes) != 1 ||
			!s.Filter.Since.Time.Equal(time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)) {
			t.Errorf("%+v", s)
		}
		var left v1alpha1.ReplayList
		if err := w.access.List(ctx, &left); err != nil || len(left.Items) != 0 {
			t.Errorf("%d Replays are left, %v", len(left.Items), err)
		}
	})

	t.Run("wait", func(t *testing.T) {
		specs := w.operate(ctx, counted(240, 240, 100, 0, 0), counted(240, 240, 229, 11, 0), completed("240 dead letters matched: 229 delivered, 11 skipped"))
		golden(t, "replay-wait", onlyTheEnd(w.run("replay", "hq", "--all", "--per-second", "50", "--wait")))
		if s := <-specs; s.Mode != v1alpha1.ReplaySend || s.PerSecond != 50 || s.Template != v1alpha1.ReplayCurrent {
			t.Errorf("%+v", s)
		}
	})

	t.Run("dead again, and nothing", func(t *testing.T) {
		_ = w.operate(ctx, counted(2, 2, 1, 0, 1), completed("2 dead letters matched: 1 delivered, 1 dead again"))
		if a := w.run("replay", "--item", "T-1", "--wait"); a.code != exitOther || !strings.Contains(a.errors, "1 item is dead again; kubectl oab dead hq says why") {
			t.Errorf("%+v", a)
		}
		_ = w.operate(ctx, counted(0, 0, 0, 0, 0), completed("0 dead letters matched"))
		if a := w.run("replay", "--reason", "Expired", "--wait"); a.code != exitNone {
			t.Errorf("%+v", a)
		}
	})

	t.Run("steer", func(t *testing.T) {
		a := w.run("replay", "--kind", "Todo", "--until", "1h")
		name, ok := strings.CutPrefix(strings.TrimSuffix(a.out, " created\n"), "replay.oabridge.dev/")
		if a.code != 0 || !ok || !strings.HasPrefix(name, "hq-") {
			t.Fatalf("%+v", a)
		}
		for _, c := range []struct {
			flag, words string
			state       v1alpha1.ReplayState
		}{{"--suspend", "suspended", v1alpha1.ReplaySuspended}, {"--resume", "resumed", v1alpha1.ReplayRunning}, {"--cancel", "cancelled", v1alpha1.ReplayCancelled}} {
			if a := w.run("replay", c.flag, name); a.code != 0 || a.out != fmt.Sprintf("replay.oabridge.dev/%s %s\n", name, c.words) {
				t.Errorf("%s: %+v", c.flag, a)
			}
			var r v1alpha1.Replay
			if err := w.access.Get(ctx, client.ObjectKey{Namespace: "crm", Name: name}, &r); err != nil || r.Spec.State != c.state {
				t.Errorf("%s: %s, %v", c.flag, r.Spec.State, err)
			}
		}
		specs := w.operate(ctx, completed("cancelled; nothing was under way"))
		<-specs
		if a := w.run("replay", "--resume", name); a.code != exitNone || !strings.Contains(a.errors, "has ended: cancelled") {
			t.Errorf("%+v", a)
		}
		if a := w.run("replay", "--cancel", "nobody"); a.code != exitNone {
			t.Errorf("%+v", a)
		}
	})

	t.Run("patience", func(t *testing.T) {
		a := w.run("replay", "--all", "--wait", "--timeout", "300ms")
		if a.code != exitOther || !strings.Contains(a.errors, "not done within 300ms; it goes on") {
			t.Errorf("%+v", a)
		}
	})

	t.Run("wrong", func(t *testing.T) {
		for args, words := range map[string]string{
			"replay":                              "which dead letters?",
			"replay --all --item T-1":             "--all is for all dead letters",
			"replay --all --template newest":      `"newest" is neither current nor original`,
			"replay --since soon":                 "--since: \"soon\" is neither a time nor a duration",
			"replay --cancel a --resume b":        "give one of --cancel",
			"replay --kind Memo":                  "spec.filter.kinds",
			"replay --since 1h --until 2h":        "since must be before until",
			"replay --all --per-second 999999999": "spec.perSecond",
		} {
			if a := w.run(strings.Fields(args)...); a.code != exitUsage || !strings.Contains(a.errors, words) {
				t.Errorf("%s: %+v", args, a)
			}
		}
	})
}
