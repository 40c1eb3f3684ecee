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
	"github.com/oabridge/oabridge/test/stage"
)

// The gateway of a connector moves from an Ingress to a Gateway of the Gateway API and back. Each serves a sign-in under the
// same name, and the Ingress or route of the other kind is gone. A Gateway that does not take the route is named, with its
// own words.
func TestBothExposuresServeASignIn(t *testing.T) {
	if os.Getenv("CLUSTER") == "current" {
		t.Skip("another cluster has Gateways of its own; this machine's own has the class oabridge")
	}
	ctx := within(t, 6*time.Minute)
	browser := browse(ctx, t)
	m := member(t, "generic-link")
	key := client.ObjectKey{Namespace: stage.Fleet, Name: m.Name}
	expose := func(exposure string) {
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

	must(t, scene.ApplyGateway(ctx, "Same"))
	t.Cleanup(func() { must(t, scene.DeleteGateway(context.WithoutCancel(ctx))) })
	expose(`{"type":"HTTPRoute","parentRefs":[{"name":"public","namespace":"` + stage.GatewayNamespace + `","sectionName":"tls"}]}`)
	if words := exposed(metav1.ConditionFalse, v1alpha1.ReasonRouteNotAccepted); !strings.Contains(words, "no listener allows routes from namespace "+stage.Fleet) {
		t.Errorf("the Gateway does not allow it: %s", words)
	}
	must(t, scene.ApplyGateway(ctx, "All"))
	exposed(metav1.ConditionTrue, v1alpha1.ReasonExposed)
	goneIn(ctx, t, "ingress", m)
	signIn("signin-httproute")

	expose(`{"type":"Ingress","tls":{"secretName":"tls"}}`)
	exposed(metav1.ConditionTrue, v1alpha1.ReasonExposed)
	goneIn(ctx, t, "httproute", m)
	signIn("signin-ingress-again")
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
