package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oasim/crm"
	"github.com/oabridge/oabridge/test/stage"
)

// liveWithin is the promise: a changed template or binding is live in every pod this soon.
const liveWithin = 5 * time.Second

// A binding that appears lets what was held go out, and is live in every pod within five seconds; ConfigLive says when.
func TestChangesAreLive(t *testing.T) {
	ctx := bounded(t)
	// The binding of the person who has none.
	pair := `{"crm":"1020","oa":"zhengshuang"}`
	start := change(ctx, t, func() {
		_, err := scene.KubectlApply(ctx, `{"apiVersion":"oabridge.dev/v1alpha1","kind":"AccountBinding",`+
			`"metadata":{"name":"late","namespace":"crm","labels":{"oa":"hq"}},"spec":{"accounts":[`+pair+`]}}`)
		must(t, err)
	})
	t.Logf("a binding was live after %s", start)
	must(t, stage.Until(ctx, func() error {
		oac, err := scene.OAC(ctx)
		if err != nil {
			return err
		}
		if held := oac.Status.Delivery.Held; held == nil || *held != 0 {
			return fmt.Errorf("still held: %v", held)
		}
		return nil
	}))

	// A template of the same name in the connector's namespace wins over the preset.
	var preset v1alpha1.ScenarioTemplate
	must(t, scene.Get(ctx, client.ObjectKey{Namespace: stage.OperatorNamespace, Name: "seeyon-todo"}, &preset))
	own := &v1alpha1.ScenarioTemplate{
		ObjectMeta: metav1.ObjectMeta{Name: preset.Name, Namespace: stage.Namespace}, Spec: preset.Spec,
	}
	own.Spec.Actions.Create.Body = strings.Replace(own.Spec.Actions.Create.Body, `"#F054 #F056 #F053"`, `"#F054 #F056 #F053 "`, 1)
	own.Spec.Tests = nil
	took := change(ctx, t, func() { must(t, scene.Create(ctx, own)) })
	t.Logf("a template was live after %s", took)
	took = change(ctx, t, func() { must(t, scene.Delete(ctx, own)) })
	t.Logf("the preset was live again after %s", took)

	change(ctx, t, func() {
		_, err := scene.Kubectl(ctx, "-n", stage.Namespace, "delete", "ab", "late")
		must(t, err)
	})
}

// change makes a change of the bundle and returns how long it took to be live in every pod.
func change(ctx context.Context, t *testing.T, do func()) time.Duration {
	t.Helper()
	before, err := scene.OAC(ctx)
	must(t, err)
	start := time.Now()
	do()
	var live time.Duration
	must(t, stage.Until(ctx, func() error {
		oac, err := scene.OAC(ctx)
		if err != nil {
			return err
		}
		c := meta.FindStatusCondition(oac.Status.Conditions, v1alpha1.ConditionConfigLive)
		if oac.Status.Config.Hash == before.Status.Config.Hash || c == nil || c.Status != metav1.ConditionTrue {
			return fmt.Errorf("hash %s, ConfigLive %v", oac.Status.Config.Hash, c)
		}
		live = time.Since(start)
		if oac.Status.Config.LiveTime.Time.Before(start.Truncate(time.Second)) {
			return fmt.Errorf("liveTime %s is before the change", oac.Status.Config.LiveTime)
		}
		return nil
	}))
	if live > liveWithin {
		t.Errorf("it took %s until the change was live, more than %s", live, liveWithin)
	}
	return live
}

// A second server-side apply of the samples changes nothing, and the operator leaves everything alone.
func TestSecondApplyChangesNothing(t *testing.T) {
	ctx := bounded(t)
	must(t, ready(ctx))
	before := versions(ctx, t)
	must(t, scene.ApplySamples(ctx))
	if after := versions(ctx, t); after != before {
		t.Errorf("resource versions changed:\n%s\n%s", before, after)
	}
}

