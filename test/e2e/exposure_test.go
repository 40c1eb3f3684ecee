package e2e

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/oasim/crm"
	"github.com/oabridge/oabridge/test/stage"
)

// The gateway of a connector moves from an Ingress to a Gateway of the Gateway API and back. Each serves a sign-in under the
// same name, and the Ingress or route of the other kind is gone. A Gateway that does not take the route is named, with its
// own words. Behind either it serves a part of a host as well.
func TestBothExposuresServeASignIn(t *testing.T) {
	if os.Getenv("CLUSTER") == "current" {
		t.Skip("another cluster has Gateways of its own; this machine's own has the class oabridge")
	}
	ctx := within(t, 6*time.Minute)
	browser := browse(ctx, t)
	m := member(t, "generic-link")
	key := client.ObjectKey{Namespace: stage.Fleet, Name: m.Name}
	expose := func(ctx context.Context, exposure string) {
		t.Helper()
		_, err := scene.Kubectl(ctx, "-n", key.Namespace, "patch", "oac", key.Name, "--type=json",
			"-p", `[{"op":"replace","path":"/spec/sso/exposure","value":`+exposure+`}]`)
		must(t, err)
	}
	signIn := func(picture string) {
		t.Helper()
		proof(ctx, t, m)
		want := stage.Clickable(fleetRuns[m.Name])
		tab := tabOf(t, browser, "")
		must(t, stage.EnterOA(tab, m.OA, want.OALogin))
		must(t, stage.OpenItem(tab, want.ToDo))
		landed, err := scene.Landed(tab, picture)
		must(t, err)
		must(t, landed.CheckRecord(want, false))
	}
	exposed := func(status metav1.ConditionStatus, reason string) string {
		t.Helper()
		c, err := scene.Await(ctx, key, time.Minute, v1alpha1.ConditionExposed, status, reason)
		must(t, err)
		return c.Message
	}

	signIn("signin-ingress")
	partOfAHost(ctx, t, m)

	must(t, scene.ApplyGateway(ctx, "Same"))
	const ingress = `{"type":"Ingress","tls":{"secretName":"tls"}}`
	t.Cleanup(func() {
		expose(context.WithoutCancel(ctx), ingress) // it may end in the middle
		must(t, scene.DeleteGateway(context.WithoutCancel(ctx)))
	})
	expose(ctx, `{"type":"HTTPRoute","parentRefs":[{"name":"public","namespace":"`+stage.GatewayNamespace+`","sectionName":"tls"}]}`)
	if words := exposed(metav1.ConditionFalse, v1alpha1.ReasonRouteNotAccepted); !strings.Contains(words, "no listener allows routes from namespace "+stage.Fleet) {
		t.Errorf("the Gateway does not allow it: %s", words)
	}
	must(t, scene.ApplyGateway(ctx, "All"))
	exposed(metav1.ConditionTrue, v1alpha1.ReasonExposed)
	goneIn(ctx, t, "ingress", m)
	signIn("signin-httproute")
	partOfAHost(ctx, t, m)

	expose(ctx, ingress)
	exposed(metav1.ConditionTrue, v1alpha1.ReasonExposed)
	goneIn(ctx, t, "httproute", m)
	signIn("signin-ingress-again")
}

// partOfAHost gives the gateway a part of its host for a moment: the links of new to-dos lead there, and to the CRM.
func partOfAHost(ctx context.Context, t *testing.T, m stage.Member) {
	t.Helper()
	const part = "/portal/oa"
	key := client.ObjectKey{Namespace: stage.Fleet, Name: m.Name}
	serve := func(ctx context.Context, prefix string) {
		t.Helper()
		_, err := scene.Kubectl(ctx, "-n", key.Namespace, "patch", "oac", key.Name, "--type=merge", "-p", `{"spec":{"sso":{"pathPrefix":`+prefix+`}}}`)
		must(t, err)
		_, err = scene.Await(ctx, key, time.Minute, v1alpha1.ConditionReady, metav1.ConditionTrue, "")
		must(t, err)
	}
	serve(ctx, `"`+part+`"`)
	defer serve(context.WithoutCancel(ctx), "null")
	run, err := scene.EmitTo(ctx, key, crm.Emission{
		Workload: crm.Workload{Seed: 3, Events: 12, ToDos: 4, Prefix: fmt.Sprintf("part-%d", time.Now().UnixMilli())},
	})
	must(t, err)
	run = kindly(mustRun(ctx, t, run))
	equal(ctx, t, m, run)
	for _, d := range doorsOf(ctx, t, m.OA, run) {
		if !strings.HasPrefix(d.link, "https://"+m.HostOf()+part+"/") {
			t.Errorf("the link leads to %s", d.link)
		}
		link, err := stage.SignedLink(d.link, m.AccountOf(d.want.OALogin), m.SharedSecret(v1alpha1.KeyLink))
		must(t, err)
		must(t, scene.Follow(ctx, d.want, link))
	}
}

// goneIn waits until the proxy knows nothing more of a way to the member's gateway.
func goneIn(ctx context.Context, t *testing.T, kind string, m stage.Member) {
	t.Helper()
	must(t, stage.Until(ctx, func() error {
		out, err := scene.Kubectl(ctx, "-n", stage.Fleet, "get", kind, m.Name+"-gateway", "--ignore-not-found", "-o", "name")
		if err == nil && out != "" {
			err = fmt.Errorf("%s is still there", strings.TrimSpace(out))
		}
		return err
	}))
}
