package main

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/test/process"
)

// endsWithin is what the manager takes at most for its work under way and for its lease; its Deployment gives it 30 s.
const endsWithin = 25 * time.Second

// A manager that is asked to end ends, wherever in its start over hundreds of connectors it is, and gives its lease back: the
// next one works at once.
func TestManagerEndsWhenAsked(t *testing.T) {
	g := NewWithT(t)
	ctx, dir := t.Context(), t.TempDir()
	bin, err := buildManager(ctx, dir)
	g.Expect(err).NotTo(HaveOccurred())
	l := &lab{options: options{bin: bin}, dir: dir}
	l.cluster, err = startCluster(ctx, dir)
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(l.cluster.close)
	g.Expect(os.WriteFile(l.cluster.kubeconfig, l.cluster.env.KubeConfig, 0o600)).To(Succeed()) // leases are not in this lab's roles

	const connectors = 500
	g.Expect(l.credentials(ctx, fleetNamespace)).To(Succeed())
	g.Expect(l.all(ctx, connectors, func(i int) client.Object { return binding(fleetNamespace, i) })).To(Succeed())
	g.Expect(l.all(ctx, connectors, func(i int) client.Object { return connector(fleetNamespace, i) })).To(Succeed())

	deployed := func() (int, error) {
		var all appsv1.DeploymentList
		err := l.cluster.admin.List(ctx, &all, client.InNamespace(fleetNamespace))
		return len(all.Items), err
	}
	for _, moment := range []struct {
		name string
		// children is how many connectors have theirs; 0 asks before the first one has.
		children int
	}{{"it answers", 0}, {"the first connector has its children", 1}, {"some have", 60}, {"many have", 200}} {
		t.Run(moment.name, func(t *testing.T) {
			g := NewWithT(t)
			p, ready := startLeader(ctx, t, l)
			_, err := p.Answers(ctx, ready)
			g.Expect(err).NotTo(HaveOccurred())
			g.Eventually(deployed).WithTimeout(2*time.Minute).WithPolling(20*time.Millisecond).Should(BeNumerically(">=", moment.children), p.Name)
			if limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", p.PID())); err == nil { // TM-22; where there is such a thing
				g.Expect(string(limits)).To(MatchRegexp(`Max core file size +0 +0 `))
			}
			asked := time.Now()
			err = p.Stop()
			took := time.Since(asked)
			t.Logf("it took %s", took)
			log, _ := os.ReadFile(l.path("manager.log"))
			g.Expect(err).NotTo(HaveOccurred(), "%s", log[max(0, len(log)-8_000):])
			g.Expect(took).To(BeNumerically("<", endsWithin))
			var lease coordinationv1.Lease
			g.Expect(client.IgnoreNotFound(l.cluster.admin.Get(ctx, client.ObjectKey{Namespace: systemNamespace, Name: "oabridge-manager.oabridge.dev"}, &lease))).To(Succeed())
			g.Expect(ptr.Deref(lease.Spec.HolderIdentity, "")).To(BeEmpty())
		})
	}
	g.Expect(deployed()).To(BeNumerically("<", connectors), "it was asked in the middle of its work")
}

// startLeader starts a manager as its Deployment does, and says where it answers.
func startLeader(ctx context.Context, t *testing.T, l *lab) (p *process.Process, ready string) {
	t.Helper()
	addresses, err := process.FreeAddresses(2)
	if err != nil {
		t.Fatal(err)
	}
	p, err = process.Start(ctx, "manager", l.path("manager.log"), "/usr/bin/env",
		"KUBECONFIG="+l.cluster.kubeconfig, "POD_NAMESPACE="+systemNamespace, l.bin, "manager", "--leader-elect", "--install-presets",
		"--workload-image="+image, "--metrics-bind-address="+addresses[0], "--health-probe-bind-address="+addresses[1])
	if err != nil {
		t.Fatal(err)
	}
	return p, fmt.Sprintf("http://%s/readyz", addresses[1])
}