func versions(ctx context.Context, t *testing.T) string {
	t.Helper()
	// The status of a connector counts what happens; everything else stands still.
	specs, err := scene.Kubectl(ctx, "-n", stage.Namespace, "get", "oac",
		"-o", `jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.generation}{"\n"}{end}`)
	must(t, err)
	rest, err := scene.Kubectl(ctx, "-n", stage.Namespace, "get", "ab,secret,configmap,deployment,service,ingress,pvc,serviceaccount,pdb",
		"-o", `jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.resourceVersion}{"\n"}{end}`)
	must(t, err)
	return specs + rest
}

// Deleting the connector removes its children and says what happened to what was pending.
func TestDeletion(t *testing.T) {
	ctx := bounded(t)
	must(t, scene.RefuseForGood(ctx))
	// Something is held: it cannot be drained, so a short timeout ends the drain and the volume is kept.
	run := emit(ctx, t, crm.Workload{Seed: 5, Events: 60, ToDos: 12}, crm.Target{})
	_, err := scene.WaitRun(ctx, run.ID)
	must(t, err)
	must(t, stage.Until(ctx, func() error {
		oac, err := scene.OAC(ctx)
		if err != nil {
			return err
		}
		d := oac.Status.Delivery
		if d.Held == nil || *d.Held == 0 || d.Pending == nil || *d.Pending != 0 {
			return fmt.Errorf("delivery is %+v", d)
		}
		return nil
	}))
	_, err = scene.Kubectl(ctx, "-n", stage.Namespace, "patch", "oac", stage.Connector, "--type=merge",
		"-p", `{"spec":{"onDelete":{"policy":"Drain","timeout":"2s"}}}`)
	must(t, err)
	_, err = scene.Kubectl(ctx, "-n", stage.Namespace, "delete", "oac", stage.Connector, "--timeout=90s")
	must(t, err)

	must(t, stage.Until(ctx, func() error {
		out, err := scene.Kubectl(ctx, "-n", stage.Namespace, "get", "deployment,service,ingress,configmap,pod,pdb",
			"-l", v1alpha1.LabelConnector+"="+stage.Connector, "-o", "name")
		if err == nil && out != "" {
			err = fmt.Errorf("still there: %s", out)
		}
		return err
	}))
	events, err := scene.Kubectl(ctx, "-n", stage.Namespace, "get", "events", "-o", "custom-columns=KIND:.involvedObject.kind,MESSAGE:.message", "--no-headers")
	must(t, err)
	if !strings.Contains(events, stage.Connector+"-queue") || !strings.Contains(events, "held") {
		t.Errorf("no Event names the kept volume and what is in it:\n%s", events)
	}
	var claim corev1.PersistentVolumeClaim
	must(t, scene.Get(ctx, client.ObjectKey{Namespace: stage.Namespace, Name: stage.Connector + "-queue"}, &claim))

	// A connector of the same name takes the volume over, with what is held in it.
	must(t, ready(ctx))
	must(t, stage.Until(ctx, func() error {
		oac, err := scene.OAC(ctx)
		if err != nil {
			return err
		}
		if held := oac.Status.Delivery.Held; held == nil || *held == 0 {
			return fmt.Errorf("held is %v", held)
		}
		return nil
	}))

	// Abandon takes the volume along and says how much was in it.
	_, err = scene.Kubectl(ctx, "-n", stage.Namespace, "patch", "oac", stage.Connector, "--type=merge",
		"-p", `{"spec":{"onDelete":{"policy":"Abandon"}}}`)
	must(t, err)
	_, err = scene.Kubectl(ctx, "-n", stage.Namespace, "delete", "oac", stage.Connector, "--timeout=90s")
	must(t, err)
	must(t, stage.Until(ctx, func() error {
		err := scene.Get(ctx, client.ObjectKeyFromObject(&claim), &claim)
		if err == nil {
			return fmt.Errorf("volume claim %s is still there", claim.Name)
		}
		return client.IgnoreNotFound(err)
	}))
	must(t, ready(ctx))
}
