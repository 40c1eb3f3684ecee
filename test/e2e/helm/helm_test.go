// Package helm installs, upgrades, rolls back and uninstalls the chart on a real cluster, as `make helm-e2e` sets it up, and
// has to-dos delivered after each step. It takes away the OA Bridge that it finds, and leaves none behind.
package helm

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oasim/crm"
	"github.com/oabridge/oabridge/test/stage"
)

const (
	release = "oabridge"
	chart   = "charts/oabridge"
	// patience is how long helm waits for what it does.
	patience = "--timeout=4m"
)

// play is one run over the cluster.
type play struct {
	*testing.T
	*stage.Stage
	ctx  context.Context
	runs int
}

func TestInstallUpgradeRollbackUninstall(t *testing.T) {
	if os.Getenv("OABRIDGE_HELM") == "" {
		t.Skip("it needs a cluster and helm: run `make helm-e2e`")
	}
	log.SetLogger(logr.Discard())
	scene, err := stage.New(os.Stdout)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Minute, fmt.Errorf("%s took too long", t.Name()))
	defer cancel()
	p := &play{T: t, Stage: scene, ctx: ctx}

	p.must(scene.InstallSimulators(ctx))
	p.takeAway()

	p.step("helm install", func() {
		p.helm(append([]string{"install", release, chart, "--create-namespace", "--wait", patience}, scene.HelmImage()...)...)
		p.helm("test", release, patience)
		p.presets()
	})
	p.must(scene.ApplySamples(ctx))
	p.delivers()

	p.step("helm upgrade to two replicas", func() {
		p.helm("upgrade", release, chart, "--reuse-values", "--set", "replicaCount=2,podDisruptionBudget.enabled=true", "--wait", patience)
		p.replicas(2)
	})
	p.delivers()

	p.step("helm rollback", func() {
		p.helm("rollback", release, "1", "--wait", patience)
		p.replicas(1)
	})
	p.delivers()

	p.step("helm uninstall leaves the connector and what it runs", func() {
		before := p.connector()
		p.helm("uninstall", release, "--wait", patience)
		if now := p.connector(); now.UID != before.UID {
			p.Errorf("the connector was made anew: %s, was %s", now.UID, before.UID)
		}
		var dispatcher appsv1.Deployment
		p.must(p.Get(ctx, client.ObjectKey{Namespace: stage.Namespace, Name: stage.Connector + "-dispatcher"}, &dispatcher))
		if dispatcher.Status.AvailableReplicas != 1 {
			p.Errorf("%d dispatchers are available", dispatcher.Status.AvailableReplicas)
		}
	})

	p.step("helm install into one namespace, with Roles only", func() {
		p.helm(append([]string{
			"install", release, chart, "--set", "watchNamespaces={" + stage.Namespace + "}", "--set", "rbac.userRoles=false", "--wait", patience,
		}, scene.HelmImage()...)...)
		if found := p.named("clusterroles,clusterrolebindings"); len(found) > 0 {
			p.Errorf("there is something for the whole cluster: %v", found)
		}
	})
	p.delivers()

	p.takeAway()
	if left := p.named("crds,clusterroles,clusterrolebindings,namespaces"); len(left) > 0 {
		p.Errorf("these are left: %v", left)
	}
}

func (p *play) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func (p *play) step(name string, do func()) {
	p.Helper()
	p.must(p.Step(name, func() error { do(); return nil }))
}

func (p *play) helm(args ...string) {
	p.Helper()
	_, err := p.Helm(p.ctx, args...)
	p.must(err)
}

// takeAway removes OA Bridge, however it was installed: the connectors first, while the operator runs.
func (p *play) takeAway() {
	p.Helper()
	p.step("take OA Bridge away", func() {
		if len(p.named("crds")) > 0 {
			p.must(p.Clear(p.ctx))
		}
		p.helm("uninstall", release, "--ignore-not-found", "--wait", patience)
		_, err := p.Kubectl(p.ctx, "delete", "--ignore-not-found", "--timeout=180s", "-k", "config/default")
		p.must(err)
	})
}

// named returns the objects of these kinds, which have no namespace, that carry the name of OA Bridge.
func (p *play) named(kinds string) []string {
	p.Helper()
	out, err := p.Kubectl(p.ctx, "get", kinds, "-o", "name")
	p.must(err)
	var found []string
	for _, name := range strings.Fields(out) {
		if strings.Contains(name, "oabridge") {
			found = append(found, name)
		}
	}
	return found
}

func (p *play) connector() *v1alpha1.OAConnector {
	p.Helper()
	oac, err := p.OAC(p.ctx)
	p.must(err)
	return oac
}

// presets waits until every preset is in the operator's namespace and has passed its tests.
func (p *play) presets() {
	p.Helper()
	files, err := filepath.Glob(filepath.Join(p.Root, "config", "presets", "*-*.yaml"))
	p.must(err)
	p.must(stage.Until(p.ctx, func() error {
		var templates v1alpha1.ScenarioTemplateList
		if err := p.List(p.ctx, &templates, client.InNamespace(stage.OperatorNamespace)); err != nil {
			return err
		}
		ready := 0
		for _, template := range templates.Items {
			if meta.IsStatusConditionTrue(template.Status.Conditions, v1alpha1.ConditionReady) {
				ready++
			}
		}
		if ready != len(files) {
			return fmt.Errorf("%d of %d presets are ready", ready, len(files))
		}
		return nil
	}))
}

func (p *play) replicas(want int32) {
	p.Helper()
	var manager appsv1.Deployment
	p.must(p.Get(p.ctx, client.ObjectKey{Namespace: stage.OperatorNamespace, Name: "oabridge-manager"}, &manager))
	if manager.Status.AvailableReplicas != want {
		p.Errorf("%d replicas of the manager are available, want %d", manager.Status.AvailableReplicas, want)
	}
}

// delivers has the CRM send some events and waits until each is in the OA as it must be.
func (p *play) delivers() {
	p.Helper()
	_, err := p.WaitCondition(p.ctx, 3*time.Minute, v1alpha1.ConditionReady, metav1.ConditionTrue, "")
	p.must(err)
	before, err := p.Tally(p.ctx, crm.Run{})
	p.must(err)
	p.runs++
	load := crm.Workload{Seed: uint64(p.runs), Events: 60, ToDos: 12, Prefix: fmt.Sprintf("H%d-%d", p.runs, time.Now().Unix())}
	run, err := p.Emit(p.ctx, crm.Emission{Workload: load})
	p.must(err)
	run, err = p.WaitRun(p.ctx, run.ID)
	p.must(err)
	p.must(stage.Until(p.ctx, func() error {
		tally, err := p.Tally(p.ctx, run)
		if err != nil {
			return err
		}
		tally.Held -= before.Held
		tally.Dead -= before.Dead
		return tally.Settled()
	}))
}
