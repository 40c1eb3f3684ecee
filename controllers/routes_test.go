package controllers_test

import (
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/oabridge/oabridge/api/v1alpha1"
	"github.com/oabridge/oabridge/internal/workload"
)

func route() *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(workload.RouteKind)
	return u
}

// answer plays the controller of a Gateway: what it says of the connector's route.
func (w *world) answer(conditions ...map[string]any) {
	w.Helper()
	r := get(w, "hq-gateway", route())
	base := r.DeepCopy()
	for _, c := range conditions {
		c["observedGeneration"], c["lastTransitionTime"] = r.GetGeneration(), "2026-01-02T03:04:05Z"
	}
	list := make([]any, len(conditions))
	for i, c := range conditions {
		list[i] = c
	}
	w.Expect(unstructured.SetNestedSlice(r.Object, []any{map[string]any{
		"parentRef":      map[string]any{"name": "public", "namespace": "infra", "group": "gateway.networking.k8s.io", "kind": "Gateway"},
		"controllerName": "example.com/gateways",
		"conditions":     list,
	}}, "status", "parents")).To(Succeed())
	w.Expect(admin.Status().Patch(w.Context(), r, client.MergeFrom(base))).To(Succeed())
}

// A cluster gets the Gateway API after the operator: the connector says what is missing, and gets its route when it is
// there. What the Gateway makes of the route is in the status; back to an Ingress, the route goes.
func TestGatewayAPI(t *testing.T) {
	w := newWorld(t)
	w.ready(func(c *v1alpha1.OAConnector) {
		c.Spec.SSO = sampleConnector(t).Spec.SSO
		c.Spec.SSO.Exposure = v1alpha1.Exposure{
			Type: v1alpha1.ExposureHTTPRoute, ParentRefs: []v1alpha1.GatewayReference{{Name: "public", Namespace: "infra"}},
		}
	})
	w.expectCondition(v1alpha1.ConditionExposed, HavePrefix("False GatewayAPIMissing: the Gateway API is not installed in this cluster"))

	_, err := envtest.InstallCRDs(adminConfig, envtest.CRDInstallOptions{Paths: []string{filepath.Join("..", "hack", "cluster", "node", "files", "gateway-api.yaml")}})
	w.Expect(err).NotTo(HaveOccurred())
	w.Eventually(func(g Gomega) string { // the operator looks again by itself, but no sooner than after a minute
		g.Expect(resync(w.Context(), w.key("hq"))).To(Succeed())
		return w.condition(v1alpha1.ConditionExposed)(g)
	}).WithTimeout(patience).WithPolling(time.Second).Should(HavePrefix("False AddressPending: no controller has answered for gateway infra/public"))

	w.answer(map[string]any{"type": "Accepted", "status": "False", "reason": "NotAllowedByListeners", "message": "namespace crm may not attach routes"})
	w.expectCondition(v1alpha1.ConditionExposed, Equal(
		"False RouteNotAccepted: gateway infra/public does not take the HTTPRoute: NotAllowedByListeners: namespace crm may not attach routes"))
	w.answer(map[string]any{"type": "Accepted", "status": "True", "reason": "Accepted", "message": ""},
		map[string]any{"type": "ResolvedRefs", "status": "False", "reason": "BackendNotFound", "message": "no service"})
	w.expectCondition(v1alpha1.ConditionExposed, HavePrefix("False RouteNotAccepted"))
	w.answer(map[string]any{"type": "Accepted", "status": "True", "reason": "Accepted", "message": ""},
		map[string]any{"type": "ResolvedRefs", "status": "True", "reason": "ResolvedRefs", "message": ""})
	w.expectCondition(v1alpha1.ConditionExposed, HavePrefix("True Exposed: the HTTPRoute is accepted"))

	// Drift is repaired, as in any child.
	change(w, "hq-gateway", route(), func(u *unstructured.Unstructured) {
		w.Expect(unstructured.SetNestedStringSlice(u.Object, []string{"elsewhere.example"}, "spec", "hostnames")).To(Succeed())
	})
	w.Eventually(func() []string {
		hosts, _, _ := unstructured.NestedStringSlice(get(w, "hq-gateway", route()).Object, "spec", "hostnames")
		return hosts
	}).WithTimeout(patience).Should(Equal([]string{"sso.oabridge.test"}))

	change(w, "hq", &v1alpha1.OAConnector{}, func(c *v1alpha1.OAConnector) {
		c.Spec.SSO.Exposure = v1alpha1.Exposure{Type: v1alpha1.ExposureIngress}
	})
	w.Eventually(func() bool { return apierrors.IsNotFound(admin.Get(w.Context(), w.key("hq-gateway"), route())) }).
		WithTimeout(patience).Should(BeTrue())
	get(w, "hq-gateway", &networkingv1.Ingress{})
}
