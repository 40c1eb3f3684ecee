package helm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oasim/crm"
	"github.com/oabridge/oabridge/test/stage"
)

// manager is the name of the manager's Deployment and of its service account.
const manager = release + "-manager"

// play is one run over the cluster.
type play struct {
	*testing.T
	*stage.Stage

	ctx   context.Context
	flows int
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

// until waits for check within a minute or two: as long as pods need to be replaced.
func (p *play) until(check func() error) {
	p.Helper()
	ctx, cancel := context.WithTimeoutCause(p.ctx, 3*time.Minute, errors.New("it did not come about within 3 minutes"))
	defer cancel()
	p.must(stage.Until(ctx, check))
}

// version is a release of OA Bridge.
type version struct{ chart, image string }

// older is the release that hack/demo.sh made of an older commit.
func (p *play) older() version {
	p.Helper()
	found, err := filepath.Glob(filepath.Join(p.Root, previous, "oabridge-*.tgz"))
	p.must(err)
	image := os.Getenv("PREVIOUS_IMAGE")
	if len(found) != 1 || image == "" {
		p.Fatalf("charts %v and image %q of the previous release: run this through make helm-e2e", found, image)
	}
	return version{found[0], image}
}

func (p *play) run(args ...string) {
	p.Helper()
	_, err := p.Helm(p.ctx, args...)
	p.must(err)
}

// helm installs or upgrades the release.
func (p *play) helm(verb, chart, image string, more ...string) {
	p.Helper()
	args := append([]string{verb, release, chart, "--wait", patience}, stage.HelmImage(image)...)
	p.run(append(args, more...)...)
}

func (p *play) test() {
	p.Helper()
	p.run("test", release, patience)
}

func (p *play) connector() *v1alpha1.OAConnector {
	p.Helper()
	oac, err := p.OAC(p.ctx)
	p.must(err)
	return oac
}

// same fails when the connector was made anew.
func (p *play) same(uid types.UID) {
	p.Helper()
	if now := p.connector(); now.UID != uid {
		p.Errorf("the connector was made anew: %s, was %s", now.UID, uid)
	}
}

// presets waits until every preset is in the operator's namespace and has passed its tests.
func (p *play) presets() {
	p.Helper()
	files, err := filepath.Glob(filepath.Join(p.Root, "config", "presets", "*-*.yaml"))
	p.must(err)
	p.until(func() error {
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
		if ready < len(files) {
			return fmt.Errorf("%d of %d presets are ready", ready, len(files))
		}
		return nil
	})
}

func (p *play) replicas(want int32) {
	p.Helper()
	var d appsv1.Deployment
	p.must(p.Get(p.ctx, client.ObjectKey{Namespace: stage.OperatorNamespace, Name: manager}, &d))
	if d.Status.AvailableReplicas != want {
		p.Errorf("%d replicas of the manager are available, want %d", d.Status.AvailableReplicas, want)
	}
}

// runs waits until the connector's pods run an image.
func (p *play) runs(image string) {
	p.Helper()
	p.until(func() error {
		for _, name := range []string{"-dispatcher", "-gateway"} {
			var d appsv1.Deployment
			if err := p.Get(p.ctx, client.ObjectKey{Namespace: stage.Namespace, Name: stage.Connector + name}, &d); err != nil {
				return err
			}
			if has := d.Spec.Template.Spec.Containers[0].Image; has != image {
				return fmt.Errorf("%s has the image %s, not %s", d.Name, has, image)
			}
			if s := d.Status; s.ObservedGeneration != d.Generation || s.UpdatedReplicas != s.Replicas || s.AvailableReplicas != *d.Spec.Replicas {
				return fmt.Errorf("%s is being rolled out: %d replicas, %d of them new, %d available", d.Name, s.Replicas, s.UpdatedReplicas, s.AvailableReplicas)
			}
		}
		return nil
	})
}

// dispatches fails when the dispatcher does not run.
func (p *play) dispatches() {
	p.Helper()
	var d appsv1.Deployment
	p.must(p.Get(p.ctx, client.ObjectKey{Namespace: stage.Namespace, Name: stage.Connector + "-dispatcher"}, &d))
	if d.Status.AvailableReplicas != 1 {
		p.Errorf("%d dispatchers are available", d.Status.AvailableReplicas)
	}
}

// The CRM sends as fast as events are taken, or so that a flow lasts as long as pods need to be replaced.
var (
	fast   = crm.Target{Concurrency: 4}
	steady = crm.Target{Concurrency: 4, RatePerSecond: 5}
)

// flow is what the CRM sends, and what was held and dead before it.
type flow struct {
	run    crm.Run
	before stage.Tally
}

// emits has the CRM send some events.
func (p *play) emits(target crm.Target) flow {
	p.Helper()
	_, err := p.WaitCondition(p.ctx, 3*time.Minute, v1alpha1.ConditionReady, metav1.ConditionTrue, "")
	p.must(err)
	p.must(p.RefuseForGood(p.ctx))
	before, err := p.Tally(p.ctx, crm.Run{})
	p.must(err)
	p.flows++
	events := 60
	if target.RatePerSecond > 0 {
		events = 150
	}
	run, err := p.Emit(p.ctx, crm.Emission{Target: target, Workload: crm.Workload{
		Seed: uint64(p.flows), Events: events, ToDos: events / 5, Prefix: fmt.Sprintf("H%d-%d", p.flows, time.Now().Unix()),
	}})
	p.must(err)
	return flow{run, before}
}

// settles waits until each event is in the OA as it must be.
func (p *play) settles(f flow) {
	p.Helper()
	run, err := p.WaitRun(p.ctx, f.run.ID)
	p.must(err)
	if run.Counts.Refused > 0 {
		p.Errorf("%d events were refused: %s", run.Counts.Refused, run.Error)
	}
	p.until(func() error {
		tally, err := p.Tally(p.ctx, run)
		if err != nil {
			return err
		}
		tally.Held -= f.before.Held
		tally.Dead -= f.before.Dead
		return tally.Settled()
	})
}

// rolesOnly fails when the manager may do anything in the whole cluster.
func (p *play) rolesOnly() {
	p.Helper()
	if found := p.named("clusterroles,clusterrolebindings"); len(found) > 0 {
		p.Errorf("there is something for the whole cluster: %v", found)
	}
	var bindings rbacv1.ClusterRoleBindingList
	p.must(p.List(p.ctx, &bindings))
	for _, b := range bindings.Items {
		for _, s := range b.Subjects {
			if s.Namespace == stage.OperatorNamespace && s.Name == manager {
				p.Errorf("clusterrolebinding %s is about the manager", b.Name)
			}
		}
	}
	answer, _ := p.Kubectl(p.ctx, "auth", "can-i", "list", "secrets", "-n", "kube-system",
		"--as=system:serviceaccount:"+stage.OperatorNamespace+":"+manager) // "no" is an exit code, too
	if strings.TrimSpace(answer) != "no" {
		p.Errorf("may the manager list the Secrets of kube-system: %q", answer)
	}
}

// unforbidden fails when the manager asked for something that its roles do not allow.
func (p *play) unforbidden() {
	p.Helper()
	text, err := p.Kubectl(p.ctx, "-n", stage.OperatorNamespace, "logs", "deployment/"+manager)
	p.must(err)
	for line := range strings.Lines(text) {
		if strings.Contains(line, "forbidden") {
			p.Errorf("the manager lacks a right: %s", line)
		}
	}
}
