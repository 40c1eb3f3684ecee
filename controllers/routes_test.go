package controllers_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
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

// withoutRight takes the rights on a group from the operator, and returns what gives them back.
func (w *world) withoutRight(group string) (allow func()) {
	w.Helper()
	role, _, _, err := shippedRoles()
	w.Expect(err).NotTo(HaveOccurred())
	set := func(rules []rbacv1.PolicyRule) {
		w.Helper()
		var there rbacv1.ClusterRole
		w.Expect(admin.Get(w.Context(), client.ObjectKey{Name: role.Name}, &there)).To(Succeed())
		there.Rules = rules
		w.Expect(admin.Update(w.Context(), &there)).To(Succeed())
	}
	set(slices.DeleteFunc(slices.Clone(role.Rules), func(r rbacv1.PolicyRule) bool { return slices.Contains(r.APIGroups, group) }))
	return func() { set(role.Rules) }
}

// A cluster gets the Gateway API after the operator: the connector says what is missing, and gets its route when it is
// there. What the Gateway makes of the route is in the status; back to an Ingress, the route goes.
func TestGatewayAPI(t *testing.T) {
	w := newWorld(t)
	viaGateway := v1alpha1.Exposure{
		Type: v1alpha1.ExposureHTTPRoute, ParentRefs: []v1alpha1.GatewayReference{{Name: "public", Namespace: "infra"}},
	}
	w.ready(func(c *v1alpha1.OAConnector) {
		c.Spec.SSO = sampleConnector(t).Spec.SSO
		c.Spec.SSO.Exposure = viaGateway
	})
	w.expectCondition(v1alpha1.ConditionExposed, HavePrefix("False GatewayAPIMissing: the Gateway API is not installed in this cluster"))

	// Roles that a company wrote for itself before there were HTTPRoutes: the connector says so, and no other one is held up.
	allow := w.withoutRight("gateway.networking.k8s.io")
	_, err := envtest.InstallCRDs(adminConfig, envtest.CRDInstallOptions{Paths: []string{filepath.Join("..", "hack", "cluster", "node", "files", "gateway-api.yaml")}})
	w.Expect(err).NotTo(HaveOccurred())
	w.Eventually(func(g Gomega) string {
		g.Expect(resync(w.Context(), w.key("hq"))).To(Succeed())
		return w.condition(v1alpha1.ConditionExposed)(g)
	}).WithTimeout(patience).WithPolling(time.Second).Should(HavePrefix("False NotExposed: the operator cannot list HTTPRoutes"))
	change(w, "hq", &v1alpha1.OAConnector{}, func(c *v1alpha1.OAConnector) {
		c.Spec.SSO.Exposure = v1alpha1.Exposure{Type: v1alpha1.ExposureIngress}
	})
	w.expectCondition(v1alpha1.ConditionExposed, HavePrefix("False AddressPending"))
	change(w, "hq", &v1alpha1.OAConnector{}, func(c *v1alpha1.OAConnector) { c.Spec.SSO.Exposure = viaGateway })
	allow()
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
