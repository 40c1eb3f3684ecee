// Package helm installs, upgrades, rolls back and uninstalls the chart on a real cluster, as `make helm-e2e` sets it up, and
// has to-dos delivered before, during and after each step. It takes away the OA Bridge that it finds, and leaves none behind.
package helm

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/oabridge/oabridge/test/stage"
)

const (
	release = "oabridge"
	// current is the chart of this version; the one before it and its samples are in the directory previous.
	current  = "charts/oabridge"
	previous = "out/previous"
	// patience is how long helm waits for what it does.
	patience = "--timeout=4m"
)

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
	older := p.older()

	p.must(scene.InstallSimulators(ctx))
	p.clean()

	p.step("helm install of the previous release", func() {
		p.helm("install", older.chart, older.image, "--create-namespace")
		p.test()
	})
	p.must(scene.ApplyDir(ctx, filepath.Join(previous, "samples")))
	p.settles(p.emits(fast))

	p.step("helm upgrade to this release, while to-dos flow", func() {
		uid := p.connector().UID
		flow := p.emits(steady)
		p.helm("upgrade", current, scene.Image, "--reset-then-reuse-values")
		p.test()
		p.presets()
		p.runs(scene.Image)
		p.settles(flow)
		p.same(uid)
	})
	p.must(scene.ApplySamples(ctx))
	p.settles(p.emits(fast))

	p.step("helm upgrade to two replicas", func() {
		p.helm("upgrade", current, scene.Image, "--reset-then-reuse-values", "--set", "replicaCount=2,podDisruptionBudget.enabled=true")
		p.replicas(2)
	})
	p.settles(p.emits(fast))

	p.step("helm rollback to the previous release, while to-dos flow", func() {
		uid := p.connector().UID
		flow := p.emits(steady)
		p.run("rollback", release, "1", "--wait", patience)
		p.replicas(1)
		p.runs(older.image)
		p.settles(flow)
		p.same(uid)
	})
	p.settles(p.emits(fast))

	p.step("helm uninstall leaves the connector and what it runs", func() {
		uid := p.connector().UID
		p.run("uninstall", release, "--wait", patience)
		p.none("deployment,service,serviceaccount,role,rolebinding,poddisruptionbudget", stage.OperatorNamespace)
		p.same(uid)
		p.dispatches()
	})

	p.step("helm install into one namespace, with Roles only", func() {
		p.helm("install", current, scene.Image, "--set", "watchNamespaces={"+stage.Namespace+"}", "--set", "rbac.userRoles=false")
		p.test()
		p.presets()
		p.rolesOnly()
		p.runs(scene.Image)
	})
	p.settles(p.emits(fast))
	p.unforbidden()

	p.step("what the chart's README says takes everything away", func() {
		p.takeAway()
		p.nothingLeft()
	})
}
